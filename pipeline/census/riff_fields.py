"""Fields of an AVI's known chunks that no output holds where they say something (RIFF; OpenDML 1.02).

What else is in these chunks says how samples are laid out and timed, or is compared elsewhere.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

Field = tuple[str, bytes, str]
"""A field's name, its bytes, and its value in words."""

CAPTURED, COPYRIGHTED = 0x10000, 0x20000
"""Flags of the file: made for capturing, under copyright."""
DISABLED = 1
"""Flag of a track that is not played unless asked for."""
STANDARDS = {1: "PAL", 2: "NTSC", 3: "SECAM"}


def fields_of(kind: bytes, content: bytes) -> Iterator[Field]:
    """The fields of a known chunk that say something."""
    read = READERS.get(kind)
    if read is not None:
        yield from read(content)


def _file(content: bytes) -> Iterator[Field]:
    """Of `avih`: flags."""
    flags = int.from_bytes(content[12:16], "little")
    for flag, words in ((COPYRIGHTED, "copyrighted"), (CAPTURED, "made for capturing")):
        if flags & flag:
            yield "flag", content[12:16], words


def _track(content: bytes) -> Iterator[Field]:
    """Of `strh`: whether a track is played, priority, language, and where its picture stands."""
    if int.from_bytes(content[8:12], "little") & DISABLED:
        yield "flag", content[8:12], "disabled"
    yield from _number(content, 12, "<H", "priority")
    yield from _number(content, 14, "<H", "language")
    if len(content) >= 56 and content[:4] == b"vids":
        left, top, _, _ = struct.unpack_from("<4h", content, 48)
        if left or top:
            yield "place", content[48:56], f"{left} across, {top} down"


def _properties(content: bytes) -> Iterator[Field]:
    """Of `vprp`: the standard of television."""
    standard = int.from_bytes(content[4:8], "little")
    if standard in STANDARDS:
        yield "standard", content[4:8], STANDARDS[standard]


def _number(content: bytes, at: int, form: str, name: str) -> Iterator[Field]:
    size = struct.calcsize(form)
    if len(content) >= at + size and any(content[at : at + size]):
        yield name, content[at : at + size], str(struct.unpack_from(form, content, at)[0])


READERS: dict[bytes, Callable[[bytes], Iterator[Field]]] = {b"avih": _file, b"strh": _track, b"vprp": _properties}
