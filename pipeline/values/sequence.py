"""Sequence: how a pattern names numbered pictures, as in frames/%06d.dpx and take%d.dpx; and how names are numbered."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SUFFIXES = (".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".j2k", ".exr")
"""Of pictures that sequences are made of."""
ONE = "one folder and one number, as in frames/%06d.dpx or frames/take%d.dpx"
"""What a person should write."""
_TOKEN = re.compile(r"%%|%(?:0(\d{1,2}))?d")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Names of numbered pictures in one folder. digits: a number has as many at least, with zeros before it; 1: as it
    is. As text a % of the name itself is doubled."""

    before: str
    digits: int
    after: str

    def __str__(self) -> str:
        number = f"%0{self.digits}d" if self.digits > 1 else "%d"
        return f"{self.before.replace('%', '%%')}{number}{self.after.replace('%', '%%')}"

    def name(self, number: int) -> str:
        """The name of the picture with a number."""
        return f"{self.before}{number:0{self.digits}d}{self.after}"

    def number(self, name: str) -> int | None:
        """The number in a picture's name; None of another file."""
        found = re.fullmatch(rf"{re.escape(self.before)}(\d{{{self.digits},}}){re.escape(self.after)}", name, re.ASCII)
        return int(found[1]) if found and self.name(int(found[1])) == name else None


def pattern_of(name: str) -> Pattern | None:
    """What a name without folders stands for; None of one without a number's place, or with several.

    A % that is neither doubled nor before such a place is a % too: files are called 100%_%04d.dpx.
    """
    places = [m for m in _TOKEN.finditer(name) if m[0] != "%%"]
    if len(places) != 1:
        return None
    place = places[0]
    before, after = (part.replace("%%", "%") for part in (name[: place.start()], name[place.end() :]))
    return Pattern(before, max(1, int(place[1] or 1)), after)


_NUMBERED = re.compile(r"(.*?)(\d{1,9})(\.\w+)", re.ASCII)


def sequences(names: Iterable[str], suffixes: Iterable[str], least: int) -> dict[Pattern, list[str]]:
    """Numbered pictures among names, by their patterns; `least` of one pattern at least.

    A number with zeros before it tells how many digits all have at least; longer ones go on from there (0998, 0999,
    10000). Where no zeros are, numbers are as they are: 95 to 112 are one sequence.
    """
    of: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name in sorted(names):
        found = _NUMBERED.fullmatch(name)
        if found and found[3].lower() in suffixes:
            of[found[1], found[3]].append((found[2], name))
    made: defaultdict[Pattern, list[str]] = defaultdict(list)
    for (before, after), numbered in of.items():
        padded = {len(text) for text, _ in numbered if text[0] == "0" and len(text) > 1}
        bare = {len(text) for text, _ in numbered if text[0] != "0" or len(text) == 1}
        alone = bare.pop() if len(bare) == 1 and not padded else 1
        for text, name in numbered:
            zeros = text[0] == "0" and len(text) > 1
            digits = len(text) if zeros else max((d for d in padded if d <= len(text)), default=alone)
            made[Pattern(before, digits, after)].append(name)
    return {pattern: found for pattern, found in made.items() if len(found) >= least}
