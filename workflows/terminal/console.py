"""What commands print that is more than a line: tables, and a word on what is going on meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.table import Table
from rich.text import Text

from workflows.terminal.screen import Screen

MARKS = {"ok": "green", "missing": "bold red", "look": "yellow"}
"""Words of a checklist, and how they look."""


def show(table: Table, stderr: bool = False, whole: bool = False) -> None:
    """Print a table as wide as the terminal. whole: not folded where there is none."""
    Screen(stderr=stderr, soft_wrap=whole and not sys.stdout.isatty()).print(table)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Say on a terminal what is going on; what is printed on stdout meanwhile stays apart. Gives what says how far."""
    with Screen(stderr=True).status(Text(f"{what} ...")) as status:
        yield lambda far: status.update(Text(f"{what} ... {far}"))


def checklist(lines: Iterable[tuple[str, str, str, str]]) -> Table:
    """A table of (group, mark, name, value) under headings; lines of a group follow each other. mark: of MARKS."""
    table = Table("", "", "", box=None, show_header=False, pad_edge=False)
    heading = ""
    for group, mark, name, value in lines:
        if group != heading:
            table.add_row(Text(group, "bold"))
            heading = group
        table.add_row(Text(mark, MARKS[mark]), Text(name), Text(value))
    return table
