"""Standing: where a run is, in memory that the process beside it can read when the run has ended without a word.

The other side is `workflows/terminal/supervisor.py`. Without a supervisor all of this comes to nothing.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import time

SIGNALS, WORDS = 65, 8192
"""Numbers of signals there may be, and bytes of words."""
LISTENS = 0
"""In the place of a signal's number, of which none is 0."""
STAMP, LENGTH = struct.Struct("<d"), struct.Struct("<I")
TEXT = SIGNALS * STAMP.size


class Standing:
    """A page that is shared with the processes forked from the one that makes it.

    main: the process that a person sees and may end. ended: what ended the one that was at work before, in words.
    """

    def __init__(self) -> None:
        self.main, self.ended = os.getpid(), ""
        self._page = mmap.mmap(-1, TEXT + LENGTH.size + WORDS)

    def say(self, where: str, again: bool) -> None:
        """Where the run is now. again: if it ends there it is begun again, since that is counted."""
        words = json.dumps([where[: WORDS // 8], again], ensure_ascii=False).encode("utf-8", "surrogatepass")
        LENGTH.pack_into(self._page, TEXT, 0)
        self._page[TEXT + LENGTH.size : TEXT + LENGTH.size + len(words)] = words
        LENGTH.pack_into(self._page, TEXT, len(words))

    def said(self) -> tuple[str, bool]:
        """What was said last."""
        (length,) = LENGTH.unpack_from(self._page, TEXT)
        if not 0 < length <= WORDS:
            return "", False
        words = self._page[TEXT + LENGTH.size : TEXT + LENGTH.size + length]
        where, again = json.loads(words.decode("utf-8", "surrogatepass"))
        return str(where), bool(again)

    def note(self, number: int) -> None:
        """A signal has come to the process at work; LISTENS: it hears of them from now on."""
        STAMP.pack_into(self._page, number * STAMP.size, time.monotonic())

    def begin(self) -> None:
        """Of a process that is about to be forked: it hears of no signal yet."""
        STAMP.pack_into(self._page, LISTENS * STAMP.size, 0.0)

    def noted(self, number: int) -> float:
        """When it did last, monotonic seconds; 0 if it never did."""
        return float(STAMP.unpack_from(self._page, number * STAMP.size)[0])


_shared: Standing | None = None


def share() -> Standing:
    """Begin to share; for a supervisor."""
    global _shared
    _shared = Standing()
    return _shared


def shared() -> bool:
    """Whether a supervisor reads along."""
    return _shared is not None


def at(where: str, again: bool = False) -> None:
    """The run is at something, in words that begin with a file's name; "": at nothing. again: as of `Standing.say`."""
    if _shared is not None:
        _shared.say(where, again)


def note(number: int) -> None:
    """See `Standing.note`."""
    if _shared is not None:
        _shared.note(number)


def ended() -> str:
    """What ended the process that was at this run before, "" if none was or this process has no supervisor."""
    return _shared.ended if _shared is not None else ""


def process() -> int:
    """The process that a person would end to end this run."""
    return _shared.main if _shared is not None else os.getpid()
