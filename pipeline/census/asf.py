"""Objects of ASF files (WMV, WMA): those of coding are rules, values are told one by one, others by name or GUID."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from pipeline.census.asf_rules import (
    CONTENT,
    EXTENDED,
    EXTENSION,
    FILE,
    HEADER,
    KNOWN,
    LIBRARY,
    METADATA,
    NAMES,
    OF_STREAMS,
    PAYLOADS,
    PROPERTIES,
    STREAM,
    STREAM_KINDS,
    VALUES,
)
from pipeline.census.element import MAX_DEPTH, Element, File, Place, element, through

BEFORE = {HEADER: 6, EXTENSION: 22}
"""Bytes between the head of an object and the objects in it."""
FIELDS = ("Title", "Author", "Copyright", "Description", "Rating")
UNICODE, BYTES, TRUTH = 0, 1, 2
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
MAX_TICKS = 2**61
"""In the year 8907; a time beyond is none."""


@dataclass(slots=True)
class _Place(Place):
    """kind: the object's GUID, none of the file."""

    kind: bytes = b""


def objects_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows."""
    return through("ASF", file, _Place("", 0, file.size), partial(_enter, file))


def _enter(file: File, places: list[_Place]) -> Iterator[Element] | None:
    place = places[-1]
    head = file.at(place.at, 24)
    kind, size = head[:16], int.from_bytes(head[16:], "little")
    if len(head) < 24 or size < 24 or place.at + 24 > place.stop:
        return None
    body, end = place.at + 24, min(place.at + size, place.stop)
    place.at = end
    if kind in BEFORE and len(places) < MAX_DEPTH:
        places.append(_Place(place.name, min(body + BEFORE[kind], end), end, kind=kind))
        return iter(())
    if kind == PROPERTIES:
        return _properties(file.at(body, end - body), places)
    return _object(kind, file.at(body, end - body), end - body)


def _object(kind: bytes, content: bytes, size: int) -> Iterator[Element]:
    if kind == CONTENT:
        yield from _content(content)
    elif kind == EXTENDED:
        yield from _values(content, 2)
    elif kind in (METADATA, LIBRARY):
        yield from _values(content, 2, of_streams=True)
    elif kind == STREAM:
        yield from _stream(content)
    elif kind == FILE:
        yield from _file(content)
    elif kind not in KNOWN:
        name = NAMES.get(kind) or str(UUID(bytes_le=kind)).upper()
        yield element(f"ASF object {name}", size, content, [content])


def _content(content: bytes) -> Iterator[Element]:
    """Title, author, copyright, description, rating."""
    at = 10
    for number, name in enumerate(FIELDS):
        size = int.from_bytes(content[2 * number : 2 * number + 2], "little")
        if (text := content[at : at + size].removesuffix(b"\0\0")).strip(b"\0 "):
            yield element(f"ASF value {name}", len(text), text, [text])
        at += size


def _file(content: bytes) -> Iterator[Element]:
    """When the file was made: ticks of 100 ns since 1601. All else of it is of the file's own bytes and times."""
    ticks = int.from_bytes(content[24:32], "little")
    if ticks and ticks < MAX_TICKS:
        says = f"{EPOCH + timedelta(microseconds=ticks // 10):%Y-%m-%dT%H:%M:%S}"
        yield element("ASF field FileProperties/creation time", 8, content[24:32], [says.encode()], says=says)


def _values(content: bytes, at: int, of_streams: bool = False) -> Iterator[Element]:
    """Name, kind and value of each; those of streams have their language and stream before, and longer sizes."""
    while at + 6 <= len(content):
        if of_streams:
            size, kind = (int.from_bytes(content[at + n : at + n + 2], "little") for n in (4, 6))
            length, begin = int.from_bytes(content[at + 8 : at + 12], "little"), at + 12
            stream = int.from_bytes(content[at + 2 : at + 4], "little")
            name, value = content[begin : begin + size], content[begin + size : begin + size + length]
            at = begin + size + length
        else:
            size, stream = int.from_bytes(content[at : at + 2], "little"), 0
            name, at = content[at + 2 : at + 2 + size], at + 2 + size
            kind, length = (int.from_bytes(content[at + n : at + n + 2], "little") for n in (0, 2))
            value, at = content[at + 4 : at + 4 + length], at + 4 + length
        yield from _value(name.decode("utf-16-le", "replace").rstrip("\0"), kind, value, stream)


def _value(name: str, kind: int, value: bytes, stream: int) -> Iterator[Element]:
    if not name or name in VALUES:
        return
    plain = "".join(c if c.isprintable() else "?" for c in name)[:100]
    texts = [value]
    if kind not in (UNICODE, BYTES):
        number = int.from_bytes(value, "little")
        texts = [str(number).encode(), b"false" if not number else b"true"][: 1 + (kind == TRUTH)]
    yield element(f"ASF value {f'stream {stream}/' if stream else ''}{plain}", len(value), value, texts)


def _stream(content: bytes) -> Iterator[Element]:
    """Streams that are neither picture nor sound, and what is encrypted."""
    kind, flags = content[:16], int.from_bytes(content[48:50], "little")
    number = flags & 0x7F
    if kind not in STREAM_KINDS:
        name = OF_STREAMS.get(kind) or (str(UUID(bytes_le=kind)).upper() if len(kind) == 16 else "of no kind")
        yield element(f"ASF stream {number} {name}", len(content), content)
    if flags & 0x8000:
        yield element(f"ASF encryption of stream {number}", 0, b"", says="its packets are encrypted")


def _properties(content: bytes, places: list[_Place]) -> Iterator[Element]:
    """Of an extended stream: its names, what stands beside its samples; its own stream properties are gone into."""
    number = int.from_bytes(content[48:50], "little")
    names, systems = (int.from_bytes(content[n : n + 2], "little") for n in (60, 62))
    at = 64
    for _ in range(names):
        size = int.from_bytes(content[at + 2 : at + 4], "little")
        if text := content[at + 4 : at + 4 + size].removesuffix(b"\0\0"):
            yield element(f"ASF stream {number}/name", len(text), text, [text])
        at += 4 + size
        if at > len(content):
            return
    for _ in range(systems):
        kind, size = content[at : at + 16], int.from_bytes(content[at + 18 : at + 22], "little")
        if kind in PAYLOADS:
            yield element(f"ASF stream {number}/{PAYLOADS[kind]} beside its samples", 22 + size, kind)
        at += 22 + size
        if at > len(content):
            return
    if content[at : at + 16] == STREAM:
        yield from _stream(content[at + 24 :])
