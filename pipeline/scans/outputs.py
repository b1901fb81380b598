"""Colored scans decoded again, by other decoders than those that read sources; their luma is held against the source's.

TIFF is decoded by tifffile, PNG and JPEG by their codecs. The luma of a lossless output's R'G'B' codes is the source's
code, exactly; what that is of a colored source is told in `light`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from colorizer.basis.errors import ColorizeError, DamagedSource, UnsupportedSource
from colorizer.basis.light import luma_codes
from pipeline.pages.still_formats import format_of
from pipeline.stills.reader import ScanReader
from pipeline.stills.tiff import pages_of
from pipeline.values.finding import Finding, Law
from pipeline.values.words import counted

MEAN_ERROR = 2.5
"""Mean distance in 8-bit codes that lossy compression may move the luma by. JPEG at quality 95 moves photographs by
0.2 to 1.5, and noise over the full range by 1.5; another picture is tens away."""
JPEG = 7
"""TIFF's number for JPEG compression; all others that are written are lossless."""


def rgb_rows(path: Path, page: int) -> Iterator[np.ndarray]:
    """An output's rows from top to bottom, (n, W, 3), by another decoder than the one that reads sources.

    Raises UnsupportedSource for what this program never writes, DamagedSource for bytes that are no picture.
    """
    try:
        decode = format_of(path).decode
        if decode is None:
            with tifffile.TiffFile(path) as tiff:
                yield from tile_rows(path, page_at(tiff, path, page))
            return
        rgb = decode(path.read_bytes())
    except (ColorizeError, OSError):
        raise
    except Exception as error:  # every codec has errors of its own, and so has tifffile
        raise DamagedSource(
            str(path), f"cannot be decoded ({str(error) or type(error).__name__}); color it anew"
        ) from error
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise UnsupportedSource(str(path), f"{rgb.ndim} axes of samples where RGB has 3; color it anew")
    yield rgb


def page_at(tiff: tifffile.TiffFile, path: Path, page: int) -> Any:
    """A page by its number. tifffile alone would walk the list up to it, for each page anew."""
    with path.open("rb") as file:
        places = pages_of(str(path), file).places
    tiff.filehandle.seek(places[page])
    return tifffile.TiffPage(tiff, page)


def tile_rows(path: Path, page: Any) -> Iterator[np.ndarray]:
    """Rows of a TIFF page or level, a row of tiles at a time; errors are tifffile's and the codecs' own."""
    color = int(page.photometric) in (2, 6) and page.samplesperpixel == 3 and page.planarconfig == 1
    if not (color and page.is_tiled and page.dtype in (np.uint8, np.uint16)):
        raise UnsupportedSource(str(path), "not stored as this program stores it, RGB in tiles; color it anew")
    file, columns = page.parent.filehandle, -(-page.imagewidth // page.tilewidth)
    tables = {} if page.jpegtables is None else {"jpegtables": page.jpegtables}
    for first in range(0, len(page.dataoffsets), columns):
        top = first // columns * page.tilelength
        out = np.empty((min(page.tilelength, page.imagelength - top), page.imagewidth, 3), page.dtype)
        for index in range(first, first + columns):
            file.seek(page.dataoffsets[index])
            data = file.read(page.databytecounts[index])  # first: naming `decode` may move the file's position
            tile, _, _ = page.decode(data, index, **tables)
            left = (index - first) * page.tilewidth
            part = out[:, left : left + page.tilewidth]
            part[:] = tile.reshape(tile.shape[-3:])[: part.shape[0], : part.shape[1]]
        yield out


def digests(path: Path, page: int, rows: int) -> list[str]:
    """MD5 of the luma of every `rows` rows of an output's page; of JPEG tiles it is not the source's."""
    found, band, left = [], hashlib.md5(usedforsecurity=False), rows
    for portion in rgb_rows(path, page):
        luma = luma_codes(portion)
        luma = np.ascontiguousarray(luma, luma.dtype.newbyteorder("<"))
        while len(luma):
            band.update(luma[:left].data)
            taken = min(left, len(luma))
            luma, left = luma[taken:], left - taken
            if not left:
                found.append(band.hexdigest())
                band, left = hashlib.md5(usedforsecurity=False), rows
    return [*found, band.hexdigest()] if left < rows else found


def check_luma(path: Path, place: int, reader: ScanReader, exact: bool, inverted: bool = False) -> Finding:
    """Whether an output's luma is its source's, sample by sample. place: of the page in the output.

    reader: gives the codes as they are stored. inverted: the output shows their positive, which is reckoned here and
    not by who colored it.
    """
    top, off, worst, total, bits = 0, 0, 0, 0.0, 8
    scan = reader.scan
    for rgb in rgb_rows(path, place):
        if rgb.shape[1] != scan.width or top + len(rgb) > scan.height:
            return luma_finding(scan.page, exact, wrong="not compared: the size differs")
        bits = rgb.itemsize * 8
        for start in range(0, len(rgb), step := max(1, (1 << 20) // scan.width)):
            mine = luma_codes(rgb[start : start + step]).astype(np.int64)
            theirs = reader.read(top + start, 0, len(mine), scan.width).astype(np.int64)
            if inverted:
                theirs = (1 << scan.bits) - 1 - theirs
            if scan.bits > bits:
                theirs = (theirs + 128) // 257
            apart = np.abs(mine - theirs)
            off, worst, total = off + int((apart > 0).sum()), max(worst, int(apart.max())), total + float(apart.sum())
        top += len(rgb)
    if top != scan.height:
        return luma_finding(scan.page, exact, wrong="not compared: the size differs")
    mean = total / (top * scan.width) / (1 if bits == 8 else 257)
    return luma_finding(scan.page, exact, off, worst, mean, inverted=inverted)


def luma_finding(
    page: int, exact: bool, off: int = 0, worst: int = 0, mean: float = 0.0, wrong: str = "", inverted: bool = False
) -> Finding:  # fmt: skip
    """The finding about a page's luma. off: samples that differ; mean: in 8-bit codes; wrong: why nothing is known.

    inverted: it was held against white less the source's.
    """
    what = f"luma, page {page}"
    if wrong:
        return Finding(what, False, wrong, law=Law.PICTURE)
    if exact:
        differs = f"it differs in {counted(off, 'sample')}, by up to {counted(worst, 'code')}"
        message = differs if off else f"every sample is {'white less ' * inverted}the source's"
        return Finding(what, not off, message, law=Law.PICTURE)
    message = f"lossy; mean error {mean:.2f} of 255, worst {worst}"
    return Finding(what, mean <= MEAN_ERROR, message, law=Law.PICTURE)


def lossless(path: Path) -> bool:
    """Whether an output's format keeps every code. Raises DamagedSource if it cannot be read."""
    kind = format_of(path)
    if not kind.by_region:
        return kind.lossless
    try:
        with tifffile.TiffFile(path) as tiff:
            pages: Any = tiff.pages
            return all(int(page.compression) != JPEG for page in pages)
    except Exception as error:  # tifffile's own, of several kinds
        raise DamagedSource(str(path), f"not a TIFF file that tifffile reads ({error})") from error
