"""Dissolves: found on film however worn, none where something else goes on, and painted under looks that pass."""

import json
from dataclasses import replace

import av
import numpy as np
import pytest

from pipeline.jobs.edits import borrowed, merged, split
from pipeline.jobs.reel_job import ReelChoices, ReelJob
from pipeline.reels.dissolves import REACH, DissolveDetector
from pipeline.reels.plan import Plan
from pipeline.reels.shots import areas, signs
from pipeline.storage.job_folder import sidecar_of
from tests.endtoend import Heard
from tests.films import SIZE, codes, luma, needs_media, scene
from tests.takes import ours


def detect(frames):
    """Dissolves as (start, stop), and cuts."""
    found = ours(frames)
    assert list(found.blends) == sorted(found.blends)
    return list(found.blends), list(found.cuts)


def test_what_is_settled_stays_so():
    """Each dissolve comes once, within the delay: none begins before what was said to be settled."""
    detector, frames = DissolveDetector(), worn(np.random.default_rng(4), dissolved(np.random.default_rng(4), 16), 0)
    found = []
    for plane in map(areas, [*frames, *frames[::-1]]):
        settled = detector.settled
        found += (more := detector.push(plane, signs(plane)))
        assert all(dissolve.start >= settled for dissolve in more)
        assert detector.settled >= settled
    assert len(found + detector.flush()) == 2


def moving(rng, length, speed=0.1):
    """Frames of a scene that drifts under a window."""
    h, w = SIZE
    whole = scene(rng, (h + 40, w + 40))
    at = rng.uniform(0, 20, 2) + np.arange(length)[:, None] * rng.normal(0, speed, 2)
    return [whole[y : y + h, x : x + w] for y, x in np.clip(at, 0, 40).astype(int)]


def dissolved(rng, length, frames=40, speed=0.1):
    """Two scenes that pass into one another over `length` frames, from frame `frames` on."""
    one, other = (moving(rng, frames + length, speed) for _ in range(2))
    share = (np.arange(length) + 1) / (length + 1)
    blends = [a * (1 - x) + b * x for a, b, x in zip(one[frames:], other[:length], share, strict=True)]
    return [*one[:frames], *blends, *other[length:]]


def worn(rng, frames, flicker, grain=6.0):
    gain, out = 1.0, []
    for frame in frames:
        gain = 0.6 * (gain - 1) + 1 + rng.normal(0, 0.6 * flicker)
        out.append(codes(np.roll(frame, rng.integers(-1, 2, 2), (0, 1)) * gain + rng.normal(0, grain, frame.shape)))
    return out


@pytest.mark.parametrize("length", [8, 12, 24, 48])
@pytest.mark.parametrize("flicker", [0, 0.12])
def test_dissolves_are_found_where_they_are(length, flicker):
    """To a few frames, also on film that flickers, weaves and has grain; no cut is added."""
    rng, found = np.random.default_rng(length), 0
    for _ in range(5):
        places, cuts = detect(worn(rng, dissolved(rng, length), flicker))
        assert cuts == []
        assert len(places) <= 1
        found += len(places)
        slack = 4 + length // 5
        assert all(abs(start - 40) <= slack and abs(stop - 40 - length) <= slack for start, stop in places)
    assert found >= 4


def test_what_moves_is_no_dissolve():
    """Pans of any speed, also over unlike parts of a scene."""
    rng = np.random.default_rng(5)
    for speed in (0.3, 1, 3, 8):
        whole = scene(rng, (SIZE[0], SIZE[1] + int(120 * speed)))
        reel = [codes(whole[:, int(i * speed) : int(i * speed) + SIZE[1]]) for i in range(120)]
        assert detect(reel) == ([], [])


def test_cuts_flashes_and_fades_are_no_dissolves():
    """A cut is one, a flash is nothing, and a fade through black has a cut at its first frame with a picture."""
    rng = np.random.default_rng(6)
    one, other = scene(rng), scene(rng)
    assert detect([codes(x) for x in [one] * 40 + [other] * 40]) == ([], [40])
    assert detect([codes(x) for x in [one] * 40 + [one * 0.3 + 180] * 2 + [one] * 40]) == ([], [])
    out, up = np.linspace(1, 0, 20), np.linspace(0, 1, 20)
    black = [*[one] * 30, *(one * x for x in out), *(other * x for x in up), *[other] * 30]
    dissolves, cuts = detect([codes(x) for x in black])
    assert (dissolves, len(cuts)) == ([], 1)
    assert 48 <= cuts[0] <= 54


def test_a_dissolve_next_to_cuts():
    """Cuts close by neither hide it nor are hidden; one within leaves two cuts' worth of shots, and no dissolve."""
    rng = np.random.default_rng(7)
    middle = dissolved(rng, 16, frames=30)
    reel = [codes(x) for x in [scene(rng)] * 20 + middle + [scene(rng)] * 20]
    dissolves, cuts = detect(reel)
    assert cuts == [20, 96]
    assert [(abs(start - 50) <= 4, abs(stop - 66) <= 4) for start, stop in dissolves] == [(True, True)]


@pytest.mark.media
@needs_media
def test_real_dissolves():
    """A film of hands changes its pictures by two quick dissolves, of which the first is of two that are much alike."""
    found, _ = detect(luma("film_bw/hands_bw_cinepak_audio.avi"))
    assert any(abs(a - 59) <= 4 and b >= 70 for a, b in found)
    assert len(found) <= 3


@pytest.mark.media
@needs_media
@pytest.mark.parametrize("name", ["film_bw/abomb_blast_effects_part.mp4", "video_colour/cockatoo_audio_444.mp4"])
def test_real_film_without_dissolves(name):
    """Explosions, smoke and a bird that moves are none."""
    assert detect(luma(name))[0] == []


LENGTH, STOP = 16, 112
"""Of the dissolve in the reel, and frames of the whole."""


@pytest.fixture(scope="module")
def reel(tmp_path_factory):
    """A reel that dissolves from frame 48 to 64."""
    path = tmp_path_factory.mktemp("dissolve") / "reel.mkv"
    with av.open(path, "w") as out:
        video = out.add_stream("ffv1", rate=24)
        (video.height, video.width), video.pix_fmt = SIZE, "gray"
        for index, picture in enumerate(dissolved(np.random.default_rng(8), LENGTH, frames=48)):
            frame = av.VideoFrame.from_ndarray(codes(picture), format="gray")
            frame.pts = index
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


@pytest.fixture(scope="module")
def plan(studio, reel):
    return studio.plan(reel)


def test_a_reel_has_a_shot_from_the_dissolves_first_frame_on(plan):
    """Its look is that of the frames that it has alone; the plan reads back as it is."""
    assert [bool(shot.dissolve) for shot in plan.shots] == [False, True]
    shot = plan.shots[1]
    assert abs(shot.start - 48) <= 4
    assert abs(shot.start + shot.dissolve - 64) <= 4
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))).shots[1].dissolve == shot.dissolve


def test_looks_pass_evenly_from_shot_to_shot(plan):
    """From just after one look to just before the other within the dissolve; one look before it and after it."""
    before, shot = plan.shots
    looks = shot.looks(before, shot.start, shot.stop)
    share = (looks - before.look) @ (shot.look - before.look) / np.sum((shot.look - before.look) ** 2)
    wanted = np.minimum(np.arange(1, len(looks) + 1) / (shot.dissolve + 1), 1)
    assert np.allclose(share, wanted, atol=1e-4)
    assert np.array_equal(looks[shot.dissolve :], np.tile(shot.look, (len(looks) - shot.dissolve, 1)))
    assert shot.looks(before, shot.start + shot.dissolve, shot.stop).ndim == 1
    assert np.array_equal(shot.looks(before, shot.start + 5, shot.stop), looks[5:])
    assert before.looks(None, 0, 10).ndim == 1


def test_each_frame_is_painted_with_its_look(studio, reel, tmp_path):
    """Wherever the reel is cut into segments; the sidecar tells of the dissolve."""
    heard, out = Heard(), tmp_path / "out.mkv"
    result = ReelJob(
        str(reel), out, ReelChoices(weights=str(studio.weights), working_size=32, precision="fp32"), None, heard
    ).color()
    assert all(finding.right for finding in result.findings)
    assert json.loads(sidecar_of(out).read_bytes())["shots"][1]["dissolve"] == result.plan.shots[1].dissolve
    segments = result.plan.units()
    assert [segment.look.ndim for segment in segments] == [1, 2]
    assert np.array_equal(every_look(in_pieces(result.plan, 7)), every_look(result.plan))


def every_look(plan):
    """The look of each frame, as its segment has it."""
    return np.concatenate([np.broadcast_to(s.look, (len(s.pts), s.look.shape[-1])) for s in plan.units()])


def in_pieces(plan, frames):
    """The plan with shorter segments."""
    return replace(plan, settings=replace(plan.settings, segment_frames=frames))


def test_a_look_that_changes_touches_the_dissolve_out_of_its_shot(plan):
    """Segments of the shot itself, and the one that its look passes into."""
    plan = in_pieces(plan, 12)
    edited = borrowed(plan, [0], 1)
    old, new = ({unit.start: unit.id for unit in p.units()} for p in (plan, edited))
    shot = plan.shots[1]
    touched = {start for start in old if old[start] != new[start]}
    assert touched == {start for start in old if start < shot.start + shot.dissolve}


def test_edits_keep_dissolves_whole(plan):
    """A split leaves the dissolve with the first part, as far as that goes; a merge keeps the one it begins with."""
    shot = plan.shots[1]
    parts = split(plan, 1, shot.start + 4).shots[1:]
    assert [part.dissolve for part in parts] == [3, 0]
    parts = split(plan, 1, shot.stop - 4).shots[1:]
    assert [part.dissolve for part in parts] == [shot.dissolve, 0]
    assert merged(plan, 0, 1).shots[0].dissolve == 0


def test_memory_is_bounded():
    """It holds as many frames as it looks back, however long the reel."""
    detector, plane = DissolveDetector(), np.zeros((32, 32), np.float32)
    for _ in range(1000):
        detector.push(plane, signs(plane))
    assert len(detector._frames) <= REACH + 6
