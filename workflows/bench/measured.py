"""Commands in processes of their own, and what they used."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

MEASURED = """
import sys
place, sys.argv[:] = sys.argv[1], ["chromatheque", *sys.argv[2:]]
from workflows.commands.cli import main
from workflows.bench.measured import used
try:
    main()
finally:
    with open(place, "w") as file:
        file.write("%s %s" % used())
"""
"""A run that tells what it used. What a parent learns of a child's memory may be the parent's own from before."""


def used() -> tuple[float, int]:
    """Seconds of processor that this process has used, and bytes of memory, at most."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    peak = mine.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        peak = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), peak)
    return mine.ru_utime + mine.ru_stime, peak


def measured(*arguments: str) -> tuple[float, float, int]:
    """Run the command in a process of its own: seconds, on processors, bytes of memory. Raises ClickException."""
    with tempfile.NamedTemporaryFile("r") as file:
        began = time.monotonic()
        child = subprocess.run(
            [sys.executable, "-c", MEASURED, file.name, *arguments], stdout=subprocess.DEVNULL, check=False
        )
        if child.returncode:
            raise click.ClickException(f"chromatheque {' '.join(arguments)} ended with code {child.returncode}")
        processor, peak = file.read().split()
    return time.monotonic() - began, float(processor), int(peak)
