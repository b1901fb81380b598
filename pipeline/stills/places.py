"""Where the strips or tiles of a TIFF page are: listed by the file, and all of them within it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tifffile import COMPRESSION

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.metadata.directory import COPY, Directory
from pipeline.metadata.tags import Tag
from pipeline.stills.layout import CODECS, PageLayout
from pipeline.stills.old_jpeg import has_stream
from pipeline.values.words import counted, share

UNBACKED = 1 << 26
"""A strip or tile of more decoded bytes than this must be backed by a plausible number of compressed ones."""
PIECE = 1 << 20
"""Bytes in which uncompressed strips are read."""


def with_segments(page: Directory, layout: PageLayout, max_bytes: int) -> PageLayout:
    """The layout with its segments' bytes, all of which the file has. max_bytes: of a segment when it is decoded."""
    path, size, noun = layout.path, page.tiff.size, "tile" if layout.tiled else "strip"
    name = f"{noun}s"
    rows, columns = layout.grid
    wanted = rows * columns * (layout.samples if layout.planes else 1)
    codes = (
        (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS)
        if layout.tiled and Tag.TILE_OFFSETS in page
        else (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS)
    )
    if layout.compression == COMPRESSION.OJPEG and has_stream(page):
        codes = Tag.JPEG_INTERCHANGE_FORMAT, Tag.JPEG_INTERCHANGE_FORMAT_LENGTH
    offsets = page.numbers(codes[0], size)
    if offsets is None or len(offsets) < wanted:
        found = 0 if offsets is None else len(offsets)
        raise DamagedSource(path, f"its size asks for {counted(wanted, noun)}, of {found} it says where; {COPY}")
    offsets = offsets[:wanted].astype(np.uint64)
    need = layout.segment_bytes(layout.tile_height)
    if layout.compression != COMPRESSION.NONE and layout.held_bytes > max_bytes:
        raise UnsupportedSource(
            path, f"its {name} are {layout.held_bytes} bytes when decoded, more than the {max_bytes} that may be held; "
            "allow more memory, or store it in tiles"
        )  # fmt: skip
    counts = page.numbers(codes[1], size)
    if layout.compression == COMPRESSION.NONE:
        last = layout.height - (rows - 1) * layout.tile_height
        needs = np.full((wanted // columns // rows, rows, columns), need, np.uint64)
        if not layout.tiled:
            needs[:, -1] = layout.segment_bytes(last)
        if layout.planes and layout.subsampling != (1, 1):
            few = layout.plane(1)
            needs[1:] = few.segment_bytes(few.tile_height)
            if not layout.tiled:
                needs[1:, -1] = few.segment_bytes(-(-last // layout.subsampling[1]))
        empty = np.zeros(wanted, bool) if counts is None or len(counts) < wanted else counts[:wanted] == 0
        counts = np.where(empty & (offsets == 0), np.uint64(0), needs.reshape(-1))
    elif counts is None or (wanted == 1 and not counts[0]):
        if wanted > 1:
            raise DamagedSource(path, f"the lengths of its {name} are missing; {COPY}")
        counts = np.array([size]) - offsets if int(offsets[0]) < size else np.ones(1, np.uint64)
    if len(counts) < wanted:
        raise DamagedSource(
            path, f"its size asks for {counted(wanted, noun)}, of {len(counts)} it says how long; {COPY}"
        )
    counts = counts[:wanted].astype(np.uint64)
    if not counts.any():
        raise DamagedSource(path, f"{share(wanted, wanted, noun)} not in the file; {COPY}")
    beyond = (counts > 0) & ((offsets > size) | (counts > size) | (offsets + counts > size))
    if beyond.any():
        raise DamagedSource(
            path, f"the file ends before its picture does: {share(int(beyond.sum()), wanted, noun)} not there; {COPY}"
        )
    thin = (counts > 0) & (need > UNBACKED) & (counts < need // CODECS[layout.compression][1])
    if thin.any():
        raise DamagedSource(
            path, f"{int(counts[thin][0])} bytes cannot be {need} bytes in {CODECS[layout.compression][0]}; {COPY}"
        )
    return replace(layout, offsets=offsets, counts=counts)


def in_pieces(layout: PageLayout, max_bytes: int) -> PageLayout:
    """Uncompressed strips cut into short ones, so that no strip is too long to hold."""
    rows, _ = layout.grid
    plain = layout.compression == COMPRESSION.NONE and not layout.tiled and layout.subsampling == (1, 1)
    target = max(1, PIECE // layout.row_bytes(layout.width))
    if not plain or layout.tile_height <= target:
        if layout.held_bytes > max_bytes:
            raise UnsupportedSource(
                layout.path,
                f"its tiles are longer than the {max_bytes} bytes that may be held; store it in smaller ones",
            )
        return layout
    # all pieces but a plane's last must be equally high
    height = target if rows == 1 else max(n for n in range(1, target + 1) if layout.tile_height % n == 0)
    line = layout.row_bytes(layout.width)
    tops = np.arange(0, layout.height, height)
    strip, inside = np.divmod(tops, layout.tile_height)
    highs = np.minimum(height, layout.height - tops)
    offsets = layout.offsets.reshape(-1, rows)[:, strip] + (inside * line).astype(np.uint64)
    there = layout.counts.reshape(-1, rows)[:, strip] > 0
    counts = np.where(there, (highs * line).astype(np.uint64), np.uint64(0))
    return replace(layout, tile_height=height, offsets=offsets.reshape(-1), counts=counts.reshape(-1))
