"""Kept plans: every former one comes back with its bytes and its time; what is of other frames is not undone."""

import os

import pytest

from colorizer.basis.errors import ColorizeError, LedgerError
from pipeline.jobs.edits import borrowed, merged, split
from pipeline.jobs.plan_file import PlanFile, retire
from pipeline.storage.atomic import write_json
from pipeline.storage.job_folder import PLAN
from tests.plans import plan_of


@pytest.fixture
def file(tmp_path):
    """A plan of three shots in a job folder."""
    write_json(tmp_path / PLAN, plan_of([6, 6, 6]).to_json())
    os.utime(tmp_path / PLAN, ns=(10**18, 10**18))
    return PlanFile(tmp_path / PLAN, tmp_path, "the reel")


def test_undo_goes_back_step_by_step(file):
    """As often as there were edits, each with the bytes and the time that the plan had; then there is nothing left."""
    states = []
    for change in (lambda p: merged(p, 0, 1), lambda p: split(p, 1, 15), *[lambda p: borrowed(p, [0], 1)] * 10):
        states.append((file.path.read_bytes(), file.path.stat().st_mtime_ns))
        file.replace(change(file.read()))
    for state in reversed(states):
        file.undo()
        assert (file.path.read_bytes(), file.path.stat().st_mtime_ns) == state
    for nothing in (file.undo, file.former):
        with pytest.raises(ColorizeError, match="the reel: no edit is left to undo"):
            nothing()
    assert [path.name for path in file.folder.iterdir()] == [PLAN]


def test_a_shot_of_its_own_is_found_again(file):
    """A borrowed look gives way to what the survey found, as long as the frames are those of then."""
    own = file.read().shots[1]
    file.replace(borrowed(file.read(), [1], 0))
    assert file.own_shot(file.read().shots[1]).to_json() == own.to_json()
    file.replace(split(file.read(), 1, 9))
    assert file.own_shot(file.read().shots[1]) is None


def test_a_plan_of_other_frames_takes_its_past_with_it(file):
    """What was edited before another survey cannot come back over it."""
    file.replace(merged(file.read(), 0, 1))
    edited = file.path.read_bytes()
    assert retire(file.path).read_bytes() == edited
    write_json(file.path, plan_of([4, 4]).to_json())
    with pytest.raises(ColorizeError, match="no edit is left"):
        file.undo()


def test_every_unit_is_work_without_pieces(file):
    """An empty ledger and a missing one are told alike, and asking makes none."""
    assert file.units(file.read()) == (3, 3)
    assert [path.name for path in file.folder.iterdir()] == [PLAN]
    (file.folder / "ledger").mkdir()
    assert not file.has_pieces


@pytest.mark.parametrize("text", ["{", "[]", "{}", "7", '{"pages": 3, "format": 1}', '{"format": 2}'])
def test_what_is_no_plan_is_named(file, text):
    """One line with the file's path, whatever lies there."""
    file.path.write_text(text)
    with pytest.raises(LedgerError, match=r"plan\.json"):
        file.read()
