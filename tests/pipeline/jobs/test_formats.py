"""Files of earlier versions are read, or a line says what is done instead; what is written changes with its number.

What is kept in tests/data/formats is described in docs/internals/formats.md.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.collection.begun import Begun
from pipeline.collection.item import Item
from pipeline.collection.state import State
from pipeline.jobs.plan import plan_from_json
from pipeline.storage.ledger import Ledger
from pipeline.values.formats import OtherFormat
from tests.checkout import ROOT
from tests.formats import DATA, HOW, NUMBERS, STORY, holds, make, make_inputs, run, structures

PAGE = ROOT / "docs" / "internals" / "formats.md"
KEPT = sorted((path.parent.name, int(path.name)) for path in DATA.glob("*/*"))
JOBS = [(kind, number) for kind, number in KEPT if kind in ("reel", "scan")]
NOW = [(kind, NUMBERS[kind]) for kind in ("reel", "scan")]
EARLIER = [job for job in JOBS if job not in NOW]
SOURCES = {"reel": "clip.mkv", "scan": "plate.tif"}


def place(kind: str, number: int) -> Path:
    return DATA / kind / str(number)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What the program writes now."""
    work, kept = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("kept") / "kept"
    kept.mkdir()
    make(work, kept)
    return kept


@pytest.fixture
def work(tmp_path):
    make_inputs(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", sorted(NUMBERS))
def test_what_is_written_changes_with_its_number(written, kind):
    """Names and types of all files are those that are kept under the number that the program writes; a sidecar, which
    others read for what they know, may have more names."""
    there = place(kind, NUMBERS[kind])
    assert there.is_dir(), f"keep what is written at format {NUMBERS[kind]}: python -m tests.formats"
    advice = f"raise the number of {kind}, add its line to {PAGE.name}, then: python -m tests.formats"
    now, before = structures(written / kind), structures(there)
    assert holds(now.pop(STORY, None), before.pop(STORY, None)), advice
    assert now == before, advice


def test_a_structure_may_have_more_names_and_no_others():
    """What a sidecar has had it has still, of the same type."""
    before = [{"a": "text", "b": [{"c": "number"}]}]
    assert holds([{"a": "text", "b": [{"c": "number", "d": "text"}], "e": "text"}], before)
    for now in ([{"a": "text"}], [{"a": "number", "b": [{"c": "number"}]}], [{"a": "text", "b": [{"d": "number"}]}]):
        assert not holds(now, before)


def test_every_format_has_its_line():
    """The page and what is kept agree, and the highest number of each kind is the one that is written."""
    lines = re.findall(r"^\| (reel|scan|collection) \| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted((kind, int(number)) for kind, number in lines) == KEPT
    assert {kind: max(n for k, n in KEPT if k == kind) for kind in NUMBERS} == NUMBERS


@pytest.mark.parametrize(("kind", "number"), NOW)
def test_a_plan_is_read_and_written_back(kind, number):
    """Equal values, and the units that its receipts are of: what decides about a unit changes with the number too."""
    there = place(kind, number)
    values = json.loads((there / "plan.json").read_text(encoding="utf-8"))
    plan = plan_from_json(values)
    assert json.loads(json.dumps(plan.to_json())) == values
    units = [unit.id for unit in plan.units()]
    assert sorted(units) == sorted(path.stem for path in (there / "ledger").iterdir())
    sizes = {}
    for path in (there / "ledger").iterdir():
        receipt = json.loads(path.read_text(encoding="utf-8"))
        sizes[receipt["file"]] = receipt["bytes"]
    ledger = Ledger(there, sizes.get)
    assert all(ledger.find(unit) for unit in units)


@pytest.mark.parametrize(("kind", "number"), EARLIER)
def test_an_earlier_plan_is_told_by_its_number(kind, number):
    """Before anything else of it is looked at."""
    values = json.loads((place(kind, number) / "plan.json").read_text(encoding="utf-8"))
    with pytest.raises(OtherFormat, match=f"plan format {number}, this program writes {NUMBERS[kind]}"):
        plan_from_json(values)


@pytest.mark.parametrize(("kind", "number"), EARLIER)
def test_an_earlier_job_is_begun_anew(work, kind, number):
    """In its folder: one line says that its plan is kept aside, and the output is made. Nobody else reads it."""
    source, folder = SOURCES[kind], work / kind
    shutil.copytree(place(kind, number), folder)
    (folder / STORY).unlink()
    code, said = run(work, "plan", "show", kind)
    assert (code, f"plan format {number}, this program writes {NUMBERS[kind]}" in said) == (1, True), said
    code, said = run(work, kind, source, f"colored-{source}", "--job", kind, *HOW)
    assert code == 0, said
    assert "another version of this program; kept as plan.json.bak" in " ".join(said.split())


@pytest.mark.parametrize(("kind", "number"), EARLIER)
def test_an_earlier_output_is_replaced_only_when_asked(work, kind, number):
    """Its sidecar is known for one of ours; of other settings, so that a line says what to do."""
    source = SOURCES[kind]
    out = work / f"colored-{source}"
    shutil.copy(place(kind, number) / STORY, work / f"{out.name}.json")
    size = json.loads((work / f"{out.name}.json").read_text(encoding="utf-8"))["output"]["bytes"]
    out.write_bytes(bytes(size))
    code, said = run(work, kind, source, out.name, *HOW)
    assert (code, "exists and is not this job's result; add --overwrite" in said) == (1, True), said
    code, said = run(work, "verify", source, out.name)
    assert code == 1, said
    code, said = run(work, kind, source, out.name, "--overwrite", *HOW)
    assert code == 0, said


@pytest.mark.parametrize("number", [number for kind, number in KEPT if kind == "collection"])
def test_states_are_read(tmp_path, number):
    """Of every number: each item's state as it was written, what it lacks at its usual value."""
    state = State(tmp_path)
    for path in sorted((place("collection", number) / "items").iterdir()):
        shutil.copy(path, state.items)
        values = json.loads(path.read_text(encoding="utf-8"))
        item = Item(
            values["key"], values["id"], values["kind"], values["source"], values["out"],
            tuple(values["options"].items()),
        )  # fmt: skip
        assert state.load(item).to_json() == {"catalog": {}, **values}


def test_a_mark_of_a_step_is_read(tmp_path):
    """A run that ended while it was at a step counts as a try."""
    shutil.copytree(place("collection", NUMBERS["collection"]) / "begun", tmp_path / "begun")
    with Begun(tmp_path / "begun").watched() as begun:
        assert begun.tries("0123456789abcdef") == 1


@pytest.mark.parametrize("number", [number for kind, number in KEPT if kind == "collection"])
def test_an_earlier_collection_goes_on(work, number):
    """What has no output any more is colored, what was set aside stays so, and the lists of both are ours."""
    out = work / "out"
    (out / ".chromatheque").mkdir(parents=True)
    shutil.copytree(place("collection", number) / "items", out / ".chromatheque" / "items")
    shutil.copy(place("collection", number) / "set-aside.jsonl", out)
    code, said = run(work, "archive", "all", "out", *HOW)
    assert code == 1, said
    assert "2 of 3 files are colored and verified" in said
    assert "Traceback" not in said
