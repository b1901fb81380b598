"""While libraries load nothing looks for garbage; afterwards it is looked for again, but not in what was loaded. And
whoever looks on sees a word before."""

import gc
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.endtoend import ROOT, environment, run_command
from tests.plates import plate
from workflows.terminal.loading import loading


@pytest.mark.parametrize("error", [None, ImportError("a library")])
def test_garbage_is_looked_for_again(error):
    """Also after an import that failed; what was loaded is passed over."""
    gc.unfreeze()
    try:
        with suppress(ImportError), loading("none"):
            assert not gc.isenabled()
            if error:
                raise error
        assert gc.isenabled()
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A plate, its collection, a list with a slip, and a torch that takes for ever: it says so and ends the process."""
    folder = tmp_path_factory.mktemp("screen")
    (folder / "in").mkdir()
    plate(folder / "in" / "a.tif", 100, 150)
    assert run_command("archive", folder / "in", folder / "out", "--progress", "none").returncode == 0
    (folder / "bad.csv").write_text("file,page\nin/a.tif,-1\n")
    for name in ("torch", "rich"):
        (folder / "slow" / name).mkdir(parents=True)
        (folder / "slow" / name / "__init__.py").write_text("import os\nos.write(2, b'LOADED')\nos._exit(7)\n")
    return folder


def shown(folder, *words, until="LOADED"):
    """What a terminal shows of a command, which is ended when it has shown a word."""
    ours, theirs = pty.openpty()
    path = os.pathsep.join([str(folder / "slow"), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "workflows", *words], cwd=folder, env={**environment(), "PYTHONPATH": path},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    text = b""
    with suppress(OSError):
        while until.encode() not in text and (part := os.read(ours, 1 << 16)):
            text += part
    if until.encode() in text:
        os.killpg(process.pid, signal.SIGKILL)
    os.close(ours)
    return process.wait(), text.decode()


COMMANDS = [
    "reel in/a.tif b.mkv", "scan in/a.tif b.tif", "archive in out", "archive in out --dry-run",
    "verify in/a.tif out/a.tif", "verify in out", "report out", "plan show out/a.tif", "plan look out/a.tif 0 --own",
    "plan undo out/a.tif", "train in --out w.safetensors", "evaluate fast in", "doctor", "demo",
]  # fmt: skip


@pytest.mark.parametrize("typed", COMMANDS)
def test_something_is_on_the_screen_before_libraries_load(place, typed):
    """A word on what goes on comes before the first slow import, of every command that has one."""
    _, text = shown(place, *typed.split())
    before, loaded, _ = text.partition("LOADED")
    assert loaded, text
    assert "..." in before, text


@pytest.mark.parametrize("typed", ["reel", "scan", "collection", "codec", "cluster"])
def test_a_measurement_says_that_it_goes_on(place, typed):
    """The first thing that a bench shows is what it is at, minutes before its first figure."""
    _, text = shown(place, "bench", typed, until="...")
    assert text.startswith(("making", "measuring")), text


def test_a_slip_in_a_list_is_told_before_libraries_load(place):
    """Row and column, and the word on loading is taken away."""
    code, text = shown(place, "archive", "bad.csv", "elsewhere")
    assert code == 1
    assert "LOADED" not in text
    assert "row 2, column 'page'" in text.rpartition("\x1b[K")[2]
