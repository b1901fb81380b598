"""Bars on a terminal while one reel or scan is colored, and plain lines for what is worth keeping."""

from __future__ import annotations

import time

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn

from pipeline.values.events import (
    Checking,
    Event,
    Joining,
    Note,
    Painted,
    ReelPlanned,
    Retry,
    ScanPlanned,
    Surveyed,
    UnitPainted,
)  # fmt: skip
from pipeline.values.words import area, counted
from workflows.terminal.live import Live


class Bars(Live):
    """One bar, of the stage that the job is in."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )  # fmt: skip
        self.task: TaskID | None = None
        self._stage = ""
        self._begun = 0.0
        self._base = 0
        self._total = self._painted = 0
        self._speed: tuple[float, str] = (1.0, "fps")
        """What a step of the bar is in the unit that speed is told in."""
        self._spread = True

    def __call__(self, event: Event, /) -> None:
        """Move the bar, or print a line."""
        match event:
            case Surveyed(done=done, of=of):
                self._show("survey", done, of or None)
            case ReelPlanned():
                self._reel(event)
            case ScanPlanned():
                self._scan(event)
            case Painted(done=done, of=of):
                self._spread = False
                self._show("coloring", done, of)
            case UnitPainted(size=size) if self._spread:  # workers elsewhere report nothing in between
                self._painted += sum(size.values())
                self._show("coloring", self._painted, self._total)
            case Joining() | Checking():
                self._show(event.event, 0, None)
            case Note(text=text) | Retry(text=text):
                self.line("yellow", "note", text)

    def _show(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            if self.task is not None:
                self.progress.remove_task(self.task)
            self.task = self.progress.add_task(stage, total=total, rate="")
            self._stage, self._begun, self._base = stage, time.monotonic(), done
        assert self.task is not None
        spent = time.monotonic() - self._begun
        rate = f"{(done - self._base) * self._speed[0] / spent:.1f} {self._speed[1]}" if spent > 1 else ""
        self.progress.update(self.task, completed=done, total=total, rate=rate)

    def _reel(self, plan: ReelPlanned) -> None:
        self._total = plan.frames
        self._planned(
            f"{counted(plan.frames, 'frame')}, {counted(plan.shots, 'shot')}, {counted(plan.segments, 'segment')}",
            plan.done,
        )

    def _scan(self, plan: ScanPlanned) -> None:
        self._total = plan.rows
        self._speed = plan.megapixels / max(1, plan.rows), "MP/s"
        pages = f"{plan.pages} page{'s' * (plan.pages != 1)}"
        self._planned(f"{pages}, {area(plan.megapixels)}, {counted(plan.bands, 'band')}", plan.done)

    def _planned(self, text: str, done: int) -> None:
        self.console.print(text + (f" ({done} painted before)" if done else ""))
