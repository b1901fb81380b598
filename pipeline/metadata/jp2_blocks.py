"""What the boxes of a JP2 file say: XMP, Exif, pixel size; any other box is named (ISO 15444-1, annex I)."""

from __future__ import annotations

import struct
from fractions import Fraction

from pipeline.metadata.blocks import Blocks, elements
from pipeline.metadata.boxes import boxes
from pipeline.metadata.metadata import Resolution
from pipeline.values.loss import Loss
from pipeline.values.words import in_bytes

XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF = b"JpgTiffExif->JP2"
IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
PICTURE = (b"jP  ", b"ftyp", b"jp2c", b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"free")
"""Boxes of the picture itself. The codec applies a profile in `colr`."""
ENDS = (0x90, 0xD9)
"""Second bytes of the markers at which a codestream's main header is over: a tile, the end."""
COMMENT = 0x64


def jp2_blocks(data: bytes) -> Blocks:
    """Of a JP2 file, or of a bare codestream."""
    if data[:4] == b"\xff\x4f\xff\x51":
        return Blocks(lost=tuple(_comments(data)))
    found: dict[bytes, bytes] = {}
    rest: list[tuple[bytes, bytes]] = []
    resolution: Resolution | None = None
    for kind, content in boxes(data):
        mark = bytes(content[:16]) if kind == b"uuid" else b""
        if mark in (XMP, EXIF, IPTC) and mark not in found:
            found[mark] = bytes(content[16:])
        elif kind == b"jp2h":
            for inner, value in boxes(content):
                if inner == b"res ":
                    resolution = _resolution(value) or resolution
                elif inner not in PICTURE:
                    rest.append((inner, bytes(value)))
        elif kind == b"jp2c":
            rest.extend((b"comment", text) for text in _texts(bytes(content[: 1 << 16])))
        elif kind not in PICTURE:
            rest.append((kind, bytes(content)))
    lost = tuple(elements("JP2 box", rest))
    return Blocks(found.get(EXIF), found.get(XMP), found.get(IPTC), resolution=resolution, lost=lost)


def has_profile(data: bytes) -> bool:
    """Whether a JP2 file's color is told by an ICC profile, which the codec applies."""
    headers = [content for kind, content in boxes(data) if kind == b"jp2h"]
    return any(
        kind == b"colr" and bytes(content[:1]) in (b"\2", b"\3") for head in headers for kind, content in boxes(head)
    )


def _resolution(content: memoryview) -> Resolution | None:
    """Pixels per centimeter as captured, else as they are to be shown (I.5.3.7)."""
    for kind in (b"resc", b"resd"):
        value = next((inner for name, inner in boxes(content) if name == kind), None)
        if value is None or len(value) < 10:
            continue
        y, below_y, x, below_x, up_y, up_x = struct.unpack(">HHHHbb", value[:10])
        if min(y, below_y, x, below_x) and max(abs(up_y), abs(up_x)) < 10:
            across, down = Fraction(x, below_x) * Fraction(10) ** up_x, Fraction(y, below_y) * Fraction(10) ** up_y
            return across / 100, down / 100, 3  # they are per meter
    return None


def _comments(stream: bytes) -> list[Loss]:
    return [Loss("JPEG 2000 comment", in_bytes(len(text))) for text in _texts(stream)]


def _texts(stream: bytes) -> list[bytes]:
    """Comments in a codestream's main header (A.9.2); encoders sign there with their own name."""
    found, at = [], 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] not in ENDS:
        length = max(2, int.from_bytes(stream[at + 2 : at + 4], "big"))
        if stream[at + 1] == COMMENT and not stream[at + 6 :].startswith(b"Created by OpenJPEG"):
            found.append(stream[at + 6 : at + 2 + length])
        at += 2 + length
    return found
