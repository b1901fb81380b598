"""TIFF tags as they are stored: an entry is a type, a count and little-endian bytes (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16

OPAQUE = {1: "BYTE", 2: "ASCII", 6: "SBYTE", 7: "UNDEFINED"}
"""Types of one byte a value: any bytes may be stored as such."""

NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
"""Types that hold numbers, as the struct module spells them; 16 to 18 are BigTIFF's."""

PAIRS = {5: "I", 10: "i"}
"""RATIONAL and SRATIONAL: two numbers a value."""

BIG_ONLY = {16, 17, 18}
"""Types a plain TIFF does not have."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag's value: `count` values of type `kind` in `data`, little-endian."""

    kind: int
    count: int
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Directory:
    """An image file directory: entries by tag code; offsets into the file, whose width the file decides when it is
    closed; and directories below this one (SubIFDs, EXIF, GPS) by the tag that points to them."""

    entries: dict[int, Entry] = field(default_factory=dict)
    offsets: dict[int, list[int]] = field(default_factory=dict)
    below: dict[int, list[Directory]] = field(default_factory=dict)


def entry(kind: int, value: bytes | Sequence[Any]) -> Entry:
    """The entry for a value: bytes of text and opaque types, else numbers; rationals are pairs (above, below).

    Text ends in a NUL, as section 2 asks; NULs inside it stay. Raises ValueError for a type that plain TIFF does not
    have and for a value that the type cannot hold.
    """
    if kind in BIG_ONLY:
        raise ValueError(f"type {kind} exists in BigTIFF only")
    if isinstance(value, bytes):
        return _opaque(kind, value)
    try:
        values: Sequence[Any] = value
        numbers = [part for above, below in values for part in (above, below)] if kind in PAIRS else values
        code = PAIRS[kind] if kind in PAIRS else NUMBERS[kind]
        data = struct.pack(f"<{len(numbers)}{code}", *numbers)
    except KeyError:
        raise ValueError(f"no such numbers in type {kind}") from None
    except (struct.error, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"not numbers of type {kind}: {error}") from error
    if not data:
        raise ValueError("no value")
    return Entry(kind, len(value), data)


def _opaque(kind: int, data: bytes) -> Entry:
    if kind not in OPAQUE:
        raise ValueError(f"bytes where type {kind} holds numbers")
    if kind == ASCII and not data.endswith(b"\0"):
        data += b"\0"
    if not data:
        raise ValueError("no value")
    return Entry(kind, len(data), data)


def shorts(*values: int) -> Entry:
    """An entry of SHORT values."""
    return entry(SHORT, values)


def longs(*values: int) -> Entry:
    """An entry of LONG values."""
    return entry(LONG, values)


def rational(value: Fraction) -> Entry:
    """A positive number as a RATIONAL: exact where 32 bits hold it, else the nearest with a small denominator."""
    if max(value.numerator, value.denominator) >= 2**32:
        value = value.limit_denominator(10**6)
    return entry(RATIONAL, ((value.numerator, value.denominator),))
