"""Colored scans as files in one piece: pictures that fit in memory, for viewing and exchange."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from colorizer.basis.atomic import whole
from colorizer.basis.errors import EncodeError
from pipeline.metadata.metadata import name_of
from pipeline.metadata.tags import Tag
from pipeline.pages.page import Page, described
from pipeline.pages.still_formats import STILL_FORMATS, format_of
from pipeline.storage.atomic import writable
from pipeline.values.loss import Loss

MAX_PIXELS = 2**28
"""Beyond it (16,384 x 16,384) a picture is for TIFF: others cannot be read by region."""


def check_still(path: Path, height: int, width: int, bits: int) -> None:
    """Refuse what the format that the suffix names cannot hold in one piece. Raises EncodeError."""
    kind, size = format_of(path), f"{width} x {height} pixels"
    if kind.by_region:
        raise ValueError(f"{path}: {kind.name} is written by region")
    if height * width > MAX_PIXELS:
        raise EncodeError(
            f"{path}: {size} are too many for {kind.name}, which is read as a whole; name the output .tif"
        )
    if kind.side and max(height, width) > kind.side:
        raise EncodeError(f"{path}: {size}: {kind.name} ends at {kind.side}; name the output .tif or .png")
    if bits > kind.bits:
        others = " or ".join(f.suffixes[0] for f in STILL_FORMATS.values() if f.bits >= bits)
        raise EncodeError(
            f"{path}: {kind.name} stores {kind.bits} bits a sample and the scan has {bits}; name the output {others}"
        )


def write_still(path: Path, rgb: np.ndarray, page: Page, scratch: Path | None = None) -> list[Loss]:
    """Write (H, W, 3) of uint8 or uint16 as a whole PNG or JPEG file, or none; what could not be carried, by name.

    scratch: where it grows, in the folder of `path`.

    The file has an sRGB profile, resolution, texts and EXIF, and XMP with the mark. Memory: about twice the picture.
    Raises EncodeError for what the format cannot hold, StorageError when the file cannot be written.
    """
    check_still(path, page.height, page.width, page.bits)
    if rgb.shape != (page.height, page.width, 3) or rgb.dtype != np.dtype(f"u{page.bits // 8}"):
        raise ValueError(f"{rgb.dtype} {rgb.shape} is not the page's picture")
    description = described(page)
    lost = list(description.lost)
    if description.photoshop:
        lost.append(Loss(name_of(Tag.PHOTOSHOP), "its place is a TIFF file"))
    make = format_of(path).pieces
    assert make is not None, "check_still refuses others"
    with writable(path), whole(path, scratch) as growing, growing.open("wb") as file:
        for piece in make(np.ascontiguousarray(rgb), page, description, lost):
            file.write(piece)
    return lost
