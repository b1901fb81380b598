"""Regions of a TIFF page: only the strips and tiles that a region touches are read and decoded."""

from __future__ import annotations

from collections import OrderedDict
from typing import BinaryIO

import numpy as np

from colorizer.basis.errors import ColorizeError, DamagedSource, UnsupportedSource
from pipeline.metadata.directory import COPY
from pipeline.stills.decoding import segment
from pipeline.stills.layout import CODECS, TOO_LITTLE_MEMORY, PageLayout
from pipeline.stills.tones import Tone, thinned

CACHE = 1 << 27
"""Bytes of decoded luma that are kept for the next region, or as many as two rows of segments have where that is more:
with less than a row, a picture read from top to bottom would be decoded once for every few lines."""
SLACK = 1 << 20
"""Bytes that a strip or tile may have beyond that: JPEG markers, padding."""
PROBES = 25
"""Segments, spread over the picture, that are looked at to learn a float's range or whether there is color."""


class Segments:
    """The strips or tiles of one page."""

    def __init__(self, file: BinaryIO, layout: PageLayout, tables: bytes | None) -> None:
        self.file, self.layout, self.tables = file, layout, tables
        self._kept: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
        self._bytes = 0

    def cache(self, size: int) -> int:
        """Bytes of luma that are kept at most. size: of a luma code."""
        layout = self.layout
        row = layout.tile_height * layout.grid[1] * layout.tile_width * size
        return max(CACHE, row + row * (layout.grid[1] > 1))

    def samples(self, row: int, column: int, channels: int) -> np.ndarray:
        """A segment's first `channels` samples as stored, (rows, columns, n), cut to the picture."""
        layout = self.layout
        if not layout.planes:
            return self._decoded(row, column, 0)[..., :channels]
        return np.concatenate([self._decoded(row, column, plane) for plane in range(channels)], axis=2)

    def _decoded(self, row: int, column: int, plane: int) -> np.ndarray:
        layout = self.layout
        down, across = layout.grid
        index = (plane * down + row) * across + column
        rows = min(layout.tile_height, layout.height - row * layout.tile_height)
        columns = min(layout.tile_width, layout.width - column * layout.tile_width)
        count = int(layout.counts[index])
        if not count:
            return np.zeros((rows, columns, layout.step), _stored_type(layout))
        name = f"{'tile' if layout.tiled else 'strip'} {index + 1} of {len(layout.counts)}"
        try:
            self.file.seek(int(layout.offsets[index]))
            # no codec makes its data twice as long, so what goes beyond is not the segment's
            most = min(count, 2 * layout.segment_bytes(layout.tile_height) + SLACK)
            data = self.file.read(most)
            if not layout.planes or layout.subsampling == (1, 1):
                return segment(data, layout, rows, columns, self.tables, name)
            across, down = layout.subsampling if plane else (1, 1)
            few = segment(data, layout.plane(plane), -(-rows // down), -(-columns // across), self.tables, name)
            return few.repeat(down, 0).repeat(across, 1)[:rows, :columns]
        except (ColorizeError, OSError):
            raise
        except MemoryError as error:
            raise UnsupportedSource(layout.path, TOO_LITTLE_MEMORY) from error
        except Exception as error:  # every codec has errors of its own; all mean that the bytes are no picture
            what = str(error) or type(error).__name__
            raise DamagedSource(
                layout.path,
                f"{name} cannot be decoded ({CODECS[layout.compression][0]}: {what}); {COPY}",
            ) from error

    def whole(self, channels: int) -> np.ndarray:
        """The first `channels` samples of all pixels as stored, (height, width, n)."""
        layout = self.layout
        down, across = layout.grid
        out: np.ndarray | None = None
        for row in range(down):
            for column in range(across):
                part = self.samples(row, column, channels)
                if out is None:
                    out = np.empty((layout.height, layout.width, part.shape[2]), part.dtype)
                y, x = row * layout.tile_height, column * layout.tile_width
                out[y : y + part.shape[0], x : x + part.shape[1]] = part
        assert out is not None, "a page has a segment"
        return out

    def probes(self, channels: int) -> list[np.ndarray]:
        """A few samples each of a few segments, both spread evenly."""
        down, across = self.layout.grid
        total = down * across
        chosen = sorted({int(i) for i in np.linspace(0, total - 1, min(PROBES, total))})
        return [thinned(self.samples(*divmod(i, across), channels)) for i in chosen]

    def luma(self, row: int, column: int, tone: Tone) -> np.ndarray:
        """A segment's luma codes, from the cache if they are there."""
        key = row, column
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = tone.luma(self.samples(row, column, tone.channels))
        self._kept[key] = found
        self._bytes += found.nbytes
        while self._bytes > self.cache(found.itemsize) and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def region(self, tone: Tone, top: int, left: int, height: int, width: int) -> np.ndarray:
        """Luma codes of a region that lies within the picture."""
        high, wide = self.layout.tile_height, self.layout.tile_width
        out = np.empty((height, width), np.uint8 if tone.luma_bits == 8 else np.uint16)
        for row in range(top // high, (top + height - 1) // high + 1):
            for column in range(left // wide, (left + width - 1) // wide + 1):
                y, x = row * high, column * wide
                luma = self.luma(row, column, tone)
                y0, y1 = max(top, y), min(top + height, y + luma.shape[0])
                x0, x1 = max(left, x), min(left + width, x + luma.shape[1])
                out[y0 - top : y1 - top, x0 - left : x1 - left] = luma[y0 - y : y1 - y, x0 - x : x1 - x]
        return out


def _stored_type(layout: PageLayout) -> np.dtype:
    if layout.model.startswith("Log"):
        return np.dtype(np.uint16)
    size = next(n for n in (8, 16, 32, 64) if layout.bits <= n)
    return np.dtype({"uint": "u", "int": "i", "float": "f"}[layout.format] + str(size // 8))
