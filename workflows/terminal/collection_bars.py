"""A collection's progress on a terminal: a line for each file in the works, and one for all of them."""

from __future__ import annotations

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn

from pipeline.values.events import Event, GivenUp, ItemChanged, Looking, Note, Retry, Total
from pipeline.values.stages import ASIDE, DONE
from workflows.terminal.live import Live
from workflows.terminal.plain import in_a_line

NAME = 40
"""Characters of a name that are shown."""


class CollectionBars(Live):
    """See the module docstring."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}", table_column=None), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"), TimeRemainingColumn(),
        )  # fmt: skip
        self._items: dict[str, TaskID] = {}
        self._all: TaskID | None = None

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
                self.line("yellow", "note", text)
            case GivenUp(name=name, text=text):
                self.line("red", "set aside", f"{name}: {text}")
            case Looking():
                self._looking(event)

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
            name = in_a_line(item.name)
            name = name if len(name) <= NAME else "..." + name[3 - NAME :]
            self._items[item.key] = self.progress.add_task(escape(name), total=item.of, unit="")
        self.progress.update(self._items[item.key], completed=item.done, total=item.of)

    def _over(self, item: ItemChanged) -> None:
        if item.key in self._items:
            self.progress.remove_task(self._items.pop(item.key))
        if item.state == DONE:
            self.line("green", "done", item.name)
