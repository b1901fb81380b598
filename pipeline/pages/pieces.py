"""Pieces of PNG and JPEG files: what describes a colored picture, in its place, and the picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

import imagecodecs
import numpy as np

from pipeline.metadata.icc import srgb_profile
from pipeline.metadata.metadata import Resolution, name_of
from pipeline.metadata.tags import Tag
from pipeline.metadata.xmp import merge
from pipeline.pages.page import Description, Page
from pipeline.pages.tiff_file import pack
from pipeline.pages.tiff_tags import TagValue, shorts
from pipeline.pages.tile_codec import JPEG_QUALITY
from pipeline.values.loss import Loss

MAX_SEGMENT = 65533
"""Bytes of a JPEG segment (ITU-T T.81, B.1.1.4)."""
XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"


CENTERED = 1
"""Where Exif places chroma samples, which a JPEG must say (Exif 2.32, 4.6.4); ours have one for each pixel."""


def _exif(description: Description, more: dict[int, TagValue] | None = None) -> bytes:
    """The tags as an EXIF block: a TIFF file of nothing but directories (Exif 2.32, 4.5)."""
    directory = replace(description.directory, entries=description.directory.entries | (more or {}))
    first, packed = pack([directory], 8, big=False)
    return struct.pack("<2sHI", b"II", 42, first) + packed


def png_pieces(rgb: np.ndarray, page: Page, description: Description, lost: list[Loss]) -> Iterator[bytes | memoryview]:
    """A PNG in pieces (PNG, third edition, 11.3): what describes the picture goes before its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    encoded = memoryview(imagecodecs.png_encode(rgb, 6))
    header = 8 + 12 + 13  # signature and IHDR
    yield encoded[:header]
    yield chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_profile()))
    if page.resolution is not None:
        x, y, unit = _density(page.resolution, 2**31 - 1, per_meter=True)
        yield chunk(b"pHYs", struct.pack(">IIB", x, y, unit != 1))
    if description.xmp:
        yield chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + description.xmp)
    yield chunk(b"eXIf", _exif(description))
    if description.iptc:
        lost.append(Loss(name_of(Tag.IPTC), "PNG has no place for it"))
    yield encoded[header:]


def jpeg_pieces(
    rgb: np.ndarray, page: Page, description: Description, lost: list[Loss]
) -> Iterator[bytes | memoryview]:
    """A JPEG in pieces: JFIF, EXIF, XMP (XMP part 3, 1.1.3), IPTC and the profile (ICC.1, B.4), then the picture."""

    def segment(marker: int, data: bytes, name: str) -> bytes:
        if len(data) > MAX_SEGMENT:
            lost.append(Loss(name, f"{len(data)} bytes, more than a JPEG segment holds"))
            return b""
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    encoded = memoryview(
        imagecodecs.jpeg8_encode(rgb, JPEG_QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling=(1, 1))
    )
    jfif = 2 + 2 + int.from_bytes(encoded[4:6], "big")  # SOI, APP0
    x, y, unit = _density(page.resolution, 65535) if page.resolution is not None else (1, 1, 1)
    yield encoded[:2]
    yield segment(0xE0, b"JFIF\0\1\1" + struct.pack(">BHHBB", unit - 1, x, y, 0, 0), "JFIF")
    yield segment(0xE1, b"Exif\0\0" + _exif(description, {Tag.YCBCR_POSITIONING: shorts(CENTERED)}), "EXIF")
    if description.xmp:
        packet = segment(0xE1, XMP_NAME + description.xmp, "XMP")
        yield packet or segment(0xE1, XMP_NAME + merge(None, page.mark)[0], "XMP mark")
    if iptc := description.iptc:
        block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
        yield segment(0xED, b"Photoshop 3.0\0" + block, name_of(Tag.IPTC))
    yield segment(0xE2, b"ICC_PROFILE\0\1\1" + srgb_profile(), "ICC")
    yield encoded[jfif:]


def _density(resolution: Resolution, top: int, *, per_meter: bool = False) -> tuple[int, int, int]:
    """Whole pixels per unit, from 1 to top, and the unit; the exact numbers are in the EXIF block."""
    x, y, unit = resolution
    factor = {2: 10000 / 254, 3: 100}.get(unit, 1) if per_meter else 1
    wide, high = (min(top, max(1, round(value * factor))) for value in (x, y))
    return wide, high, unit
