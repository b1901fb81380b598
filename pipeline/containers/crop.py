"""Crop: the part of a stored picture that a file says is to be shown, which FFmpeg neither applies nor tells.

Matroska has PixelCrop (RFC 9559, 5.1.4.1.28.10 on), QuickTime and MP4 a clean aperture (ISO 14496-12, 12.1.4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from pipeline.containers.matroska import pixel_crop

MOVIE = 1 << 26
"""Bytes of a movie box that are read; a longer one is passed over."""
DEEPER = (b"trak", b"mdia", b"minf", b"stbl")
ENTRY = 86
"""Bytes of a picture's sample entry before the boxes in it, its own size and type among them."""


def crop(path: Path, width: int, height: int) -> str:
    """What is shown of a picture of this size where it is not all of it, in words; else "". Never raises for a file."""
    try:
        with path.open("rb") as file:
            left, right, top, bottom = pixel_crop(file)
            shown = [Fraction(width - left - right), Fraction(height - top - bottom)]
            if shown == [width, height]:
                shown = next((s for s in _apertures(_movie(file)) if s != [width, height]), shown)
    except (ValueError, OSError, struct.error, ZeroDivisionError):
        return ""
    wide, high = (f"{float(side):g}" for side in shown)
    sensible = 0 < shown[0] <= width and 0 < shown[1] <= height and shown != [width, height]
    return f"{wide} x {high} of {width} x {height} are to be shown" if sensible else ""


def _movie(file: BinaryIO) -> bytes:
    """The data of a QuickTime file's movie box; b"" where there is none or it is too large."""
    file.seek(0)
    for _ in range(1000):
        head = file.read(8)
        if len(head) < 8:
            return b""
        size, kind = struct.unpack(">I4s", head)
        skip = 8
        if size == 1:
            (size,), skip = struct.unpack(">Q", file.read(8)), 16
        if kind == b"moov":
            return file.read(size - skip) if skip <= size <= MOVIE else b""
        if size < skip:
            return b""
        file.seek(size - skip, 1)
    return b""


def _apertures(data: bytes) -> Iterator[list[Fraction]]:
    """Width and height of the clean apertures in a movie box."""
    for kind, numbers in _in_entries(data):
        if kind == b"clap":
            a, b, c, d = struct.unpack_from(">4I", numbers)
            yield [Fraction(a, b), Fraction(c, d)]


def sample_entries(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes in the sample entries of a QuickTime file's pictures."""
    return _in_entries(_movie(file))


def _in_entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for kind, body in _boxes(data):
        if kind in DEEPER:
            yield from _in_entries(body)
        elif kind == b"stsd":
            for _, entry in _boxes(body[8:]):
                yield from _boxes(entry[ENTRY - 8 :])


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        if size < 8:
            return
        yield kind, data[place + 8 : place + size]
        place += size
