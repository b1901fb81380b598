"""Supervisor: a small process that does nothing but outlive the one at work, which a codec may end on some bytes.

It is forked from before anything is loaded, so it costs milliseconds and what Python itself takes. A collection's run
that ends at a file is begun again: that is a failed try of the file (see collection/begun.py), and the others finish.
Any other command says in a line what ended where.

Both processes are in one group: a terminal's signals reach both, and others are passed on.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from typing import Any

import click

from pipeline.storage import standing
from pipeline.storage.standing import Standing
from pipeline.values.words import signal_name
from workflows.terminal.plain import in_a_line
from workflows.terminal.stopping import SHOW_CURSOR, SIGNALS

COMMANDS = ("reel", "scan", "archive", "verify", "report")
"""Those that decode what somebody else made."""
THREADED = {"torch", "ray"}
AGAIN = 3
"""Times that a run may end at the same place: by then its file is set aside, or that cannot be written down."""
DELAY, SAME = 0.2, 1.0
"""Seconds until a signal is passed on, in which it may come to the other process too; and between two that are one."""
PARENT_DIES = 1
"""prctl's PR_SET_PDEATHSIG."""
KILLED = (
    "somebody ended it, or the system did for want of memory: see --memory, or close other programs; run it again to "
    "continue"
)
CRASHED = (
    "a codec crashed, as some do on damaged or rare files; run it again to continue, and if it ends there again take "
    "another copy of the file, or convert it first"
)


def stand_by(words: list[str]) -> None:
    """Go on in a process that is watched; this one ends as that one did. words: of the command.

    Returns at once where the command decodes nothing, or the system cannot fork; where this process is watched already;
    and where it has threads, as torch and Ray have, which would not be there in the other one.
    """
    threads = threading.active_count() > 1 or not THREADED.isdisjoint(sys.modules)
    if not words or words[0] not in COMMANDS or not hasattr(os, "fork") or standing.shared() or threads:
        return
    page = standing.share()
    caught = {number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*caught, signal.SIGCHLD})
    before = signal.signal(signal.SIGCHLD, lambda *_: None)  # what is ignored might not be told
    ends: Counter[str] = Counter()
    while True:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        reading, writing = os.pipe()
        page.begin()
        if not (pid := os.fork()):
            os.close(writing)
            signal.signal(signal.SIGCHLD, before)
            _end_with(page.main, reading)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return
        os.close(reading)
        code, stopped = _waited(pid, caught, page)
        os.close(writing)
        if code >= 0:
            os._exit(code)  # whatever called this goes on in the other process
        if stopped:
            os._exit(128 + stopped)
        where, again = page.said()
        ends[where] += 1
        page.ended = signal_name(-code)
        page.say("", again=False)
        if not again or ends[where] > AGAIN:
            _tell(where or f"chromatheque {words[0]}", page.ended)
            os._exit(1)


def _waited(pid: int, caught: set[int], page: Standing) -> tuple[int, int]:
    """How a process ended, a signal as its negative number; and which signal asked both to end, 0 for none."""
    stopped = 0
    while True:
        number, by_kernel = _signal({*caught, signal.SIGCHLD})
        if number != signal.SIGCHLD:
            stopped = stopped or number
            if not page.noted(standing.LISTENS):
                os.kill(pid, number)  # it may have come just before the fork, and then to this process alone
            elif not by_kernel:
                _pass_on(pid, number, page)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), stopped


def _signal(numbers: set[int]) -> tuple[int, bool]:
    """The next signal, and whether a terminal sent it, whose group holds the other process too."""
    wait: Any = getattr(signal, "sigwaitinfo", None)
    if wait is None:  # macOS
        return signal.sigwait(numbers), False
    info = wait(numbers)
    return info.si_signo, info.si_code > 0


def _pass_on(pid: int, number: int, page: Standing) -> None:
    """Send on what came to this process alone."""
    came = time.monotonic()
    time.sleep(DELAY)
    if page.noted(number) < came - SAME:
        os.kill(pid, number)  # it is there until it is waited for


def _end_with(parent: int, reading: int) -> None:
    """See to it that this process ends when its supervisor does."""
    if not hasattr(os, "pidfd_open"):  # no Linux
        threading.Thread(target=_end_at, args=(reading,), name="supervised", daemon=True).start()
        return
    import ctypes

    os.close(reading)
    ctypes.CDLL(None).prctl(PARENT_DIES, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


def _end_at(reading: int) -> None:
    """Nothing is ever written there: the read returns when nobody is left who could."""
    os.read(reading, 1)
    os._exit(128 + signal.SIGKILL)


def _tell(where: str, how: str) -> None:
    """The line in place of a death."""
    if sys.stderr is None:
        return
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{SHOW_CURSOR}")  # bars may be left there
    advice = KILLED if how == "SIGKILL" else CRASHED
    click.echo(f"Error: {in_a_line(where)}: the process at work ended ({how}): {advice}", err=True)
    sys.stderr.flush()
