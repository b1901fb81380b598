"""`chromatheque plan`: what it lists, and that every slip is one line that says what would be right."""

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError
from pipeline.scans.plan import ScanPlan
from pipeline.storage.atomic import read_json, write_json
from pipeline.values.look_source import LookSource
from tests.plans import REEL, SETTINGS, plan_of
from tests.plates import plate
from tests.synthetic import tiny_weights
from workflows.commands import cli
from workflows.report.reading import _shots
from workflows.terminal import plan_table

CODED = replace(REEL, timecode="10:00:00:00")


def kept(folder, **changes):
    """A job folder that holds a plan of four shots of 15 frames."""
    folder.mkdir(exist_ok=True)
    write_json(folder / "plan.json", plan_of([15] * 4, **changes).to_json())
    return str(folder)


@pytest.fixture
def job(tmp_path):
    """Such a folder."""
    return kept(tmp_path / "job")


def run(*words):
    """The command in this process: exit code and all that it printed; errors as `main` prints them."""
    done = CliRunner().invoke(cli.cli, ["plan", *map(str, words)])
    if isinstance(done.exception, ColorizeError):
        return 1, f"Error: {done.exception}"
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_table_tells_shots_as_the_report_does(tmp_path, monkeypatch):
    """Numbers and times are those of the report; frames, time code, and where looks come from stand beside them."""
    monkeypatch.setenv("COLUMNS", "200")
    plan = plan_of([15, 20, 5], reel=CODED)
    shots = list(plan.shots)
    shots[2] = replace(shots[2], look=shots[0].look, look_from=(LookSource(frames=(0, 15)),))
    shots[1] = replace(shots[1], look_from=(LookSource(picture="[bold].jpg", sha256="ab" * 32),))
    plan = replace(plan, shots=tuple(shots))
    (tmp_path / "job").mkdir()
    write_json(tmp_path / "job" / "plan.json", plan.to_json())
    monkeypatch.setattr("workflows.commands.plan.on_screen", lambda: True)
    code, said = run("show", tmp_path / "job")
    assert code == 0
    rows = [line.strip("│ \n").split("│") for line in said.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row] for row in rows]
    monkeypatch.setattr("workflows.commands.plan.on_screen", lambda: False)
    lines = run("show", tmp_path / "job")[1].splitlines()[2:]  # for a file or a program: no box, the same words
    assert [re.split(r"  +", line) for line in lines] == cells
    found = json.loads(run("show", tmp_path / "job", "--json")[1])
    assert [(part["shot"], part["start"], part["stop"]) for part in found["parts"]] == [
        (1, 0, 15), (2, 15, 35), (3, 35, 40),
    ]  # fmt: skip
    assert [part["timecode"] for part in found["parts"]] == [row[3] for row in cells]
    assert [row[0] for row in cells] == ["1", "2", "3"]
    assert [row[1] for row in cells] == ["0 to 14", "15 to 34", "35 to 39"]
    assert [row[3] for row in cells] == ["10:00:00:00", "10:00:00:15", "10:00:01:11"]
    assert [row[-1] for row in cells] == ["its own", "of [bold].jpg (sha256 abababababab)", "of shot 1"]
    from pipeline.reels.sidecar import sidecar

    parts = _shots(sidecar(plan, [], [], [], {}))
    assert [part.name for part in parts] == [f"Shot {row[0]}" for row in cells]
    assert [part.span.partition(",")[0] for part in parts] == [row[2] for row in cells]
    assert [part.look for part in parts] == ["", "[bold].jpg (sha256 abababababab)", "shot 1"]


@pytest.mark.parametrize(
    ("text", "frame"),
    [("20", 20), ("16", 16), ("29", 29), ("0:00.9", 22), ("0.9", 22), ("00:00:00:20", 20), ("0:00.625", None),
     ("15", None), ("30", None), ("99999999999999999999", None), ("noon", None), ("-3", None), ("²", None)],
)  # fmt: skip
def test_where_a_shot_is_split(text, frame):
    """A frame's number, or the frame that begins nearest to a time; what is not inside the shot is refused."""
    plan = plan_of([15] * 4)
    if frame is None:
        with pytest.raises(ColorizeError, match="--at"):
            plan_table.frame_at(plan, 1, text)
    else:
        assert plan_table.frame_at(plan, 1, text) == frame


@pytest.mark.parametrize("text", ["10:00:00:20", "10:00:00;20"])
def test_a_reels_own_time_code_is_understood(text):
    """Where the reel has one, four numbers are its time code, also in a piece of it that starts late."""
    assert plan_table.frame_at(plan_of([15] * 4, reel=CODED), 1, text) == 20
    assert plan_table.frame_at(plan_of([15] * 4, reel=CODED, skip=2), 1, text) == 18
    with pytest.raises(ColorizeError, match="it can be split from 16 to 29"):
        plan_table.frame_at(plan_of([15] * 4, reel=CODED), 1, "00:00:00:20")


SLIPS = {
    "merge 2": "shot 2 alone cannot be merged; name its neighbor too, as in 2..3",
    "merge 1 3": "shots 1 and 3 are not neighbors; 1..3 merges all from 1 to 3",
    "merge 3..5": "there is no shot 5; the shots here are 1 to 4",
    "merge 0..1": "there is no shot 0; the shots here are 1 to 4",
    "split 2 --at 40": "--at 40 is not inside shot 2 (frames 15 to 29, 0:00.6 to 0:01.2); it can be split from 16 to",
    "split 2 --at noon": "--at noon: neither a frame's number nor a time",
    "split 1,2 --at 3": "one shot can be split at a time",
    "look 1 --of 2,3": "--of takes one number",
    "look 9 --of 2": "there is no shot 9",
    "undo": "no edit is left to undo",
}


@pytest.mark.parametrize("words", SLIPS)
def test_a_slip_is_one_line(job, tmp_path, words):
    """Each says what would be right; the plan is as it was."""
    before = (tmp_path / "job" / "plan.json").read_bytes()
    action, *rest = words.split()
    code, said = run(action, job, *rest)
    assert (code, said.count("\n")) == (1, 0)
    assert SLIPS[words] in said
    assert (tmp_path / "job" / "plan.json").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    ["merge", "merge 1-2", "split 1", "look 1", "look 1 --own --of 2", "look x --own", "look 5..3 --own",
     "look 1..99999999999 --own"],
)  # fmt: skip
def test_a_slip_of_the_keyboard_exits_2(job, words):
    """Missing and contradicting options, and what is no number, are usage errors."""
    action, *rest = words.split()
    assert run(action, job, *rest)[0] == 2


def test_every_action_has_help_with_an_example():
    """As every command has."""
    for action in ("show", "merge", "split", "look", "undo"):
        code, said = run(action, "--help")
        assert code == 0
        assert f"Example: chromatheque plan {action} " in said


def test_what_changes_nothing_is_not_kept(job, tmp_path):
    """A shot's own look for itself is no edit: nothing to undo."""
    assert run("look", job, "2", "--of", "2") == (0, "nothing changes, it is so already\n")
    assert run("look", job, "2", "--own") == (0, "nothing changes, it is so already\n")
    assert [p.name for p in (tmp_path / "job").iterdir() if p.name != "lock"] == ["plan.json"]


def test_a_reel_that_is_elsewhere_is_named(job):
    """A look of its own needs the reel, by the path it had; one line says where to be."""
    code, said = run("split", job, "2", "--at", "20", "--own")
    assert (code, said.count("\n")) == (1, 0)
    assert "/film/reel.mkv: no such file from here" in said


def test_looks_per_frame_cannot_be_edited(tmp_path):
    """Where every frame has a look of its own, a shot's is not used, and that is said."""
    job = kept(tmp_path / "job", settings=replace(SETTINGS, looks="per-frame"))
    assert "per-frame" in run("look", job, "1", "--of", "2")[1]
    assert run("merge", job, "1..2")[0] == 0


def test_a_picture_that_is_none_is_named(tmp_path):
    """No such file, or no picture: the reader's own line, and nothing is edited."""
    weights = tiny_weights(tmp_path / "tiny.safetensors")
    from colorizer.networks.weights_file import load

    mine = replace(SETTINGS, weights=str(weights), weights_digest=load(weights).digest)
    job = kept(tmp_path / "job", settings=mine)
    (tmp_path / "words.jpg").write_text("words")
    assert "no such file" in run("look", job, "1", "--picture", tmp_path / "none.jpg")[1]
    assert "not a scan" in run("look", job, "1", "--picture", tmp_path / "words.jpg")[1]
    assert run("undo", job)[0] == 1


def test_pages_cannot_be_merged(tmp_path):
    """Of a scan only looks can be edited; a page that waits for its look lends none."""
    from pipeline.jobs.scan_job import ScanChoices, ScanJob
    from pipeline.values.events import Silent

    weights = tiny_weights(tmp_path / "tiny.safetensors")
    source, job = plate(tmp_path / "in.tif", 100, 100, pages=2), tmp_path / "job"
    choices = ScanChoices(weights=str(weights), working_size=32, precision="fp32")
    ScanJob(str(source), tmp_path / "out.tif", choices, job, Silent()).color()
    assert "cannot be merged" in run("merge", job, "0..1")[1]
    assert "cannot be split" in run("split", job, "0", "--at", "3")[1]
    assert "there is no page 2; the pages here are 0 to 1" in run("look", job, "2", "--of", "0")[1]
    before = read_json(job / "plan.json")
    assert run("look", job, "1", "--of", "0")[0] == 0
    assert run("look", job, "1", "--own")[0] == 0
    assert "run that first" in run("look", job, "0", "--of", "1")[1]
    waiting = ScanPlan.from_json(read_json(job / "plan.json"), "").pages[1]
    assert (waiting.pending, waiting.plate.look.size, waiting.look_from) == (True, 0, ())
    assert "from the next run on" in " ".join(run("show", job)[1].split())
    assert run("undo", job)[0] == run("undo", job)[0] == 0
    assert read_json(job / "plan.json") == before


def test_listing_loads_no_network():
    """`plan --help` answers at once."""
    from tests.checkout import fresh

    assert fresh("import sys, workflows.commands.plan; print('torch' in sys.modules)").strip() == "False"
