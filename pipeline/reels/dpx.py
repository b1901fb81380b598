"""What the header of a DPX picture says of the reel that it is one of: its rate and its time code (SMPTE ST 268)."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipeline.storage.atomic import legible

HEADER = 2048
MAGIC = {b"SDPX": ">", b"XPDS": "<"}
FILM_RATE, TIME_CODE, TELEVISION_RATE = 1724, 1920, 1940
"""Bytes from the beginning, in the headers of film and of television."""
USUAL = [Fraction(n * 1000, d) for n in (24, 30, 48, 60, 120) for d in (1000, 1001)] + [Fraction(25), Fraction(50)]
"""Rates that a header's 32-bit float stands for, within a five-thousandth."""


@dataclass(frozen=True, slots=True)
class DpxWords:
    """rate: pictures per second, None where the header does not say. timecode: "" likewise."""

    rate: Fraction | None = None
    timecode: str = ""


def dpx_words(path: Path) -> DpxWords:
    """Rate and time code of a picture; nothing of a file that is no DPX. Raises UnreadableSource."""
    with legible(str(path)), path.open("rb") as file:
        header = file.read(HEADER)
    order = MAGIC.get(header[:4], "")
    if not order or len(header) < HEADER:
        return DpxWords()
    film, television = (struct.unpack_from(f"{order}f", header, at)[0] for at in (FILM_RATE, TELEVISION_RATE))
    code: int = struct.unpack_from(f"{order}I", header, TIME_CODE)[0]
    return DpxWords(_rate(film) or _rate(television), _timecode(code))


def _rate(stored: float) -> Fraction | None:
    if not math.isfinite(stored) or not 0.5 <= stored <= 1000:
        return None
    near = [rate for rate in USUAL if abs(stored / float(rate) - 1) < 1 / 5000]
    whole = Fraction(stored).limit_denominator(1001)
    return min(near, key=lambda rate: abs(float(rate) - stored), default=whole)


def _timecode(stored: int) -> str:
    """Eight decimal digits, four bits each; "" for what is none, such as all bits set. Zero is what many leave."""
    digits = f"{stored:08x}"
    hours, minutes, seconds, frames = (digits[i : i + 2] for i in range(0, 8, 2))
    if not stored or not digits.isdecimal() or hours > "23" or minutes > "59" or seconds > "59":
        return ""
    return f"{hours}:{minutes}:{seconds}:{frames}"


def dpx_sequence(pictures: list[Path]) -> DpxWords:
    """Of the first picture that says either. A time code of zero counts if the second picture goes on from it."""
    words = [dpx_words(path) for path in pictures[:2]]
    rate = next((w.rate for w in words if w.rate is not None), None)
    zero = len(words) == 2 and not words[0].timecode and words[1].timecode == "00:00:00:01"
    return DpxWords(rate, "00:00:00:00" if zero else words[0].timecode if words else "")
