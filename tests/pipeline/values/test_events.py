"""Who hears what: a terminal sees bars, a log sees what must not be missed, a machine sees JSON."""

import io
import json

import pytest

from pipeline.values.events import Bars, JsonLines, Notes, Silent, listener_for


@pytest.mark.parametrize(("kind", "heard"), [("auto", Notes), ("bar", Bars), ("json", JsonLines), ("none", Silent)])
def test_who_listens(kind, heard):
    """Away from a terminal `auto` hears notes; what is named is given."""
    assert type(listener_for(kind)) is heard


def test_notes_reach_a_log(capsys):
    """A note and a retry are one line each on stderr, progress is not."""
    with listener_for("auto") as listener:
        listener("frame", done=1, of=2)
        listener("note", text="3 frames are damaged:\n1, 2, 3")
        listener("retry", text="worker died; trying again")
    said = capsys.readouterr()
    assert said.err.splitlines() == ["note: 3 frames are damaged: 1, 2, 3", "note: worker died; trying again"]
    assert said.out == ""


def test_json_lines_keep_the_last_frame():
    """However fast frames come, the first is told and so is the one that completes the reel."""
    stream = io.StringIO()
    listener = JsonLines(stream)
    for done in range(1, 101):
        listener("frame", done=done, of=100)
    told = [json.loads(line)["done"] for line in stream.getvalue().splitlines()]
    assert told[0] == 1
    assert told[-1] == 100
    assert len(told) < 50


def test_bars_take_every_event(capsys):
    """No event of a run disturbs the bars; notes are printed with their markup shown, not obeyed."""
    with Bars() as bars:
        bars("survey", frames=3, of=10)
        bars("planned", frames=10, shots=1, segments=2, done=1)
        bars("frame", done=5, of=10)
        bars("segment", number=1, frames=5, attempt=1)
        bars("joining")
        bars("checking")
        bars("note", text="[red]a file[/]")
    assert "[red]a file[/]" in capsys.readouterr().err


def test_segments_move_the_bar_where_frames_are_not_told():
    """Workers on a cluster report whole segments: the bar counts their frames."""
    with Bars() as bars:
        bars("planned", frames=200, shots=2, segments=4, done=0)
        for number in range(3):
            bars("segment", number=number, frames=50, attempt=1)
        [task] = bars.progress.tasks
        assert (task.completed, task.total) == (150, 200)
