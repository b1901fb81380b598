"""Pages of Ogg files: heads of streams and Vorbis comments; streams of kinds that no rule knows (RFC 3533, 5334, 7845).

Every page's head is read, and of packets those that a stream begins with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from re import compile as pattern

from pipeline.census.element import MAX_CONTENT, Element, File, element, rest

MARK, HEAD = b"OggS", 27
CONTINUED, FIRST = 1, 2
KINDS = (
    (b"\x01vorbis", b"\x03vorbis"), (b"OpusHead", b"OpusTags"), (b"\x80theora", b"\x81theora"), (b"Speex   ", b""),
    (b"OVP80\x01\x01", b"OVP80\x02"), (b"\x7fFLAC", b"\x84"), (b"BBCD\0", b"none"), (b"\x01video\0\0", b"none"),
    (b"\x01audio\0\0", b"none"), (b"\x01text\0\0\0", b"none"), (b"\x80kate\0\0\0", b"\x81kate\0\0\0"),
)  # fmt: skip
"""How a stream's first packet begins whose kind is told as a track, and how its packet of comments begins."""
FLAC, SKELETON = b"\x7fFLAC", (b"fishead\0", b"fisbone\0")
FLAC_BLOCKS = {2: "application", 5: "cue sheet", 6: "picture"}
HEADERS = 4
"""Packets of a stream that may be heads; of FLAC and skeletons, all up to MAX_HEADERS."""
MAX_HEADERS = 200
MAX_STREAMS = 1000
RULES = pattern(rb"(?i)METADATA_BLOCK_PICTURE|CHAPTER\d{3}(NAME|URL)?|ENCODER|ENCODER_OPTIONS|LANGUAGE")
"""Comments that FFmpeg makes pictures, chapters and labels of, and those of programs."""


@dataclass(slots=True)
class _Stream:
    """A stream as far as its heads were read. packets: whole ones; open: the one that goes on on the next page."""

    begin: bytes = b""
    comments: bytes = b""
    packets: int = 0
    open: bytes = b""
    size: int = 0
    known: bool = True
    late: bool = False


def pages_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows."""
    streams: dict[int, _Stream] = {}
    at = 0
    while at < file.size and not file.tired:
        head = file.at(at, HEAD + 255)
        if head[:4] != MARK or len(head) < HEAD:
            break
        lacing = head[HEAD : HEAD + head[26]]
        serial, size = int.from_bytes(head[14:18], "little"), sum(lacing)
        stream = streams.get(serial)
        if stream is None and len(streams) < MAX_STREAMS:
            stream = streams[serial] = _Stream(late=any(s.packets > HEADERS for s in streams.values()))
        if stream is not None:
            stream.size += size
            if stream.packets < (MAX_HEADERS if stream.begin.startswith((FLAC, SKELETON[0])) else HEADERS):
                yield from _read(file.at(at + HEAD + len(lacing), size), lacing, stream)
        at += HEAD + len(lacing) + size
    yield from rest("Ogg", at, file.size, file)
    for serial, stream in streams.items():
        word = "".join(chr(c) for c in stream.begin[:8] if 32 < c < 127)
        if not stream.known:
            yield element(f"Ogg stream {serial} {word}".rstrip(), stream.size, stream.begin)
        elif stream.late:
            yield element(f"Ogg stream {serial} {word}, which begins later", stream.size, stream.begin)


def _read(data: bytes, lacing: bytes, stream: _Stream) -> Iterator[Element]:
    """The packets of a page."""
    at = 0
    for length in lacing:
        if len(stream.open) < MAX_CONTENT:
            stream.open += data[at : at + length]
        at += length
        if length < 255:
            packet, stream.open = stream.open, b""
            stream.packets += 1
            yield from _packet(packet, stream)


def _packet(packet: bytes, stream: _Stream) -> Iterator[Element]:
    if stream.packets == 1:
        found = next((words for begin, words in KINDS if packet.startswith(begin)), None)
        stream.begin, stream.comments, stream.known = packet[:64], found or b"", found is not None
    elif not stream.known:
        return
    elif stream.begin.startswith(FLAC):
        kind = packet[0] & 0x7F if packet[:1] != b"\xff" else 0
        if kind == 4:
            yield from _comments(packet[4:])
        elif kind in FLAC_BLOCKS:
            yield element(f"Ogg block FLAC/{FLAC_BLOCKS[kind]}", len(packet) - 4, packet[4:])
    elif stream.packets == 2 and packet.startswith(stream.comments):
        yield from _comments(packet[len(stream.comments) :])


def _comments(data: bytes) -> Iterator[Element]:
    """Vorbis comments, NAME=text."""
    at = 4 + int.from_bytes(data[:4], "little")
    count, at = int.from_bytes(data[at : at + 4], "little"), at + 4
    while count and at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        name, _, text = data[at + 4 : at + 4 + size].partition(b"=")
        if text and not RULES.fullmatch(name):
            word = "".join(chr(c) for c in name[:64] if 32 <= c < 127)
            yield element(f"Ogg comment {word}", len(text), text, [text])
        count, at = count - 1, at + 4 + size
