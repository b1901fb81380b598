"""Survey of a scan: one pass over the rows of each page, which decides its colors and notes a digest of its luma."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from colorizer.painting.colorizer import Colorizer
from colorizer.painting.plate import BATCH, Plate, Preview, is_small, plate_lines, plate_look, plate_whole
from colorizer.painting.polarity import looks_negative
from colorizer.painting.scenes import likely
from pipeline.metadata.metadata import Resolution
from pipeline.pages.still_formats import STILL_FORMATS
from pipeline.scans.plan import PagePlan, ScanSettings, band_rows
from pipeline.scans.stack import Look
from pipeline.spread.ahead import ahead
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import ScanPage, ScanReader

CHUNK_PIXELS = 1 << 20
"""Pixels that are read at a time."""


def rows_of(reader: ScanReader, top: int, bottom: int, chunk: int = CHUNK_PIXELS) -> Iterator[np.ndarray]:
    """Rows [top, bottom) of a scan's luma codes in portions of about `chunk` pixels, read in a thread of their own."""
    width = reader.scan.width
    step = max(1, chunk // width)
    return ahead((reader.read(y, 0, min(step, bottom - y), width) for y in range(top, bottom, step)), 2)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one pass over a page's rows found. tone, rows, luma, digests: as PagePlan's."""

    scan: ScanPage
    preview: Preview = field(repr=False)
    tone: str
    rows: int
    luma: str
    digests: tuple[str, ...] = field(repr=False)

    @property
    def codes(self) -> np.ndarray:
        """Its luma averaged down, uint8 (h, w)."""
        codes: np.ndarray = (self.preview.luma()[0, 0].numpy() * 255).round().astype(np.uint8)
        return codes

    def own_look(self, colorizer: Colorizer) -> Look:
        """What the network makes of it as a whole."""
        orientation = self.scan.orientation
        negative = looks_negative(plate_whole(colorizer, self.preview, orientation)[None])
        return Look(*plate_look(colorizer, self.preview, orientation), negative=negative)

    def like(self, other: Seen) -> bool:
        """Whether two pages may be painted together."""
        mine, theirs = ((s.height, s.width, s.orientation, aspect_of(s.resolution)) for s in (self.scan, other.scan))
        return mine == theirs


def see_page(reader: ScanReader, settings: ScanSettings, report: Callable[[int], None] = lambda _: None) -> Seen:
    """Read a page once. report: told how many rows were read."""
    scan = reader.scan
    rows = band_rows(scan.height, scan.width, settings.tile, not settings.working_size)
    preview, whole, digests = Preview(scan.height, scan.width, scan.bits), hashlib.md5(usedforsecurity=False), []
    for top in range(0, scan.height, rows):
        band = hashlib.md5(usedforsecurity=False)
        done = top
        with closing(rows_of(reader, top, min(scan.height, top + rows))) as portions:  # type: ignore[type-var]
            for portion in portions:
                preview.add(portion)
                data = np.ascontiguousarray(portion, portion.dtype.newbyteorder("<")).data
                band.update(data)
                whole.update(data)
                done += len(portion)
                report(done)
        digests.append(band.hexdigest())
    return Seen(scan, preview, _tone(reader), rows, whole.hexdigest(), tuple(digests))


def plan_pages(
    pages: Iterable[tuple[Seen, Look]], settings: ScanSettings, colorizer: Colorizer
) -> Iterator[PagePlan]:  # fmt: skip
    """Plans of pages, each with its look, in order. Small ones that follow on one another are painted together."""
    held: list[tuple[Seen, Look]] = []
    for seen, look in pages:
        if held and (len(held) == BATCH or not seen.like(held[0][0])):
            yield from _planned(held, settings, colorizer)
            held = []
        held.append((seen, look))
        if not is_small(settings.working_size, seen.scan.height, seen.scan.width):
            yield from _planned(held, settings, colorizer)
            held = []
    if held:
        yield from _planned(held, settings, colorizer)


def _planned(held: list[tuple[Seen, Look]], settings: ScanSettings, colorizer: Colorizer) -> Iterator[PagePlan]:
    first = held[0][0].scan
    lines = plate_lines(
        colorizer, [seen.preview for seen, _ in held], settings.working_size, first.orientation,
        aspect_of(first.resolution), [look.look for _, look in held],
    )  # fmt: skip
    for (seen, look), mine in zip(held, lines, strict=True):
        scan = seen.scan
        plate = Plate(scan.height, scan.width, scan.bits, look.look, look.scene, mine)
        scenes = likely(plate.scene, colorizer.weights.classes, 4)
        bits = STILL_FORMATS[settings.format].bits_for(scan.bits)
        yield PagePlan(
            scan.page, scan.bits, bits, scan.orientation, scan.stored, seen.tone, scan.color, scan.alpha, scan.notes,
            scenes, seen.rows, seen.luma, seen.digests, plate, look.sources,
            looks_negative=look.negative,
        )  # fmt: skip


def _tone(reader: ScanReader) -> str:
    """How the samples became luma, in words."""
    return ", ".join(filter(None, (reader.scan.tone, "turned around as a negative" * reader.inverted)))


def picture_look(path: str | Path, colorizer: Colorizer) -> np.ndarray:
    """The look of a picture: what the network makes of its luminance as a whole. float32 (256·width,).

    path: of anything that can be a scan; of several pages the first. Raises SourceError.
    """
    with open_scan(path) as reader:
        scan = reader.scan
        preview = Preview(scan.height, scan.width, scan.bits)
        with closing(rows_of(reader, 0, scan.height)) as portions:  # type: ignore[type-var]
            for portion in portions:
                preview.add(portion)
    return plate_look(colorizer, preview, scan.orientation)[0]


def aspect_of(resolution: Resolution | None) -> float:
    """Width of a stored pixel over its height: some scanners step otherwise than they sample."""
    if resolution is None:
        return 1.0
    across, down = resolution[:2]
    ratio = float(down / across)
    return ratio if 0.25 <= ratio <= 4 else 1.0
