"""TIFF tags as they are stored: an entry is a type, a count and little-endian bytes (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tifffile import DATATYPE

OPAQUE = (DATATYPE.BYTE, DATATYPE.ASCII, DATATYPE.SBYTE, DATATYPE.UNDEFINED)
"""Types of one byte a value: any bytes may be stored as such."""

NUMBERS: dict[int, str] = {
    DATATYPE.BYTE: "B", DATATYPE.SHORT: "H", DATATYPE.LONG: "I", DATATYPE.SBYTE: "b", DATATYPE.SSHORT: "h",
    DATATYPE.SLONG: "i", DATATYPE.FLOAT: "f", DATATYPE.DOUBLE: "d", DATATYPE.IFD: "I", DATATYPE.LONG8: "Q",
    DATATYPE.SLONG8: "q", DATATYPE.IFD8: "Q",
}  # fmt: skip
"""Types that hold numbers, as the struct module spells them."""

PAIRS: dict[int, str] = {DATATYPE.RATIONAL: "I", DATATYPE.SRATIONAL: "i"}
"""Types of two numbers a value."""

BIG_ONLY = (DATATYPE.LONG8, DATATYPE.SLONG8, DATATYPE.IFD8)
"""Types a plain TIFF does not have."""


@dataclass(frozen=True, slots=True)
class TagValue:
    """A tag's value: `count` values of type `kind` in `data`, little-endian."""

    kind: int
    count: int
    data: bytes = field(repr=False)


@dataclass(slots=True)
class TagTable:
    """An image file directory: entries by tag code; offsets into the file, whose width the file decides when it is
    closed; and directories below this one (SubIFDs, EXIF, GPS) by the tag that points to them."""

    entries: dict[int, TagValue] = field(default_factory=dict)
    offsets: dict[int, list[int]] = field(default_factory=dict)
    below: dict[int, list[TagTable]] = field(default_factory=dict)


def tag_value(kind: int, value: bytes | Sequence[Any]) -> TagValue:
    """A tag's value as stored: bytes of text and opaque types, else numbers; rationals are pairs (above, below).

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
    return TagValue(kind, len(value), data)


def _opaque(kind: int, data: bytes) -> TagValue:
    if kind not in OPAQUE:
        raise ValueError(f"bytes where type {kind} holds numbers")
    if kind == DATATYPE.ASCII and not data.endswith(b"\0"):
        data += b"\0"
    if not data:
        raise ValueError("no value")
    return TagValue(kind, len(data), data)


def shorts(*values: int) -> TagValue:
    """A value of SHORT values."""
    return tag_value(DATATYPE.SHORT, values)


def longs(*values: int) -> TagValue:
    """A value of LONG values."""
    return tag_value(DATATYPE.LONG, values)


def rational(value: Fraction) -> TagValue:
    """A positive number as a RATIONAL: exact where 32 bits hold it, else the nearest with a small denominator."""
    if max(value.numerator, value.denominator) >= 2**32:
        value = value.limit_denominator(10**6)
    return tag_value(DATATYPE.RATIONAL, ((value.numerator, value.denominator),))
