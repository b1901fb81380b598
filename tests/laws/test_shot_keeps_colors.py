"""Law 3: the frames of a shot share one look, wherever and in whatever pieces they are painted."""

import json
from itertools import pairwise

import numpy as np
import pytest

from colorizer.measures.quality import color_consistency
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from tests.endtoend import MEDIA, chroma, color, pictures
from tests.synthetic import write_reel

STILL = [5] * 20 + [9] * 16
"""Two shots of one unmoving picture each."""


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """A reel in which every frame of a shot is the same."""
    return write_reel(tmp_path_factory.mktemp("still") / "in.mkv", STILL, (96, 64), cuts=(8,))


@pytest.mark.parametrize("segment_frames", [96, 11, 7, 1])
def test_equal_frames_of_a_shot_get_equal_colors(tmp_path, tiny, still, segment_frames):
    """The same picture has the same chroma in the first and the last segment of its shot, wherever segments begin."""
    result = color(still, tmp_path / "out.mkv", tiny, segment_frames=segment_frames)
    assert [shot.stop for shot in result.plan.shots] == [20, 36]
    assert result.painted == sum(-(-length // segment_frames) for length in (20, 16))
    planes = chroma(tmp_path / "out.mkv")
    for index, plane in enumerate(planes):
        assert np.array_equal(plane, planes[0 if index < 20 else 20]), index
    assert not np.array_equal(planes[0], planes[20])


def test_cut_points_do_not_show(tmp_path, tiny):
    """A moving shot is the same to the last chroma code whether painted whole, in pieces or frame by frame."""
    source = write_reel(tmp_path / "in.mkv", 40, (96, 64))
    whole, *others = (
        (color(source, tmp_path / f"{n}.mkv", tiny, segment_frames=n), chroma(tmp_path / f"{n}.mkv"))[1]
        for n in (96, 13, 3)
    )
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(whole, other, strict=True))


def test_the_looks_are_stored_once_per_shot(tmp_path, tiny, still):
    """The plan in the sidecar holds one look for each shot, and different ones."""
    color(still, tmp_path / "out.mkv", tiny)
    shots = json.loads((tmp_path / "out.mkv.json").read_text())["plan"]["shots"]
    assert len(shots) == 2
    assert shots[0]["look"] != shots[1]["look"]


def test_one_look_per_frame_is_another_result(tmp_path, tiny):
    """`--looks per-frame` exists for comparison and does differ: chroma then moves more within a shot."""
    source = write_reel(tmp_path / "in.mkv", 24, (96, 64))
    moves = []
    for looks in ("per-shot", "per-frame"):
        color(source, tmp_path / f"{looks}.mkv", tiny, looks=looks)
        means = [c.reshape(2, -1).mean(1) for c in chroma(tmp_path / f"{looks}.mkv")]
        moves.append(np.mean([np.abs(b - a).sum() for a, b in pairwise(means)]))
    assert moves[0] < moves[1]


CLIPS = ("cockatoo_audio_444.mp4", "guitar_speech_audio.mp4", "realshort_aac.mp4", "sam2_dog_audio.mp4",
         "sports_multishot_audio.mov")  # fmt: skip


@pytest.mark.media
@pytest.mark.slow
def test_one_look_per_shot_is_steadier_on_real_film(tmp_path):
    """Color distribution consistency of real clips is lower with one look per shot than per frame: on average, and for
    all but one of them at least. The sports clip fades in from black, where any look wavers, so it counts alone.
    """
    if not MEDIA.exists():
        pytest.skip(f"no media at {MEDIA}")
    steadiness = {
        looks: [consistency(tmp_path, MEDIA / "video_colour" / clip, looks) for clip in CLIPS]
        for looks in ("per-shot", "per-frame")
    }
    shot, frame = (np.array(steadiness[looks]) for looks in ("per-shot", "per-frame"))
    print(steadiness)
    assert shot[:-1].mean() < 0.8 * frame[:-1].mean()
    assert (shot[:-1] < frame[:-1]).sum() >= 3
    assert shot[-1] < 1.05 * frame[-1]


def consistency(folder, clip, looks, name=DEFAULT_WEIGHTS):
    """CDC of the first second and a half of a clip, colored from its luma."""
    out = folder / f"{clip.stem}-{looks}.mkv"
    color(clip, out, name, looks=looks, working_size=128, stop="1.5", precision="auto")
    return color_consistency(frame.to_ndarray(format="rgb24") for frame in pictures(out))
