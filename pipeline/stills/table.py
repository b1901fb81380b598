"""The formats of stills that are read: one line each. TIFF, which is read by region, has its own reader."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.metadata.directory import COPY
from pipeline.spread.apart import Answer
from pipeline.stills.formats import avif, dpx, heic, jpeg, jpeg2000, jpegxl, openexr, png, webp
from pipeline.stills.layout import CONVERT

TIFF_SUFFIXES = (".tif", ".tiff")
FORMATS = (
    png.PNG,
    jpeg.JPEG,
    jpeg2000.JPEG2000,
    jpegxl.JPEGXL,
    avif.AVIF,
    heic.HEIC,
    webp.WEBP,
    dpx.DPX,
    openexr.OPENEXR,
)
"""In this order a file's first bytes are shown to them."""
SUFFIXES = frozenset([*TIFF_SUFFIXES, *(suffix for each in FORMATS for suffix in each.suffixes)])
"""Of names that a walk takes for scans."""


def picture_apart(values: Any, data: list[bytes]) -> Answer:
    """`Format.decode` for who asks from another process; what it gives is held against the size that a header said."""
    format = next(each for each in FORMATS if each.name == values["format"])
    path, size = values["path"], tuple(values["size"])
    samples, tone, words, notes, alpha = format.decode(data[0], path, size)
    if not samples.size:
        raise UnsupportedSource(path, f"a kind of {format.name} that the codec does not read; {CONVERT}")
    if samples.shape[:2] != size[:2]:
        raise DamagedSource(
            path, f"{samples.shape[1]} x {samples.shape[0]} pixels came out of {size[1]} x {size[0]}; {COPY}"
        )
    return {"tone": asdict(tone), "words": words, "notes": notes, "alpha": alpha}, samples
