"""Names: where each item's output goes. A name once given stays; who comes later takes the first that is free.

What comes out does not depend on an order, and no two names differ in case alone: some file systems ignore it.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from colorizer.basis.errors import ColorizeError
from pipeline.storage.stores import is_uri, masked


@dataclass(frozen=True, slots=True)
class Wish:
    """A source, and the outputs that it may have, the shortest first. exact: a person gave the only one."""

    source: str
    choices: tuple[str, ...]
    exact: bool = False


def named(wishes: Sequence[Wish], known: Mapping[str, str]) -> list[str]:
    """An output for each wish. known: sources by the outputs that earlier runs gave them.

    Raises ColorizeError where two wishes are the same.
    """
    found: dict[int, str] = {}
    exact: set[str] = set()
    for number, wish in enumerate(wishes):
        if wish.exact:
            found[number] = wish.choices[0]
            if (place := folded(wish.choices[0])) in exact:
                raise _twice(wish)
            exact.add(place)
    _keep(wishes, known, found)
    taken = {folded(out) for out in (*known, *found.values())}
    taken |= {folded(str(parent)) for wish in wishes for parent in PurePosixPath(wish.choices[0]).parents}
    for rank in range(max((len(wish.choices) for wish in wishes), default=0)):
        wanted = {n: w.choices[rank] for n, w in enumerate(wishes) if n not in found and rank < len(w.choices)}
        count = Counter(map(folded, wanted.values()))
        free = {n: out for n, out in wanted.items() if count[folded(out)] == 1 and folded(out) not in taken}
        found |= free
        taken |= set(map(folded, free.values()))
    for number, wish in enumerate(wishes):
        if number not in found:
            raise _twice(wish)
    return [found[number] for number in range(len(wishes))]


def _keep(wishes: Sequence[Wish], known: Mapping[str, str], found: dict[int, str]) -> None:
    """Give each wish the name that its source had; one that was moved is known by its own name."""
    taken = {folded(out) for out in found.values()}
    for alike in (same_source, _same_name):
        for number, wish in enumerate(wishes):
            mine = [out for out in wish.choices if out in known and alike(known[out], wish.source)]
            if number not in found and mine and folded(mine[0]) not in taken:
                found[number] = mine[0]
                taken.add(folded(mine[0]))


def folded(place: str) -> str:
    """A place as file systems that ignore case see it."""
    return unicodedata.normalize("NFC", place).casefold()


def same_source(one: str, other: str) -> bool:
    """Whether two paths or URIs are of the same file."""
    if is_uri(one) or is_uri(other):
        return masked(one) == masked(other)
    return os.path.abspath(one) == os.path.abspath(other)  # noqa: PTH100 - resolves "..", and follows no link


def _same_name(one: str, other: str) -> bool:
    return PurePosixPath(one).name == PurePosixPath(other).name and not (not is_uri(one) and os.path.exists(one))  # noqa: PTH110


def _twice(wish: Wish) -> ColorizeError:
    return ColorizeError(
        f"{masked(wish.source)}: another file has the same output {wish.choices[0]}; give each a name of its own"
    )
