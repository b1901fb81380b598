"""Captions: those that a reel's frames carry, parted by kind, and the side file of what television's line 21 had.

Frames carry triplets (CTA-708-E, 4.4): a word about the pair that follows, and two bytes. Of CEA-608 there is one pair
a field, of CEA-708 there are packets of many.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pipeline.containers import scenarist
from pipeline.containers.sei import CAPTIONS, DIGITAL, SECOND_FIELD
from pipeline.values.finding import Finding
from pipeline.values.words import counted

VALID = 4
SIGNS = 0x7F
"""Of a byte: the rest is parity."""

Captions = tuple[tuple[int, str], ...]
"""Frames that carry captions of the first field, counted from a plan's first, with their byte pairs in hex."""


def parted(data: bytes) -> tuple[bytes, set[str]]:
    """Byte pairs of the first field in a frame's captions, without those that say nothing; and of which other kinds
    there are some."""
    first, others = b"", set()
    for word, a, b in (data[at : at + 3] for at in range(0, len(data) - 2, 3)):
        kind = word & 3
        if not word & VALID or (not (a | b) & SIGNS and kind < 2):
            continue
        if kind == 0:
            first += bytes([a, b])
        else:
            others.add(SECOND_FIELD if kind == 1 else DIGITAL)
    return first, others


def scenarist_of(captions: Captions, pts: tuple[int, ...], base: Fraction) -> str:
    """The side file's text; "" where there are no captions. pts: of the frames, in ticks of `base` seconds."""
    return scenarist.written(_pairs(captions, pts, base)) if captions else ""


def _pairs(captions: Captions, pts: tuple[int, ...], base: Fraction) -> list[scenarist.Pair]:
    times: Iterator[tuple[Fraction, bytes]] = (
        ((pts[frame] - pts[0]) * base, bytes.fromhex(data)) for frame, data in captions
    )
    return scenarist.placed(times)


def check_captions(
    captions: Captions, pts: tuple[int, ...], base: Fraction, text: str | None, frames: int, name: str
) -> list[Finding]:  # fmt: skip
    """Whether a side file, read again, has the captions that the frames have. frames: that carry some."""
    what = f"{CAPTIONS} as text"
    if not captions:
        return [Finding(what, True, f"none: those of {counted(frames, 'frame')} say nothing")] if frames else []
    wanted = _pairs(captions, pts, base)
    try:
        found = scenarist.read(text) if text else []
    except ValueError as error:
        return [Finding(what, False, f"{name}: {error}")]
    detail = f"{counted(len(wanted), 'byte pair')} in {name}"
    if found != wanted:
        detail = f"{counted(len(wanted), 'byte pair')} in the source, {len(found)} in {name}, or they differ"
    return [Finding(what, found == wanted, detail)]
