"""Ctrl-C while a command has only begun: one word and the code, wherever it comes."""

import signal
import subprocess
import sys

import pytest

from tests.checkout import ROOT
from tests.endtoend import environment, hear_interrupts

INTERRUPTED = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(30)\n"
BEFORE_THE_FORK = """
import os, runpy, signal, sys
fork = os.fork
def interrupted():
    os.kill(os.getpid(), signal.SIGINT)
    return fork()
os.fork = interrupted
sys.argv = ["chromatheque", "archive", "films", "colored"]
runpy.run_module("workflows", run_name="__main__")
"""


def ended(folder, *words):
    """Code, what was printed, and what was said."""
    done = subprocess.run(
        [sys.executable, "-P", *words], cwd=folder, env={**environment(), "PYTHONPATH": f"{folder}:{ROOT}"}, text=True,
        preexec_fn=hear_interrupts, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("module", ["click", "json", "mmap", "av"])
def test_while_the_first_modules_load(tmp_path, module):
    """Before and behind the fork of what decodes; nothing of Python's own is shown."""
    (tmp_path / f"{module}.py").write_text(INTERRUPTED)
    (tmp_path / "films").mkdir()
    assert ended(tmp_path, "-m", "workflows", "archive", "films", "colored") == (130, "", "Stopped.\n")


def test_just_before_the_fork(tmp_path):
    """The process that it comes to alone passes it on; it was lost, and the command went on."""
    (tmp_path / "films").mkdir()
    (tmp_path / "av.py").write_text("import time\ntime.sleep(30)\n")
    code, printed, said = ended(tmp_path, "-c", BEFORE_THE_FORK)
    assert (code, printed) == (130, "")
    assert said == "Stopped.\n"


def test_who_imports_the_program_keeps_his_handler():
    """Only the command has one of its own."""
    mine = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background ignores it from the start
    code = f"import signal; {mine}; import workflows.commands.cli; print(signal.getsignal(signal.SIGINT).__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{signal.default_int_handler.__name__}\n"
