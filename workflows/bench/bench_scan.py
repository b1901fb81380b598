"""`chromatheque bench scan`: what a scan takes, by size."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from pipeline.values.choices import number
from workflows.bench.bench_sources import TILE, write_plate
from workflows.bench.measured import measured
from workflows.terminal.loading import saying
from workflows.terminal.options import FOLDER, WEIGHTS, Bytes, WorkingSize

BYTES_PER_PIXEL = 12
"""Disk for source, bands and output of 16 bits at the same time, at the worst; the synthetic plates take about half."""


@dataclass(frozen=True, slots=True)
class Run:
    """One size. seconds: wall time of the whole command; processor: of all its threads, which other work on the machine
    hardly changes; peak: bytes of resident memory, at most.
    """

    side: int
    megapixels: float
    seconds: float
    processor: float
    megapixels_per_second: float
    peak: int
    source_bytes: int
    output_bytes: int


@click.command()
@click.option(
    "--gigapixels", default="0.1,0.4", show_default=True, help="Sizes of the square 16-bit plates, with commas."
)
@WEIGHTS
@click.option("--working-size", type=WorkingSize(), default=192, show_default=True, help="As of the scan command.")
@click.option("--memory", type=Bytes(), default="2G", show_default=True, help="As of the scan command.")
@click.option("--pyramid/--no-pyramid", default=True, show_default=True, help="As of the scan command.")
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def scan(
    gigapixels: str, weights: str, working_size: int, memory: int, pyramid: bool, folder: Path | None, as_json: bool
) -> None:
    """Color synthetic plates of several sizes, each in a process of its own.

    Example: chromatheque bench scan --gigapixels 0.1,0.4,1.6
    """
    try:
        sides = [round(math.sqrt(number(size) * 10**9) / TILE) * TILE for size in gigapixels.split(",")]
    except ValueError as error:
        raise click.UsageError(
            f"--gigapixels {gigapixels}: write sizes above 0 with commas, such as 0.1,0.4"
        ) from error
    if not all(0 < side <= 120_000 for side in sides):
        raise click.UsageError(f"--gigapixels {gigapixels}: sizes are from 0.001 to 14")
    home = folder or Path(tempfile.gettempdir())
    free, need = shutil.disk_usage(home).free, max(sides) ** 2 * BYTES_PER_PIXEL
    if need > free:
        raise click.UsageError(
            f"{home} has {free / 1e9:.0f} GB free, and {max(sides)} pixels squared may take {need / 1e9:.0f}; "
            "name another --folder, or smaller plates"
        )
    how = ["--weights", weights, "--working-size", str(working_size or "native"), "--memory", str(memory)]
    how += ["--pyramid"] * pyramid
    runs = []
    for side in sides:
        with tempfile.TemporaryDirectory(dir=home) as place:
            source, out = Path(place) / "plate.tif", Path(place) / "out.tif"
            with saying(f"making a plate of {side} x {side}"):
                write_plate(source, side)
            spent = measured("scan", str(source), str(out), *how, "--progress", "none")
            pixels = side * side / 1e6
            runs.append(
                Run(side, round(pixels, 1), round(spent.seconds, 1), round(spent.processor, 1),
                    round(pixels / spent.seconds, 1), spent.peak,
                    source.stat().st_size, out.stat().st_size)
            )  # fmt: skip
        if not as_json:
            click.echo(_row(runs[-1]))
    if as_json:
        click.echo(json.dumps([asdict(run) for run in runs], indent=1))


def _row(run: Run) -> str:
    size, peak = f"{run.side} x {run.side}", f"{run.peak / (1 << 20):.0f} MiB"
    each = f"{1000 * run.processor / run.megapixels:.0f} ms of processor per MP"
    return f"{size:>16}  {run.seconds:>8.1f} s  {run.megapixels_per_second:>6.1f} MP/s  {each}  {peak:>9}"
