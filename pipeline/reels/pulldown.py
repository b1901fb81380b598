"""Pulldown: flags by which pictures of a film are shown for three fields instead of two, and what they make of a rate.

So 24 pictures fill 30 frames of television (2:3, "soft telecine"). FFmpeg applies the flags to times and durations, and
tells nobody of them: they are read from the packets here (MPEG-2, ITU-T H.262, 6.2.3.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

CODECS = ("mpeg2video",)
EXTENSION = b"\0\0\1\xb5"
HEAD = 1024
"""Bytes of a packet in which a picture's header and its extension are."""
PICTURE = 8
"""Of extensions, that of a picture's coding."""
RATES = [Fraction(n * 1000, d) for n in (24, 25, 30, 48, 50, 60) for d in (1000, 1001)]
WINDOW = 4
"""Pictures in which the pattern of 2:3 comes back."""
STEADY = 0.6
"""Of a reel's windows that last the same: where fewer do, film and television alternate, and the mean is the rate."""


def repeats(data: bytes) -> bool:
    """Whether the first picture of an MPEG-2 packet has `repeat_first_field`."""
    at = data.find(EXTENSION)
    while at >= 0:
        coded = data[at + 4 : at + 9]
        if len(coded) == 5 and coded[0] >> 4 == PICTURE:
            return bool(coded[3] & 2)
        at = data.find(EXTENSION, at + 4)
    return False


def film_rate(pts: Sequence[int], base: Fraction, usual: Fraction) -> Fraction:
    """Pictures a second of a reel with such flags, by its times. usual: where they do not tell."""
    windows = Counter(b - a for a, b in zip(pts, pts[WINDOW:], strict=False))
    if not windows:
        return usual
    length = max(windows, key=lambda ticks: (_near(windows, ticks), -ticks))
    ticks = Fraction(pts[-1] - pts[0], len(pts) - 1)
    if _near(windows, length) >= STEADY * windows.total():
        ticks = Fraction(length, WINDOW)
    found = 1 / (ticks * base)
    near = min(RATES, key=lambda rate: abs(rate - found))
    return near if abs(near / found - 1) < Fraction(1, 500) else found.limit_denominator(1001)


def _near(windows: Counter[int], ticks: int) -> int:
    """Windows that last as long, but for the rounding of half ticks."""
    return sum(windows[ticks + by] for by in (-1, 0, 1))
