"""Colored scans as TIFF files, written row by row in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
from tifffile import DATATYPE

from colorizer.basis.atomic import publish, scratch_of
from pipeline.metadata.icc import srgb_profile
from pipeline.metadata.tags import Tag
from pipeline.pages.page import Page, described, resolution_entries
from pipeline.pages.pyramid import RowBuffer, halved, levels
from pipeline.pages.tiff_file import TiffFile
from pipeline.pages.tiff_tags import TagTable, longs, shorts, tag_value
from pipeline.pages.tile_codec import Grid, codec_for
from pipeline.storage.atomic import writable
from pipeline.values.loss import Loss


class _Level:
    """One size of the page that is being written: its tiles so far, and the rows of the next ones."""

    def __init__(self, grid: Grid, bits: int) -> None:
        self.grid = grid
        self.directory = grid.directory(bits)
        self.dtype = np.dtype(f"u{bits // 8}")
        self.bands = RowBuffer(grid.height, grid.width, self.dtype, grid.tile_height)


class ScanWriter:
    """Takes the rows of one page after another, in order, and leaves a whole TIFF file or none.

        with ScanWriter(Path("plate.tif"), Page(height, width, 16), pyramid=True) as writer:
            for band in bands:                  # (n, width, 3) of uint16, any n
                writer.write(band)
        print(writer.lost)                      # what of the source's metadata could not be carried

    The file is tiled RGB with an sRGB profile; a BigTIFF if and only if it is longer than 4 GiB. Levels of a pyramid
    are half the one before in 2x2 means, down to 512 pixels. chained: they are pages behind theirs, marked as reduced
    (TIFF 6.0, NewSubfileType); else SubIFDs of it (TIFF Technical Note 1).
    scratch: where it grows, in the folder of `path`; a job that may be killed gives one that its next run uses again.

    Memory: a row of tiles of the page, tile x width x 3 samples, of which a pyramid makes less than two; about four
    tiles for each thread; 16 bytes for each tile in the file. The height does not matter. A page 60,000 pixels wide of
    16 bits takes 184 MB in tiles of 512, with pyramid 369 MB, and half of that in tiles of 256.

    Raises EncodeError for a compression that cannot store the page's samples, StorageError when the file cannot be
    written, ValueError when the rows are not the page's. The same rows make the same bytes.
    """

    def __init__(
        self,
        path: Path,
        page: Page,
        *,
        compression: str = "deflate",
        pyramid: bool = False,
        chained: bool = False,
        tile: int = 512,
        threads: int | None = None,
        scratch: Path | None = None,
    ) -> None:
        if tile < 16 or tile % 16:
            raise ValueError(f"tiles of {tile} pixels: TIFF wants a multiple of 16")
        self.path = path
        self.lost: list[Loss] = []
        self._compression, self._pyramid, self._tile, self._chained = compression, pyramid, tile, chained
        self._threads = threads or min(8, os.cpu_count() or 1)
        self._scratch = scratch or scratch_of(path)
        self._pages: list[list[TagTable]] = []  # each with what is chained behind it
        self._begin(page)

    def __enter__(self) -> ScanWriter:
        with writable(self.path):
            self._file = TiffFile(self._scratch)
        self._pool = ThreadPoolExecutor(self._threads, "tiles")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._check_whole()
                with writable(self.path):
                    self._file.finish([directory for page in self._pages for directory in page])
                    publish(self._scratch, self.path)
        finally:
            self._pool.shutdown(cancel_futures=True)
            self._file.abandon()
            with suppress(OSError):  # what went wrong before is what a person should read
                self._scratch.unlink(missing_ok=True)

    def write(self, rows: np.ndarray) -> None:
        """Take the next rows of the page: (n, width, 3) of uint8 or uint16 as its bits say, n as you like."""
        level = self._levels[0]
        wanted = (level.grid.width, 3)
        if rows.ndim != 3 or rows.shape[1:] != wanted or rows.dtype != level.dtype or len(rows) > level.bands.left:
            raise ValueError(
                f"rows of {rows.dtype} {rows.shape} where {level.dtype} (up to {level.bands.left}, {wanted[0]}, 3) go"
            )
        with writable(self.path):
            self._feed(0, rows)

    def write_tiles(self, tiles: Sequence[bytes], half: np.ndarray | None) -> None:
        """Take the next row of tiles as `TileCodec.encode` made them; of a pyramid, also the same rows at half size.

        A file is written either by rows or by tiles.
        """
        level = self._levels[0]
        if len(tiles) != level.grid.columns or not level.bands.left or (half is None) is (len(self._levels) > 1):
            raise ValueError(f"{len(tiles)} tiles where a row of {level.grid.columns} and its half size go")
        level.bands.skip(level.grid.tile_height)
        with writable(self.path):
            self._append(level, tiles)
            if half is not None:
                self._feed(1, half)

    def append(self, page: Page) -> None:
        """Begin the next page; the one before must be whole."""
        self._check_whole()
        self._begin(page)

    def _begin(self, page: Page) -> None:
        self._codec = codec_for(self.path, self._compression, page.bits)
        sizes = levels(page.height, page.width, pyramid=self._pyramid)
        self._levels = [_Level(Grid.of(h, w, self._tile), page.bits) for h, w in sizes]
        description = described(page)
        self.lost += [replace(loss, page=len(self._pages) + 1) for loss in description.lost]
        for depth, level in enumerate(self._levels):
            level.directory.entries |= {
                Tag.NEW_SUBFILE_TYPE: longs(int(depth > 0)),
                Tag.ORIENTATION: shorts(page.orientation),
            }
            level.directory.entries |= self._codec.entries() | resolution_entries(page.resolution, depth, [])
        full = self._levels[0].directory
        blocks = (
            (Tag.XMP, DATATYPE.BYTE, description.xmp),
            (Tag.IPTC, DATATYPE.UNDEFINED, description.iptc),
            (Tag.PHOTOSHOP, DATATYPE.UNDEFINED, description.photoshop),
        )
        full.entries |= description.directory.entries | {Tag.ICC_PROFILE: tag_value(DATATYPE.UNDEFINED, srgb_profile())}
        full.entries |= {code: tag_value(kind, block) for code, kind, block in blocks if block}
        full.below |= description.directory.below
        reduced = [level.directory for level in self._levels[1:]]
        if reduced and not self._chained:
            full.below[Tag.SUB_IFDS] = reduced
        self._pages.append([full, *(reduced if self._chained else [])])

    def _check_whole(self) -> None:
        level = self._levels[0]
        if level.bands.left:
            raise ValueError(f"page {len(self._pages)} lacks {level.bands.left} of its {level.grid.height} rows")

    def _feed(self, number: int, rows: np.ndarray) -> None:
        level = self._levels[number]
        for band in level.bands.add(rows):
            self._store(level, band)
            if number + 1 < len(self._levels):
                for half in halved(band):
                    self._feed(number + 1, half)

    def _store(self, level: _Level, band: np.ndarray) -> None:
        """Compress a row of tiles, two at a time for each thread, and append them from left to right."""
        codec, grid = self._codec, level.grid
        for start in range(0, grid.columns, 2 * self._threads):
            columns = range(start, min(start + 2 * self._threads, grid.columns))
            self._append(level, self._pool.map(lambda column: codec.encode(grid.cut(band, column)), columns))

    def _append(self, level: _Level, tiles: Iterable[bytes]) -> None:
        offsets = level.directory.offsets
        for data in tiles:
            offsets[Tag.TILE_OFFSETS].append(self._file.append(data))
            offsets[Tag.TILE_BYTE_COUNTS].append(len(data))
