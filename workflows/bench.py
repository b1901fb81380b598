"""`chromatheque bench`: time and memory on this machine, measured in processes of their own."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from colorizer import DEFAULT_WEIGHTS
from workflows.options import WorkingSize

TILE = 512
BYTES_PER_PIXEL = 12
"""Disk for source, bands and output of 16 bits at the same time, at the worst; the synthetic plates take about half."""

MEASURED = """
import resource, sys
place, sys.argv[:] = sys.argv[1], ["chromatheque", *sys.argv[2:]]
from workflows.cli import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    try:
        with open("/proc/self/status") as status:
            peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        pass
    with open(place, "w") as told:
        told.write(f"{used.ru_utime + used.ru_stime} {peak}")
"""
"""A run that tells what it used. What a parent learns of a child's memory may be the parent's own from before."""


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


@click.group()
def bench() -> None:
    """Measure time and memory on this machine.

    Example: chromatheque bench scan --gigapixels 0.1,0.4,1.6
    """


@bench.command("scan")
@click.option(
    "--gigapixels", default="0.1,0.4", show_default=True, help="Sizes of the square 16-bit plates, with commas."
)
@click.option("--weights", default=DEFAULT_WEIGHTS, show_default=True)
@click.option("--working-size", type=WorkingSize(), default=192, show_default=True)
@click.option("--memory", default="2G", show_default=True, help="As of the scan command.")
@click.option("--pyramid/--no-pyramid", default=True, show_default=True)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Work here [the temporary folder].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def scan(
    gigapixels: str, weights: str, working_size: int, memory: str, pyramid: bool, folder: Path | None, as_json: bool
) -> None:
    """Color synthetic plates of several sizes, each in a process of its own.

    Example: chromatheque bench scan --gigapixels 0.1,0.4,1.6
    """
    try:
        sides = [round(math.sqrt(float(size) * 1e9) / TILE) * TILE for size in gigapixels.split(",")]
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
    how = ["--weights", weights, "--working-size", str(working_size or "native"), "--memory", memory]
    how.append("--pyramid" if pyramid else "--no-pyramid")
    runs = []
    for side in sides:
        with tempfile.TemporaryDirectory(dir=home) as place:
            source, out = Path(place) / "plate.tif", Path(place) / "out.tif"
            write_plate(source, side)
            seconds, processor, peak = measured("scan", str(source), str(out), *how, "--progress", "none")
            pixels = side * side / 1e6
            runs.append(
                Run(side, round(pixels, 1), round(seconds, 1), round(processor, 1), round(pixels / seconds, 1), peak,
                    source.stat().st_size, out.stat().st_size)
            )  # fmt: skip
        if not as_json:
            click.echo(_row(runs[-1]))
    if as_json:
        click.echo(json.dumps([asdict(run) for run in runs], indent=1))


@bench.command("collection")
@click.option("--items", "count", type=click.IntRange(2, 2000), default=20, show_default=True, help="Reels and scans.")
@click.option(
    "--workers", type=click.IntRange(1, 4096), default=2, show_default=True, help="Ray workers on this machine."
)
@click.option("--weights", default=DEFAULT_WEIGHTS, show_default=True)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Work here [the temporary folder].")
def collection(count: int, workers: int, weights: str, folder: Path | None) -> None:
    """Color a synthetic collection on Ray workers of this machine, and print what share of their time was work.

    Example: chromatheque bench collection --items 20 --workers 2
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source, out = Path(place) / "in", Path(place) / "out"
        source.mkdir()
        for number in range(count):
            if number % 3:
                write_plate(source / f"plate{number:04d}.tif", TILE * (1 + number % 5))
            else:
                write_film(source / f"film{number:04d}.mkv", 24 * (2 + number % 7))
        seconds, _, peak = measured(
            "archive", str(source), str(out), "--weights", weights, "--ray", "local", "--workers", str(workers),
            "--progress", "none",
        )  # fmt: skip
        told = json.loads((out / ".chromatheque" / "collection.json").read_text(encoding="utf-8"))
    click.echo(
        f"{count} items, {workers} workers: {told['seconds']:.1f} s, busy {told['busy']:.3f} of the workers' time; "
        f"the whole command {seconds:.1f} s, its driver {peak / (1 << 20):.0f} MiB"
    )


def write_film(path: Path, frames: int) -> None:
    """A gray film of 480 x 360 pixels in which something moves, with a cut in its middle."""
    import av
    import numpy as np

    x, y = np.meshgrid(np.linspace(0, 1, 480), np.linspace(0, 1, 360))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 480, 360, "gray"
        for n in range(frames):
            speed = 3 if n < frames // 2 else 11
            picture = 128 + 90 * np.sin(speed * x + n / 9) * np.cos(2 * speed * y - n / 13)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="gray")))
        container.mux(stream.encode())


def write_plate(path: Path, side: int) -> None:
    """A square 16-bit gray plate, tiled and compressed, that looks like a photograph to codecs: shapes and grain."""
    import numpy as np
    import tifffile

    def tiles() -> Iterator[Any]:
        rng = np.random.default_rng(0)
        grain = [rng.normal(0, 180, (TILE, TILE)) for _ in range(8)]
        x = np.arange(TILE) / side
        for row in range(side // TILE):
            for column in range(side // TILE):
                v, u = (row * TILE / side + x)[:, None], (column * TILE / side + x)[None]
                shade = (
                    0.5 + 0.3 * np.sin(9 * u + 5 * v) * np.cos(7 * v) + 0.15 * np.sign(np.sin(40 * u) * np.sin(31 * v))
                )
                picture = shade * 60000 + grain[int(rng.integers(8))]
                yield picture.clip(0, 65535).astype(np.uint16)

    tifffile.imwrite(
        path, tiles(), shape=(side, side), dtype=np.uint16, tile=(TILE, TILE), compression="zstd", predictor=True,
        bigtiff=side > 40_000, photometric="minisblack", resolution=(4000, 4000), metadata=None, maxworkers=1,
    )  # fmt: skip


def measured(*arguments: str) -> tuple[float, float, int]:
    """Run the command in a process of its own: seconds, on processors, bytes of memory. Raises ClickException."""
    with tempfile.NamedTemporaryFile("r") as told:
        began = time.monotonic()
        child = subprocess.run(
            [sys.executable, "-c", MEASURED, told.name, *arguments], stdout=subprocess.DEVNULL, check=False
        )
        if child.returncode:
            raise click.ClickException(f"chromatheque {' '.join(arguments)} ended with code {child.returncode}")
        processor, peak = told.read().split()
    return time.monotonic() - began, float(processor), int(peak)


def _row(run: Run) -> str:
    size, peak = f"{run.side} x {run.side}", f"{run.peak / (1 << 20):.0f} MiB"
    each = f"{1000 * run.processor / run.megapixels:.0f} ms of processor per MP"
    return f"{size:>16}  {run.seconds:>8.1f} s  {run.megapixels_per_second:>6.1f} MP/s  {each}  {peak:>9}"
