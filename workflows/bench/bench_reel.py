"""`chromatheque bench reel` and `bench baseline`: what a reel takes, beside another build and beside a plain script."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from workflows.bench.bench_sources import write_grainy_film
from workflows.bench.measured import Spent, entry_of, measured, middle
from workflows.terminal.loading import saying
from workflows.terminal.options import FOLDER, WEIGHTS, Sizes, WorkingSize

SCRIPT = "workflows.bench.plain_script:main"
THIS, OTHER, PLAIN = "this build", "the other", "plain script"
Contestants = dict[str, Callable[[Path, Path], Spent]]
"""By name: color a reel (first path) into another file (second) and say what it took."""

SIZES = click.option(
    "--sizes", type=Sizes(), default="720x576,1920x1080", show_default=True, help="Of the pictures, with commas."
)
FRAMES = click.option("--frames", type=click.IntRange(2, 100_000), default=96, show_default=True, help="Of each reel.")
RUNS = click.option(
    "--runs", type=click.IntRange(1, 99), default=3, show_default=True, help="Of each in turn; the medians are told."
)
HOW = click.option("--working-size", type=WorkingSize(), default=192, show_default=True, help="As of the reel command.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON; --against takes it on another day.")


@click.command()
@SIZES
@FRAMES
@RUNS
@click.option(
    "--against", type=click.Path(exists=True, path_type=Path), metavar="CHECKOUT|JSON",
    help="Beside another build, in turn; or beside what --json printed once. [alone]",
)  # fmt: skip
@WEIGHTS
@HOW
@FOLDER
@JSON
def reel(
    sizes: list[tuple[int, int]], frames: int, runs: int, against: Path | None, weights: str, working_size: int,
    folder: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Color synthetic grainy reels into .mp4, each in a process of its own: time, processor time, memory.

    Example: chromatheque bench reel --sizes 1920x1080 --against ../last-year
    """
    how = _how(weights, working_size)
    contestants: Contestants = {THIS: lambda source, out: measured("reel", str(source), str(out), *how)}
    known: list[dict[str, Any]] = []
    if against and against.is_dir():
        build = against.resolve()
        entry_of(build)  # what is no checkout is said before a film is made
        contestants[OTHER] = lambda source, out: measured("reel", str(source), str(out), *how, build=build)
    elif against:
        known = _read(against)
    _compare(sizes, frames, runs, contestants, known, folder, as_json)


@click.command()
@SIZES
@FRAMES
@RUNS
@click.option("--working-size", type=click.IntRange(32, 4096), default=192, show_default=True, help="Of both.")
@FOLDER
@JSON
def baseline(
    sizes: list[tuple[int, int]], frames: int, runs: int, working_size: int, folder: Path | None, as_json: bool
) -> None:
    """Color the same reels with this program and with the script that people write, in turn.

    The script decodes to RGB, has the network of 2016 at full width paint each frame on its own in float32, carries
    the colors to full size through Lab and encodes with the same settings. It keeps no luma, and nothing else either.

    Example: chromatheque bench baseline --sizes 720x576 --frames 48
    """
    how = _how("fast", working_size)
    contestants: Contestants = {
        PLAIN: lambda source, out: measured(str(source), str(out), str(working_size), entry=SCRIPT),
        THIS: lambda source, out: measured("reel", str(source), str(out), *how),
    }
    _compare(sizes, frames, runs, contestants, [], folder, as_json)


def _how(weights: str, working_size: int) -> list[str]:
    return ["--weights", weights, "--working-size", str(working_size or "native"), "--progress", "none"]


def _read(path: Path) -> list[dict[str, Any]]:
    """Rows that --json printed. Raises UsageError for another file."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [row for row in rows if row["of"] == THIS and row["processor"] > 0 and row["seconds"] > 0]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise click.UsageError(f"--against {path}: neither a checkout nor what `bench reel --json` printed") from error


def _compare(
    sizes: list[tuple[int, int]], frames: int, runs: int, contestants: Contestants, known: list[dict[str, Any]],
    folder: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Run all contestants on all sizes, A B A B, so that what else the machine does falls on all of them alike."""
    rows: list[dict[str, Any]] = []
    for width, height in sizes:
        spent: dict[str, list[Spent]] = {name: [] for name in contestants}
        with tempfile.TemporaryDirectory(dir=folder) as place:
            source = Path(place) / "film.mp4"
            with saying(f"making a film of {width} x {height}"):
                write_grainy_film(source, frames, (width, height))
            for run in range(runs):
                for number, (name, color) in enumerate(contestants.items()):
                    spent[name].append(color(source, Path(place) / f"{number}-{run}.mp4"))
        size = f"{width}x{height}"
        facts = {"size": size, "frames": frames, "runs": runs}
        here = [facts | {"of": name} | asdict(middle(each)) for name, each in spent.items()]
        before = [row | {"of": OTHER} for row in known if (row["size"], row["frames"]) == (size, frames)]
        if known and not before:
            print(f"{size}, {frames} frames: not in the other's figures", file=sys.stderr)
        rows += here + before
        if not as_json:
            mine = next(row for row in here if row["of"] == THIS)
            for row in here + before:
                click.echo(_row(row, mine))
    if as_json:
        click.echo(json.dumps(rows, indent=1))


def _row(row: dict[str, Any], mine: dict[str, Any]) -> str:
    each, peak = 1000 * row["processor"] / row["frames"], f"{row['peak'] / (1 << 20):.0f} MiB"
    line = f"{row['size']:>10}  {row['of']:>12}  {row['seconds']:>7.1f} s  {row['processor']:>7.1f} s of processor  "
    line += f"{each:>6.0f} ms a frame  {peak:>9}"
    if row is not mine:
        times, processors = row["seconds"] / mine["seconds"], row["processor"] / mine["processor"]
        line += f"  (this build: {times:.2f} times as fast, {processors:.2f} times by processor)"
    return line
