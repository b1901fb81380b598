"""Elements of MXF files that no rule knows: sets of metadata by key, properties by tag (SMPTE ST 336, ST 377-1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.census.element import Element, File, element, rest
from pipeline.census.mxf_rules import DATES, FIELDS, PROPERTIES, RULES, SETS

KEY = b"\x06\x0e\x2b\x34"
RUN_IN = 1 << 16
"""Bytes that may stand before the first key."""
FILLER = b"\x03\x01\x02\x10\x01"
STRUCTURE = b"\x0d\x01\x02\x01\x01"
"""In keys of partitions, the primer, the random index and index tables, from their ninth byte on; sets have 01 then."""
PRIMER = STRUCTURE + b"\x05"
OWN = 0x8000
"""Local tags from here on mean what the file's primer says."""
ESSENCE = (b"\x0d\x01\x03\x01", b"\x0d\x01\x03\x02")
AVID_ESSENCE = b"\x0e\x04\x03\x01"


def keys_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows."""
    at, primer = max(0, file.at(0, RUN_IN).find(KEY)), dict[int, bytes]()
    while at < file.size and not file.tired:
        head = file.at(at, 25)
        size, body = _length(head, at)
        if head[:4] != KEY or body > file.size:
            break
        end = min(body + size, file.size)
        if head[8:16].startswith(PRIMER):
            primer |= _primer(file.at(body, end - body))
        yield from _element(file, head[:16], body, end, primer)
        at = end
    yield from rest("MXF", at, file.size, file)


def _length(head: bytes, at: int) -> tuple[int, int]:
    """BER: how long a value is and where it begins; beyond the file for what is no length."""
    first = head[16] if len(head) > 16 else 0xFF
    if first < 0x80:
        return first, at + 17
    wide = first & 0x7F
    if wide > 8 or len(head) < 17 + wide:
        return 0, 1 << 63
    return int.from_bytes(head[17 : 17 + wide], "big"), at + 17 + wide


def _primer(content: bytes) -> dict[int, bytes]:
    """Local tags and the labels that they stand for."""
    return {
        int.from_bytes(content[at : at + 2], "big"): content[at + 2 : at + 18] for at in range(8, len(content) - 17, 18)
    }


def _element(file: File, key: bytes, body: int, end: int, primer: dict[int, bytes]) -> Iterator[Element]:
    what = key[8:]
    if key[4] == 0x02 and key[5] == 0x53 and what[:5] == b"\x0d\x01\x01\x01\x01" and key[14] in SETS:
        yield from _properties(file.at(body, end - body), SETS[key[14]], primer)
    elif not (what.startswith((FILLER, STRUCTURE, *ESSENCE, AVID_ESSENCE))):
        content = file.at(body, end - body)
        yield element(f"MXF element {key.hex()}", end - body, content, [content])


def _date(value: bytes) -> str:
    """A time stamp (SMPTE ST 377-1, 4.3) as FFmpeg says it in tags; "" for none."""
    if len(value) != 8 or not value[:4].strip(b"\0"):
        return ""
    year, month, day, hour, minute, second, quarters = struct.unpack(">H6B", value)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{quarters * 4000:06}Z"


def _properties(content: bytes, name: str, primer: dict[int, bytes]) -> Iterator[Element]:
    """Of a set: two bytes of tag, two of length, value. Tags of a file's own are told by their labels."""
    at = 0
    while at + 4 <= len(content):
        tag, size = int.from_bytes(content[at : at + 2], "big"), int.from_bytes(content[at + 2 : at + 4], "big")
        value = content[at + 4 : at + 4 + size]
        label = primer.get(tag, b"") if tag >= OWN else b""
        if tag in FIELDS and value.strip(b"\0"):
            yield element(f"MXF property {name}/{FIELDS[tag]}", size, value, says=value.hex())
        elif tag in DATES:
            if when := _date(value):
                yield element(f"MXF property {name}/{DATES[tag]}", size, value, [when.encode()], says=when)
        elif tag not in PROPERTIES and not label[8:].startswith(RULES):
            yield element(f"MXF property {name}/{label.hex() or f'{tag:04X}'}", size, value, [value])
        at += 4 + size
