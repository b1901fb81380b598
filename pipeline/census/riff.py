"""Chunks of AVI and WAV files: those of coding and those that FFmpeg gives as tags are rules (RIFF; OpenDML 1.02)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.census.element import MAX_DEPTH, Element, File, Place, element, printed, through
from pipeline.census.riff_fields import READERS, fields_of
from pipeline.storage.atomic import legible

LISTS: dict[bytes, tuple[bytes, bytes]] = {
    b"AVI ": (b"hdrl movi INFO", b"idx1"),
    b"AVIX": (b"movi", b"idx1"),
    b"hdrl": (b"strl odml INFO", b"avih"),
    b"strl": (b"", b"strh strf indx vprp"),
    b"odml": (b"", b"dmlh"),
    b"movi": (b"rec ", b""),
    b"rec ": (b"", b""),
    b"INFO": (b"", b"ISFT"),
    b"WAVE": (b"INFO", b"fmt  fact data ds64 PEAK"),
}
"""Of each list: lists in it that are gone into, and chunks that are known. ISFT names the program that wrote the file.
PEAK is of the samples."""
PADDING = (b"JUNK", b"JUNQ", b"PAD ", b"FLLR", b"junk")
SAMPLES = (b"dc", b"db", b"wb", b"tx", b"sb", b"pc", b"iv", b"AC")
"""Third and fourth letters of chunks of samples; the first two are the track's number. DV's are __dc and __wb."""


@dataclass(slots=True)
class _Place(Place):
    """kind: four letters of the list, none of the file."""

    kind: bytes = b""


def chunks_of(file: File, empty: Counter[int] | None = None) -> Iterator[Element]:
    """The chunks that no rule knows. empty: counts chunks of samples that have none, by track."""
    return through("RIFF", file, _Place("", 0, file.size), partial(_enter, file, empty))


def _enter(file: File, empty: Counter[int] | None, places: list[_Place]) -> Iterator[Element] | None:
    place = places[-1]
    head, body = file.at(place.at, 12), place.at + 8
    size = int.from_bytes(head[4:8], "little")
    if len(head) < 8 or body > place.stop or not head[:4].strip(b"\0"):
        return None
    if head[:4] in (b"RIFF", b"RF64") and size in (0, 0xFFFFFFFF):  # by a writer that did not come back to it
        size = place.stop - body
    end = min(body + size, place.stop)
    place.at = end + (size & 1)
    if empty is not None and not size and _of_samples(place, head[:4]) and head[:2].isdigit():
        empty[int(head[:2])] += 1
    return _chunk(file, places, head, body, end)


def _chunk(file: File, places: list[_Place], head: bytes, body: int, end: int) -> Iterator[Element]:
    place, kind, of = places[-1], head[:4], head[8:12]
    deeper, known = (_letters(names) for names in LISTS.get(place.kind, (b"", b"")))
    is_list = kind in (b"LIST", b"RIFF", b"RF64") and end - body >= 4
    top = not place.kind and kind in (b"RIFF", b"RF64") and of in LISTS
    name = f"{place.name}/{printed(of if is_list else kind)}".lstrip("/")
    if (top or (is_list and of in deeper)) and len(places) < MAX_DEPTH:
        places.append(_Place("" if top else name, body + 4, end, kind=of))
    elif kind in known and kind in READERS:
        for what, value, says in fields_of(kind, file.at(body, end - body)):
            yield element(f"RIFF field {name}/{what}", len(value), value, says=says)
    elif not (kind in PADDING or kind in known or _of_samples(place, kind)):
        content = file.at(body, end - body)
        yield element(f"RIFF {'list' if is_list else 'chunk'} {name}", end - body, content, [content])


def _letters(names: bytes) -> set[bytes]:
    """Fours of letters; spaces belong to some of them."""
    return {names[i : i + 4] for i in range(0, len(names), 5)}


def _of_samples(place: _Place, kind: bytes) -> bool:
    return place.kind in (b"movi", b"rec ") and (kind[2:] in SAMPLES or kind[:2] == b"ix")


def empty_chunks(path: Path, track: int) -> int:
    """How many chunks of a track of an AVI have nothing in them. Raises UnreadableSource."""
    empty: Counter[int] = Counter()
    with legible(str(path)), path.open("rb") as opened:
        for _ in chunks_of(File(opened), empty):
            pass
    return empty[track]
