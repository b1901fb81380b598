"""Opens one page of a TIFF file: which pages are pictures, what their samples mean, and a reader of regions."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

import numpy as np

from colorizer.basis.errors import DamagedSource, SourceError, UnsupportedSource
from pipeline.metadata.directory import COPY, MAX_BLOB, Directory, Tiff
from pipeline.metadata.metadata import ICC, metadata_of, orientation_of, resolution_of
from pipeline.stills.fields import page_layout
from pipeline.stills.layout import PageLayout
from pipeline.stills.old_jpeg import has_stream, header_of
from pipeline.stills.reader import ScanPage, ScanReader
from pipeline.stills.segments import Segments
from pipeline.stills.tones import COLORED, Tone, lightness_table, palette_of, range_of, spread, with_profile

REDUCED_OR_MASK = 0b101
"""Bits of NewSubfileType: a smaller copy of another page, a transparency mask."""


def open_tiff(file: BinaryIO, path: str, page: int, max_pixels: int, max_bytes: int) -> ScanReader:
    """A reader of the page with this index among the file's full pictures. Closes the file when it is closed."""
    tiff = Tiff(file, path)
    pages = pictures(tiff)
    if page >= len(pages):
        raise SourceError(path, f"has no page {page}: its pages are 0 to {len(pages) - 1}")
    directory = pages[page]
    layout = page_layout(directory, max_pixels, max_bytes)
    segments = Segments(file, layout, _tables(directory, layout))
    probes = segments.probes(layout.channels)
    tone, words, notes = tone_of(directory, layout, probes)
    icc = directory.raw(ICC) if ICC in directory and _there(directory, ICC) else None
    if icc:
        tone, words, notes = _profiled(tone, words, notes, icc)
    if tiff.circular:
        notes = (*notes, "its list of pages runs in a circle; read up to there")
    if absent := int((layout.counts == 0).sum()):
        notes = (*notes, f"{absent} of {len(layout.counts)} tiles or strips are absent: read as zeros")
    extra = directory.numbers(338)
    meaning = [] if extra is None else [int(n) for n in extra]
    if unused := layout.samples - layout.channels - sum(n in (1, 2) for n in meaning):
        notes = (*notes, f"{unused} more samples per pixel than {layout.model} has, of unknown meaning: not used")
    scan = ScanPage(
        path, "BigTIFF" if tiff.big else "TIFF", page, len(pages), layout.height, layout.width,
        orientation_of(directory), tone.luma_bits, layout.model, layout.words,
        float(np.mean([tone.colored(p) for p in probes])) > COLORED, 1 in meaning or 2 in meaning,
        resolution_of(directory), icc, words, metadata_of(directory), notes,
    )  # fmt: skip
    held = segments.cache(tone.luma_bits // 8) + layout.held_bytes
    return ScanReader(scan, lambda *region: segments.region(tone, *region), file.close, held)


def _tables(directory: Directory, layout: PageLayout) -> bytes | None:
    """What JPEG strips and tiles share: JPEGTables, or all that comes before the data of an old-style one."""
    if layout.compression == 7 and 347 in directory:
        return directory.raw(347)
    if layout.compression == 6 and not has_stream(directory):
        return header_of(directory, layout.tile_height, layout.tile_width, layout.step)
    return None


def _there(directory: Directory, code: int) -> bool:
    entry = directory.entries[code]
    return 0 < entry.size <= MAX_BLOB and entry.position + entry.size <= directory.tiff.size


def pictures(tiff: Tiff) -> list[Directory]:
    """The pages that are pictures of their own, not smaller copies or masks of others.

    Where the chain has only copies, the pictures are in the SubIFDs of its first page (TIFF/EP). A file whose later
    directories are damaged still has its first ones.
    """
    found: list[Directory] = []
    try:
        found.extend(tiff.chain())
    except DamagedSource:
        if not found:
            raise
    if not found:
        raise DamagedSource(tiff.path, f"no page in it; {COPY}")
    whole = [page for page in found if not page.number(254, 0) & REDUCED_OR_MASK and page.number(255, 1) != 2]
    below = found[0].numbers(330) if not whole else None
    for position in [] if below is None else below[:64]:
        page, _ = tiff.directory(int(position))
        if not page.number(254, 0) & REDUCED_OR_MASK:
            whole.append(page)
    return whole or found


def tone_of(directory: Directory, layout: PageLayout, probes: list[np.ndarray]) -> tuple[Tone, str, tuple[str, ...]]:
    """How the page's samples become luma, in words where codes change, and notes."""
    path, words = layout.path, ""
    notes: tuple[str, ...] = ()
    tone = Tone(layout.model, layout.bits, layout.format, white_is_zero=layout.photometric == 0)
    if 262 not in directory:
        notes = (f"it does not say what its samples mean; taken for {layout.model}",)
    if layout.model == "palette":
        colors = directory.numbers(320)
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
    if tone.white_is_zero:
        words = f"{words}, 0 is white" if words else "inverted: 0 is white"
    if layout.model == "CMYK" and directory.number(332, 1) != 1:
        raise UnsupportedSource(path, "inks other than cyan, magenta, yellow and black; convert it to RGB first")
    return tone, words, notes


def _reference(directory: Directory, tone: Tone, notes: tuple[str, ...]) -> tuple[Tone, str, tuple[str, ...]]:
    """YCbCr's Y as stored, or spread where ReferenceBlackWhite says that black and white are not 0 and 255."""
    black, white = 0.0, 255.0
    if 532 in directory and directory.entries[532].count >= 2:
        pairs = directory.array(532).astype(np.float64)
        values = pairs[:2, 0] / np.maximum(pairs[:2, 1], 1) if pairs.ndim == 2 else pairs[:2]
        if 0 <= values[0] < values[1] <= 255:
            black, white = float(values[0]), float(values[1])
    if (black, white) == (0, 255):
        return tone, "", notes
    codes = np.rint(((np.arange(256) - black) / (white - black) * 255).clip(0, 255)).astype(np.uint8)
    return replace(tone, table=codes), f"Y of {black:g} to {white:g} as black to white", notes


def _announced(directory: Directory) -> tuple[float, float] | None:
    """The range that SMinSampleValue and SMaxSampleValue give (TIFF 6.0 section 19)."""
    if 340 not in directory or 341 not in directory:
        return None
    low, high = (np.ravel(directory.array(code)).astype(np.float64) for code in (340, 341))
    if not (low.size and high.size and np.isfinite([low[0], high[0]]).all() and low[0] < high[0]):
        return None
    return float(low[0]), float(high[0])


def _profiled(tone: Tone, words: str, notes: tuple[str, ...], icc: bytes) -> tuple[Tone, str, tuple[str, ...]]:
    try:
        tone, said = with_profile(tone, icc)
    except Exception as error:  # lcms' own: the picture is whole, its profile is not
        return tone, words, (*notes, f"its ICC profile cannot be used ({error}); not applied")
    return tone, ", ".join(filter(None, (words, said))), notes
