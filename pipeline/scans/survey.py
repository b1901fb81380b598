"""Survey of a scan: one pass over the rows of each page, which decides its colors and notes a digest of its luma."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from colorizer.painting.colorizer import Colorizer
from colorizer.painting.plate import Preview, plate_look, survey_plate
from pipeline.metadata.metadata import Resolution
from pipeline.pages.still_formats import STILL_FORMATS
from pipeline.scans.plan import PagePlan, ScanSettings, band_rows
from pipeline.spread.ahead import ahead
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import ScanReader

CHUNK_PIXELS = 1 << 20
"""Pixels that are read at a time."""
SCENES = 3


def rows_of(reader: ScanReader, top: int, bottom: int, chunk: int = CHUNK_PIXELS) -> Iterator[np.ndarray]:
    """Rows [top, bottom) of a scan's luma codes in portions of about `chunk` pixels, read in a thread of their own."""
    width = reader.scan.width
    step = max(1, chunk // width)
    return ahead((reader.read(y, 0, min(step, bottom - y), width) for y in range(top, bottom, step)), 2)


def survey_page(
    reader: ScanReader, settings: ScanSettings, colorizer: Colorizer, report: Callable[[int], None] = lambda _: None,
    look: np.ndarray | None = None,
) -> PagePlan:  # fmt: skip
    """Read a page once and plan it. report: told how many rows were read. look: another one than its own."""
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
    plate = survey_plate(colorizer, preview, settings.working_size, scan.orientation, aspect_of(scan.resolution), look)
    classes = colorizer.weights.classes
    likely = np.argsort(-plate.scene, kind="stable")[:SCENES]
    scenes = tuple((classes[i], round(float(plate.scene[i]), 4)) for i in likely) if classes else ()
    bits = STILL_FORMATS[settings.format].bits_for(scan.bits)
    return PagePlan(
        scan.page, scan.bits, bits, scan.orientation, scan.stored, _tone(reader), scan.color, scan.alpha, scan.notes,
        scenes, rows, whole.hexdigest(), tuple(digests), plate,
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
