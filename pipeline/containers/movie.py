"""Movie: the box of a finished MOV or MP4 file that says what is in it, changed as a whole (ISO 14496-12, 8.2).

It may become longer: places of pictures and sound that follow on it in the file are moved on.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
MOST = 1 << 28
"""Bytes of a movie box that is read whole; one of a day of film has some 20 million."""
PLACES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def change_movie(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Put another movie box in the place of a file's. change: of the box, head and all.

    Raises ValueError where the file is not as muxers of this program write it; it is as it was then.
    """
    with path.open("r+b") as file:
        start, stop = _movie(file)
        file.seek(start)
        movie = bytearray(change(file.read(stop - start)))
        by = start + len(movie) - stop
        _move_places(movie, stop, by)
        _shift(file, stop, by)
        file.seek(start)
        file.write(movie)


def boxes(data: bytes | bytearray, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and stop of the boxes side by side; their heads have 8 bytes. Raises ValueError."""
    while start < stop:
        if start + 8 > stop:
            raise ValueError("a box is cut off")
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > stop:
            raise ValueError(f"the box {kind!r} does not fit")
        yield kind, start, start + size
        start += size


def box(kind: bytes, data: bytes) -> bytes:
    """A box of some content."""
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _movie(file: BinaryIO) -> tuple[int, int]:
    """Where the movie box is."""
    end, at = file.seek(0, os.SEEK_END), 0
    while at + 16 <= end:
        file.seek(at)
        size, kind, large = struct.unpack(">I4sQ", file.read(16))
        size = large if size == 1 else size or end - at
        if kind == b"moov" and 8 <= size <= min(MOST, end - at):
            return at, at + size
        if size < 8:
            break
        at += size
    raise ValueError("no movie box")


def _move_places(movie: bytearray, after: int, by: int) -> None:
    """Move the places of chunks that lie behind a byte of the file. Raises ValueError where there is no room."""
    for start, stop, wide in _tables(movie, 0, len(movie), 0):
        letter, size = ("Q", 8) if wide else ("I", 4)
        count = struct.unpack_from(">I", movie, start + 12)[0]
        if start + 16 + count * size > stop:
            raise ValueError("a table of places does not fit")
        old = struct.unpack_from(f">{count}{letter}", movie, start + 16)
        new = [place + by if place >= after else place for place in old]
        if new and max(new) >= 1 << 8 * size:
            raise ValueError("there is no room for it in front of 4 GiB")
        struct.pack_into(f">{count}{letter}", movie, start + 16, *new)


def _tables(movie: bytearray, start: int, stop: int, depth: int) -> Iterator[tuple[int, int, bool]]:
    for kind, begin, end in boxes(movie, start, stop):
        if depth < len(PLACES) and kind == PLACES[depth]:
            yield from _tables(movie, begin + 8, end, depth + 1)
        elif depth == len(PLACES) and kind in (b"stco", b"co64"):
            yield begin, end, kind == b"co64"


def _shift(file: BinaryIO, start: int, by: int) -> None:
    """Move all from a byte on further back, block by block from the end."""
    at = file.seek(0, os.SEEK_END) if by else start
    while at > start:
        size = min(BLOCK, at - start)
        at -= size
        file.seek(at)
        block = file.read(size)
        file.seek(at + by)
        file.write(block)
