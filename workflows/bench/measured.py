"""Commands in processes of their own, and what they used."""

from __future__ import annotations

import inspect
import os
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from workflows.terminal.loading import saying


def peak_memory() -> int:
    """Bytes of resident memory that this process has had, at most."""
    status = Path("/proc/self/status")  # what getrusage tells of a child may be its parent's, from before
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


MEASURED = f"""
import importlib, resource, sys
from pathlib import Path
{inspect.getsource(peak_memory)}
place, entry, sys.argv[:] = Path(sys.argv[1]), sys.argv[2], ["chromatheque", *sys.argv[3:]]
module, _, name = entry.partition(":")
try:
    getattr(importlib.import_module(module), name)()
finally:
    place.write_text(str(peak_memory()))
"""
"""A run that tells its memory. It imports nothing of the product for that: builds of another day are measured too."""

ENTRY = "workflows.commands.cli:main"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: seconds of wall time, seconds on processors (its ended children's too), and bytes of
    memory at most (its own alone).
    """

    seconds: float
    processor: float
    peak: int


def measured(*arguments: str, build: Path | None = None, entry: str = ENTRY) -> Spent:
    """Run the command in a process of its own; of another checkout, if `build` names its folder. entry: what is called.

    Raises ClickException where it fails.
    """
    home = build or Path(__file__).parents[2]
    with tempfile.NamedTemporaryFile("r") as file:
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-P", "-c", MEASURED, file.name, entry_of(build) if build else entry, *arguments],
            stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(home)},
        )  # fmt: skip
        with saying("measuring"):
            _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)  # else Popen waits for it again
        if child.returncode:
            whose = f" of {build}" if build else ""
            raise click.ClickException(f"chromatheque {' '.join(arguments)}{whose} ended with code {child.returncode}")
        return Spent(seconds, used.ru_utime + used.ru_stime, int(file.read()))


def entry_of(build: Path) -> str:
    """Where the command of a checkout begins, as its pyproject.toml says. Raises ClickException where none is."""
    try:
        facts = tomllib.loads((build / "pyproject.toml").read_text(encoding="utf-8"))
        return str(facts["project"]["scripts"]["chromatheque"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{build} is no checkout of chromatheque: it has no such command") from error


def middle(runs: list[Spent]) -> Spent:
    """The median of each figure."""
    return Spent(
        median(run.seconds for run in runs),
        median(run.processor for run in runs),
        round(median(run.peak for run in runs)),
    )
