"""Scenarist: line 21 captions as text, which editors and broadcasters read (.scc, "Scenarist_SCC V1.0").

A line is a time code and the byte pairs, parity bits and all, that are sent from then on, one a frame of television at
30000/1001 a second. Times are drop-frame, so that they are those of a clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pipeline.values.timecode import advance

RATE = Fraction(30_000, 1001)
HEAD = "Scenarist_SCC V1.0"
ZERO = "00:00:00;00"
MOST = 64
"""Byte pairs of a line: FFmpeg reads lines of 4096 characters."""
SHOWS = (0x2C, 0x2F)
"""Second bytes of commands by which captions vanish, and those that were loaded appear (CTA-608-E, table 52)."""
LINE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d);([0-2]\d)\t([0-9a-f]{4}(?: [0-9a-f]{4})*)")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bytes of captions. slot: the frame of television that they are sent with, counted from the film's first."""

    slot: int
    data: bytes


def placed(times: Iterable[tuple[Fraction, bytes]]) -> list[Pair]:
    """Byte pairs in the frames of television that they fall in, one each. times: seconds from the film's first frame,
    rising, and pairs, one or more of them behind each other."""
    found: list[Pair] = []
    for time, data in times:
        for at in range(0, len(data) - 1, 2):
            after = found[-1].slot + 1 if found else 0
            found.append(Pair(max(after, round(time * RATE)), data[at : at + 2]))
    return found


def written(pairs: list[Pair]) -> str:
    """A file of these pairs."""
    lines: list[tuple[int, list[Pair]]] = []
    for pair in pairs:
        line = lines[-1][1] if lines else []
        if not line or pair.slot != line[-1].slot + 1 or len(line) == MOST or _turns(line[-1].data, pair.data):
            lines.append((pair.slot, line := []))
        line.append(pair)
    texts = (f"{advance(ZERO, slot, RATE)}\t{' '.join(p.data.hex() for p in line)}\n" for slot, line in lines)
    return "\n".join([f"{HEAD}\n", *texts])


def _turns(before: bytes, data: bytes) -> bool:
    """Whether what is shown changes with a pair, which is sent twice: a line of its own, since FFmpeg and others take a
    line's time for all that is in it."""
    first, second = (byte & 0x7F for byte in data)
    return first & 0x77 == 0x14 and second in SHOWS and data != before


def read(text: str) -> list[Pair]:
    """The pairs of a file as `written` makes it. Raises ValueError for another."""
    head, *lines = [line for line in text.splitlines() if line]
    if head != HEAD:
        raise ValueError(f"not a Scenarist file: it begins with {head[:40]!r}")
    found: list[Pair] = []
    for line in lines:
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"not a line of captions: {line[:40]!r}")
        hours, minutes, seconds, frame = (int(match[n]) for n in range(1, 5))
        whole = hours * 60 + minutes
        slot = (whole * 60 + seconds) * 30 + frame - 2 * (whole - whole // 10)
        found += [Pair(slot + i, bytes.fromhex(data)) for i, data in enumerate(match[5].split(" "))]
    return found
