"""`chromatheque bench collection`: a whole small collection, on real workers."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from pipeline.collection import layout
from pipeline.values.words import counted
from workflows.bench.bench_sources import TILE, write_film, write_plate
from workflows.bench.measured import measured
from workflows.terminal.loading import saying
from workflows.terminal.options import FOLDER, WEIGHTS, Numbers


@click.command()
@click.option("--items", "count", type=click.IntRange(2, 2000), default=20, show_default=True, help="Reels and scans.")
@click.option("--workers", type=Numbers(), default="1,2", show_default=True, help="Ray workers, of each run.")
@click.option(
    "--ray", default="local", show_default=True, metavar="local|ADDRESS",
    help="local shares the cores out among the workers' threads; a cluster's workers have a thread each.",
)  # fmt: skip
@WEIGHTS
@FOLDER
def collection(count: int, workers: list[int], ray: str, weights: str, folder: Path | None) -> None:
    """Color a synthetic collection on Ray workers: time, speed-up over the first run, and what share was work.

    Seconds and share are of the night itself: workers that still load when it begins are idle in it. What comes before
    (starting Python and Ray, looking at the files) is told beside them.

    Example: chromatheque bench collection --items 20 --workers 1,2
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source = Path(place) / "in"
        source.mkdir()
        with saying(f"making a collection of {counted(count, 'file')}"):
            for number in range(count):
                if number % 3:
                    write_plate(source / f"plate{number:04d}.tif", TILE * (1 + number % 5))
                else:
                    write_film(source / f"film{number:04d}.mkv", 24 * (2 + number % 7))
        first = 0.0
        for size in workers:
            out = Path(place) / f"out{size}"
            run = measured(
                "archive", str(source), str(out), "--weights", weights, "--ray", ray, "--workers", str(size),
                "--progress", "none",
            )  # fmt: skip
            values = json.loads((out / layout.SUMMARY).read_text(encoding="utf-8"))
            first = first or values["seconds"]
            spent = stages(out)
            click.echo(
                f"{counted(count, 'item')}, {counted(size, 'worker'):>11}: "
                f"{values['seconds']:.1f} s, {first / values['seconds']:.2f} times "
                f"the first, busy {values['busy']:.3f} of the workers' time "
                f"({', '.join(f'{stage} {seconds:.1f} s' for stage, seconds in spent.items())}); "
                f"before it {run.seconds - values['seconds']:.1f} s; driver {run.peak / (1 << 20):.0f} MiB"
            )


def stages(out: Path) -> dict[str, float]:
    """Seconds of workers, by stage, of all items."""
    spent: dict[str, float] = {}
    for path in (out / layout.ITEMS).iterdir():
        for stage, seconds in json.loads(path.read_text(encoding="utf-8"))["seconds"].items():
            spent[stage] = spent.get(stage, 0.0) + seconds
    return spent
