"""JPEG as TIFF 6.0 section 22 first had it (compression 6): put together into a stream that a codec reads.

Writers understood the section differently. Read are files whose JPEGInterchangeFormat points to a whole stream, and
files whose tables stand in the tags 519 to 521.
"""

from __future__ import annotations

import struct

from colorizer.basis.errors import UnsupportedSource
from pipeline.metadata.directory import Directory

INTERCHANGE, INTERCHANGE_LENGTH, QUANTIZATION, DC, AC = 513, 514, 519, 520, 521


def has_stream(page: Directory) -> bool:
    """Whether the page's picture is one whole JPEG stream of its own."""
    if INTERCHANGE not in page:
        return False
    return page.tiff.bytes_at(page.number(INTERCHANGE, 0), 3) == b"\xff\xd8\xff"


def header_of(page: Directory, height: int, width: int, samples: int) -> bytes:
    """What a strip or tile of this size lacks in front to be a JPEG stream (ISO 10918-1, annex B)."""
    tables = [page.numbers(code) for code in (QUANTIZATION, DC, AC)]
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
    across, down = (int(n) for n in page.array(530)[:2]) if 530 in page else (2, 2)
    factors = [across << 4 | down if number == 0 and samples == 3 else 0x11 for number in range(samples)]
    frame = b"".join(bytes([number, factor, number]) for number, factor in enumerate(factors))
    parts.append(b"\xff\xc0" + struct.pack(">HBHHB", 8 + len(frame), 8, height, width, samples) + frame)
    scan = b"".join(bytes([number, number << 4 | number]) for number in range(samples))
    parts.append(b"\xff\xda" + struct.pack(">HB", 6 + len(scan), samples) + scan + b"\0\x3f\0")
    return b"".join(parts)
