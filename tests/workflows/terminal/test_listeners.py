"""Who hears what: a terminal sees bars, a log sees what must not be missed, a machine sees JSON."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.values.events import (
    Checking,
    FramesPainted,
    FramesSurveyed,
    GivenUp,
    ItemChanged,
    Joining,
    Looking,
    Note,
    ReelPlanned,
    Retry,
    RowsPainted,
    RowsSurveyed,
    ScanPlanned,
    StepDone,
    StepRetry,
    Total,
    UnitCount,
    UnitPainted,
)
from workflows.terminal.bars import Bars
from workflows.terminal.collection_bars import CollectionBars
from workflows.terminal.json_lines import JsonLines
from workflows.terminal.listeners import collection_listener, listener_for
from workflows.terminal.notes import CollectionNotes, Notes

TOTAL = Total(1.5, 9.0, UnitCount(3, 12), {"done": 1}, 0.9, 2)


def item(state, done=1, name="films/a"):
    """An item of four units in a state."""
    return ItemChanged("0f", name, state, done, 4, 2.4)


def untimed(text):
    """A log's lines without their times, each of which is now, with its distance from UTC."""
    lines = [line.split(" ", 1) for line in text.splitlines()]
    for at, _ in lines:
        assert abs(datetime.now(UTC) - datetime.fromisoformat(at)) < timedelta(minutes=10)
    return [line for _, line in lines]


def test_a_terminal_has_no_times(capsys, monkeypatch):
    """Who looks on knows what time it is."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    Notes()(Note("a note"))
    assert capsys.readouterr().err == "note: a note\n"


@pytest.mark.parametrize(("kind", "heard"), [("auto", Notes), ("bar", Bars), ("json", JsonLines), ("none", Notes)])
def test_who_listens(kind, heard):
    """Away from a terminal `auto` hears notes; what is named is given."""
    assert type(listener_for(kind)) is heard


@pytest.mark.parametrize(
    ("kind", "heard"), [("auto", CollectionNotes), ("bar", CollectionBars), ("json", JsonLines), ("none", Notes)]
)
def test_who_listens_to_a_collection(kind, heard):
    """As to one reel, with words of its own."""
    assert type(collection_listener(kind)) is heard


def test_notes_reach_a_log(capsys):
    """A note and a retry are one line each on stderr, progress is not."""
    with listener_for("auto") as listener:
        listener(FramesPainted(1, 2))
        listener(Note("3 frames are damaged:\n1, 2, 3"))
        listener(Retry("worker died; trying again"))
    said = capsys.readouterr()
    assert untimed(said.err) == ["note: 3 frames are damaged: 1, 2, 3", "note: worker died; trying again"]
    assert said.out == ""


def test_a_collection_is_a_log_of_what_came_of_each_file(capsys):
    """What is done, set aside or tried again is a line each, and nothing else is."""
    with collection_listener("auto") as listener:
        for event in (Looking(1, 1), item("painting"), StepDone("films/a", "paint", "segment 1", 1.0), TOTAL):
            listener(event)
        listener(item("done", 4))
        listener(item("set-aside", name="films/b"))
        listener(GivenUp("films/b", "paint", "the frames\nare gone"))
        listener(StepRetry("films/c, segment 1: killed", "paint"))
        listener(Note("a note"))
    assert untimed(capsys.readouterr().err) == [
        "note: done films/a",
        "note: set aside films/b: the frames are gone",
        "note: films/c, segment 1: killed",
        "note: a note",
    ]


@pytest.mark.parametrize("kind", [FramesPainted, RowsPainted])
def test_json_lines_keep_the_last_of_a_count(kind):
    """However fast frames or rows come, the first is told and so is the one that completes them."""
    stream = io.StringIO()
    listener = JsonLines(stream)
    for done in range(1, 101):
        listener(kind(done, 100))
    told = [json.loads(line)["done"] for line in stream.getvalue().splitlines()]
    assert told[0] == 1
    assert told[-1] == 100
    assert len(told) < 50


def test_json_lines_pass_all_that_does_not_count():
    """Notes, items and steps are written however fast they come; of a survey's counts the first is."""
    stream = io.StringIO()
    listener = JsonLines(stream)
    for event in (*[FramesSurveyed(n, 10) for n in range(1, 11)], *[Note(str(n)) for n in range(20)], TOTAL):
        listener(event)
    told = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert told.count("survey") < 5
    assert told.count("note") == 20
    assert told[-1] == "total"


def test_bars_take_every_event(capsys):
    """No event of a run disturbs the bars; notes are printed with their markup shown, not obeyed."""
    with Bars() as bars:
        bars(FramesSurveyed(3, 10))
        bars(ReelPlanned(10, 1, 2, 1))
        bars(FramesPainted(5, 10))
        bars(UnitPainted("segment", 1, 1, {"frames": 5}))
        bars(Joining())
        bars(Checking())
        bars(Note("[red]a file[/]"))
    said = capsys.readouterr().err
    assert "[red]a file[/]" in said
    assert "10 frames, 1 shot, 2 segments (1 painted before)" in said


def test_bars_of_a_scan(capsys):
    """A scan's plan is told in pages and megapixels; its bar counts rows."""
    with Bars() as bars:
        bars(RowsSurveyed(100, 4000))
        bars(ScanPlanned(1, 12.5, 4000, 6, 0))
        bars(RowsPainted(1000, 4000))
        [task] = bars.progress.tasks
        assert (task.description, task.completed, task.total) == ("coloring", 1000, 4000)
    assert "1 page, 12 megapixels, 6 bands" in capsys.readouterr().err


def test_segments_move_the_bar_where_frames_are_not_told():
    """Workers on a cluster report whole segments: the bar counts their frames."""
    with Bars() as bars:
        bars(ReelPlanned(200, 2, 4, 0))
        for number in range(3):
            bars(UnitPainted("segment", number, 1, {"frames": 50}))
        [task] = bars.progress.tasks
        assert (task.completed, task.total) == (150, 200)


def test_a_collection_has_a_bar_for_each_file_in_the_works(capsys):
    """And one for all; a file's bar goes when it is done or set aside, and a line says which."""
    with CollectionBars() as bars:
        bars(Looking(1, 2))
        assert [task.description for task in bars.progress.tasks] == ["looking"]
        bars(Looking(2, 2))
        bars(TOTAL)
        bars(item("painting"))
        bars(ItemChanged("1f", "f" * 50, "painting", 0, 4, 2.4))
        names = [(task.description, task.completed, task.total) for task in bars.progress.tasks]
        assert names == [("all", 2, 9), ("films/a", 1, 4), ("..." + "f" * 37, 0, 4)]
        bars(item("done", 4))
        bars(ItemChanged("1f", "f" * 50, "set-aside", 0, 4, 2.4))
        bars(GivenUp("[b]b", "paint", "gone"))
        bars(StepRetry("films/c, killed", "paint"))
        assert [task.description for task in bars.progress.tasks] == ["all"]
    said = capsys.readouterr().err
    for line in ("done films/a", "set aside [b]b: gone", "note films/c, killed"):
        assert line in said
