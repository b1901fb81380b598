"""The formats of stills that are read: one line each. TIFF, which is read by region, has its own reader."""

from __future__ import annotations

from pipeline.stills.formats import avif, dpx, heic, jpeg, jpeg2000, jpegxl, openexr, png, webp

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
