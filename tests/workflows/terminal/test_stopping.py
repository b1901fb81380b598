"""A command that is asked to end: in order at first, at once when it is asked again, with the signal's own code."""

import signal
import subprocess
import sys
import time

import pytest

from tests.checkout import ROOT
from tests.endtoend import environment, hear_interrupts

BEGIN = """
import signal, sys, time
from workflows.terminal import stopping
stopping.install()

def main():
    print("ready", flush=True)
    BODY

try:
    with stopping.at_work(outlives=OUTLIVES):
        main()
except KeyboardInterrupt:
    WHILE_STOPPING
    stopping.say("Stopped.")
    stopping.leave(stopping.code())
"""
SLEEP = "time.sleep(30)"
BUSY = "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 60_000_000)"
"""A library's work, in which Python hears of no signal."""


def child(body=SLEEP, while_stopping="pass", outlives=False, before=hear_interrupts):
    """A process at work."""
    code = BEGIN.replace("BODY", body).replace("WHILE_STOPPING", while_stopping).replace("OUTLIVES", str(outlives))
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), text=True, preexec_fn=before,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    return process


def end(process):
    """Its code and what it wrote to stderr."""
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_first_signal_ends_in_order(number):
    """What the run has to say is said, and the code is 128 + the signal's number."""
    process = child()
    process.send_signal(number)
    assert end(process) == (128 + number, "Stopped.\n")


@pytest.mark.parametrize("busy", [SLEEP, BUSY])
def test_a_second_ctrl_c_ends_at_once(busy):
    """Also where a library is at work; the line before says what was waited for."""
    process = child(busy, while_stopping=busy)
    process.send_signal(signal.SIGINT)
    line = process.stderr.readline()
    assert line.startswith("Stopping: waiting for what is at work")
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "Stopped at once. What is done is kept.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_another_thread_takes(number):
    """The system gives it to any thread, of several in a burst each to another; the main one is woken nevertheless."""
    blocked = f"signal.pthread_sigmask(signal.SIG_BLOCK, [{number:d}]); print('deaf', flush=True); {SLEEP}"
    process = child(blocked)
    assert process.stdout.readline() == "deaf\n"
    process.send_signal(number)
    begun = time.monotonic()
    assert end(process) == (128 + number, "Stopped.\n")
    assert time.monotonic() - begun < 10


def test_a_terminal_s_end_and_a_manager_s_haste_are_one_signal():
    """A shell and the system both tell of a closed terminal; some managers signal a process and its group."""
    process = child(while_stopping="time.sleep(0.3)")
    for _ in range(3):
        process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (129, "Stopped.\n")


def test_what_outlives_its_terminal_goes_on():
    """A collection's run does: it ends when it is asked to."""
    process = child(outlives=True)
    process.send_signal(signal.SIGHUP)
    assert process.stderr.readline() == "note: the terminal is gone; this run goes on\n"
    process.send_signal(signal.SIGTERM)
    assert end(process) == (143, "Stopped.\n")


def test_what_was_ignored_stays_so():
    """As under nohup."""

    def ignore():
        hear_interrupts()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = child(before=ignore)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (143, "Stopped.\n")


def test_nothing_is_raised_into_an_import(tmp_path):
    """Libraries make errors of their own of it: one word, the code, nothing else."""
    (tmp_path / "slow.py").write_text("print('loading', flush=True)\nimport time\ntime.sleep(30)\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom workflows.terminal import stopping\n"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}stopping.install()\nimport slow"], cwd=ROOT, env=environment(), text=True,
        preexec_fn=hear_interrupts, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "Stopped.\n")
