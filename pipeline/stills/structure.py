"""Structure: what of a still's header decides how its samples are read. Two files that have it alike are read alike.

Size, depth, sample format, compression, color model, planes, tiles, byte order, profile: not where things lie, nor
words, nor dates.
"""

from __future__ import annotations

import hashlib
from itertools import takewhile
from pathlib import Path

from colorizer.basis.errors import SourceError
from pipeline.metadata.boxes import boxes
from pipeline.metadata.directory import Tiff
from pipeline.metadata.headers import exr_attributes, jpeg_segments, png_chunks
from pipeline.metadata.tags import Tag
from pipeline.storage.atomic import legible

HEAD = 1 << 18
"""First bytes of a file that is no TIFF, within which its header is sought."""
TIFF = (b"II", b"MM")
TIFF_TAGS = (
    Tag.NEW_SUBFILE_TYPE, Tag.IMAGE_WIDTH, Tag.IMAGE_LENGTH, Tag.BITS_PER_SAMPLE, Tag.COMPRESSION,
    Tag.PHOTOMETRIC_INTERPRETATION, Tag.FILL_ORDER, Tag.ORIENTATION, Tag.SAMPLES_PER_PIXEL, Tag.ROWS_PER_STRIP,
    Tag.MAX_SAMPLE_VALUE, Tag.X_RESOLUTION, Tag.Y_RESOLUTION, Tag.PLANAR_CONFIGURATION, Tag.T4_OPTIONS, Tag.PREDICTOR,
    Tag.TILE_WIDTH, Tag.TILE_LENGTH, Tag.EXTRA_SAMPLES, Tag.SAMPLE_FORMAT, Tag.S_MIN_SAMPLE_VALUE,
    Tag.S_MAX_SAMPLE_VALUE, Tag.JPEG_PROC, Tag.YCBCR_SUB_SAMPLING, Tag.REFERENCE_BLACK_WHITE, Tag.ICC_PROFILE,
)  # fmt: skip
"""Fields of a page that say how its samples are stored and what they mean (TIFF 6.0)."""
PNG_CHUNKS = {b"IHDR", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"tRNS"}
EXR_NAMES = {b"channels", b"compression", b"dataWindow", b"displayWindow", b"tiles", b"type", b"pixelAspectRatio"}
DPX_PLACES = ((0, 4), (768, 784), (800, 808), (812, 820), (1628, 1636))
"""Byte order, the picture's size and elements, how the first is stored, and a pixel's aspect (SMPTE 268M)."""


def structure(path: Path) -> bytes | None:
    """A digest of it; None where the file has no header of its kind. Raises UnreadableSource."""
    with legible(str(path)), path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] in TIFF:
            try:
                parts = _tiff(Tiff(file, str(path)))
            except SourceError:  # cut off, or damaged: what its readers say of it counts
                return None
        else:
            parts = _others(file.read(HEAD))
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest() if parts else None


def _tiff(tiff: Tiff) -> list[bytes]:
    page = next(tiff.chain(), None)
    if page is None:
        return []
    parts = [tiff.order.encode(), b"big" if tiff.big else b""]
    for code in TIFF_TAGS:
        if code in page:
            parts += [str(int(code)).encode(), page.raw(code)]
    return parts


def _others(data: bytes) -> list[bytes]:
    if data[:4] in (b"SDPX", b"XPDS"):
        return [data[start:stop] for start, stop in DPX_PLACES]
    if data[:4] == b"\x89PNG":
        before = takewhile(lambda chunk: chunk[0] != b"IDAT", png_chunks(data))
        return [b"PNG", *(part for chunk in before if chunk[0] in PNG_CHUNKS for part in chunk)]
    if data[:2] == b"\xff\xd8":
        frames = [bytes((marker,)) + content for marker, content in jpeg_segments(data) if marker in JPEG_MARKERS]
        return [b"JPEG", *frames]
    if data[:4] == b"\x76\x2f\x31\x01":
        found = exr_attributes(data)
        return [data[:8], *(name + b"".join(found[name]) for name in sorted(EXR_NAMES & found.keys()))]
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0:
        return []
    header = takewhile(lambda box: box[0] != b"jp2c", boxes(data))
    return [b"JPEG 2000", *(bytes(content) for kind, content in header if kind == b"jp2h"), data[at : at + 64]]


JPEG_MARKERS = {*range(0xC0, 0xD0), 0xE2, 0xEE} - {0xC4, 0xC8, 0xCC}
"""The frame's header, a profile, and Adobe's word about colors."""
