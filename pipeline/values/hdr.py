"""Hdr: the display that a film was graded on and how bright it gets, in the units of the standards, so exact.

SMPTE ST 2086 (mastering display) and CTA-861.3 (content light level), as H.265 (D.3.28, D.3.35) counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

CHROMATICITY = Fraction(1, 50_000)
LUMINANCE = Fraction(1, 10_000)
"""A unit in candelas per square meter."""
MOST = 0xFFFF
_COUNTS = frozenset((p, y, c) for p in (0, 8) for y in (0, 2) for c in (0, 2))


@dataclass(frozen=True, slots=True)
class Hdr:
    """Whole numbers of units; nothing where a film does not say.

    primaries: x and y of red, green, blue and white. luminance: the darkest and the brightest that the display shows.
    light: the brightest sample (MaxCLL) and the brightest frame's mean (MaxFALL), candelas per square meter.
    """

    primaries: tuple[int, ...] = ()
    luminance: tuple[int, ...] = ()
    light: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if (len(self.primaries), len(self.luminance), len(self.light)) not in _COUNTS:
            raise ValueError("a mastering display has eight chromaticities and two luminances, a film two light levels")
        narrow = (*self.primaries, *self.light)
        if (
            any(type(n) is not int or not 0 <= n < 1 << 32 for n in (*narrow, *self.luminance))
            or max(narrow, default=0) > MOST
        ):
            raise ValueError("chromaticities and light levels are whole numbers of 16 bits, luminances of 32")

    def __bool__(self) -> bool:
        return bool(self.primaries or self.luminance or self.light)

    @property
    def display(self) -> str:
        """The mastering display in words; "" where nothing is said of it."""
        names = zip(("R", "G", "B", "W"), _pairs(self.primaries, CHROMATICITY), strict=False)
        words = [f"{name} {x:g} {y:g}" for name, (x, y) in names]
        return ", ".join(words + [f"{a:g} to {b:g} cd/m2" for a, b in _pairs(self.luminance, LUMINANCE)])

    @property
    def levels(self) -> str:
        """The light levels in words; "" where nothing is said of them."""
        return f"MaxCLL {self.light[0]}, MaxFALL {self.light[1]}" if self.light else ""

    @property
    def whole(self) -> bool:
        """Whether both halves of a mastering display are there: most formats hold all of it or nothing."""
        return bool(self.primaries and self.luminance)


NO_HDR = Hdr()


def _pairs(units: tuple[int, ...], unit: Fraction) -> list[tuple[float, float]]:
    numbers = [float(n * unit) for n in units]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def in_units(value: Fraction, unit: Fraction) -> int:
    """The nearest whole number of units, and of two the even one."""
    return round(value / unit)
