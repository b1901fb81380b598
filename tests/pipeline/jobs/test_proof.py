"""Proofs of outputs that an older version made: held to what it looked for, the rest is told as new."""

import json
import struct

import pytest

from pipeline.jobs.calls import verify
from pipeline.jobs.proof import census_of
from pipeline.values.finding import Finding, Law, promised
from pipeline.values.formats import CENSUS
from tests.endtoend import color, run_command
from tests.synthetic import tiny_weights, write_reel


@pytest.fixture
def pair(tmp_path):
    """A reel with a box that no rule knows, and its output."""
    source = write_reel(tmp_path / "in.mov", 4)
    source.write_bytes(source.read_bytes() + struct.pack(">I4s", 24, b"Zzzz") + b"cataloged 1931..")
    out = tmp_path / "out.mkv"
    lost = color(source, out, tiny_weights(tmp_path / "tiny.safetensors")).lost
    assert any("Zzzz" in text for text in lost)
    return source, out


def aged(out, **changed):
    """The sidecar as a version wrote it that knew of no such boxes."""
    path = out.with_name(f"{out.name}.json")
    values = json.loads(path.read_text())
    del values["census"]
    values["not_carried_over"] = [text for text in values["not_carried_over"] if "Zzzz" not in text]
    values["verified"] = [finding for finding in values["verified"] if "Zzzz" not in finding["what"]]
    path.write_text(json.dumps({**values, **changed}))


def test_an_older_sidecar_answers_for_what_it_looked_for(pair):
    """Everything is right, what was not looked for is marked and said first; on the command line it is new, code 0."""
    source, out = pair
    aged(out)
    findings = verify(str(source), out)
    assert all(finding.right for finding in findings)
    assert [finding.what for finding in findings if finding.unknown] == [f.what for f in findings if "Zzzz" in f.what]
    assert findings[0].what == "census"
    assert "did not look for 1 of what is lost" in findings[0].detail
    told = run_command("verify", source, out)
    assert told.returncode == 0
    assert [line for line in told.stdout.splitlines() if line.startswith("new ")]


def test_a_sidecar_of_now_has_no_excuse(pair):
    """What this version looks for and its sidecar does not name is a failure."""
    source, out = pair
    aged(out, census=CENSUS)
    assert [finding.what for finding in verify(str(source), out) if not finding.right] != []


def test_what_was_promised_is_held():
    """Of an older sidecar too: what it says was verified, and a law, whoever looked for it."""
    lost, broken = Finding("chapters", False, "0"), Finding("luma", False, "other", law=Law.PICTURE)
    assert promised([lost, broken], 0, {"chapters"}) == [lost, broken]
    note, new, same = promised([lost, broken], 0, ())
    assert (note.what, new.unknown, same) == ("census", True, broken)
    assert promised([lost], CENSUS, ()) == [lost]
    assert not promised([broken], 0, ())[0].right


@pytest.mark.parametrize("values", [{}, {"census": "1"}, {"census": True}, {"verified": [1, {"what": 2}, {}]}])
def test_a_census_that_makes_no_sense_is_none(values):
    """Then nothing is known to have been looked for."""
    assert census_of(values) == (0, frozenset())
