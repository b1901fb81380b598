"""Elements of Matroska and WebM files that no rule knows (RFC 8794, RFC 9559).

Elements of unknown size, as live recordings have, end where one begins that cannot be in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.census.element import MAX_DEPTH, Element, File, Place, element, through
from pipeline.census.mastering import ELEMENTS
from pipeline.census.matroska_rules import DEEPER, KNOWN, NAMES, UNSAID
from pipeline.values.ebml import CRC_32, EBML, SEGMENT, VOID

IN_WORDS = ("LanguageBCP47",)
"""Elements whose text is told with their name."""
SAID = 40
"""Letters of it at most."""


@dataclass(slots=True)
class _Place(Place):
    """kind: the element's own name, "" for the file."""

    kind: str = ""


def elements_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows."""
    return through("Matroska", file, _Place("", 0, file.size), partial(_enter, file))


def _enter(file: File, places: list[_Place]) -> Iterator[Element] | None:
    place = places[-1]
    number, body, end = _header(file, place.at, place.stop)
    if place.endless and place.kind == "Cluster" and ("Segment", number) in NAMES:
        place.stop = place.at
        return iter(())
    return _element(file, places, number, body, end) if number else None


def _header(file: File, at: int, stop: int) -> tuple[int, int, int]:
    """An element's number, where its content begins and ends (-1: unknown); 0 for what is none."""
    head = file.at(at, min(12, stop - at))
    wide = 9 - head[0].bit_length() if head else 9
    if wide > 4 or wide >= len(head):
        return 0, at, stop
    long = 9 - head[wide].bit_length()
    if long > 8 or wide + long > len(head):
        return 0, at, stop
    size = int.from_bytes(head[wide : wide + long], "big") - (1 << 7 * long)
    body = at + wide + long
    unknown = size == (1 << 7 * long) - 1
    return int.from_bytes(head[:wide], "big"), body, -1 if unknown else min(body + size, stop)


def _element(file: File, places: list[_Place], number: int, body: int, end: int) -> Iterator[Element]:
    place = places[-1]
    endless, end = end < 0, place.stop if end < 0 else end
    place.at = end
    key = (place.kind, number)
    name = NAMES.get(key, f"0x{number:X}")
    path = f"{place.name}/{name}".lstrip("/")
    if number == SEGMENT and not place.kind:
        places.append(_Place("", body, end, endless, "Segment"))
    elif key in DEEPER and len(places) < MAX_DEPTH:
        places.append(_Place(path, body, end, endless, name))
        place.at = body if endless else end
    elif number not in (VOID, CRC_32, EBML) and key not in KNOWN:
        content = file.at(body, end - body)
        said = content.lstrip(b"\0") or b"\0"
        if name in ELEMENTS:
            if says := ELEMENTS[name](content):
                yield element(f"Matroska element {path}", end - body, content, [says.encode()], says=says)
        elif all(said != (usual.lstrip(b"\0") or b"\0") for usual in UNSAID.get(name, ())):
            says = content[:SAID].decode("ascii", "replace").rstrip("\0") if name in IN_WORDS else ""
            yield element(f"Matroska element {path}", end - body, content, [content], says=says)
