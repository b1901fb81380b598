"""JPEG: of a color one the coded Y is the luma."""

from __future__ import annotations

import imagecodecs
import numpy as np

from colorizer.basis.errors import DamagedSource
from pipeline.metadata.blocks import jpeg_blocks
from pipeline.metadata.directory import COPY
from pipeline.metadata.headers import Size, jpeg_end, jpeg_segments, jpeg_size
from pipeline.stills.format import Decoded, Format, plain, starts
from pipeline.stills.tones import Tone


def decode_jpeg(data: bytes, path: str, size: Size) -> Decoded:
    """YCbCr stays YCbCr: its Y is the luma, and as coded."""
    if jpeg_end(data) is None:
        raise DamagedSource(path, f"it ends within the picture; {COPY}")  # libjpeg would fill the rest with gray
    adobe = next((c[11] for m, c in jpeg_segments(data) if m == 0xEE and c[:5] == b"Adobe" and len(c) > 11), None)
    _, _, count, bits = size
    depth = bits if bits > 8 else None
    if count == 3 and adobe != 0 and not _says_rgb(data):
        samples = np.asarray(imagecodecs.jpeg_decode(data, outcolorspace="YCBCR", bitspersample=depth))
        return Decoded(samples, Tone("YCbCr", bits))
    if count == 4:
        samples = np.asarray(imagecodecs.jpeg_decode(data, outcolorspace="CMYK", bitspersample=depth))
        return Decoded(~samples if adobe is not None else samples, Tone("CMYK", 8))  # Adobe stores ink inverted
    return plain(imagecodecs.jpeg_decode(data, bitspersample=depth), bits)


def _says_rgb(data: bytes) -> bool:
    """Whether its components are called R, G and B, and no marker says otherwise: libjpeg takes them at their word."""
    segments = list(jpeg_segments(data))
    if any((m == 0xE0 and c[:4] == b"JFIF") or (m == 0xEE and c[:5] == b"Adobe") for m, c in segments):
        return False
    frame = next((c for m, c in segments if 0xC0 <= m <= 0xCF and m not in (0xC4, 0xC8, 0xCC)), b"")
    return frame[6:15:3] == b"RGB"


JPEG = Format("JPEG", (".jpg", ".jpeg"), starts(b"\xff\xd8\xff"), jpeg_size, decode_jpeg, jpeg_blocks, 5000)
