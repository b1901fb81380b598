"""What a run is at, on disk: a try that ended its run counts, one that came back does not."""

import os
import signal
import subprocess
import sys

import pytest

from pipeline.collection.begun import CRASHES, ENDS, Begun
from tests.checkout import ROOT

DIES = """
import os, sys
from pathlib import Path
from pipeline.collection.begun import Begun
begun = Begun(Path(sys.argv[1]))
with begun.watched():
    print(begun.tries("key"), begun.fate("key"))
    with begun.at("other", "survey"), begun.at("key", "open"):
        pass
    begun.begin("key", sys.argv[3])
    os.kill(os.getpid(), int(sys.argv[2]))
"""


def die(folder, number, step="survey"):
    """A run that ends at the item "key"; what it said of it before."""
    words = [sys.executable, "-c", DIES, folder, str(int(number)), step]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == -number, done.stderr
    return done.stdout.strip()


def fate(folder):
    """What a run that lives says of the item, and of one that came back."""
    begun = Begun(folder)
    with begun.watched():
        assert begun.fate("other") is None
        stage, why = begun.fate("key") or ("", None)
        assert stage in ("", "survey")
        return why


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_two_crashes_at_the_same_step_are_enough(tmp_path, number):
    """The third run sets the file aside; after that its count begins anew."""
    folder = tmp_path / "begun"
    assert [die(folder, number) for _ in range(CRASHES)] == ["0 None", "1 None"]
    assert "of the runs that were at it (survey) 2 crashed" in fate(folder)
    assert fate(folder) is None


def test_ends_from_outside_are_nobodys_fault(tmp_path):
    """SIGKILL leaves no trace: only many of them at the same step count; a crash at another step is counted apart."""
    folder = tmp_path / "begun"
    assert [die(folder, signal.SIGKILL) for _ in range(ENDS - 1)] == [f"{n} None" for n in range(ENDS - 1)]
    die(folder, signal.SIGSEGV, "band 1")
    assert die(folder, signal.SIGKILL) == f"{ENDS - 1} None"
    assert f"(survey) {ENDS} were ended from outside" in fate(folder)


def test_what_is_interrupted_or_damaged_does_not_count(tmp_path):
    """Ctrl-C takes the marks away; a mark that makes no sense is none."""

    def interrupted():
        with Begun(tmp_path).watched() as begun:
            begun.begin("key", "survey")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "key.json").write_text('{"step": 1}')
    assert fate(tmp_path) is None


def test_a_trace_that_cannot_be_cleared_away_is_no_matter(tmp_path):
    """The run is over and has nothing to tell; the next one begins as usual."""
    trace = tmp_path / "trace.txt"
    with Begun(tmp_path).watched():
        trace.unlink()
        (trace / "held").mkdir(parents=True)
    assert trace.is_dir()


def test_a_mark_of_an_item_that_comes_to_be_done_goes(tmp_path):
    """It stayed where it could not be removed in the run before: of whatever step, the run that ends with the item
    done leaves none."""
    from pipeline.collection import layout
    from tests.formats import HOW, make_inputs, run

    make_inputs(tmp_path)
    out = tmp_path / "out"
    run(tmp_path, "archive", "all", "out", *HOW)
    (item,) = (path for path in (out / layout.ITEMS).iterdir() if '"out": "clip.mkv"' in path.read_text())
    item.unlink()
    (out / layout.BEGUN).mkdir(exist_ok=True)
    Begun(out / layout.BEGUN).begin(item.stem, "joining")
    assert list((out / layout.BEGUN).iterdir())
    code, said = run(tmp_path, "archive", "all", "out", *HOW)
    assert "2 of 3 files are colored and verified" in said, (code, said)
    assert list((out / layout.BEGUN).iterdir()) == []
