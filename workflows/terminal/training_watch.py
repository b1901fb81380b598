"""What a person sees of a training run: a bar or lines, a log of JSON lines, and a sheet of pictures now and then."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from colorizer.training.training import Progress as Line
from workflows.terminal.screen import Screen


class Watch:
    """Called with every line of a run. draw: paints the sheet, every `every` minutes if that is not 0."""

    def __init__(self, log: Path, kind: str, every: float = 0.0, draw: Callable[[], None] = lambda: None) -> None:
        self.log, self.kind, self.every, self.draw = log, kind, every, draw
        self.drawn = time.monotonic()
        self.bar: Progress | None = None
        if kind == "bar" or (kind == "auto" and sys.stderr.isatty()):
            self.bar = Progress(
                TextColumn("training"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
                TextColumn("{task.description}"), console=Screen(stderr=True),
            )  # fmt: skip
            self.task = self.bar.add_task("", total=1.0)

    def __enter__(self) -> Self:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, line: Line) -> None:
        facts = json.dumps({"time": round(time.time(), 3), **asdict(line)})
        with self.log.open("a") as lines:
            lines.write(facts + "\n")
        text = (
            f"{line.samples} pictures, {line.side} px, {line.samples_per_second:.0f}/s ({line.waiting:.0%} waiting for "
            f"data), chroma {line.regression:.5f}, bins {line.bins:.3f}, scene {line.scene:.3f}"
        )
        if self.bar is not None:
            self.bar.update(self.task, completed=line.share, description=text)
        elif self.kind == "json":
            click.echo(facts)
        elif self.kind == "auto":
            click.echo(f"{line.share:6.1%}  {text}")
        if self.every and time.monotonic() - self.drawn > 60 * self.every:
            self.draw()
            self.drawn = time.monotonic()
