"""Parts: files that a reel is read from as if they were one.

A DVD's title is cut into files of a gigabyte wherever that falls, within a picture too. Read one by one each loses
pictures at its ends. No list of names is given to FFmpeg: it reads the bytes that are given to it here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate, takewhile
from pathlib import Path

from pipeline.values.title import following


def parts_of(uri: str) -> tuple[Path, ...]:
    """The files of a source, in order: a title's first file and those that follow on it without a gap, else itself."""
    path = Path(uri)
    return path, *takewhile(Path.is_file, (path.with_name(name) for name in following(path.name)))


def joined_name(parts: Sequence[Path]) -> str:
    """Parts in words: `VTS_01_1.VOB to VTS_01_3.VOB`; one by its own name."""
    return f"{parts[0].name} to {parts[-1].name}" if len(parts) > 1 else parts[0].name


class Joined:
    """Files as one that is read and sought, as `av.open` wants it. Raises OSError."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self.name = str(parts[0])
        self._parts = tuple(parts)
        self._starts = [0, *accumulate(part.stat().st_size for part in parts)]
        self._at = 0
        self._open: tuple[int, int] | None = None
        """A part's number and what the system calls it while it is open."""

    def read(self, size: int) -> bytes:
        """Up to so many bytes; fewer at the end of a part, none at the end of all."""
        for number, part in enumerate(self._parts):
            if self._starts[number] <= self._at < self._starts[number + 1]:
                file = self._file(number, part)
                os.lseek(file, self._at - self._starts[number], os.SEEK_SET)
                data = os.read(file, size)
                self._at += len(data)
                return data
        return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte; where that is."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """The byte that is read next."""
        return self._at

    def _file(self, number: int, part: Path) -> int:
        if self._open is None or self._open[0] != number:
            self.close()
            self._open = number, os.open(part, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return self._open[1]

    def close(self) -> None:
        """Let go of the part that is open."""
        if self._open is not None:
            with suppress(OSError):
                os.close(self._open[1])
        self._open = None

    def __del__(self) -> None:
        self.close()
