"""A collection's progress on a terminal: a line for each file in the works, and one for all of them."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.values.events import JsonLines, Listener, Notes, Silent

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
        self._total: TaskID | None = None

    def __enter__(self) -> CollectionBars:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def __call__(self, event: str, **facts: Any) -> None:
        if event == "total":
            if self._total is None:
                self._total = self.progress.add_task("all", total=facts["of"], unit="MP")
            self.progress.update(self._total, completed=round(facts["done"]), total=round(facts["of"]))
        elif event == "item":
            self._item(facts)
        elif event in ("note", "retry"):
            self.console.print(f"[yellow]note[/] {escape(str(facts['text']))}", highlight=False)
        elif event == "aside":
            told = f"{facts['name']}: {facts['text']}"
            self.console.print(f"[red]set aside[/] {escape(told)}", highlight=False)
        elif event == "looking":
            if self._total is None:
                self._total = self.progress.add_task("looking", total=facts["of"], unit="files")
            self.progress.update(self._total, completed=facts["done"], total=facts["of"])
            if facts["done"] == facts["of"]:
                self.progress.remove_task(self._total)
                self._total = None

    def _item(self, facts: dict[str, Any]) -> None:
        key = facts["key"]
        if facts["state"] in ("done", "set-aside"):
            if key in self._items:
                self.progress.remove_task(self._items.pop(key))
            if facts["state"] == "done":
                self.console.print(f"[green]done[/] {escape(facts['name'])}", highlight=False)
            return
        if key not in self._items:
            name = facts["name"] if len(facts["name"]) <= NAME else "..." + facts["name"][3 - NAME :]
            self._items[key] = self.progress.add_task(escape(name), total=facts["of"], unit="")
        self.progress.update(self._items[key], completed=facts["done"], total=facts["of"])


class CollectionNotes(Notes):
    """For logs and for the night: what was finished or set aside, a line each."""

    def __call__(self, event: str, **facts: Any) -> None:
        if event == "aside":
            super().__call__("note", text=f"set aside {facts['name']}: {facts['text']}")
        elif event == "item" and facts["state"] == "done":
            super().__call__("note", text=f"done {facts['name']}")
        else:
            super().__call__(event, **facts)


def collection_listener(kind: str, terminal: bool) -> Listener:
    """auto: bars on a terminal, else lines; bar or json as named; none hears nothing."""
    if kind == "json":
        return JsonLines()
    if kind == "bar" or (kind == "auto" and terminal):
        return CollectionBars()
    return CollectionNotes() if kind == "auto" else Silent()
