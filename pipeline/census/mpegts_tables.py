"""Tables of MPEG transport streams: sections put together of packets, programs and what their maps say of streams.

Everything of a table but programs, streams and coding is an element (ISO 13818-1, 2.4.4; EN 300 468).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.census.element import Element, element
from pipeline.census.mpeg_names import (
    BY_DESCRIPTOR,
    DATA,
    PLAYED,
    RULES,
    USERS,
    descriptor_name,
    table_name,
)

PAT, MAP, SERVICES, SERVICE = 0x00, 0x02, 0x42, 0x48
MAX_SECTIONS = 20_000
"""Of a file, those that differ; a day's guide of a multiplex has some thousand."""
FFMPEGS = (b"FFmpeg", b"Service01", b"Libav")
"""What FFmpeg's muxer says where nobody told it a service's name and provider."""
MAX_FOUND = 100_000
"""Elements of tables that are told."""


@dataclass(slots=True)
class Tables:
    """What the tables of a file say, by packet identifiers. maps: of programs' maps, and their programs; networks: of
    tables of networks; announced: all that maps name.

    streams: kind of a program's stream, and whether it is a track. found: elements, in order.
    """

    maps: dict[int, int] = field(default_factory=dict)
    announced: set[int] = field(default_factory=set)
    streams: dict[int, tuple[str, bool]] = field(default_factory=dict)
    networks: set[int] = field(default_factory=set)
    found: list[Element] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set, repr=False)
    _open: dict[int, bytes] = field(default_factory=dict, repr=False)

    def push(self, pid: int, packet: bytes) -> None:
        """Take in a packet of a table; what is damaged in it is passed over."""
        if not packet[3] & 0x10:
            return
        payload = packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0) :]
        if packet[1] & 0x40 and payload:
            self._whole(pid, self._open.pop(pid, b"") + payload[1 : 1 + payload[0]])
            self._open[pid] = self._whole(pid, payload[1 + payload[0] :])
        elif pid in self._open:
            self._open[pid] = self._whole(pid, self._open[pid] + payload)

    def _whole(self, pid: int, data: bytes) -> bytes:
        """Read the sections that are complete; what is left of the next one."""
        while len(data) >= 3 and data[0] != 0xFF:
            end = 3 + (int.from_bytes(data[1:3], "big") & 0xFFF)
            if len(data) < end:
                return data
            mark = hashlib.blake2b(data[:end], key=pid.to_bytes(2, "big"), digest_size=16).digest()
            if mark not in self._seen and len(self._seen) < MAX_SECTIONS and len(self.found) < MAX_FOUND:
                self._seen.add(mark)
                self._section(pid, data[:end])
            data = data[end:]
        return b""

    def _section(self, pid: int, data: bytes) -> None:
        if pid == 0 and data[0] == PAT:
            self._programs(data[8:-4])
        elif pid in self.maps and data[0] == MAP:
            self._map(data)
        elif data[0] == SERVICES:
            self.found += _services(data[11:-4])
        elif pid not in self.streams:  # a stream is told as one
            self.found.append(element(f"TS table {table_name(data[0])}", len(data), data))

    def _programs(self, body: bytes) -> None:
        for at in range(0, len(body) - 3, 4):
            program, pid = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
            if program:
                self.maps.setdefault(pid & 0x1FFF, program)
            else:
                self.networks.add(pid & 0x1FFF)

    def _map(self, data: bytes) -> None:
        program, length = int.from_bytes(data[3:5], "big"), int.from_bytes(data[10:12], "big") & 0xFFF
        self.announced.add(int.from_bytes(data[8:10], "big") & 0x1FFF)
        self.found += _descriptors(data[12 : 12 + length], f"program {program}/")
        body = data[12 + length : -4]
        at = 0
        while at + 5 <= len(body):
            kind, pid = body[at], int.from_bytes(body[at + 1 : at + 3], "big") & 0x1FFF
            size = int.from_bytes(body[at + 3 : at + 5], "big") & 0xFFF
            words = body[at + 5 : at + 5 + size]
            self.announced.add(pid)
            self.streams[pid] = _kind(kind, words)
            self.found += _descriptors(words, f"stream 0x{pid:X}/")
            at += 5 + size


def _kind(kind: int, words: bytes) -> tuple[str, bool]:
    """What a program's stream is, and whether it is a track that is told as one where FFmpeg takes it for one."""
    by = next((BY_DESCRIPTOR[tag] for tag, _ in tagged(words) if tag in BY_DESCRIPTOR), "")
    if kind in DATA and not (kind == 0x05 and by in ("AC-3 audio", "E-AC-3 audio")):
        return (f"{DATA[kind]}, {by}" if by else DATA[kind]), False
    if kind == 0x06:
        registered = next((data[:4].decode("latin-1") for tag, data in tagged(words) if tag == 0x05), "")
        plain = "".join(c for c in registered if c.isalnum())
        return by or f"private packets {plain}".rstrip(), True
    return PLAYED.get(kind) or USERS.get(kind) or f"type 0x{kind:02X}", True


def tagged(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Descriptors: a byte of tag, one of length, content."""
    at = 0
    while at + 2 <= len(data):
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]


def _descriptors(data: bytes, where: str) -> Iterator[Element]:
    for tag, content in tagged(data):
        if tag not in RULES:
            yield element(f"TS descriptor {where}{descriptor_name(tag)}", len(content), content)


def _services(body: bytes) -> Iterator[Element]:
    """Names and providers of services, and what else is said of them."""
    at = 0
    while at + 5 <= len(body):
        service, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 3 : at + 5], "big") & 0xFFF
        for tag, content in tagged(body[at + 5 : at + 5 + size]):
            if tag == SERVICE and len(content) >= 3:
                provider, rest = content[2 : 2 + content[1]], content[2 + content[1] :]
                for what, text in (("provider", provider), ("name", rest[1 : 1 + rest[0]] if rest else b"")):
                    if text and text not in FFMPEGS:
                        yield element(f"TS service {service}/{what}", len(text), text, [text, text[1:]])
            else:
                yield element(f"TS descriptor service {service}/{descriptor_name(tag)}", len(content), content)
        at += 5 + size
