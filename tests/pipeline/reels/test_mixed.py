"""Reels that are partly in color: those shots keep what they have."""

import json

import av
import numpy as np
import pytest

from pipeline.containers.planes import plane_view
from pipeline.jobs.reel_job import ReelChoices, ReelJob
from pipeline.storage.job_folder import sidecar_of
from tests.endtoend import Heard
from tests.synthetic import texture

SIZE = (96, 64)
GRAY, COLOR, TINT = "gray", "color", "tint"


def rgb(kind, index, shot):
    """A picture with one hue, several, or none; float in [0, 1]."""
    luma, red, blue = (texture(index, *SIZE, shot + 10 * n) for n in range(3))
    if kind == TINT:
        return np.stack([luma * 0.9 + 0.1, luma * 0.8 + 0.05, luma * 0.6], -1)
    off = [0.5 * (red - 0.5), 0 * luma, 0.5 * (blue - 0.5)] if kind == COLOR else [0 * luma] * 3
    return np.clip(np.stack([luma * 0.7 + 0.15 + o for o in off], -1), 0, 1)


def mixed(path, kinds, pix_fmt="yuv420p", shots=range(100), still=False):
    """A reel of shots of 16 frames each. shots: what each shows. still: nothing moves in them."""
    with av.open(path, "w") as out:
        video = out.add_stream("ffv1" if path.suffix == ".mkv" else "rawvideo", rate=24)
        (video.width, video.height), video.pix_fmt = SIZE, pix_fmt
        for index in range(16 * len(kinds)):
            picture = (rgb(kinds[index // 16], 0 if still else index, shots[index // 16]) * 255).astype(np.uint8)
            if kinds[index // 16] == GRAY:
                picture[..., :] = picture[..., :1]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt, threads=1)
            frame.pts = index
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def planes(path):
    """Of each frame its three planes, in 8-bit codes."""
    with av.open(path) as file:
        return [
            [np.array(plane_view(frame, i), float) / 2 ** (frame.format.components[0].bits - 8) for i in range(3)]
            for frame in file.decode(video=0)
        ]


def color(studio, source, out, **choices):
    """The reel colored, and what was remarked."""
    heard = Heard()
    asked = ReelChoices(weights=str(studio.weights), working_size=32, precision="fp32", **choices)
    result = ReelJob(str(source), out, asked, None, heard).color()
    assert all(finding.right for finding in result.findings)
    return result, [facts["text"] for event, facts in heard.events if event == "note"]


def test_a_shot_in_color_keeps_its_codes(studio, tmp_path):
    """Every sample of it, and only of it; the run, the plan and the sidecar say so."""
    source, out = mixed(tmp_path / "a.mkv", [GRAY, COLOR, GRAY, TINT]), tmp_path / "out.mkv"
    result, notes = color(studio, source, out)
    assert [shot.kept for shot in result.plan.shots] == [False, True, False, False]
    assert "in color already, and left so: 1 of 4 shots (16 frames)" in notes
    assert [shot["kept"] for shot in json.loads(sidecar_of(out).read_bytes())["shots"]] == [False, True, False, False]
    for index, (before, after) in enumerate(zip(planes(source), planes(out), strict=True)):
        assert np.array_equal(before[0], after[0])
        same = all(np.array_equal(a, b) for a, b in zip(before[1:], after[1:], strict=True))
        assert same == (index // 16 == 1), index


def test_they_are_painted_when_asked(studio, tmp_path):
    """--color-shots recolor paints every shot."""
    source, out = mixed(tmp_path / "a.mkv", [GRAY, COLOR]), tmp_path / "out.mkv"
    result, notes = color(studio, source, out, color_shots="recolor")
    assert not any(shot.kept for shot in result.plan.shots)
    assert not any("left so" in note for note in notes)
    assert not np.array_equal(planes(source)[20][1], planes(out)[20][1])


def test_a_reel_all_in_color_is_painted(studio, tmp_path):
    """Whoever hands one in wants other colors; it is said that its own are not used."""
    source = mixed(tmp_path / "a.mkv", [COLOR, COLOR])
    result, notes = color(studio, source, tmp_path / "out.mkv")
    assert not any(shot.kept for shot in result.plan.shots)
    assert any("its color is not" in note for note in notes)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gbrp", "nv12", "yuv411p"])
@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_other_formats_keep_the_same_colors(studio, tmp_path, pix_fmt, suffix):
    """Where the output has another subsampling or depth, chroma is what it was but for resampling."""
    source, out = mixed(tmp_path / "a.nut", [GRAY, COLOR], pix_fmt), tmp_path / f"out{suffix}"
    result, _ = color(studio, source, out)
    assert [shot.kept for shot in result.plan.shots] == [False, True]
    with av.open(source) as before, av.open(out) as after:
        pairs = list(zip(before.decode(video=0), after.decode(video=0), strict=True))
    a, b = (frame.reformat(format="rgb24", threads=1).to_ndarray().astype(int) for frame in pairs[24])
    assert abs(a - b)[4:-4, 4:-4].mean() < 4
    assert np.ptp(b, axis=2).mean() > 15


@pytest.mark.parametrize("still", [True, False])
def test_color_that_begins_within_a_shot(studio, tmp_path, still):
    """The same picture goes on in color: a cut that luma does not show, to the frame, in the plan and in the codes."""
    source, out = tmp_path / "a.mkv", tmp_path / "out.mkv"
    mixed(source, [GRAY, COLOR, GRAY], shots=[0, 0, 0], still=still)
    result, _ = color(studio, source, out)
    assert [(s.start, s.stop, s.kept) for s in result.plan.shots] == [(0, 16, False), (16, 32, True), (32, 48, False)]
    for index, (before, after) in enumerate(zip(planes(source), planes(out), strict=True)):
        same = all(np.array_equal(a, b) for a, b in zip(before[1:], after[1:], strict=True))
        assert same == (index // 16 == 1), index
    result, _ = color(studio, source, tmp_path / "again.mkv", color_shots="recolor")
    assert [(s.start, s.stop, s.kept) for s in result.plan.shots] == [(0, 48, False)]
