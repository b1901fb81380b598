"""Title: how the files are called that one title of a DVD lies in, VTS_01_1.VOB, VTS_01_2.VOB and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FIRST = re.compile(r"(VTS_\d\d_)1(\.VOB)", re.IGNORECASE)
MOST = 9
"""Files of a title (DVD specifications for read-only disc, part 3)."""


def following(name: str) -> Iterator[str]:
    """Names of the files that may follow on a title's first; nothing of another file."""
    if found := _FIRST.fullmatch(name):
        yield from (f"{found[1]}{number}{found[2]}" for number in range(2, MOST + 1))
