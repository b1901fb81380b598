"""Who listens to a run, by what `--progress` says."""

from __future__ import annotations

import sys

from pipeline.values.events import Silent
from workflows.terminal.bars import Bars
from workflows.terminal.collection_bars import CollectionBars
from workflows.terminal.json_lines import JsonLines
from workflows.terminal.notes import CollectionNotes, Notes


def listener_for(kind: str) -> Silent:
    """To one reel or scan. auto: bars on a terminal, else notes as lines; bar or json as named.

    none: no progress; what must not be missed is said all the same.
    """
    return _chosen(kind, Bars, Notes)


def collection_listener(kind: str) -> Silent:
    """To a collection; kind: as above."""
    return _chosen(kind, CollectionBars, CollectionNotes)


def _chosen(kind: str, bars: type[Silent], notes: type[Silent]) -> Silent:
    if kind == "json":
        return JsonLines()
    if kind == "bar" or (kind == "auto" and sys.stderr.isatty()):
        return bars()
    return notes() if kind == "auto" else Notes()
