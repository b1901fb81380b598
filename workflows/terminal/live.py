"""What the bars of one job and those of a collection share: a display on a terminal that starts and stops."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import Progress, ProgressColumn

from pipeline.values.events import Silent
from workflows.terminal.plain import in_a_line
from workflows.terminal.screen import Screen


class Live(Silent):
    """Bars below, and lines above them that stay."""

    def __init__(self, *columns: ProgressColumn) -> None:
        self.console = Screen(stderr=True)
        self.progress = Progress(*columns, console=self.console)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def line(self, color: str, word: str, text: str) -> None:
        """A line that stays: a colored word, and text in which nothing is markup."""
        self.console.print(f"[{color}]{word}[/] {escape(in_a_line(text))}", highlight=False)
