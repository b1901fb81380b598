"""Which plan a person means, by what they type."""

import json
import os

import pytest

from colorizer.basis.errors import ColorizeError
from pipeline.collection.layout import STATE
from pipeline.collection.lookup import find_plan

ITEMS = {
    "k1": ("reel-0042", "in/a.mov", "films/a.mkv"),
    "k2": ("", "in/b.mov", "films/b.mkv"),
    "k3": ("NL/7", "in/deep/b.mov", "films/deep/b.mkv"),
    "k4": ("later", "in/d.mov", "films/d.mkv"),
    "k5": ("films/b.mkv?", "in/e.mov", "-odd name.mkv"),
}


@pytest.fixture
def out(tmp_path):
    """A collection of five files, one of them without a plan, and one state that is damaged."""
    out = tmp_path / "colored"
    (out / STATE / "items").mkdir(parents=True)
    (out / STATE / "items" / "bad.json").write_text("{")
    for key, (id_, source, place) in ITEMS.items():
        told = {"id": id_, "source": source, "out": place}
        (out / STATE / "items" / f"{key}.json").write_text(json.dumps(told))
        if id_ != "later":
            (out / STATE / "jobs" / key).mkdir(parents=True)
            (out / STATE / "jobs" / key / "plan.json").write_text("{}")
    return out


@pytest.mark.parametrize(
    ("below", "key"),
    [("films/a.mkv", "k1"), ("reel-0042", "k1"), ("films/a", "k1"), ("a.mkv", "k1"), ("a", "k1"), ("a.mov", "k1"),
     ("in/a.mov", "k1"), ("films/b.mkv", "k2"), ("films/deep/b.mkv", "k3"), ("NL/7", "k3"), ("-odd name.mkv", "k5"),
     ("films/../films/a.mkv", "k1")],
)  # fmt: skip
def test_a_file_of_a_collection(out, below, key):
    """By its output's path, its id, its name with or without suffix, or its source; a run holds the collection."""
    found = find_plan(f"{out}/{below}")
    assert found.path == out / STATE / "jobs" / key / "plan.json"
    assert found.lock == out / STATE
    assert found.collected


def test_from_within_the_collection(out, monkeypatch):
    """Relative names work from inside, as the shell completes them."""
    (out / "films").mkdir()
    monkeypatch.chdir(out / "films")
    assert find_plan("a.mkv").path.parent.name == "k1"


@pytest.mark.parametrize(
    ("below", "said"),
    [("b.mkv", "2 files are called so (films/b.mkv, films/deep/b.mkv)"), ("later", "it has no plan yet"),
     ("films/aa", "no such file; did you mean films/a.mkv"), ("reel-0043", "did you mean films/a.mkv?"),
     ("nothing", "the collection has no such file; it has reel-0042, films/b.mkv, NL/7, later, films/b.mkv?"),
     ("", "a collection of 5 files; name one below it")],
)  # fmt: skip
def test_what_is_unclear_is_asked(out, below, said):
    """One line says what there is; no guess is made."""
    with pytest.raises(ColorizeError) as refused:
        find_plan(os.path.join(out, below))  # noqa: PTH118
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_job_folders_and_plan_files(tmp_path, out):
    """A folder, the plan in it, or the output of a stopped run; in a collection's own folder its lock still counts."""
    job = tmp_path / "out.mkv.job"
    job.mkdir()
    (job / "plan.json").write_text("{}")
    for place in (job, job / "plan.json", tmp_path / "out.mkv"):
        found = find_plan(str(place))
        assert (found.path, found.lock, found.collected) == (job / "plan.json", job, False)
    inner = out / STATE / "jobs" / "k1"
    assert find_plan(str(inner)).lock == out / STATE


def test_what_has_no_plan(tmp_path):
    """A file that was colored without --job, and a name that is nothing, each say what to give."""
    (tmp_path / "out.mkv").touch()
    with pytest.raises(ColorizeError, match=r"no plan is kept for it; give the folder of `reel --job`"):
        find_plan(str(tmp_path / "out.mkv"))
    with pytest.raises(ColorizeError, match="no such file or folder"):
        find_plan(str(tmp_path / "none"))


def test_what_is_in_a_store_is_refused_without_its_password():
    """The message is for logs too."""
    with pytest.raises(ColorizeError, match="plans in a store cannot be edited") as refused:
        find_plan("s3://user:most-secret@films/out?token=most-secret")
    assert "most-secret" not in str(refused.value)
