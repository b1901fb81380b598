"""What every kind of job does with its folder and its output's name: one run at a time, nothing replaced unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from colorizer.basis.errors import ColorizeError, LedgerError, SourceError
from pipeline.spread.pools import Pool
from pipeline.spread.run import run
from pipeline.storage.atomic import legible, read_json, sha256, writable, write_json
from pipeline.storage.job_folder import JobFolder, sidecar_of
from pipeline.storage.ledger import Ledger
from pipeline.storage.lock import alone, clear
from pipeline.values.events import Listener, Note
from pipeline.values.units import Unit


def check_names(source: str, out: Path) -> None:
    """Refuse an output that cannot be. Raises ColorizeError."""
    if out.exists() and Path(source).exists() and out.samefile(source):
        raise ColorizeError(f"{out}: the output would replace its source; give another name")
    if not out.parent.is_dir():
        raise ColorizeError(f"{out.parent}: no such folder; make it first")


@contextmanager
def occupied(places: JobFolder, out: Path, keep: bool, overwrite: bool, listener: Listener) -> Iterator[None]:
    """A job folder for this run alone. keep: it is a person's; another one is removed if nothing came to be in it.

    Raises ColorizeError if there is an output already that this job did not make, LedgerError if another run is here.
    """
    if out.exists() and not overwrite:
        raise ColorizeError(f"{out}: exists and is not this job's result; add --overwrite or give another name")
    with alone(places.path) as held:
        if not held:
            listener(Note(f"{places.path}: no locks on this file system; do not start this job twice"))
        try:
            yield
        except ColorizeError:
            if not keep and places.empty():
                clear(places.path)  # refused before anything was made: leave nothing beside OUT
            raise


def paint(source: str, todo: Sequence[Unit], pool: Pool, ledger: Ledger, listener: Listener) -> None:
    """Run the units and close the pool. Raises SourceError if any was set aside: a job's output needs all of them."""
    ledger.sweep()
    try:
        aside = run(todo, pool, ledger, listener)
    finally:
        pool.close()
    if aside:
        first = aside[0]
        more = f" (and {len(aside) - 1} more {first.unit.kind}s)" if len(aside) > 1 else ""
        raise SourceError(
            source,
            f"{first.unit} failed after {first.attempts} attempts: {first.error}{more}. "
            f"What was painted is kept in {ledger.job}",
        ) from first.error


def made(out: Path, size: int | None, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """The sidecar of an output that is there and is what `fits` says; None otherwise.

    size: of an output that lies elsewhere, bytes. fits: may raise KeyError or TypeError for what is no sidecar.
    """
    size = out.stat().st_size if size is None and out.exists() else size
    path = sidecar_of(out)
    if size is None or not path.exists():
        return None
    try:
        values: dict[str, Any] = read_json(path)
        return values if values["output"]["bytes"] == size and fits(values) else None
    except (LedgerError, KeyError, TypeError):
        return None


def superseded(places: JobFolder, told: dict[str, Any] | None) -> bool:
    """Whether an output is the folder's own, so that what an edited plan makes may replace it. told: its sidecar."""
    return told is not None and told["output"].get("sha256", "") in _published(places)


def note_published(places: JobFolder, digest: str) -> None:
    """Remember an output, before it gets its name. digest: its sha256."""
    made = _published(places)
    if digest not in made:
        with writable(places.path):
            write_json(places.published, sorted({*made, digest}))


def _published(places: JobFolder) -> set[str]:
    try:
        return set(map(str, read_json(places.published)))
    except (LedgerError, TypeError):
        return set()


class Count:
    """How much is done."""

    def __init__(self, done: int) -> None:
        self.done = done

    def add(self, more: int) -> int:
        """What is done with so much more."""
        self.done += more
        return self.done


def identity(path: Path) -> dict[str, object]:
    """What a source is, wherever it lies: name, size and sha256."""
    with legible(str(path)):
        return {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}
