"""Packets of MPEG program streams, as on DVDs, by what they are of: navigation, subpictures, private streams.

Every packet's head is read, and nothing of pictures and sound (ISO 13818-1, 2.5; ISO 11172-1; DVD-Video's substreams).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.census.element import MAX_CONTENT, Element, File, element
from pipeline.census.mpeg_names import RULES, descriptor_name
from pipeline.census.mpegts_tables import tagged
from pipeline.values.words import counted

MARK = b"\0\0\1"
END, PACK, SYSTEM, MAP, PRIVATE_1, PADDING, PRIVATE_2 = 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF
HEAD = 40
STREAMS = {
    PRIVATE_2: "private 2", 0xF0: "entitlement control", 0xF1: "entitlement management", 0xF2: "DSM-CC",
    0xF3: "MHEG", 0xF4: "H.222.1 A", 0xF5: "H.222.1 B", 0xF6: "H.222.1 C", 0xF7: "H.222.1 D", 0xF8: "H.222.1 E",
    0xF9: "ancillary", 0xFA: "MPEG-4 packets", 0xFB: "MPEG-4 multiplex", 0xFC: "metadata", 0xFD: "extended",
    0xFE: "reserved", 0xFF: "program stream directory",
}  # fmt: skip
NAVIGATION = {0: "DVD navigation of presentation", 1: "DVD navigation of search"}
SUBSTREAMS = (
    (range(0x10, 0x20), "teletext or VBI data"), (range(0x20, 0x40), "subpicture"), (range(0x80, 0x88), "AC-3 audio"),
    (range(0x88, 0x90), "DTS audio"), (range(0xA0, 0xB0), "LPCM audio"), (range(0xB0, 0xC0), "MLP audio"),
    (range(0xC0, 0xD0), "E-AC-3 audio"),
)  # fmt: skip
"""Of private stream 1, by the first byte of its packets."""
MAX_GAPS = 1000
"""Times that a packet is looked for where there is none."""


@dataclass(slots=True)
class _Counts:
    """Packets and bytes of each stream, by name and by FFmpeg's number; descriptors of program stream maps."""

    streams: dict[tuple[str, int | None], list[int]] = field(default_factory=dict)
    descriptors: dict[str, bytes] = field(default_factory=dict)
    none: int = 0
    gaps: int = 0

    def add(self, name: str, size: int, track: int | None = None) -> None:
        """Count a packet."""
        of = self.streams.setdefault((name, track), [0, 0])
        of[0], of[1] = of[0] + 1, of[1] + size


def packets_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows. Streams that are tracks have FFmpeg's number of them."""
    counts, at = _Counts(), 0
    while at < file.size and not file.tired:
        head = file.at(at, HEAD)
        length = _length(head)
        if length:
            _count(file, at, head, min(length, file.size - at), counts)
            at += length
        elif counts.gaps < MAX_GAPS:
            counts.gaps += 1
            at += _skipped(file, at, head, counts)
        else:
            break
    counts.none += max(0, file.size - at)
    for (name, track), (number, size) in counts.streams.items():
        yield element(f"PS {name}", size, b"", track=track, says=counted(number, "packet"))
    for name, content in counts.descriptors.items():
        yield element(f"PS descriptor {name}", len(content), content)
    if counts.none:
        yield element("PS bytes that are no packet", counts.none, b"")


def _length(head: bytes) -> int:
    """Bytes of what begins here; 0 for what is no packet, and for one that does not say."""
    if head[:3] != MARK or len(head) < 4:
        return 0
    code = head[3]
    if code == END:
        return 4
    if code == PACK and len(head) > 13:
        return 14 + (head[13] & 7) if head[4] >> 6 == 1 else 12
    if code < SYSTEM or len(head) < 6:
        return 0
    return 6 + int.from_bytes(head[4:6], "big")


def _skipped(file: File, at: int, head: bytes, counts: _Counts) -> int:
    """Bytes up to the next packet; zeros are padding."""
    data = file.at(at, MAX_CONTENT)
    found = data.find(MARK, 1)
    while found >= 0 and (found + 3 >= len(data) or data[found + 3] < END):
        found = data.find(MARK, found + 1)
    skipped = found if found > 0 else len(data)
    counts.none += skipped if data[:skipped].strip(b"\0") else 0
    return max(1, skipped)


def _count(file: File, at: int, head: bytes, size: int, counts: _Counts) -> None:
    code = head[3]
    if code in (END, PACK, SYSTEM, PADDING):
        return
    if code == MAP:
        _map(file.at(at, size), counts)
    elif code == PRIVATE_1:
        first = _first(file, at, head)
        kind = next((kind for numbers, kind in SUBSTREAMS if first in numbers), "private 1")
        counts.add(f"stream 0x{first:02X} {kind}", size, first)
    elif code == PRIVATE_2:
        counts.add(f"stream 0xBF private 2, {NAVIGATION.get(head[6], '')}".rstrip(", "), size)
    elif code in STREAMS:
        counts.add(f"stream 0x{code:02X} {STREAMS[code]}", size, 0x100 | code)
    else:
        counts.add(f"stream 0x{code:02X} {'audio' if code < 0xE0 else 'video'}", size, 0x100 | code)
    if code not in STREAMS and head[6] & 0xF0 in (0x90, 0xA0, 0xB0):
        counts.add(f"scrambled packets of 0x{code:02X}", size)


def _first(file: File, at: int, head: bytes) -> int:
    """The first byte of a packet's payload, behind its head (MPEG-2's, or MPEG-1's with stuffing and times)."""
    if head[6] & 0xC0 == 0x80:
        place = 9 + head[8]
    else:
        place = 6
        while place < len(head) - 1 and head[place] == 0xFF:
            place += 1
        place += 2 * (head[place] & 0xC0 == 0x40)
        kind = head[place] >> 4 if place < len(head) else 0
        place += {2: 5, 3: 10}.get(kind, 1)
    found = head[place : place + 1] or file.at(at + place, 1)
    return found[0] if found else 0


def _map(data: bytes, counts: _Counts) -> None:
    """Descriptors of a program stream map, of the program and of each stream."""
    length = int.from_bytes(data[8:10], "big")
    lists = [("", data[10 : 10 + length])]
    at, end = 12 + length, len(data) - 4
    while at + 4 <= end:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        lists.append((f"stream 0x{data[at + 1]:02X}/", data[at + 4 : min(end, at + 4 + size)]))
        at += 4 + size
    for where, words in lists:
        for tag, content in tagged(words):
            if tag not in RULES and len(counts.descriptors) < 1000:
                counts.descriptors.setdefault(where + descriptor_name(tag), content)
