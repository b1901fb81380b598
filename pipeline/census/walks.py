"""The walk of a file, by its first bytes, and what of its elements another file does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pipeline.census.ebml import elements_of
from pipeline.census.element import Element, File, Walk
from pipeline.census.isobmff import boxes_of
from pipeline.census.mxf import KEY, RUN_IN, keys_of
from pipeline.census.riff import chunks_of
from pipeline.storage.atomic import legible
from pipeline.values.loss import Loss

BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot", b"styp")
MAX_NAMES = 2000
"""Of elements that are told apart; what has further names is counted together."""
MAX_MARKS = 100_000
OTHERS = "elements of further names"


def walk_of(file: File) -> Walk | None:
    """How the elements of a file are found; None for kinds that have no walk."""
    head = file.at(0, 12)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return elements_of
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] in (b"AVI ", b"WAVE"):
        return chunks_of
    if head[4:8] in BOXES:
        return boxes_of
    return keys_of if KEY in file.at(0, RUN_IN) else None


def walked(
    path: Path, known: Mapping[bytes, int] | None = None, words: Collection[str] = ()
) -> tuple[list[Loss], Counter[bytes]]:
    """The elements of a file that no rule knows, each name once, and how often there is each content of them, by mark.

    known: such marks of another file; words: what it says. What is among them is carried, and not told. Raises
    UnreadableSource where what the file lies on fails.
    """
    marks: Counter[bytes] = Counter()
    left = Counter(known)

    def new(found: Element) -> bool:
        marks[found.mark] += len(marks) < MAX_MARKS
        held = left[found.mark] > 0
        left[found.mark] -= held
        return not held and not any(text in words for text in found.texts)

    with legible(str(path)), path.open("rb") as opened:
        file = File(opened)
        walk = walk_of(file)
        lost = counted(filter(new, walk(file))) if walk is not None else []
    return lost, marks


def counted(elements: Iterable[Element]) -> list[Loss]:
    """Elements as losses: each name once, with how many there are and their bytes."""
    counts: dict[str, tuple[int, int]] = {}
    for found in elements:
        name = found.name if found.name in counts or len(counts) < MAX_NAMES else OTHERS
        count, size = counts.get(name, (0, 0))
        counts[name] = count + 1, size + found.size
    return [_loss(name, *count) for name, count in counts.items()]


def _loss(name: str, count: int, size: int) -> Loss:
    return Loss(name, f"{f'{count} of them, ' if count > 1 else ''}{size} bytes")
