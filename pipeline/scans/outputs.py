"""Colored scans decoded again, by other decoders than those that read sources; their luma is held against the source's.

TIFF is decoded by tifffile, PNG and JPEG by their codecs. The luma of R'G'B' codes is (299 R + 587 G + 114 B + 500)
// 1000 (Rec. 601): of a lossless output it is the source's code, exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile

from colorizer.errors import DamagedSource
from pipeline.finding import Finding
from pipeline.scans.reader import ScanReader

MEAN_ERROR = 1.0
"""Mean distance in 8-bit codes that lossy compression may move the luma by."""


def luma_codes(rgb: np.ndarray) -> np.ndarray:
    """R'G'B' codes (..., 3) to luma codes of the same depth."""
    wide = np.uint32
    total = rgb[..., 0].astype(wide) * 299 + rgb[..., 1].astype(wide) * 587 + rgb[..., 2].astype(wide) * 114 + 500
    return (total // 1000).astype(rgb.dtype)


def rgb_rows(path: Path, page: int) -> Iterator[np.ndarray]:
    """An output's rows from top to bottom, (n, W, 3), by another decoder than the one that reads sources."""
    if path.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as tiff:
            yield from _tile_rows(tiff.pages[page])
        return
    data = path.read_bytes()
    yield imagecodecs.png_decode(data) if path.suffix.lower() == ".png" else imagecodecs.jpeg8_decode(data)


def _tile_rows(page: Any) -> Iterator[np.ndarray]:
    file, columns = page.parent.filehandle, -(-page.imagewidth // page.tilewidth)
    tables = {} if page.jpegtables is None else {"jpegtables": page.jpegtables}
    for first in range(0, len(page.dataoffsets), columns):
        top = first // columns * page.tilelength
        out = np.empty((min(page.tilelength, page.imagelength - top), page.imagewidth, 3), page.dtype)
        for index in range(first, first + columns):
            file.seek(page.dataoffsets[index])
            tile, _, _ = page.decode(file.read(page.databytecounts[index]), index, **tables)
            left = (index - first) * page.tilewidth
            part = out[:, left : left + page.tilewidth]
            part[:] = tile.reshape(tile.shape[-3:])[: part.shape[0], : part.shape[1]]
        yield out


def digests(path: Path, page: int, rows: int) -> list[str]:
    """MD5 of the luma of every `rows` rows of an output's page; of JPEG tiles it is not the source's."""
    found, band, left = [], hashlib.md5(), rows
    for portion in rgb_rows(path, page):
        luma = luma_codes(portion)
        luma = np.ascontiguousarray(luma, luma.dtype.newbyteorder("<"))
        while len(luma):
            band.update(luma[:left].data)
            taken = min(left, len(luma))
            luma, left = luma[taken:], left - taken
            if not left:
                found.append(band.hexdigest())
                band, left = hashlib.md5(), rows
    return [*found, band.hexdigest()] if left < rows else found


def check_luma(path: Path, page: int, reader: ScanReader, lossless: bool) -> Finding:
    """Whether an output's luma is its source's, sample by sample."""
    top, off, worst, total = 0, 0, 0, 0.0
    width = reader.scan.width
    for rgb in rgb_rows(path, page):
        for start in range(0, len(rgb), step := max(1, (1 << 20) // width)):
            mine = luma_codes(rgb[start : start + step]).astype(np.int64)
            theirs = reader.read(top + start, 0, len(mine), width).astype(np.int64)
            if reader.scan.bits > rgb.itemsize * 8:
                theirs = (theirs + 128) // 257
            apart = np.abs(mine - theirs)
            off, worst, total = off + int((apart > 0).sum()), max(worst, int(apart.max())), total + float(apart.sum())
        top += len(rgb)
    return luma_finding(page, off, worst, total / max(1, top * width) / (1 if reader.scan.bits == 8 else 257), lossless)


def luma_finding(page: int, off: int, worst: int, mean: float, lossless: bool) -> Finding:
    """The finding about a page's luma. off: samples that differ; mean: in 8-bit codes."""
    if lossless:
        told = "every sample is the source's" if not off else f"{off} samples differ, by up to {worst} codes"
        return Finding(f"luma, page {page}", not off, told)
    return Finding(f"luma, page {page}", mean <= MEAN_ERROR, f"lossy; mean error {mean:.2f} of 255, worst {worst}")


def lossless(path: Path) -> bool:
    """Whether an output's format keeps every code. Raises DamagedSource if it cannot be read."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return path.suffix.lower() == ".png"
    try:
        with tifffile.TiffFile(path) as tiff:
            return all(int(page.compression) != 7 for page in tiff.pages)
    except Exception as error:  # tifffile's own, of several kinds
        raise DamagedSource(str(path), f"not a TIFF file that tifffile reads ({error})") from error
