"""The walk of a file, by its first bytes, and what of its elements another file does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.census import asf, flash, ogg, program_stream, raw_dv, realmedia, y4m
from pipeline.census.asf_rules import HEADER
from pipeline.census.ebml import elements_of
from pipeline.census.element import Element, File, Walk
from pipeline.census.isobmff import boxes_of
from pipeline.census.mpegts import HEAD, layout_of, streams_of
from pipeline.census.mxf import KEY, RUN_IN, keys_of
from pipeline.census.riff import chunks_of
from pipeline.storage.atomic import legible
from pipeline.values.loss import Loss
from pipeline.values.words import in_bytes

BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot", b"styp")
BEGIN: tuple[tuple[bytes, Walk], ...] = (
    (b"\x1a\x45\xdf\xa3", elements_of), (b"FLV\x01", flash.tags_of), (b".RMF", realmedia.chunks_of),
    (HEADER, asf.objects_of), (b"OggS", ogg.pages_of), (b"YUV4MPEG2", y4m.words_of),
    (b"\0\0\x01\xba", program_stream.packets_of), (b"\0\0\x01\xbb", program_stream.packets_of),
)  # fmt: skip
"""How files begin, and their walks."""
MAX_NAMES = 2000
"""Of elements that are told apart; what has further names is counted together."""
MAX_MARKS = 100_000
MAX_SAID = 8
"""Different things that elements of one name say, of which all are told."""
OTHERS = "elements of further names"


@dataclass(frozen=True, slots=True)
class Census:
    """What a walk found. lost: elements that no rule knows and the other file does not hold, each name once.

    marks: how often there is each content of elements; part: which parts of the file were gone through, "" for all.
    kind: whether files of its kind have a walk at all.
    """

    lost: list[Loss]
    marks: Counter[bytes]
    part: str = ""
    kind: bool = True


def walk_of(file: File) -> Walk | None:
    """How the elements of a file are found; None for kinds that have no walk."""
    head = file.at(0, 16)
    for begin, walk in BEGIN:
        if head.startswith(begin):
            return walk
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] in (b"AVI ", b"WAVE"):
        return chunks_of
    if head[4:8] in BOXES:
        return boxes_of
    if raw_dv.is_dv(head):
        return raw_dv.packs_of
    if layout_of(file.at(0, HEAD)) is not None:
        return streams_of
    return keys_of if KEY in file.at(0, RUN_IN) else None


def walked(
    path: Path,
    known: Mapping[bytes, int] | None = None,
    words: Collection[str] = (),
    tracks: Collection[int] = (),
) -> Census:
    """The elements of a file that no rule knows.

    known: such marks of another file; words: what it says; tracks: numbers of those that are told as tracks. What is
    among them is not told here. Raises UnreadableSource where what the file lies on fails.
    """
    marks: Counter[bytes] = Counter()
    left = Counter(known)

    def new(found: Element) -> bool:
        marks[found.mark] += len(marks) < MAX_MARKS
        held = left[found.mark] > 0
        left[found.mark] -= held
        return not held and found.track not in tracks and not any(text in words for text in found.texts)

    with legible(str(path)), path.open("rb") as opened:
        file = File(opened)
        walk = walk_of(file)
        lost = counted(filter(new, walk(file))) if walk is not None else []
    return Census(lost, marks, file.part, walk is not None)


def counted(elements: Iterable[Element]) -> list[Loss]:
    """Elements as losses: each name once, with how many there are, their bytes, and what they say."""
    counts: dict[str, tuple[int, int, dict[str, None]]] = {}
    for found in elements:
        name = found.name if found.name in counts or len(counts) < MAX_NAMES else OTHERS
        count, size, said = counts.get(name, (0, 0, {}))
        if found.says and len(said) < MAX_SAID:
            said[found.says] = None
        counts[name] = count + 1, size + found.size, said
    return [_loss(name, count, size, ", ".join(said)) for name, (count, size, said) in counts.items()]


def _loss(name: str, count: int, size: int, says: str) -> Loss:
    many = [f"{count} of them"] * (count > 1) + [in_bytes(size)] * (size > 0 or not says)
    return Loss(name, "; ".join(filter(None, (says, ", ".join(many)))))
