"""`chromatheque bench cluster`: how many workers one driver keeps busy, on a simulated cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from pipeline.values.words import counted
from workflows.terminal.loading import saying
from workflows.terminal.options import FOLDER, Numbers, Real

REAL = 10.0
"""Seconds that a real unit takes, about: 96 frames on a processor, fewer on a GPU."""


@click.command()
@click.option("--workers", default="1,2,4,8,16,32,64", type=Numbers(), show_default=True, help="Of each run.")
@click.option(
    "--pool", type=click.Choice(["ray", "timers", "both"]), default="both", show_default=True,
    help="Ray actors that sleep (a process each, some 100 MB), or timers in the driver's process.",
)  # fmt: skip
@click.option("--cost", type=Real(0, 60), default=0.25, show_default=True, help="Seconds a unit takes.")
@click.option("--items", type=click.IntRange(0, 100_000), default=0, help="Items [2 for each worker].")
@click.option("--units", type=click.IntRange(1, 100_000), default=40, show_default=True, help="Of an item, on average.")
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cluster(
    workers: list[int], pool: str, cost: float, items: int, units: int, folder: Path | None, as_json: bool
) -> None:
    """Run the driver of a collection over workers that sleep; schedule, state, receipts and Ray are the real ones.

    A survey takes a twentieth of its item's painting, and so does a publication. A driver that has nothing to wait for
    (--cost 0) shows its limit.

    Example: chromatheque bench cluster --workers 1,8,64 --pool timers
    """
    rows = []
    for kind in ["ray", "timers"] if pool == "both" else [pool]:
        for count in workers:
            facts = {"pool": kind, "workers": count, "items": items or 2 * count, "units": units, "cost": cost}
            rows.append(driven({**facts, "folder": str(folder) if folder else None}))
            if not as_json:
                click.echo(_row(rows[-1]))
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        click.echo(limit(rows[-1]))


def driven(facts: dict[str, Any]) -> dict[str, Any]:
    """Run the driver in a process of its own. Raises ClickException."""
    with saying(f"measuring {counted(facts['workers'], 'worker')} ({facts['pool']})"):
        child = subprocess.run(
            [sys.executable, "-m", "workflows.bench.simulated_driver", json.dumps(facts)], capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no word"])[-1]
        raise click.ClickException(f"{facts['workers']} workers ({facts['pool']}): the driver failed: {last}")
    values: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return values


def _row(run: dict[str, Any]) -> str:
    each = {part: 1000 * spent / run["units"] for part, spent in run["processor_by_part"].items()}
    parts = ", ".join(f"{part} {spent:.2f}" for part, spent in each.items())
    wall, memory = f"{run['seconds']:>6.1f} s of wall time", f"{run['peak'] / (1 << 20):.0f} MiB"
    return (
        f"{run['pool']:>6} {counted(run['workers'], 'worker'):>12}  {run['units']:>6} units  {wall}  "
        f"{run['units'] / run['seconds']:>7.1f} units/s  busy {run['busy']:.3f}  "
        f"driver {1000 * run['processor'] / run['units']:.2f} ms of CPU a unit ({parts})  {memory}"
    )


def limit(run: dict[str, Any]) -> str:
    """What a driver that waits for nobody is limited by, in words; else how far it was from that."""
    walls = run["wall_by_part"]
    own = walls["files"] + walls["schedule"] + (walls["pool"] if not run["cost"] else run["processor_by_part"]["pool"])
    first = max(walls if not run["cost"] else {k: v for k, v in walls.items() if k != "pool"}, key=walls.__getitem__)
    how = "wall time, of the pool CPU" if run["cost"] else "wall time"
    takes = f"the driver itself takes {1000 * own / run['units']:.2f} ms a unit ({how})"
    enough = counted(int(run["units"] / own * REAL), "worker")
    return (
        f"At {counted(run['workers'], 'worker')} {takes}, most of it {first}: enough for {enough} at {REAL:g} s a unit"
    )
