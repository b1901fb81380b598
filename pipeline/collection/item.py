"""Item: one file of a collection, what it becomes and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """One file. key: of its output's place, 16 hex digits. id: the catalogue's, or "". source: path as given.

    out: where the output goes, relative to the output folder, with forward slashes. options: of its job, by name.
    catalog: what else a manifest says of it, by column. fault: why it must not be colored, or "".
    """

    key: str
    id: str
    kind: str
    source: str
    out: str
    options: tuple[tuple[str, Any], ...]
    catalog: tuple[tuple[str, str], ...] = ()
    fault: str = ""

    @property
    def name(self) -> str:
        """For people: what the output is called, without its suffix."""
        return self.id or str(PurePosixPath(self.out).with_suffix(""))
