"""TIFF directories: header, pages and their entries, as the bytes of a file say them.

Nothing is believed: an entry's value is read when it is asked for and only if the file holds it, a chain of pages that
runs in a circle ends there, and a directory can be no longer than MAX_ENTRIES. Exif blocks in other formats are TIFF
directories too. Sources: TIFF 6.0 section 2, BigTIFF (2007).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, Literal

import numpy as np
from tifffile import DATATYPE

from colorizer.basis.errors import DamagedSource, UnsupportedSource

MAX_ENTRIES = 4096
"""In one directory; real ones have fewer than 300."""
MAX_PAGES = 10_000
MAX_BLOB = 1 << 26
"""Bytes of a single value that is not a list of positions."""

Order = Literal["<", ">"]
"""Little- or big-endian, as struct and numpy write it."""

TYPES: dict[int, str] = {
    DATATYPE.BYTE: "u1", DATATYPE.ASCII: "S1", DATATYPE.SHORT: "u2", DATATYPE.LONG: "u4", DATATYPE.RATIONAL: "u4",
    DATATYPE.SBYTE: "i1", DATATYPE.UNDEFINED: "u1", DATATYPE.SSHORT: "i2", DATATYPE.SLONG: "i4",
    DATATYPE.SRATIONAL: "i4", DATATYPE.FLOAT: "f4", DATATYPE.DOUBLE: "f8", DATATYPE.IFD: "u4", DATATYPE.LONG8: "u8",
    DATATYPE.SLONG8: "i8", DATATYPE.IFD8: "u8",
}  # fmt: skip
"""Number formats of TIFF's field types; rationals are pairs."""
UTF8 = 129
"""A field type of Exif 3.0: text in UTF-8."""
TYPES[UTF8] = "S1"
TEXTS = (DATATYPE.ASCII, UTF8)
RATIONALS = (DATATYPE.RATIONAL, DATATYPE.SRATIONAL)
WHOLE = frozenset(TYPES) - {
    *RATIONALS, *TEXTS, DATATYPE.UNDEFINED, DATATYPE.FLOAT, DATATYPE.DOUBLE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory: tag code, field type, number of values and where in the file they are."""

    code: int
    type: int
    count: int
    position: int

    @property
    def size(self) -> int:
        """Bytes of its values."""
        return self.count * np.dtype(TYPES[self.type]).itemsize * (2 if self.type in RATIONALS else 1)


class Directory:
    """The entries of one page, and their values. position: where it begins in the file.

    strange: code and field type of entries whose type is unknown, so that nothing more can be said of them.
    following: where the next one is, 0 after the last.
    """

    def __init__(
        self, tiff: Tiff, entries: dict[int, Entry], position: int, strange: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self.tiff = tiff
        self.entries = entries
        self.position = position
        self.strange = strange
        self.following = 0

    def __contains__(self, code: int) -> bool:
        return code in self.entries

    def raw(self, code: int, limit: int = MAX_BLOB) -> bytes:
        """The bytes of a value as they are in the file. Raises DamagedSource if they are not all there."""
        entry = self.entries[code]
        if entry.position + entry.size > self.tiff.size:
            raise DamagedSource(self.tiff.path, f"the values of tag {code} lie beyond the end of the file; {COPY}")
        if entry.size > limit:
            raise UnsupportedSource(self.tiff.path, f"tag {code} has {entry.size} bytes, more than {limit}")
        return self.tiff.bytes_at(entry.position, entry.size)

    def array(self, code: int, limit: int = MAX_BLOB) -> np.ndarray:
        """Values in native order, one dimension; rationals as (n, 2)."""
        entry = self.entries[code]
        kind = np.dtype(TYPES[entry.type])
        values = np.frombuffer(self.raw(code, limit), kind.newbyteorder(self.tiff.order)).astype(kind)
        return values.reshape(-1, 2) if entry.type in RATIONALS else values

    def numbers(self, code: int, limit: int = MAX_BLOB) -> np.ndarray | None:
        """Whole numbers, or None if the tag is absent. Raises DamagedSource if it holds none or something else."""
        if code not in self.entries:
            return None
        if self.entries[code].type not in WHOLE or not self.entries[code].count:
            raise DamagedSource(self.tiff.path, f"tag {code} holds no whole numbers; {COPY}")
        return self.array(code, limit)

    def number(self, code: int, default: int) -> int:
        """The first whole number of a tag, or the default if the tag is absent."""
        values = self.numbers(code)
        return default if values is None else int(values[0])

    def fraction(self, code: int) -> Fraction | None:
        """The first rational of a tag, or None if it is absent or no number."""
        if code not in self.entries or self.entries[code].type not in RATIONALS or not self.entries[code].count:
            return None
        above, below = (int(n) for n in self.array(code)[0])
        return Fraction(above, below) if below else None


COPY = "the file is damaged; take another copy of it"
"""What to do about a file that contradicts itself."""


class Tiff:
    """A TIFF or BigTIFF file, or an Exif block: byte order and directories.

    path: its name in messages. Raises UnsupportedSource if the first bytes are not TIFF's.
    """

    def __init__(self, file: BinaryIO, path: str) -> None:
        self.file, self.path = file, path
        self.size = file.seek(0, 2)
        head = self.bytes_at(0, 16)
        self.order: Order = ">" if head[:2] == b"MM" else "<"
        version = struct.unpack(self.order + "H", head[2:4])[0] if head[:2] in (b"II", b"MM") and len(head) >= 8 else 0
        self.big = version == 43
        if version not in (42, 43) or (self.big and head[4:8] != struct.pack(self.order + "HH", 8, 0)):
            raise UnsupportedSource(path, "not a TIFF file")
        self.first = self._unpack("Q" if self.big else "I", head[8:] if self.big else head[4:8])
        self.circular = False

    def bytes_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes; fewer at the end of the file."""
        if position >= self.size:
            return b""
        self.file.seek(position)
        return self.file.read(min(size, self.size - position))

    def _unpack(self, kind: str, data: bytes) -> int:
        if len(data) < struct.calcsize(kind):
            raise DamagedSource(self.path, f"it ends within a directory; {COPY}")
        return int(struct.unpack_from(self.order + kind, data)[0])

    def chain(self) -> Iterator[Directory]:
        """The pages in their order, up to the last or to one that was there before (`circular` is then set)."""
        position, seen = self.first, set[int]()
        while position:
            if position in seen:
                self.circular = True
                return
            if len(seen) == MAX_PAGES:
                raise UnsupportedSource(self.path, f"more than {MAX_PAGES} pages; split the file")
            seen.add(position)
            directory, position = self.directory(position)
            yield directory

    def directory(self, position: int) -> tuple[Directory, int]:
        """The directory at a position and where the next one is, 0 after the last."""
        count_size, kind, inline = (8, "Q", 8) if self.big else (2, "I", 4)
        step = 4 + 2 * inline
        count = self._unpack("Q" if self.big else "H", self.bytes_at(position, count_size))
        if count > MAX_ENTRIES:
            raise DamagedSource(self.path, f"a directory of {count} entries; {COPY}")
        data = self.bytes_at(position + count_size, count * step + inline)
        if len(data) < count * step:
            raise DamagedSource(self.path, f"it ends within a directory; {COPY}")
        entries: dict[int, Entry] = {}
        strange: list[tuple[int, int]] = []
        for start in range(0, count * step, step):
            code, of_type = struct.unpack_from(self.order + "HH", data, start)
            if of_type not in TYPES:
                strange.append((code, of_type))
                continue
            here = start + 4 + inline
            entry = Entry(code, of_type, self._unpack(kind, data[start + 4 :]), position + count_size + here)
            if entry.size > inline:
                entry = Entry(code, of_type, entry.count, self._unpack(kind, data[here:]))
            entries.setdefault(code, entry)
        after = data[count * step :]  # some writers end the file without the 0 that says "last"
        directory = Directory(self, entries, position, tuple(strange))
        directory.following = self._unpack(kind, after) if len(after) == inline else 0
        return directory, directory.following
