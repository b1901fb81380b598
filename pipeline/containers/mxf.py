"""Gives the picture of a finished MXF file its aspect ratio, which PyAV 18 cannot write.

Owns the few KLV triplets that takes (SMPTE ST 377-1), nothing else of the format: FFmpeg's muxer reads the sample
aspect ratio from a place PyAV never fills, and writes that of square samples.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from colorizer.basis.errors import JoinError
from pipeline.storage.atomic import writable
from pipeline.values.hdr import Hdr

SET = bytes.fromhex("060e2b3402530101")
"""How the key of a local set of header metadata begins, whose items have tags and lengths of two bytes."""
ESSENCE = bytes.fromhex("060e2b34010201")
"""How the key of a picture or of sound begins: after it there is no more header."""
STORED_HEIGHT, STORED_WIDTH, ASPECT_RATIO = 0x3202, 0x3203, 0x320E
MAX_SET = 1 << 24
"""Bytes; a set beyond this is damage."""


def set_picture(path: Path, _track: int, sar: Fraction, _hdr: Hdr) -> None:
    """`set_aspect_ratio`, where that is not what the muxer wrote. HDR metadata is not put into these files."""
    if sar != 1:
        set_aspect_ratio(path, sar)


def set_aspect_ratio(path: Path, sar: Fraction) -> None:
    """Write the display aspect ratio of pictures whose samples have this shape, in place.

    Raises JoinError, with the file untouched, where it is not laid out as FFmpeg writes it, and StorageError.
    """
    if sar <= 0:
        raise ValueError(f"a sample aspect ratio is positive, not {sar}")
    try:
        with writable(path), path.open("r+b") as file:
            places = [(place, ratio) for start, data in _sets(file) if (place := _place(start, data))
                      for ratio in [_ratio(data, sar)]]  # fmt: skip
            if not places:
                raise ValueError("no picture in its header")
            for place, ratio in places:
                file.seek(place)
                file.write(struct.pack(">II", ratio.numerator, ratio.denominator))
    except (ValueError, struct.error) as error:
        raise JoinError(f"{path}: cannot write aspect ratio {sar}: {error}; mux it again") from error


def _sets(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Offset and data of each set of the header, up to the first picture."""
    while True:
        key = file.read(16)
        if len(key) < 16 or key.startswith(ESSENCE):
            return
        length = _length(file)
        if key.startswith(SET):
            if length > MAX_SET:
                raise ValueError(f"a set of its header claims {length} bytes")
            start = file.tell()
            yield start, file.read(length)
            file.seek(start + length)
        else:
            file.seek(length, 1)


def _length(file: BinaryIO) -> int:
    """A BER length (ISO/IEC 8825-1, 8.1.3)."""
    [first] = file.read(1) or b"\0"
    return first if first < 0x80 else int.from_bytes(file.read(first & 0x7F), "big")


def _items(data: bytes) -> dict[int, int]:
    """Offsets of a set's items by their tags."""
    found, at = {}, 0
    while at + 4 <= len(data):
        tag, length = struct.unpack_from(">HH", data, at)
        found[tag], at = at + 4, at + 4 + length
    return found


def _place(start: int, data: bytes) -> int:
    """Where a picture's aspect ratio lies in the file; 0 for a set that has none."""
    at = _items(data).get(ASPECT_RATIO)
    return start + at if at is not None else 0


def _ratio(data: bytes, sar: Fraction) -> Fraction:
    items = _items(data)
    height, width = (struct.unpack_from(">I", data, items[tag])[0] for tag in (STORED_HEIGHT, STORED_WIDTH))
    return Fraction(width, height) * sar
