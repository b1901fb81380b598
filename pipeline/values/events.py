"""Progress events, and who listens to them: a terminal, a log, or nobody."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Listener(Protocol):
    """Told what happens: survey, planned, frame, segment, rows, band, retry, joining, checking, note, finished."""

    def __call__(self, event: str, **facts: Any) -> None: ...

    def __enter__(self) -> Listener: ...

    def __exit__(self, *_: Any) -> None: ...


class Silent:
    """Nobody listens."""

    def __call__(self, event: str, **facts: Any) -> None:
        """Nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing."""


class JsonLines(Silent):
    """One JSON object per event, at most ten of survey, frame and rows a second."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self._last = 0.0

    def __call__(self, event: str, **facts: Any) -> None:
        now = time.monotonic()
        if event in ("frame", "rows", "survey"):
            last = event != "survey" and facts.get("done") == facts.get("of")
            if now - self._last < 0.1 and not last:
                return
            self._last = now
        print(json.dumps({"event": event, **facts}), file=self.stream, flush=True)


class Bars(Silent):
    """Bars on a terminal, plain lines for what is worth keeping."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(), console=self.console,
        )  # fmt: skip
        self.task: TaskID | None = None
        self._stage = ""
        self._begun = 0.0
        self._base = 0
        self._total = self._painted = 0
        self._speed: tuple[float, str] = (1.0, "fps")
        """What a step of the bar is in the unit that speed is told in."""
        self._spread = True

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

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

    def __call__(self, event: str, **facts: Any) -> None:
        if event == "survey":
            self._show("survey", facts["frames"] if "frames" in facts else facts["rows"], facts["of"] or None)
        elif event == "planned":
            self._planned(facts)
        elif event in ("frame", "rows"):
            self._spread = False
            self._show("coloring", facts["done"], facts["of"])
        elif event in ("segment", "band") and self._spread:  # workers elsewhere report nothing in between
            self._painted += facts["frames"] if event == "segment" else facts["rows"]
            self._show("coloring", self._painted, self._total)
        elif event in ("joining", "checking"):
            self._show(event, 0, None)
        elif event in ("note", "retry"):
            self.console.print(f"[yellow]note[/] {escape(str(facts['text']))}", highlight=False)

    def _planned(self, facts: dict[str, Any]) -> None:
        if "frames" in facts:
            self._total = facts["frames"]
            text = f"{facts['frames']} frames, {facts['shots']} shots, {facts['segments']} segments"
        else:
            self._total, megapixels = facts["rows"], facts["megapixels"]
            self._speed = megapixels / max(1, self._total), "MP/s"
            text = (
                f"{facts['pages']} page{'s' * (facts['pages'] != 1)}, {megapixels} megapixels, {facts['bands']} bands"
            )
        self.console.print(text + (f" ({facts['done']} painted before)" if facts["done"] else ""))


class Notes(Silent):
    """Only what must not be missed, as lines: for logs and for the night."""

    def __call__(self, event: str, **facts: Any) -> None:
        if event in ("note", "retry"):
            print(f"note: {' '.join(str(facts['text']).split())}", file=sys.stderr, flush=True)


def listener_for(kind: str) -> Listener:
    """auto: bars on a terminal, else notes as lines; bar or json as named; none hears nothing."""
    if kind == "json":
        return JsonLines()
    if kind == "bar" or (kind == "auto" and sys.stderr.isatty()):
        return Bars()
    return Notes() if kind == "auto" else Silent()
