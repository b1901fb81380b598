"""Tags of FLV files: script data value by value, tags of kinds that no rule knows (Adobe's FLV and AMF0, 2008)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.census.element import MAX_DEPTH, Element, File, element, printed, rest

SOUND, PICTURE, SCRIPT = 8, 9, 18
ENCRYPTED = 0x20
COMMAND = 5
"""Kind of a picture's tag that holds no picture but a word to the player."""
KNOWN = frozenset(
    b"duration width height videodatarate framerate videocodecid audiodatarate audiosamplerate audiosamplesize stereo "
    b"audiocodecid filesize encoder metadatacreator hasKeyframes hasVideo hasAudio hasMetadata hasCuePoints "
    b"canSeekToEnd datasize videosize audiosize lasttimestamp lastkeyframetimestamp lastkeyframelocation keyframes "
    b"major_brand minor_version compatible_brands audiochannels fileSize".split()
)
"""Values that say how samples are coded and where they lie, and what wrote the file."""
SIZES = {0: 8, 1: 1, 5: 0, 6: 0, 7: 2, 11: 10, 13: 0}
"""Bytes of AMF0 values by their kind: numbers, truths, nothings, references, dates."""
NUMBER, TRUTH, TEXT, OBJECT, ARRAY, LIST, LONG_TEXT, XML = 0, 1, 2, 3, 8, 10, 12, 15


def tags_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows."""
    head = file.at(0, 9)
    at = max(9, int.from_bytes(head[5:9], "big")) + 4
    while at + 11 <= file.size and not file.tired:
        head = file.at(at, 12)
        kind, size = head[0], int.from_bytes(head[1:4], "big")
        if kind >> 6 or size > file.size - at - 11:
            break
        yield from _tag(file, kind, head[11:12] if size else b"", at + 11, size)
        at += 11 + size + 4
    yield from rest("FLV", at, file.size, file)


def _tag(file: File, kind: int, first: bytes, body: int, size: int) -> Iterator[Element]:
    if kind == SCRIPT:
        yield from _script(file.at(body, size))
    elif kind == PICTURE and first and first[0] >> 4 & 7 == COMMAND and not first[0] & 0x80:
        yield element("FLV command frame", size, file.at(body, size))
    elif kind not in (SOUND, PICTURE):
        what = "encrypted tag" if kind & ENCRYPTED else "tag"
        yield element(f"FLV {what} of type {kind & 0x1F}", size, file.at(body, size))


def _script(content: bytes) -> Iterator[Element]:
    """A script's values; what is no object is told as a whole."""
    length = int.from_bytes(content[1:3], "big")
    name, at = content[3 : 3 + length], 3 + length
    if content[:1] != b"\x02" or name != b"onMetaData" or content[at : at + 1] not in (b"\x03", b"\x08"):
        word = _printed(name) if content[:1] == b"\x02" else ""
        yield element(f"FLV script {word}".rstrip(), len(content), content)
        return
    at += 5 if content[at] == ARRAY else 1
    while at + 2 < len(content):
        size = int.from_bytes(content[at : at + 2], "big")
        key, begin = content[at + 2 : at + 2 + size], at + 2 + size
        at = _after(content, begin, 0)
        if not key or begin >= len(content):
            return
        if key not in KNOWN:
            value = content[begin:at]
            yield element(f"FLV value onMetaData/{_printed(key)}", len(value), value, _texts(value))


def _printed(name: bytes) -> str:
    return printed(name[:64])


def _texts(value: bytes) -> Iterator[bytes]:
    """What FFmpeg makes of a value that it lists."""
    if value[0] == TEXT:
        yield value[3:]
    elif value[0] == LONG_TEXT:
        yield value[5:]
    elif value[0] == NUMBER and len(value) == 9:
        yield f"{struct.unpack('>d', value[1:])[0]:.0f}".encode()
    elif value[0] == TRUTH:
        yield b"true" if value[1:] != b"\0" else b"false"


def _after(content: bytes, at: int, depth: int) -> int:
    """Where a value ends; beyond the content for what is no value."""
    kind = content[at] if at < len(content) else -1
    if kind in SIZES:
        return at + 1 + SIZES[kind]
    if kind == TEXT:
        return at + 3 + int.from_bytes(content[at + 1 : at + 3], "big")
    if kind in (LONG_TEXT, XML):
        return at + 5 + int.from_bytes(content[at + 1 : at + 5], "big")
    if kind not in (OBJECT, ARRAY, LIST) or depth > MAX_DEPTH:
        return len(content)
    if kind == LIST:
        count, at = int.from_bytes(content[at + 1 : at + 5], "big"), at + 5
        while count and at < len(content):
            count, at = count - 1, _after(content, at, depth + 1)
        return at
    at += 5 if kind == ARRAY else 1
    while at + 2 < len(content):
        if content[at : at + 3] == b"\0\0\x09":
            return at + 3
        at = _after(content, at + 2 + int.from_bytes(content[at : at + 2], "big"), depth + 1)
    return at
