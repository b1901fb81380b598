"""Begun: what a run is at, on disk for as long as it is at it, so that a try that never came back counts as one.

A native crash of this process leaves its trace here too, and a supervisor tells of any death (see standing.py). Two of
them at the same step, and the third run sets the file aside instead; ends that left nothing (SIGKILL of all, loss of
power) are nobody's fault until there are many of them.
"""

from __future__ import annotations

import faulthandler
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from colorizer.basis.atomic import claim, scratch_of
from colorizer.basis.errors import LedgerError
from pipeline.storage import standing
from pipeline.storage.atomic import read_json, writable, write_json
from pipeline.values.stages import OPENED, PAINT, PUBLISH, SURVEY

CRASHES, ENDS = 2, 5
"""Tries that ended their run, by a crash or without a trace, after which a file is set aside."""
FATAL = "Fatal Python error: "
"""What the trace of a native crash begins with."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A step of an item that was begun. key: the item's. step: in words. crashes, ends: of runs that were at it.

    at: one is at it now, or ended.
    """

    key: str
    step: str
    crashes: int = 0
    ends: int = 0
    at: bool = True

    @property
    def stage(self) -> str:
        """The step's; painting is known by its unit alone."""
        return self.step if self.step in (OPENED, SURVEY, PUBLISH) else PAINT


class Begun:
    """The marks of a collection. folder: where they lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trace = folder / "trace.txt"
        self._marked: dict[tuple[str, str], Mark] = {}
        self.crashed: list[Mark] = []
        """What the run before was at when it crashed."""

    @contextmanager
    def watched(self) -> Iterator[Begun]:
        """Count what an earlier run left; while this one lasts, keep the trace of its native crash, if it has one."""
        with writable(self.folder):
            self.folder.mkdir(exist_ok=True)
            self._count()
            claim(self._trace)
            trace = self._trace.open("w")
        before = faulthandler.is_enabled()
        faulthandler.enable(trace, all_threads=False)
        try:
            yield self
        finally:
            faulthandler.disable()
            if before and sys.__stderr__ is not None:
                faulthandler.enable(sys.__stderr__)
            with suppress(OSError):  # one that stays empty tells the next run nothing
                trace.close()
            with suppress(OSError):
                self._trace.unlink(missing_ok=True)
            for mark in [mark for mark in self._marked.values() if mark.at]:
                self.end(mark.key, mark.step)

    def _count(self) -> None:
        crashed = bool(standing.ended()) or self._traced()
        for path in self.folder.glob("[!.]*.json"):
            mark = _read(path)
            if mark is None or path != self._path(mark.key, mark.step):
                path.unlink(missing_ok=True)
            elif mark.at:
                mark = replace(mark, crashes=mark.crashes + crashed, ends=mark.ends + (not crashed), at=False)
                self._write(mark)
                self.crashed += [mark] * crashed
            if mark is not None and path.exists():
                self._marked[mark.key, mark.step] = mark

    def _traced(self) -> bool:
        return self._trace.exists() and FATAL in self._trace.read_text(encoding="utf-8", errors="replace")

    def fate(self, key: str, attempts: int = CRASHES) -> tuple[str, str] | None:
        """At which stage an item ended earlier runs, and why it is to be set aside before it ends another; its count
        begins anew then. attempts: that a step has, where they are fewer."""
        most = min(CRASHES, attempts)
        for mark in [mark for mark in self._marked.values() if mark.key == key]:
            if mark.crashes >= most or mark.ends >= ENDS:
                self.end(key, mark.step)
                crashed = f"{mark.crashes} crashed; take another copy of it, or convert it first"
                many = crashed if mark.crashes >= most else f"{mark.ends} were ended from outside"
                return mark.stage, f"of the runs that were at it ({mark.step}) {many}; --retry-set-aside tries it again"
        return None

    def tries(self, key: str) -> int:
        """Runs that ended while they were at the same step of an item, at most."""
        return max((mark.crashes + mark.ends for mark in self._marked.values() if mark.key == key), default=0)

    def forget(self, key: str) -> None:
        """An item is done: whatever was noted of it is no matter."""
        for mark in [mark for mark in self._marked.values() if mark.key == key]:
            self.end(key, mark.step)

    def begin(self, key: str, step: str) -> None:
        """A step of an item is begun."""
        mark = replace(self._marked.get((key, step), Mark(key, step)), at=True)
        self._marked[key, step] = mark
        self._write(mark)
        self._tell()

    def end(self, key: str, step: str) -> None:
        """It came back, whatever came of it. What other steps of the item ended stays counted."""
        self._marked.pop((key, step), None)
        with writable(self.folder):
            self._path(key, step).unlink(missing_ok=True)
        self._tell()

    def _tell(self) -> None:
        """Who begins this run again must know whether that would be counted."""
        now = next((mark for mark in list(self._marked.values()) if mark.at), None)
        standing.at(f"{now.key} ({now.step})" if now is not None else "", again=now is not None)

    @contextmanager
    def at(self, key: str, step: str) -> Iterator[None]:
        """A step of an item, from its beginning to its end."""
        self.begin(key, step)
        try:
            yield
        finally:
            self.end(key, step)

    def _path(self, key: str, step: str) -> Path:
        """Of a mark; what a step is called may be no file's name."""
        return self.folder / f"{key}-{hashlib.blake2b(step.encode(), digest_size=6).hexdigest()}.json"

    def _write(self, mark: Mark) -> None:
        path = self._path(mark.key, mark.step)
        with writable(self.folder):
            write_json(path, asdict(mark), scratch=scratch_of(path, ""), lasting=False)


def _read(path: Path) -> Mark | None:
    try:
        values: Any = read_json(path)
        mark = Mark(**values)
        kinds = tuple(map(type, (mark.key, mark.step, mark.crashes, mark.ends, mark.at)))
    except (LedgerError, TypeError):
        return None
    return mark if kinds == (str, str, int, int, bool) else None
