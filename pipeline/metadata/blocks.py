"""Blocks of metadata in PNG, JPEG and WebP files: Exif, XMP, IPTC, ICC, texts and the size of a pixel."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO, cast

from colorizer.basis.errors import SourceError
from pipeline.metadata.directory import Directory, Tiff
from pipeline.metadata.headers import jpeg_segments
from pipeline.metadata.metadata import (
    IPTC,
    XMP,
    Metadata,
    Resolution,
    metadata_of,
    orientation_of,
    resolution_of,
)
from pipeline.values.loss import Loss


def exif_block(data: bytes, path: str) -> Directory | None:
    """The directory in an Exif block, or None if it is damaged."""
    try:
        return next(Tiff(cast(BinaryIO, io.BytesIO(data.removeprefix(b"Exif\0\0"))), path).chain(), None)
    except SourceError:
        return None


@dataclass(frozen=True, slots=True)
class Blocks:
    """Raw blocks found in a picture file, and the size of its pixels where it says that itself.

    orientation: where the format tells it, whatever an Exif block says; None where it does not.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc: bytes | None = None
    texts: tuple[tuple[int, bytes], ...] = ()
    resolution: Resolution | None = None
    lost: tuple[Loss, ...] = ()
    orientation: int | None = None


def from_blocks(blocks: Blocks, path: str) -> tuple[Metadata, int, Resolution | None]:
    """Metadata, orientation and resolution of a picture file."""
    page = exif_block(blocks.exif, path) if blocks.exif else None
    found = metadata_of(page) if page else Metadata()
    lost = (*blocks.lost, *found.lost, *([Loss("a damaged Exif block")] if blocks.exif and not page else []))
    blobs = {code: (7, data) for code, data in ((XMP, blocks.xmp), (IPTC, blocks.iptc)) if data}
    texts = {code: (2, text) for code, text in blocks.texts}
    whole = replace(found, tags={**texts, **found.tags}, blobs={**found.blobs, **blobs}, lost=lost)
    told = blocks.orientation
    if page is None:
        return whole, told or 1, blocks.resolution
    return whole, told or orientation_of(page), resolution_of(page) or blocks.resolution


def jpeg_blocks(data: bytes) -> Blocks:
    """Exif, XMP, IPTC, ICC and density of a JPEG stream (JFIF; Exif 2.32; XMP part 3; ICC.1 annex B.4)."""
    exif = xmp = iptc = resolution = None
    profile: dict[int, bytes] = {}
    texts, lost = [], []
    for marker, content in jpeg_segments(data):
        if marker == 0xE1 and content.startswith(b"Exif\0"):
            exif = exif or content
        elif marker == 0xE1 and content.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            xmp = xmp or content[29:]
        elif marker == 0xE1 and content.startswith(b"http://ns.adobe.com/xmp/extension/\0"):
            lost.append(Loss("XMP beyond 64 KB"))
        elif marker == 0xE2 and content.startswith(b"ICC_PROFILE\0") and len(content) > 14:
            profile[content[12]] = content[14:]
        elif marker == 0xED and content.startswith(b"Photoshop 3.0\0"):
            iptc = iptc or _iptc(content[14:])
        elif marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 12:
            x, y = int.from_bytes(content[8:10], "big"), int.from_bytes(content[10:12], "big")
            said = x and y and content[7] <= 2 and (content[7] or x != y)  # 1 to 1 without a unit says nothing
            resolution = (Fraction(x), Fraction(y), content[7] + 1) if said else None
        elif marker == 0xFE:
            texts.append((270, content.rstrip(b"\0")))
    icc = b"".join(profile[n] for n in sorted(profile)) or None
    return Blocks(exif, xmp, iptc, icc, tuple(texts[:1]), resolution, tuple(dict.fromkeys(lost)))


def _iptc(resources: bytes) -> bytes | None:
    """The IPTC record among Photoshop's image resources, number 0x0404."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        name = (resources[at + 6] + 2) & ~1
        start = at + 6 + name
        size = int.from_bytes(resources[start : start + 4], "big")
        if resources[at + 4 : at + 6] == b"\x04\x04":
            return resources[start + 4 : start + 4 + size]
        at = start + 4 + (size + 1 & ~1)
    return None


PNG_TEXTS = {
    b"Description": 270, b"Title": 269, b"Author": 315, b"Copyright": 33432, b"Software": 305, b"Source": 272,
    b"Comment": 270,
}  # fmt: skip
"""PNG's keywords and the TIFF tags that mean the same."""


def png_blocks(data: bytes) -> Blocks:
    """Exif, XMP, ICC, texts and pixel size of a PNG (PNG, third edition, section 11.3)."""
    exif = xmp = icc = resolution = None
    texts: dict[int, bytes] = {}
    lost: list[Loss] = []
    for kind, content in _png_chunks(data):
        keyword, _, rest = content.partition(b"\0")
        if kind == b"eXIf":
            exif = content
        elif kind == b"iCCP" and rest:
            try:
                icc = zlib.decompressobj().decompress(rest[1:], 1 << 25)
            except zlib.error:
                lost.append(Loss("a damaged ICC profile"))
        elif kind == b"iTXt" and keyword == b"XML:com.adobe.xmp" and rest[:1] == b"\0":
            xmp = rest[2:].split(b"\0", 2)[-1]
        elif kind == b"tEXt" and keyword in PNG_TEXTS:
            texts.setdefault(PNG_TEXTS[keyword], rest)
        elif kind in (b"tEXt", b"iTXt", b"zTXt"):
            lost.append(Loss(f"text {keyword.decode('latin-1')[:79]}"))
        elif kind == b"pHYs" and len(content) >= 9:
            x, y = (Fraction(int.from_bytes(content[i : i + 4], "big")) for i in (0, 4))
            per_meter = content[8] == 1
            resolution = (x / 100, y / 100, 3) if per_meter else (x, y, 1)
            resolution = resolution if x and y else None
    return Blocks(exif, xmp, None, icc, tuple(texts.items()), resolution, tuple(lost))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if kind != b"IDAT":
            yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def webp_blocks(data: bytes) -> Blocks:
    """Exif, XMP and ICC of a WebP (RFC 9649, section 2.7)."""
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] in (b"EXIF", b"XMP ", b"ICCP"):
            found[data[at : at + 4]] = data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
    return Blocks(found.get(b"EXIF"), found.get(b"XMP "), None, found.get(b"ICCP"))
