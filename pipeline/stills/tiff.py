"""Opens one page of a TIFF file: which pages are pictures, what their samples mean, and a reader of regions."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tifffile import COMPRESSION, EXTRASAMPLE, FILETYPE, OFILETYPE, PHOTOMETRIC

from colorizer.basis.errors import ColorizeError, DamagedSource, SourceError, UnsupportedSource
from pipeline.metadata.directory import COPY, MAX_BLOB, Directory, Tiff
from pipeline.metadata.metadata import metadata_of, orientation_of, planes_of, resolution_of
from pipeline.metadata.tags import Tag
from pipeline.stills.fields import page_layout
from pipeline.stills.layout import MAX_BYTES, PageLayout
from pipeline.stills.old_jpeg import has_stream, header_of
from pipeline.stills.reader import TRANSPARENCY, ScanPage, ScanReader
from pipeline.stills.segments import Segments
from pipeline.stills.tones import COLORED, Tone, lightness_table, palette_of, range_of, spread, with_profile
from pipeline.values.loss import Loss
from pipeline.values.words import counted, share

REDUCED_OR_MASK = FILETYPE.REDUCEDIMAGE | FILETYPE.MASK
"""Bits of NewSubfileType: a smaller copy of another page, a transparency mask."""
FRESH = 100_000_000
"""Nanoseconds within which a file may be written again and look the same by its times, which go in steps."""
ALPHA = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)


def open_tiff(file: BinaryIO, path: str, page: int, max_pixels: int, max_bytes: int) -> ScanReader:
    """A reader of the page with this index among the file's full pictures. Closes the file when it is closed."""
    tiff = Tiff(file, path)
    pages = pages_of(path, file)
    if page >= len(pages.places):
        others = f"; {pages.masks} more, of masks or infrared light, are not colored" if pages.masks else ""
        raise SourceError(path, f"has no page {page}: its pages are 0 to {len(pages.places) - 1}{others}")
    directory, _ = tiff.directory(pages.places[page])
    layout = page_layout(directory, max_pixels, max_bytes)
    segments = Segments(file, layout, _tables(directory, layout))
    probes = segments.probes(layout.channels)
    tone, words, notes = tone_of(directory, layout, probes)
    icc = (
        directory.raw(Tag.ICC_PROFILE) if Tag.ICC_PROFILE in directory and _there(directory, Tag.ICC_PROFILE) else None
    )
    if icc:
        tone, words, notes = _profiled(tone, words, notes, icc)
    if pages.circular:
        notes = (*notes, "its list of pages runs in a circle; read up to there")
    lost: list[Loss] = []
    if pages.masks and not page:
        lost.append(Loss("pages of masks or infrared light (NewSubfileType 4)", f"{pages.masks}, not colored"))
    if pages.levels and not page:
        notes = (
            *notes,
            f"{counted(pages.levels, 'more page')} at half the size of a picture before: taken for its levels",
        )
    if absent := int((layout.counts == 0).sum()):
        notes = (
            *notes,
            f"{share(absent, len(layout.counts), 'tile' if layout.tiled else 'strip')} absent: read as zeros",
        )
    extra = directory.numbers(Tag.EXTRA_SAMPLES)
    meaning = [] if extra is None else [int(n) for n in extra]
    if unused := layout.samples - layout.channels - sum(n in ALPHA for n in meaning):
        lost.append(Loss("samples of unknown meaning", f"{unused} per pixel more than {layout.model} has"))
    if any(n in ALPHA for n in meaning):
        lost.append(TRANSPARENCY)
    if (planes := planes_of(directory) - pages.directories) > 0:
        lost.append(Loss("planes of an ImageJ stack", f"{planes} more lie behind the first and have no directory"))
    metadata = metadata_of(directory)
    metadata = replace(metadata, lost=(*metadata.lost, *lost))
    scan = ScanPage(
        path, "BigTIFF" if tiff.big else "TIFF", page, len(pages.places), layout.height, layout.width,
        orientation_of(directory), tone.luma_bits, layout.model, layout.words,
        float(np.mean([tone.colored(p) for p in probes])) > COLORED, any(n in ALPHA for n in meaning),
        resolution_of(directory), icc, words, metadata, notes,
    )  # fmt: skip
    held = segments.cache(tone.luma_bits // 8) + layout.held_bytes
    return ScanReader(
        scan, lambda *region: segments.region(tone, *region), file.close, held,
        lambda: (segments.whole(tone.colors), tone),
    )  # fmt: skip


def _tables(directory: Directory, layout: PageLayout) -> bytes | None:
    """What JPEG strips and tiles share: JPEGTables, or all that comes before the data of an old-style one."""
    if layout.compression == COMPRESSION.JPEG and Tag.JPEG_TABLES in directory:
        return directory.raw(Tag.JPEG_TABLES)
    if layout.compression == COMPRESSION.OJPEG and not has_stream(directory):
        return header_of(directory, layout.tile_height, layout.tile_width, layout.step)
    return None


def _there(directory: Directory, code: int) -> bool:
    entry = directory.entries[code]
    return 0 < entry.size <= MAX_BLOB and entry.position + entry.size <= directory.tiff.size


@dataclass(frozen=True, slots=True)
class Pages:
    """The pictures of a file. places: where their directories begin. masks: further pages that are masks.

    circular: the list of pages runs in a circle. levels: further pages that are the picture before them at half its
    size, without saying so. directories: of pages in all.
    """

    places: tuple[int, ...]
    masks: int = 0
    circular: bool = False
    levels: int = 0
    directories: int = 1


def pages_of(path: str, file: BinaryIO) -> Pages:
    """The pictures of an open file. The list is walked once for a file that stays as it is, however many pages it has.

    Raises DamagedSource where there is none, UnsupportedSource.
    """
    now = os.fstat(file.fileno())
    if time.time_ns() - now.st_mtime_ns < FRESH:
        return _pictures(Tiff(file, path))
    return _walked(path, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns))


@lru_cache(maxsize=4)
def _walked(path: str, stamp: tuple[int, ...]) -> Pages:
    with Path(path).open("rb") as file:
        return _pictures(Tiff(file, path))


def _pictures(tiff: Tiff) -> Pages:
    """The pages that are pictures of their own, not smaller copies or masks of others.

    Where the chain has only copies, the pictures are in the SubIFDs of its first page (TIFF/EP). A file whose later
    directories are damaged still has its first ones.
    """
    every: list[int] = []
    whole: list[int] = []
    last: Directory | None = None
    masks = levels = 0
    try:
        for page in tiff.chain():
            every.append(page.position)
            kind = page.number(Tag.NEW_SUBFILE_TYPE, 0)
            masks += bool(kind & FILETYPE.MASK)
            if kind & REDUCED_OR_MASK or page.number(Tag.SUBFILE_TYPE, OFILETYPE.IMAGE) == OFILETYPE.REDUCEDIMAGE:
                continue
            if last is not None and is_half(last, page):
                levels += 1
            else:
                whole.append(page.position)
            last = page
    except DamagedSource:
        if not every:
            raise
    if not every:
        raise DamagedSource(tiff.path, f"no page in it; {COPY}")
    if whole:
        return Pages(tuple(whole), masks, tiff.circular, levels, len(every))
    below = tiff.directory(every[0])[0].numbers(Tag.SUB_IFDS)
    for position in [] if below is None else below[:64]:
        page, _ = tiff.directory(int(position))
        if not page.number(Tag.NEW_SUBFILE_TYPE, 0) & REDUCED_OR_MASK:
            whole.append(int(position))
    return Pages(tuple(whole or every), 0, tiff.circular, 0, len(every))


SIDE = 64
"""Pixels of a level that are held against the picture that it is said to be of."""
APART, ALIKE = 0.01, 0.4
"""Mean distance of a level from its picture at half size: up to a share of the range, or of the level's own deviation,
where grain and a scaler of another kind make more of it. Two pictures that have nothing in common are 1.1 apart."""


def is_half(larger: Directory, smaller: Directory) -> bool:
    """Whether a page is the one before it at half its size: by its size first, then by what is in its middle."""
    sizes = [(page.number(Tag.IMAGE_LENGTH, 0), page.number(Tag.IMAGE_WIDTH, 0)) for page in (larger, smaller)]
    if not all(2 * small in (large - 1, large, large + 1) and small > 1 for large, small in zip(*sizes, strict=True)):
        return False
    (height, width), (rows, columns) = sizes[1], (min(SIDE, n) for n in sizes[1])
    top, left = (height - rows) // 2, (width - columns) // 2
    try:
        part, whole = (
            _codes(smaller, top, left, rows, columns),
            _codes(larger, 2 * top, 2 * left, 2 * rows, 2 * columns),
        )
    except ColorizeError:
        return False
    halved = whole.reshape(rows, 2, columns, 2).mean((1, 3))
    allowed = max(APART * (256 ** int(part.itemsize) - 1), ALIKE * float(part.std()))
    return part.dtype == whole.dtype and bool(np.abs(halved - part).mean() <= allowed)


def _codes(page: Directory, top: int, left: int, height: int, width: int) -> np.ndarray:
    """Luma codes of a region, its last row and column once more where it ends beyond the page."""
    layout = page_layout(page, MAX_BYTES, MAX_BYTES)
    segments = Segments(page.tiff.file, layout, _tables(page, layout))
    tone, _, _ = tone_of(page, layout, segments.probes(layout.channels))
    rows, columns = min(height, layout.height - top), min(width, layout.width - left)
    codes = segments.region(tone, top, left, rows, columns)
    return np.pad(codes, ((0, height - rows), (0, width - columns)), "edge")


def tone_of(directory: Directory, layout: PageLayout, probes: list[np.ndarray]) -> tuple[Tone, str, tuple[str, ...]]:
    """How the page's samples become luma, in words where codes change, and notes."""
    path, words = layout.path, ""
    notes: tuple[str, ...] = ()
    tone = Tone(layout.model, layout.bits, layout.format, white_is_zero=layout.photometric == PHOTOMETRIC.MINISWHITE)
    if Tag.PHOTOMETRIC_INTERPRETATION not in directory:
        notes = (f"it does not say what its samples mean; taken for {layout.model}",)
    if layout.model == "palette":
        colors = directory.numbers(Tag.COLOR_MAP)
        if colors is None or len(colors) < 3 << layout.bits:
            raise DamagedSource(path, f"a palette picture without its palette; {COPY}")
        tone = replace(tone, palette=palette_of(colors[: 3 << layout.bits].astype(np.uint16), layout.bits))
    elif layout.model in ("Lab", "ICC Lab", "ITU Lab"):
        top = 0xFF00 if layout.model == "ICC Lab" and layout.bits == 16 else 2**layout.bits - 1
        return replace(tone, table=lightness_table(layout.bits, top)), "from L*", notes
    elif layout.model == "YCbCr":
        return _reference(directory, tone, notes)
    elif tone.needs_range:
        low, high = _announced(directory) or range_of(probes, tone)
        tone = replace(tone, low=low, high=high, linear=layout.model.startswith("Log"))
        words = f"{low:.6g} to {high:.6g} as black to white" + (", linear light" if tone.linear else "")
    elif layout.format == "int" or layout.bits > 16:
        limits = np.iinfo(f"{layout.format[0]}{layout.bits // 8}")
        low, high = _announced(directory) or (float(limits.min), float(limits.max))
        tone = replace(tone, low=low, high=high)
        words = f"{low:.10g} to {high:.10g} as black to white"
    elif layout.bits not in (8, 16):
        words = spread(tone)
    elif (most := _most(directory, layout, probes)) is not None:
        tone = replace(tone, high=float(most))
        words = f"0 to {most} as black to white (MaxSampleValue)"
    if tone.white_is_zero:
        words = f"{words}, 0 is white" if words else "inverted: 0 is white"
    if layout.model == "CMYK" and directory.number(Tag.INK_SET, 1) != 1:
        raise UnsupportedSource(path, "inks other than cyan, magenta, yellow and black; convert it to RGB first")
    return tone, words, notes


def _most(directory: Directory, layout: PageLayout, probes: list[np.ndarray]) -> int | None:
    """The highest code where samples have fewer bits than they take, as MaxSampleValue says: 4095 for 12 bits in 16.

    Writers also put a picture's own highest sample there, which is no white: it is not looked at.
    """
    if layout.format != "uint" or layout.model not in ("gray", "RGB") or Tag.MAX_SAMPLE_VALUE not in directory:
        return None
    most = directory.number(Tag.MAX_SAMPLE_VALUE, 0)
    fewer = most & (most + 1) == 0 and 0 < most < 2**layout.bits - 1
    return most if fewer and max(int(probe.max(initial=0)) for probe in probes) <= most else None


def _reference(directory: Directory, tone: Tone, notes: tuple[str, ...]) -> tuple[Tone, str, tuple[str, ...]]:
    """YCbCr's Y as stored, or spread where ReferenceBlackWhite says that black and white are not 0 and 255."""
    black, white = 0.0, 255.0
    if Tag.REFERENCE_BLACK_WHITE in directory and directory.entries[Tag.REFERENCE_BLACK_WHITE].count >= 2:
        pairs = directory.array(Tag.REFERENCE_BLACK_WHITE).astype(np.float64)
        values = pairs[:2, 0] / np.maximum(pairs[:2, 1], 1) if pairs.ndim == 2 else pairs[:2]
        if 0 <= values[0] < values[1] <= 255:
            black, white = float(values[0]), float(values[1])
    if (black, white) == (0, 255):
        return tone, "", notes
    codes = np.rint(((np.arange(256) - black) / (white - black) * 255).clip(0, 255)).astype(np.uint8)
    return replace(tone, table=codes), f"Y of {black:g} to {white:g} as black to white", notes


def _announced(directory: Directory) -> tuple[float, float] | None:
    """The range that SMinSampleValue and SMaxSampleValue give (TIFF 6.0 section 19)."""
    if Tag.S_MIN_SAMPLE_VALUE not in directory or Tag.S_MAX_SAMPLE_VALUE not in directory:
        return None
    low, high = (
        np.ravel(directory.array(code)).astype(np.float64) for code in (Tag.S_MIN_SAMPLE_VALUE, Tag.S_MAX_SAMPLE_VALUE)
    )
    if not (low.size and high.size and np.isfinite([low[0], high[0]]).all() and low[0] < high[0]):
        return None
    return float(low[0]), float(high[0])


def _profiled(tone: Tone, words: str, notes: tuple[str, ...], icc: bytes) -> tuple[Tone, str, tuple[str, ...]]:
    try:
        tone, applied = with_profile(tone, icc)
    except Exception as error:  # lcms' own: the picture is whole, its profile is not
        return tone, words, (*notes, f"its ICC profile cannot be used ({error}); not applied")
    return tone, ", ".join(filter(None, (words, applied))), notes
