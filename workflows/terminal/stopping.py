"""Stopping: Ctrl-C, SIGTERM and SIGHUP end a command in order, with 128 + the signal's number; a second Ctrl-C at once.

The first raises `Stopped` in the main thread, so that whoever holds files and workers lets go of them. Python tells the
main thread of a signal only between two lines of its own, and a network's step or a film's frame may take long. So a
thread listens to the signals too: it says what is waited for, and ends the process when somebody does not want to wait.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from pipeline.storage import standing

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
HANGUP = getattr(signal, "SIGHUP", None)
NUDGE = getattr(signal, "SIGURG", None)
"""A signal that means nothing here and elsewhere, for the main thread alone."""
PATIENCE = 1.5
"""Seconds after which a stop that is still going on says so."""
TWICE = 1.0
"""Seconds in which a second SIGTERM is taken for the first one: some managers send it to a process and to its group."""
WAITING = "Stopping: waiting for what is at work to come to an end; Ctrl-C again stops at once."
SHOW_CURSOR = "\x1b[?25h"


class Stopped(KeyboardInterrupt):
    """Somebody wants this command to end."""


class _State:
    """What came so far. number: of the first signal, 0 if there was none. at: when it came, monotonic seconds."""

    number, at = 0, 0.0
    at_work = outlives = False
    screens: tuple[int, ...] = ()
    """Open files of this process that were a terminal when it began."""


_state = _State()


def install() -> None:
    """Begin to listen. What was ignored when the process began, as by nohup, stays so."""
    if threading.current_thread() is not threading.main_thread():
        return
    _state.screens = tuple(number for number in (0, 1, 2) if _is_screen(number))
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _came)
    if NUDGE is not None:
        signal.signal(NUDGE, lambda *_: None)
    signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(ours,), name="stopping", daemon=True).start()
    standing.note(standing.LISTENS)


@contextmanager
def at_work(outlives: bool = False) -> Iterator[None]:
    """While this lasts there is something to bring to an end. outlives: the loss of the terminal ends nothing."""
    _state.at_work, _state.outlives = True, outlives
    try:
        yield
    finally:
        _state.at_work = _state.outlives = False


def code() -> int:
    """The exit code of a command that was stopped."""
    return 128 + (_state.number or signal.SIGINT)


def say(text: str) -> None:
    """A line on stderr that begins at its left edge, if anybody can read it."""
    with suppress(OSError, ValueError):
        print(f"{_left_edge()}{text}", file=sys.stderr, flush=True)


def _say_now(text: str) -> None:
    """The same where the main thread may be writing."""
    with suppress(OSError):
        os.write(2, f"{_left_edge()}{text}\n".encode(errors="replace"))


def _left_edge() -> str:
    """A terminal shows ^C before it."""
    return "\n" if 2 in _state.screens else ""


def leave(status: int) -> NoReturn:
    """End the process. After a signal its threads may be deep in libraries, which break when they are torn down there:
    then they are left where they are."""
    if not _state.number:
        gc.freeze()  # else Python looks for garbage in all that ends with it, for a quarter second
        sys.exit(status)
    with suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _came(number: int, frame: FrameType | None) -> None:
    """In the main thread: a signal came."""
    if _state.number:
        return  # `_listen` says what becomes of a second one
    if number == HANGUP and _state.outlives:
        _let_go_of_the_terminal()
        return
    _state.number, _state.at = number, time.monotonic()
    if not _state.at_work and _importing(frame):
        _end("Stopped.")  # libraries make other errors of what is raised while they are loaded
    raise Stopped


def _listen(signals: socket.socket) -> None:
    """In a thread: what the main thread may be too busy to notice."""
    first = 0.0
    while True:
        signals.settimeout(PATIENCE if first else None)
        try:
            data = signals.recv(1)
        except TimeoutError:
            _say_now(WAITING)
            signals.settimeout(None)
            data = signals.recv(1)
        number = data[0] if data else 0
        standing.note(number)
        if number not in SIGNALS or (number == HANGUP and (first or _state.outlives)):
            continue
        now = time.monotonic()
        if first and (number == signal.SIGINT or now - first > TWICE):
            _state.number = _state.number or number
            _end("Stopped at once. What is done is kept.")
        first = first or now
        _nudge()


def _nudge() -> None:
    """Of signals that come in a burst this thread may take all: what the main thread waits for is then not interrupted,
    and it would notice only when that has come."""
    main = threading.main_thread().ident
    if NUDGE is not None and main is not None:
        signal.pthread_kill(main, NUDGE)


def _end(text: str) -> NoReturn:
    _say_now((SHOW_CURSOR if 2 in _state.screens else "") + text)
    os._exit(code())


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _let_go_of_the_terminal() -> None:
    """Go on without the terminal that was closed: what would be written there goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in _state.screens:
        os.dup2(nowhere, number)
    os.close(nowhere)
    if 2 not in _state.screens:
        _say_now("note: the terminal is gone; this run goes on")
    _state.screens = ()


def _is_screen(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False
