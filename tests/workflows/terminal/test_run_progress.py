"""What `status` tells of a job by its log: percent, files and time, and nothing where the log says nothing."""

import io

import pytest

from pipeline.values.events import (
    Checking,
    Finished,
    FramesPainted,
    Looking,
    NightFinished,
    Note,
    ReelPlanned,
    Total,
    UnitCount,
)  # fmt: skip
from workflows.terminal.json_lines import JsonLines
from workflows.terminal.run_progress import progress_of


def log(*events):
    """A log as a run writes it, among what libraries print."""
    stream = io.StringIO("")
    listener = JsonLines(stream)
    for event in events:
        listener(event)
        stream.write('\x1b[36m(pid=7)\x1b[0m some library says {something}\n{"half": \n')
    return stream.getvalue()


TOTAL = Total(25.0, 100.0, UnitCount(3, 12), {"done": 1, "painting": 1, "waiting": 2}, 0.9, 2)


def test_a_collection_tells_files_and_time():
    """A quarter in ten minutes leaves half an hour."""
    found = progress_of(log(Looking(4, 4), TOTAL, Note("hm")), 600)
    assert (found["percent"], found["files"], found["left"]) == (25.0, {"done": 1, "of": 4}, 1800)
    assert found["text"] == "25 %, 1 of 4 files, about 30 minutes left"


@pytest.mark.parametrize(("done", "left"), [(0, "about 10 minutes left"), (5, "")])
def test_a_reel_tells_frames(done, left):
    """How long a run that went on from an earlier one still takes is not guessed: its share was not all its own."""
    found = progress_of(log(ReelPlanned(96, 2, 8, done), FramesPainted(48, 96)), 600)
    assert found["text"] == ", ".join(["50 %", left] if left else ["50 %"])


def test_the_end_and_what_comes_before():
    """Stages without a count are words; what is over is whole; a log without events says nothing."""
    assert progress_of(log(FramesPainted(9, 9), Checking()), 60)["text"] == "checking it"
    assert progress_of(log(TOTAL, NightFinished(4, 0, 0, False, 9.0, 0.9, 0, None)), 60)["text"] == "4 done"
    late = NightFinished(3, 1, 4, True, 9.0, 0.9, 2, "s3://b/out/report.html")
    told = "3 done, verified, but for 2 losses, 1 set aside, 4 left; the report is in s3://b/out/report.html"
    assert progress_of(log(TOTAL, late), 60)["text"] == told
    one = Finished("out.mkv", False, 4, "verified, but for 1 loss", ("a subtitle",))
    assert progress_of(log(one), 60)["text"] == "out.mkv: verified, but for 1 loss"
    assert progress_of("chromatheque: not found\n", 60) == {}
    assert progress_of('{"event": 7}\n{"event": "total", "done": "x", "items": 3}\n', None)["text"] == "total"


def test_each_line_has_its_time():
    """Behind what scripts read already."""
    [line] = [line for line in log(Checking()).splitlines() if line.startswith('{"event"')]
    assert line.startswith('{"event": "checking", ')
    assert '"at": "20' in line
