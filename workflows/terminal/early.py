"""Early: Ctrl-C while a command has only begun: one word and its code, until `stopping` listens.

Loads nothing that Python has not loaded by then, since what is loaded before `install` ends in a traceback.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn


def install() -> None:
    """Of the command alone: whoever imports this program keeps the handler that it has."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    try:
        os.write(2, b"\nStopped.\n" if os.isatty(2) else b"Stopped.\n")  # a terminal shows ^C before it
    finally:
        os._exit(128 + number)
