"""A collection's progress on a terminal: a line for each file in the works, and one for all of them."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.values.events import Event, GivenUp, ItemChanged, Looking, Note, Retry, Silent, Total
from pipeline.values.stages import ASIDE, DONE

NAME = 40
"""Characters of a name that are shown."""


class CollectionBars(Silent):
    """See the module docstring."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}", table_column=None), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"), TimeRemainingColumn(), console=self.console,
        )  # fmt: skip
        self._items: dict[str, TaskID] = {}
        self._all: TaskID | None = None

    def __enter__(self) -> CollectionBars:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def __call__(self, event: Event, /) -> None:
        """Move a bar, or print a line."""
        match event:
            case Total():
                self._total(event)
            case ItemChanged(state=state) if state in (DONE, ASIDE):
                self._over(event)
            case ItemChanged():
                self._item(event)
            case Note(text=text) | Retry(text=text):
                self._print("yellow", "note", text)
            case GivenUp(name=name, text=text):
                self._print("red", "set aside", f"{name}: {text}")
            case Looking():
                self._looking(event)

    def _print(self, color: str, word: str, text: str) -> None:
        self.console.print(f"[{color}]{word}[/] {escape(text)}", highlight=False)

    def _total(self, total: Total) -> None:
        if self._all is None:
            self._all = self.progress.add_task("all", total=total.of, unit="MP")
        self.progress.update(self._all, completed=round(total.done), total=round(total.of))

    def _looking(self, looking: Looking) -> None:
        if self._all is None:
            self._all = self.progress.add_task("looking", total=looking.of, unit="files")
        self.progress.update(self._all, completed=looking.done, total=looking.of)
        if looking.done == looking.of:
            self.progress.remove_task(self._all)
            self._all = None

    def _item(self, item: ItemChanged) -> None:
        if item.key not in self._items:
            name = item.name if len(item.name) <= NAME else "..." + item.name[3 - NAME :]
            self._items[item.key] = self.progress.add_task(escape(name), total=item.of, unit="")
        self.progress.update(self._items[item.key], completed=item.done, total=item.of)

    def _over(self, item: ItemChanged) -> None:
        if item.key in self._items:
            self.progress.remove_task(self._items.pop(item.key))
        if item.state == DONE:
            self._print("green", "done", item.name)
