"""What a reel's job writes down and how much it takes at once, by its plan and its sidecar."""

import json
from fractions import Fraction

import pytest

from pipeline.jobs.reel_job import ReelChoices, ReelJob
from pipeline.values.events import Silent
from tests.synthetic import write_reel


def sidecar_of(out):
    """What lies beside an output."""
    return json.loads(out.with_name(out.name + ".json").read_text())


def batch_of(studio, folder, size, working_size):
    """Frames of such a size that would be painted at once."""
    source = write_reel(folder / "in.mkv", 1, size)
    asked = ReelChoices(weights=str(studio.weights), working_size=working_size, precision="fp32")
    return ReelJob(str(source), folder / "out.mkv", asked, None, Silent()).settings.batch


@pytest.mark.parametrize(("size", "frames"), [((64, 48), 8), ((640, 480), 4), ((960, 720), 2), ((1280, 960), 1)])
def test_frames_painted_at_once_fit_into_memory(studio, tmp_path, size, frames):
    """At native size a batch has fewer frames the larger they are, at most 300 MB of layers, and one at least."""
    assert batch_of(studio, tmp_path, size, 0) == frames


def test_a_working_size_makes_batches_alike(studio, tmp_path):
    """What counts is the size at which the network sees a picture, not the picture's own."""
    assert batch_of(studio, tmp_path, (960, 720), 32) == 8


@pytest.mark.parametrize("first", [0, 48])
@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_shots_are_told_in_seconds_of_the_film(studio, tmp_path, suffix, first):
    """Seconds in a sidecar are counted from the first frame, whatever its time in the source; each shot ends where
    the next begins, and the last where the film does."""
    source = tmp_path / f"in{suffix}"
    write_reel(
        source, 48, cuts=(24,), pts=[(first + i) * 3750 for i in range(48)], time_base=Fraction(1, 90000)
    )  # fmt: skip
    studio.color(source, tmp_path / "out.mkv")
    told = sidecar_of(tmp_path / "out.mkv")["shots"]
    assert [(s["start"], s["stop"]) for s in told] == [(0, 24), (24, 48)]
    (begin, cut), (same, end) = (s["seconds"] for s in told)
    assert (begin, same) == (0, cut)
    assert (cut, end) == (pytest.approx(1, abs=0.002), pytest.approx(2, abs=0.045))
