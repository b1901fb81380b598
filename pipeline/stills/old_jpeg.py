"""JPEG as TIFF 6.0 section 22 first had it (compression 6): put together into a stream that a codec reads.

Writers understood the section differently. Read are files whose JPEGInterchangeFormat points to a whole stream, and
files whose tables stand in the tags JPEGQTables, JPEGDCTables and JPEGACTables.
"""

from __future__ import annotations

import struct

from colorizer.basis.errors import UnsupportedSource
from pipeline.metadata.directory import Directory
from pipeline.metadata.headers import jpeg_segments
from pipeline.metadata.tags import Tag


def has_stream(page: Directory) -> bool:
    """Whether the page's picture is one whole JPEG stream of its own."""
    return any(marker == 0xDA for marker, _ in jpeg_segments(_stream(page)))


def _stream(page: Directory) -> bytes:
    """The beginning of the JPEG stream that JPEGInterchangeFormat points to, up to its first scan; empty without one.

    In some files it ends before that, and the scan's data are in the strip.
    """
    if Tag.JPEG_INTERCHANGE_FORMAT not in page:
        return b""
    length = page.number(Tag.JPEG_INTERCHANGE_FORMAT_LENGTH, MOST) or MOST
    return page.tiff.bytes_at(page.number(Tag.JPEG_INTERCHANGE_FORMAT, 0), min(length, MOST))


def _begun(stream: bytes) -> bytes:
    """A stream of tables and a frame, with the scan header that it lacks: all components, the first by tables 0."""
    segments = list(jpeg_segments(stream))
    frame = next((content for marker, content in segments if 0xC0 <= marker <= 0xC2 and len(content) > 5), b"")
    numbers = [frame[6 + 3 * n] for n in range(frame[5])] if frame and len(frame) >= 6 + 3 * frame[5] else []
    tables = {content[0] & 15 for marker, content in segments if marker == 0xC4 and content}
    chosen = [min(n, max(tables, default=0), 1) for n in range(len(numbers))]
    parts = [struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments]
    scan = b"".join(bytes([number, table << 4 | table]) for number, table in zip(numbers, chosen, strict=True))
    begin = b"\xff\xda" + struct.pack(">HB", 6 + len(scan), len(numbers)) + scan + b"\0\x3f\0"
    return b"\xff\xd8" + b"".join(parts) + begin


MOST = 1 << 20
"""Bytes in which a stream's tables and frame are."""


def header_of(page: Directory, height: int, width: int, samples: int) -> bytes:
    """What a strip or tile of this size lacks in front to be a JPEG stream (ISO 10918-1, annex B)."""
    if (stream := _stream(page)).startswith(b"\xff\xd8\xff"):
        return _begun(stream)
    tables = [page.numbers(code) for code in (Tag.JPEG_Q_TABLES, Tag.JPEG_DC_TABLES, Tag.JPEG_AC_TABLES)]
    if any(t is None or len(t) < samples for t in tables) or max(height, width) > 65535:
        raise UnsupportedSource(
            page.tiff.path, "old-style JPEG without its tables; convert it to JPEG or LZW TIFF first"
        )
    parts = [b"\xff\xd8"]
    for number in range(samples):
        quantization, dc, ac = (int(t[number]) for t in tables if t is not None)
        parts.append(b"\xff\xdb\0\x43" + bytes([number]) + page.tiff.bytes_at(quantization, 64))
        for kind, position in ((0x00, dc), (0x10, ac)):
            counts = page.tiff.bytes_at(position, 16)
            codes = counts + page.tiff.bytes_at(position + 16, sum(counts))
            parts.append(b"\xff\xc4" + struct.pack(">HB", 3 + len(codes), kind | number) + codes)
    across, down = (
        (int(n) for n in page.array(Tag.YCBCR_SUB_SAMPLING)[:2]) if Tag.YCBCR_SUB_SAMPLING in page else (2, 2)
    )
    factors = [across << 4 | down if number == 0 and samples == 3 else 0x11 for number in range(samples)]
    frame = b"".join(bytes([number, factor, number]) for number, factor in enumerate(factors))
    parts.append(b"\xff\xc0" + struct.pack(">HBHHB", 8 + len(frame), 8, height, width, samples) + frame)
    scan = b"".join(bytes([number, number << 4 | number]) for number in range(samples))
    parts.append(b"\xff\xda" + struct.pack(">HB", 6 + len(scan), samples) + scan + b"\0\x3f\0")
    return b"".join(parts)
