"""`chromatheque scan`: a still in, a colored still out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.values.choices import COMPRESSIONS
from pipeline.values.words import counted
from workflows.terminal.arguments import OneFile, check_scan
from workflows.terminal.loading import loading
from workflows.terminal.options import (
    INVERT,
    OVERWRITE,
    PRECISION,
    PROGRESS,
    PYRAMID,
    RAY,
    SHEET,
    WEIGHTS,
    WORKERS,
    Bytes,
    Local,
    Named,
    WithPyramid,
    WorkingSize,
    check_workers,
)

if TYPE_CHECKING:
    from pipeline.scans.plan import ScanPlan


class OneScan(OneFile, WithPyramid):
    """A command for one file that may get a pyramid."""


@click.command(cls=OneScan)
@click.argument("source", metavar="IN", type=Local())
@click.argument("out", metavar="OUT", type=Local(dir_okay=False, path_type=Path))
@WEIGHTS
@click.option(
    "--working-size", type=WorkingSize(),
    help="Shorter side at which the network sees the picture; native paints every pixel, tile by tile. [192]",
)  # fmt: skip
@PRECISION
@click.option(
    "--compression", type=click.Choice(COMPRESSIONS), default="deflate",
    show_default=True, help="Of a TIFF output. zstd is quickest, not every viewer knows it; jpeg is lossy, for 8 bits.",
)  # fmt: skip
@click.option("--tile", type=click.IntRange(16, 4096), help="Side of a TIFF output's tiles [512, less if memory asks].")
@PYRAMID
@INVERT
@click.option("--page", type=click.IntRange(0), help="Only this page of a TIFF, counted from 0 [all].")
@click.option("--memory", type=Bytes(), default="2G", show_default=True, help="Memory limit.")
@click.option(
    "--max-pixels", type=click.IntRange(1), default=8_000_000_000, show_default=True,
    help="Refuse pictures that say they are larger.",
)  # fmt: skip
@RAY
@WORKERS
@click.option("--job", type=Named(file_okay=False, path_type=Path), help="Keep plan and bands here [OUT.job, removed].")
@OVERWRITE
@SHEET
@PROGRESS
def scan(
    source: str, out: Path, working_size: int | None, tile: int | None, page: int | None, ray: str, workers: int,
    job: Path | None, sheet: bool | None, progress: str, **rest: Any,
) -> None:  # fmt: skip
    """Color the scan IN and write OUT.

    IN is a TIFF of any size and kind (all its pages), or a PNG, JPEG or other picture file; what is in it decides, not
    its name. OUT's suffix picks the format: .tif tiled TIFF (16 bits if the source has more than 8), .png, .jpg.
    Luminance, resolution, orientation and what the source says about the object are kept; OUT.json tells everything.
    Stop it at any time; run it again to continue.

    Example: chromatheque scan plate-0042.tif plate-0042-color.tif --pyramid
    """
    check_workers(workers, ray)
    if tile is not None and tile % 16:
        raise click.UsageError(f"--tile {tile}: TIFF wants a multiple of 16")
    check_scan(source, out)
    with loading(progress):
        from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
        from pipeline.jobs.scan_job import ScanChoices, ScanJob
        from workflows.terminal.single import color
    size = DEFAULT_WORKING_SIZE if working_size is None else working_size
    choices = ScanChoices(
        working_size=size, tile=tile or 0, page=-1 if page is None else page, ray=ray, workers=workers, **rest
    )
    color(source, lambda listener: ScanJob(source, out, choices, job, listener), progress, _summary)
    from workflows.sheets.sheet import leave_sheet  # not before the work begins: it brings the report's readers

    leave_sheet(out, sheet, progress == "json")


def _summary(plan: ScanPlan) -> str:
    """What was colored, in words."""
    pages = [page.plate for page in plan.pages]
    return f"{pages[0].width} x {pages[0].height}" if len(pages) == 1 else f"{counted(len(pages), 'page')}"
