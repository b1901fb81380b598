"""HEIF files written box by box: coded pictures of imagecodecs and FFmpeg, in whatever arrangement a test wants."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import av
import imagecodecs
import numpy as np
import pytest

from tests.synthetic import frame_of

needs_x265 = pytest.mark.skipif("libx265" not in av.codecs_available, reason="this FFmpeg encodes no HEVC")


def box(kind: bytes, content: bytes) -> bytes:
    """A box."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def full(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with version and flags."""
    return box(kind, bytes([version]) + flags.to_bytes(3, "big") + content)


@dataclass
class Picture:
    """An item to write. properties: whole boxes. mime: of an item of words. hidden: not to be shown by itself."""

    kind: bytes
    content: bytes
    properties: list[bytes] = field(default_factory=list)
    mime: bytes = b""
    hidden: bool = False


def av1(samples: np.ndarray, bits: int = 8, **options: Any) -> Picture:
    """A picture as AV1, lossless unless it is told a level."""
    level = options.pop("level", 100)
    encoded = imagecodecs.avif_encode(np.ascontiguousarray(samples), level, speed=10, bitspersample=bits, **options)
    return Picture(b"av01", encoded[encoded.index(b"mdat") + 4 :], described(samples, bits))


def hevc(luma: np.ndarray, bits: int = 8) -> Picture:
    """A gray picture as HEVC, lossless, sides from 64 on a multiple of 8."""
    encoder: Any = av.CodecContext.create("libx265", "w")
    name = "gray" if bits == 8 else f"gray{bits}le"
    encoder.height, encoder.width, encoder.pix_fmt = *luma.shape, name
    encoder.time_base = encoder.framerate = 1
    encoder.options = {"x265-params": "lossless=1:log-level=none:pools=none:frame-threads=1", "preset": "ultrafast"}
    stream = b"".join(map(bytes, [*encoder.encode(frame_of(luma, name, bits)), *encoder.encode(None)]))
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]
    kinds = [unit[0] >> 1 & 63 for unit in units]
    setup = [(kind, unit) for kind, unit in zip(kinds, units, strict=True) if kind in (32, 33, 34)]
    config = bytes([1]) + bytes(20) + bytes([3, len(setup)])  # units are led by lengths of 4 bytes
    config += b"".join(bytes([kind, 0, 1]) + struct.pack(">H", len(unit)) + unit for kind, unit in setup)
    coded = b"".join(struct.pack(">I", len(u)) + u for kind, u in zip(kinds, units, strict=True) if kind < 32)
    return Picture(b"hvc1", coded, [*described(luma, bits), box(b"hvcC", config)])


def described(samples: np.ndarray, bits: int) -> list[bytes]:
    """Size and depth of a picture."""
    count = samples.shape[2] if samples.ndim == 3 else 1
    size = struct.pack(">II", samples.shape[1], samples.shape[0])
    return [full(b"ispe", size), full(b"pixi", bytes([count, *[bits] * count]))]


def nclx(transfer: int = 13, matrix: int = 6, full_range: bool = True) -> bytes:
    """Color by code points."""
    return box(b"colr", b"nclx" + struct.pack(">HHHB", 1, transfer, matrix, 128 * full_range))


def grid(rows: int, columns: int, height: int, width: int, properties: list[bytes]) -> Picture:
    """A picture of tiles, linked to them by `dimg`."""
    size = full(b"ispe", struct.pack(">II", width, height))
    return Picture(b"grid", struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height), [size, *properties])


def heif(brand: bytes, items: list[Picture], links: list[tuple[bytes, int, list[int]]] | None = None) -> bytes:
    """A file whose first item is the primary one; items are counted from 1. links: (kind, from, to)."""
    ftyp = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    start = len(ftyp) + len(meta(items, links or [], 0)) + 8
    return ftyp + meta(items, links or [], start) + box(b"mdat", b"".join(item.content for item in items))


def meta(items: list[Picture], links: list[tuple[bytes, int, list[int]]], start: int) -> bytes:
    """The box that tells of the items. start: where their contents begin in the file."""
    known = list(dict.fromkeys(each for item in items for each in item.properties))
    entries, places, uses = b"", b"", b""
    for number, item in enumerate(items, 1):
        words = b"\0" + (item.mime + b"\0" if item.mime else b"")
        entries += full(b"infe", struct.pack(">HH", number, 0) + item.kind + words, 2, item.hidden)
        places += struct.pack(">HHHII", number, 0, 1, start, len(item.content))
        uses += struct.pack(">HB", number, len(item.properties))
        uses += bytes(128 | known.index(each) + 1 for each in item.properties)
        start += len(item.content)
    count = struct.pack(">H", len(items))
    parts = full(b"hdlr", bytes(4) + b"pict" + bytes(13)) + full(b"pitm", struct.pack(">H", 1))
    parts += full(b"iloc", b"\x44\0" + count + places) + full(b"iinf", count + entries)
    parts += box(b"iprp", box(b"ipco", b"".join(known)) + full(b"ipma", bytes(2) + count + uses))
    told = [box(kind, struct.pack(f">HH{len(to)}H", at, len(to), *to)) for kind, at, to in links]
    return full(b"meta", parts + full(b"iref", b"".join(told)))
