"""Join: the blocks of all bands become one file, with what the source says about itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from colorizer.basis.atomic import scratch_of
from colorizer.basis.errors import JoinError
from pipeline.metadata.xmp import ai_mark
from pipeline.pages.page import Page
from pipeline.pages.pyramid import levels
from pipeline.pages.still_formats import STILL_FORMATS
from pipeline.pages.stills import write_still
from pipeline.pages.tile_codec import Grid, unpack_rows
from pipeline.pages.writer import ScanWriter
from pipeline.scans.plan import Band, PagePlan, ScanPlan
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import ScanPage
from pipeline.storage.atomic import sha256
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.values.loss import Loss


def join_scan(
    plan: ScanPlan, receipts: list[Receipt], ledger: Ledger, scratch: Path, limits: dict[str, int]
) -> list[Loss]:  # fmt: skip
    """Write the whole output to `scratch`; what of the source's metadata could not be carried, by name.

    receipts: one for each of the plan's bands, in order. limits: `open_scan`'s. Receipts whose blocks are damaged are
    taken out of the ledger, so that the next run paints them. Raises JoinError, EncodeError, StorageError.
    """
    blocks = _Blocks(plan.units(), receipts, ledger)
    described = (page_of(_facts(plan.path, page.number, limits), page, plan) for page in plan.pages)
    if not STILL_FORMATS[plan.settings.format].by_region:
        [page] = plan.pages
        out = np.empty((page.plate.height, page.plate.width, 3), f"u{page.out_bits // 8}")
        at = 0
        for band, [block] in blocks.rows(page, 1):
            height = min(plan.settings.tile, band.bottom - at)
            out[at : at + height] = unpack_rows(block, height, page.plate.width, page.out_bits)
            at += height
        return write_still(scratch, out, next(described), scratch_of(scratch, ""))
    settings = plan.settings
    growing = scratch_of(scratch, "")
    first = next(described)
    with ScanWriter(
        scratch, first, compression=settings.compression, pyramid=bool(settings.pyramid),
        chained=settings.pyramid == "pages", tile=settings.tile, scratch=growing,
    ) as writer:  # fmt: skip
        for number, page in enumerate(plan.pages):
            if number:
                writer.append(next(described))
            height, width, at = page.plate.height, page.plate.width, 0
            columns = Grid.of(height, width, settings.tile).columns
            halved = len(levels(height, width, pyramid=bool(settings.pyramid))) > 1
            for _, row in blocks.rows(page, columns + halved):
                rows = min(settings.tile, height - at)
                half = unpack_rows(row[-1], -(-rows // 2), -(-width // 2), page.out_bits) if halved else None
                writer.write_tiles(row[:columns], half)
                at += rows
    return writer.lost


def page_of(scan: ScanPage, page: PagePlan, plan: ScanPlan) -> Page:
    """What an output's page says, from the source's facts and the plan."""
    return Page(
        scan.height, scan.width, page.out_bits, scan.orientation, scan.resolution, scan.metadata, mark_of(plan)
    )  # fmt: skip


def mark_of(plan: ScanPlan) -> dict[str, str]:
    """What is set in the output's XMP: that a model made the colors, and which."""
    version = f"{metadata.version('chromatheque')}, weights {plan.settings.weights_digest[:16]}"
    return ai_mark("chromatheque", version)


def _facts(path: str, number: int, limits: dict[str, int]) -> ScanPage:
    with open_scan(path, number, **limits, inverted=False) as reader:
        return reader.scan


class _Blocks:
    """The bands' files, read in order and held against their receipts."""

    def __init__(self, bands: tuple[Band, ...], receipts: list[Receipt], ledger: Ledger) -> None:
        self.todo: dict[int, list[tuple[Band, Receipt]]] = defaultdict(list)
        for band, receipt in zip(bands, receipts, strict=True):
            self.todo[band.page].append((band, receipt))
        self.ledger = ledger

    def rows(self, page: PagePlan, count: int) -> Iterator[tuple[Band, list[bytes]]]:
        """The blocks of a page, `count` at a time."""
        for band, receipt in self.todo[page.number]:
            path = self.ledger.job / receipt.file
            if sha256(path) != receipt.sha256:  # before a codec sees them
                self.ledger.forget(receipt.unit)
                raise JoinError(
                    f"{path}: blocks damaged since they were written; run the same command again, it paints them anew"
                )
            with path.open("rb") as file:
                for start in range(0, len(receipt.pieces), count):
                    yield band, [file.read(size) for (size,) in receipt.pieces[start : start + count]]
