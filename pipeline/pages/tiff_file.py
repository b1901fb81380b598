"""A TIFF file while it grows: blocks of data first, in any order, then its directories and its header.

Where a tile lies is only known to the directories, which come last. So tiles of all levels and pages may be appended
as they are made, nothing is spilled or moved, and whether the file is a BigTIFF is decided by its true size.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tifffile import DATATYPE

from colorizer.basis.atomic import claim
from pipeline.pages.tiff_tags import TagTable, TagValue

PLAIN_LIMIT = 2**32 - 1
"""Bytes up to which a file is a plain TIFF; its offsets have 32 bits (TIFF 6.0, section 2)."""

HEADER = 16
"""Bytes kept for the header: of a BigTIFF; a plain one leaves the second half unused."""


class TiffFile:
    """A file open for writing. Memory held: the directories, 16 bytes a tile."""

    def __init__(self, path: Path) -> None:
        claim(path)
        self._file = path.open("wb")
        self._file.write(bytes(HEADER))
        self._end = HEADER

    def append(self, data: bytes) -> int:
        """Write a block at the end; its offset, which is even as section 2 asks."""
        offset = self._end + self._end % 2
        self._file.write(bytes(offset - self._end))
        self._file.write(data)
        self._end = offset + len(data)
        return offset

    def finish(self, pages: Sequence[TagTable]) -> None:
        """Write the directories and the header, and close the file."""
        base = self._end + -self._end % 8
        first, packed = pack(pages, base, big=True)
        big = base + len(packed) > PLAIN_LIMIT  # a plain file's directories are never longer
        if not big:
            first, packed = pack(pages, base, big=False)
        self._file.write(bytes(base - self._end) + packed)
        self._file.seek(0)
        self._file.write(
            struct.pack("<2sHHHQ", b"II", 43, 8, 0, first) if big else struct.pack("<2sHI", b"II", 42, first)
        )
        self._file.close()

    def abandon(self) -> None:
        """Close without finishing. What the disk refused once is refused again and no news."""
        with suppress(OSError):
            self._file.close()


def pack(pages: Sequence[TagTable], base: int, *, big: bool) -> tuple[int, bytes]:
    """Offset of the first directory, and all directories with their values, to be written at `base`.

    Plain TIFF: TIFF 6.0, section 2. BigTIFF: the libtiff design, 64-bit counts and offsets.
    """
    word, size, kind = ("Q", 8, DATATYPE.LONG8) if big else ("I", 4, DATATYPE.LONG)
    out = bytearray()

    def place(data: bytes) -> int:
        out.extend(bytes(-len(out) % 8))
        out.extend(data)
        return base + len(out) - len(data)

    def offsets(values: Sequence[int]) -> TagValue:
        return TagValue(kind, len(values), struct.pack(f"<{len(values)}{word}", *values))

    def write(directory: TagTable) -> tuple[int, int]:
        entries = dict(directory.entries)
        entries.update({code: offsets(values) for code, values in directory.offsets.items()})
        entries.update({code: offsets([write(d)[0] for d in below]) for code, below in directory.below.items()})
        rows = bytearray()
        for code, value in sorted(entries.items()):  # ascending, as section 2 asks
            inline = value.data if len(value.data) <= size else struct.pack(f"<{word}", place(value.data))
            rows += struct.pack(f"<HH{word}", code, value.kind, value.count) + inline.ljust(size, b"\0")
        count = struct.pack("<Q" if big else "<H", len(entries))
        at = place(count + rows + bytes(size))
        return at, len(out) - size

    first, link = 0, None
    for page in pages:
        at, end = write(page)
        if link is None:
            first = at
        else:
            struct.pack_into(f"<{word}", out, link, at)
        link = end
    return first, bytes(out)
