"""What a worker does with a band: read, color, compress. Its blocks are what the join copies into the output.

A TIFF's band is its tiles, row by row; of a pyramid's, each row of tiles is followed by the same rows at half size.
Other formats, which are encoded in one piece, get their rows back as they were painted.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from colorizer.basis.errors import SourceError
from colorizer.basis.light import MATRICES, luma_light
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.plate import color_native, color_rows
from pipeline.pages.pyramid import RowBuffer, halved
from pipeline.pages.still_formats import STILL_FORMATS
from pipeline.pages.tile_codec import Grid, codec_for, pack_rows
from pipeline.scans.plan import Band
from pipeline.scans.survey import rows_of
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import ScanReader
from pipeline.storage.atomic import stamp
from pipeline.storage.job_folder import piece_name
from pipeline.storage.ledger import Receipt
from pipeline.storage.piece_file import piece_file
from pipeline.values.units import Report

PORTION = 1 << 18
"""Pixels colored at a time: their numbers stay in the processor's cache (37 megapixels a second; 9 with four times as
many)."""
NATIVE_ROWS = 512
"""Rows painted at a time at native size: fewer would waste more on halos."""


class BandPainter:
    """Paints bands of one job: keeps the weights and the open scan between them."""

    def __init__(self, colorizer: Colorizer, job: Path, limits: dict[str, int]) -> None:
        """limits: `open_scan`'s."""
        self.colorizer, self.job, self.limits = colorizer, job, limits
        self._open: tuple[Any, ...] | None = None
        self._reader: ScanReader | None = None
        self._at_once = max(1, min(8, torch.get_num_threads()))
        self._threads = ThreadPoolExecutor(self._at_once, "blocks")

    def paint(self, band: Band, attempt: int, report: Report = lambda _: None) -> Receipt:
        """Read, color and compress a band; its blocks are published under a name that carries the attempt."""
        self.colorizer.notes.clear()
        name, sizes, chroma = piece_name(band.id, attempt, "blocks"), [], 0.0
        with closing(self._painted(band)) as painted, piece_file(self.job, name) as file:  # type: ignore[type-var]
            for rows in painted:
                for block in self._blocks(rows, band):
                    file.write(block)
                    sizes.append((len(block),))
                chroma += colored(rows) * len(rows)
                report(len(rows))
        notes = tuple(sorted(self.colorizer.notes))
        return Receipt(
            band.id, attempt, name, file.size, file.sha256, "", round(chroma / (band.bottom - band.top), 3),
            tuple(sizes), notes,
        )  # fmt: skip

    def _painted(self, band: Band) -> Iterator[np.ndarray]:
        """Rows of tiles, (n, W, 3) of the output's depth; a view that the next one overwrites."""
        reader, tile = self._reader_of(band), band.settings.tile
        now, then = ((of.height, of.width) for of in (reader.scan, band.plate))
        if now != then:
            raise SourceError(
                band.path,
                f"is {now[0]} x {now[1]} now, the survey saw {then[0]} x {then[1]}; run again to survey it anew",
            )
        if band.settings.working_size:
            gathered = RowBuffer(band.bottom - band.top, band.plate.width, np.dtype(f"u{band.out_bits // 8}"), tile)
            for portion in self._from_lines(reader, band):
                yield from gathered.add(_fitted(portion, band))
            return
        step = max(tile, NATIVE_ROWS // tile * tile)
        for top in range(band.top, band.bottom, step):
            rgb = color_native(self.colorizer, band.plate, reader.read, top, min(band.bottom, top + step))
            for start in range(0, len(rgb), tile):
                yield _fitted(rgb[start : start + tile], band)

    def _from_lines(self, reader: ScanReader, band: Band) -> Iterator[np.ndarray]:
        step = max(1, PORTION // band.plate.width)
        at = band.top
        with closing(rows_of(reader, band.top, band.bottom)) as portions:  # type: ignore[type-var]
            for portion in portions:
                for start in range(0, len(portion), step):
                    luma = portion[start : start + step]
                    yield color_rows(self.colorizer, band.plate, luma, at)
                    at += len(luma)

    def _blocks(self, rows: np.ndarray, band: Band) -> Iterator[bytes]:
        settings = band.settings
        if not STILL_FORMATS[settings.format].by_region:
            yield pack_rows(rows)
            return
        codec = codec_for(band.path, settings.compression, band.out_bits)
        grid = Grid.of(band.plate.height, band.plate.width, settings.tile)
        most = 2 * self._at_once
        for start in range(0, grid.columns, most):  # so many at a time, or all of them would be held
            columns = range(start, min(start + most, grid.columns))
            yield from self._threads.map(lambda column: codec.encode(grid.cut(rows, column)), columns)
        if band.halved:
            yield pack_rows(np.concatenate(list(halved(rows))))

    def _reader_of(self, band: Band) -> ScanReader:
        inverted = band.settings.invert
        wanted = band.path, band.page, inverted, stamp(Path(band.path))  # another file may have the name by now
        if self._reader is None or self._open != wanted:
            self._close_reader()
            self._reader = open_scan(band.path, band.page, **self.limits, inverted=inverted)
            self._open = wanted
        return self._reader

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def close(self) -> None:
        """Release the scan."""
        self._close_reader()
        self._threads.shutdown()


def _fitted(rows: np.ndarray, band: Band) -> np.ndarray:
    """Rows in the output's depth: 16 bits become 8 where the format has no more."""
    if rows.itemsize * 8 == band.out_bits:
        return rows
    return ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8)


def colored(rows: np.ndarray) -> float:
    """Mean distance of chroma from neutral of some of the pixels of R'G'B' rows, in 8-bit codes, as of reels."""
    some = rows[::16, ::16].astype(np.float64) / (1 if rows.itemsize == 1 else 257)
    y, (kr, kb) = luma_light(some), MATRICES["bt601"]
    cb, cr = (some[..., 2] - y) / (2 - 2 * kb), (some[..., 0] - y) / (2 - 2 * kr)
    return float((np.abs(cb) + np.abs(cr)).mean())
