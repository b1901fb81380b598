"""Packs of DV: what a camera wrote beside picture and sound, such as when it recorded (IEC 61834-4, SMPTE 314M).

An hour is 13 GB, so of a raw file packs are read of pictures that are spread over it, its first and last among them.
Of DV in another file they are read of each picture that is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.census.element import Element, File, element
from pipeline.values.words import counted

BLOCK, SEQUENCE = 80, 12000
"""Bytes of a block, and of 150 of them: a tenth or twelfth of a picture."""
SPOT = 12 * SEQUENCE
SPOTS = 300
SUBCODE, VIDEO, SOUND = 1, 2, 3
"""Kinds of blocks that hold packs."""
RULES = frozenset({0x13, 0x50, 0x51, 0x60, 0x61, 0xFF})
"""Time code, which is compared; what picture and sound are; nothing."""
NAMES = {
    0x00: "cassette identifier", 0x01: "length of tape", 0x03: "cassette's contents", 0x10: "total time of title",
    0x11: "remaining time of title", 0x14: "binary group of time code", 0x17: "start of title",
    0x20: "program", 0x23: "program's recording time", 0x52: "date of sound's recording",
    0x53: "time of sound's recording", 0x54: "binary group of sound", 0x55: "captions of sound",
    0x62: "date of recording", 0x63: "time of recording", 0x64: "binary group of picture", 0x65: "closed captions",
    0x70: "camera", 0x71: "camera's setting", 0x72: "camera's shutter", 0x7F: "camera's gain",
}  # fmt: skip
DATES, TIMES = (0x52, 0x62), (0x53, 0x63)


def is_dv(head: bytes) -> bool:
    """Whether a file begins with the first block of a DV picture."""
    return head[:3] == b"\x1f\x07\0" and len(head) > 3 and head[3] & 0x7F == 0x3F


def packs_of(file: File) -> Iterator[Element]:
    """The packs that no rule knows, those of a kind together; of dates and times the first and the last."""
    total = max(1, file.size // SPOT)
    spots = sorted({round(n * (total - 1) / max(1, min(SPOTS, total) - 1)) for n in range(min(SPOTS, total))})
    if len(spots) < total:
        file.part = f"the packs of {counted(len(spots), 'picture')} of some {total:,}"
    count, found = np.zeros(256, np.int64), dict[int, list[bytes]]()
    for spot in spots:
        packs = _packs(file.at(spot * SPOT, SPOT))
        packs = packs[(packs[:, 1:] != 0xFF).any(1)]
        count += np.bincount(packs[:, 0], minlength=256)
        for kind, place in zip(*np.unique(packs[:, 0], return_index=True), strict=True):
            found.setdefault(int(kind), []).append(packs[place].tobytes())
    for kind, some in sorted(found.items()):
        if kind not in RULES:
            yield element(_name(kind), 5 * int(count[kind]), some[0], says=_says(kind, some[0], some[-1]))
    tail = file.size % SEQUENCE
    if tail:
        yield element("DV bytes behind the last picture", tail, file.at(file.size - tail, tail))


def kinds_of(picture: bytes) -> frozenset[str]:
    """The packs of one picture of DV that no rule knows, by name, with the dates that they say."""
    found: dict[int, bytes] = {}
    packs = _packs(picture)
    packs = packs[(packs[:, 1:] != 0xFF).any(1)]
    for kind, place in zip(*np.unique(packs[:, 0], return_index=True), strict=True):
        found[int(kind)] = packs[place].tobytes()
    return frozenset(
        " ".join(filter(None, (_name(kind), _date(pack) if kind in DATES else "")))
        for kind, pack in found.items()
        if kind not in RULES
    )


def _name(kind: int) -> str:
    return f"DV pack 0x{kind:02X} {NAMES.get(kind, '')}".rstrip()


def _packs(data: bytes) -> np.ndarray:
    """All packs in some blocks, (n, 5)."""
    blocks = np.frombuffer(data, np.uint8, len(data) // BLOCK * BLOCK).reshape(-1, BLOCK)
    kind = blocks[:, 0] >> 5
    parts = (
        blocks[kind == SUBCODE, 3:51].reshape(-1, 8)[:, 3:],
        blocks[kind == VIDEO, 3:78].reshape(-1, 5),
        blocks[kind == SOUND, 3:8],
    )
    return np.concatenate(parts)


def _says(kind: int, first: bytes, last: bytes) -> str:
    """A date or a time of day, and the last one where it is another."""
    texts = [_date(p) if kind in DATES else _time(p) if kind in TIMES else "" for p in (first, last)]
    return " to ".join(dict.fromkeys(filter(None, texts)))


def _digits(code: int, mask: int) -> int:
    return (code & mask) // 16 * 10 + (code & 15)


def _date(pack: bytes) -> str:
    """Of years two digits are kept, from 70 on of the last century."""
    day, month, year = _digits(pack[2], 0x3F), _digits(pack[3], 0x1F), _digits(pack[4], 0xFF)
    return f"{year + (1900 if year >= 70 else 2000)}-{month:02}-{day:02}" if 1 <= month <= 12 and day else ""


def _time(pack: bytes) -> str:
    return ":".join(f"{_digits(pack[n], mask):02}" for n, mask in ((4, 0x3F), (3, 0x7F), (2, 0x7F)))
