"""A run is outlived by a process that says how it ended or begins it again, and that passes signals on."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests.checkout import ROOT
from tests.endtoend import environment, hear_interrupts
from workflows.terminal.supervisor import AGAIN

WATCHED = """
import os, sys, time
from pathlib import Path
from pipeline.storage import standing
from workflows.terminal import stopping, supervisor
supervisor.stand_by(["archive"])
stopping.install()
starts = Path(sys.argv[1])
with starts.open("a") as file:
    file.write("x")
count = len(starts.read_text())
try:
    with stopping.at_work():
        BODY
except KeyboardInterrupt:
    stopping.say("Stopped.")
    stopping.leave(stopping.code())
stopping.leave(7)
"""
READY = 'print("ready", os.getpid(), standing.process(), flush=True); time.sleep(30)'


def watched(body, starts, **how):
    """A process that is supervised, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", WATCHED.replace("BODY", body), starts], cwd=ROOT, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=hear_interrupts, **how,
    )  # fmt: skip


def ended(body, starts):
    """Code, what was printed, stderr, and how often it was begun."""
    process = watched(body, starts)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err, len(starts.read_text())


def test_a_run_that_ends_is_not_touched(tmp_path):
    """Its exit code is the command's."""
    assert ended("pass", tmp_path / "starts") == (7, "", "", 1)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL])
def test_a_death_is_told_in_a_line(tmp_path, number):
    """What ended, where, and what to do; the exit code is that of an error."""
    body = f"standing.at('a.mkv, while it was colored'); os.kill(os.getpid(), {int(number)})"
    code, _, err, starts = ended(body, tmp_path / "starts")
    assert (code, starts, len(err.splitlines())) == (1, 1, 1)
    assert err.startswith(f"Error: a.mkv, while it was colored: the process at work ended ({number.name}): ")
    assert "run it again to continue" in err


def test_a_death_that_is_counted_begins_the_run_again(tmp_path):
    """The next process knows of what the one before died; where nothing is said to be at work none is begun."""
    body = "print(standing.ended(), flush=True); standing.at('a', again=count < 3); count < 4 and os.abort()"
    code, out, err, starts = ended(body, tmp_path / "starts")
    assert (code, starts, out) == (1, 3, "\nSIGABRT\nSIGABRT\n")
    assert err.startswith("Error: a: the process at work ended (SIGABRT)")


def test_what_is_not_counted_after_all_ends_too(tmp_path):
    """Where nothing could be written down it would begin again for ever."""
    code, _, err, starts = ended("standing.at('a', again=True); os.abort()", tmp_path / "starts")
    assert (code, starts) == (1, AGAIN + 1)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_stop_ends_it_in_order(tmp_path, number, all_of_them):
    """Sent to the supervisor alone or to the whole group, it reaches the run once."""
    process = watched(READY, tmp_path / "starts")
    _, _, named = process.stdout.readline().split()
    assert int(named) == process.pid
    (os.killpg if all_of_them else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (128 + number, "Stopped.\n")


def test_a_second_ctrl_c_is_passed_on_too(tmp_path):
    """Somebody who asks twice does not want to wait."""
    body = READY.replace("time.sleep(30)", "stopping._state.number or time.sleep(30)")
    process = watched(f"try: {body}\n        finally: time.sleep(30)", tmp_path / "starts")
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline().startswith("Stopping: waiting")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "Stopped at once. What is done is kept.\n")


def test_a_stop_that_comes_first_is_no_crash(tmp_path):
    """Libraries may break when they are torn down in the middle: nothing is begun again then."""
    process = watched(
        f"standing.at('a', again=True)\n        try: {READY}\n        finally: os.abort()", tmp_path / "starts"
    )
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (143, "")
    assert (tmp_path / "starts").read_text() == "x"


def test_nothing_outlives_the_supervisor(tmp_path):
    """SIGKILL, to the one process that a person sees, ends both."""
    process = watched(READY, tmp_path / "starts")
    worker = int(process.stdout.readline().split()[1])
    process.kill()
    process.communicate(timeout=20)
    until = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.kill(worker, 0)
            time.sleep(0.02)
        pytest.fail("it lives")
