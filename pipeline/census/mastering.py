"""Mastering display and light levels as containers say them, in the words of `Hdr`, so that what a film's pictures say
of the same can be held against them: of the two a player may take either.

Owns the layouts: Matroska's MasteringMetadata (RFC 9559, 5.1.4.1.28.25), `mdcv` and `clli` (ISO 14496-12, 12.1.6 and
12.1.7), `SmDm` and `CoLL` (VP Codec ISO Media File Format Binding).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction

from pipeline.values.ebml import CHROMATICITIES, LUMINANCE_MAX, LUMINANCE_MIN
from pipeline.values.hdr import CHROMATICITY, LUMINANCE, Hdr, in_units


def matroska_display(content: bytes) -> str:
    """Of MasteringMetadata; "" where it says nothing that can be understood."""
    found: dict[int, Fraction] = {}
    at = 0
    while at + 3 <= len(content):  # each has a number of two bytes and a size of one
        kind, size = int.from_bytes(content[at : at + 2], "big"), content[at + 2] & 0x7F
        data = content[at + 3 : at + 3 + size]
        if size in (4, 8) and len(data) == size:
            (value,) = struct.unpack(">f" if size == 4 else ">d", data)
            found[kind] = Fraction(value) if math.isfinite(value) else Fraction(-1)
        at += 3 + size
    primaries = [in_units(found[kind], CHROMATICITY) for kind in CHROMATICITIES if kind in found]
    luminance = [in_units(found[kind], LUMINANCE) for kind in (LUMINANCE_MIN, LUMINANCE_MAX) if kind in found]
    return _said(primaries * (len(primaries) == 8), luminance * (len(luminance) == 2))


def matroska_light(name: str) -> Callable[[bytes], str]:
    """Of MaxCLL, MaxFALL; 0 says nothing."""

    def said(content: bytes) -> str:
        return f"{name} {value}" if (value := int.from_bytes(content, "big")) else ""

    return said


def _mdcv(content: bytes) -> str:
    if len(content) < 24:
        return ""
    *three, x, y, brightest, darkest = struct.unpack_from(">8H2I", content)
    green, blue, red = three[:2], three[2:4], three[4:6]
    return _said([*red, *green, *blue, x, y], [darkest, brightest])


def _smdm(content: bytes) -> str:
    if len(content) < 28:
        return ""
    *primaries, brightest, darkest = struct.unpack_from(">8H2I", content, 4)
    luminance = [Fraction(darkest, 1 << 14), Fraction(brightest, 1 << 8)]
    return _said(
        [in_units(Fraction(p, 1 << 16), CHROMATICITY) for p in primaries], [in_units(v, LUMINANCE) for v in luminance]
    )


def _light(content: bytes, at: int) -> str:
    levels = struct.unpack_from(">2H", content, at) if len(content) >= at + 4 else ()
    return Hdr(light=levels).levels if any(levels) else ""


def _said(primaries: list[int], luminance: list[int]) -> str:
    try:
        return Hdr(tuple(primaries), tuple(luminance)).display
    except ValueError:
        return ""


BOXES: dict[bytes, Callable[[bytes], str]] = {
    b"mdcv": _mdcv, b"clli": lambda content: _light(content, 0), b"SmDm": _smdm, b"CoLL": lambda c: _light(c, 4),
}  # fmt: skip
ELEMENTS: dict[str, Callable[[bytes], str]] = {
    "MasteringMetadata": matroska_display, "MaxCLL": matroska_light("MaxCLL"), "MaxFALL": matroska_light("MaxFALL"),
}  # fmt: skip
"""What says it, and how it is read."""
