"""What every kind of job does with its folder and its output's name: one run at a time, nothing replaced unasked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from colorizer.basis.atomic import publish, sync_folder, write_bytes
from colorizer.basis.errors import ColorizeError, LedgerError, SourceError, StorageError, UnsupportedSource
from pipeline.spread.pools import Pool
from pipeline.spread.run import run
from pipeline.storage.atomic import legible, read_json, sha256, writable, write_json
from pipeline.storage.job_folder import LOCK, REFUSED, JobFolder, captions_of, digests_of, sidecar_of
from pipeline.storage.ledger import Ledger
from pipeline.storage.lock import alone, clear
from pipeline.values.events import Listener, Note
from pipeline.values.units import Unit
from pipeline.values.words import counted

MARK = "chromatheque-"
"""How the format in every sidecar begins."""


def check_source(source: str) -> None:
    """Refuse what has no end, before anything waits for it. Raises UnsupportedSource, UnreadableSource."""
    path = Path(source)
    with legible(source):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UnsupportedSource(source, "neither a file nor a folder, but a pipe, a socket or a device")


def check_names(source: str, out: Path) -> None:
    """Refuse an output that cannot be. Raises ColorizeError."""
    beside = {"sidecar": sidecar_of(out), "file of digests": digests_of(out), "file of captions": captions_of(out)}
    for what, place in {"output": out, **beside}.items():
        if place.exists() and Path(source).exists() and place.samefile(source):
            raise ColorizeError(f"{place}: the {what} would replace its source; give another name")
    if not out.parent.is_dir():
        raise ColorizeError(f"{out.parent}: no such folder; make it first")


@contextmanager
def occupied(places: JobFolder, out: Path, keep: bool, overwrite: bool, listener: Listener) -> Iterator[None]:
    """A job folder for this run alone. keep: it is a person's; another one is removed if nothing came to be in it.

    Raises ColorizeError if there is an output already that this job did not make, LedgerError if another run is here.
    """
    if out.exists() and not overwrite:
        raise ColorizeError(f"{out}: exists and is not this job's result; add --overwrite or give another name")
    check_folder(places, keep)
    with alone(places.path) as held:
        if not held:
            listener(Note(f"{places.path}: no locks on this file system; do not start this job twice"))
        try:
            yield
        except ColorizeError:
            if not keep and places.empty():
                clear(places.path)  # refused before anything was made: leave nothing beside OUT
            raise


def check_sidecar(out: Path) -> None:
    """Refuse to replace what lies under the sidecar's name and is none of ours. Raises ColorizeError."""
    path = sidecar_of(out)
    if os.path.lexists(path) and not is_sidecar(path):
        raise ColorizeError(
            f"{path}: exists and is not this program's; the sidecar would replace it. Move it away, add --overwrite or "
            "give the output another name"
        )


def is_sidecar(path: Path) -> bool:
    """Whether a file is a sidecar of ours, by its mark; an empty one holds nothing that could be lost."""
    try:
        return not path.stat().st_size or str(read_json(path)["format"]).startswith(MARK)
    except (LedgerError, KeyError, TypeError, OSError):
        return False


def as_made(out: Path) -> bool:
    """Whether an output has the bytes that its sidecar names; an empty one holds nothing that could be lost.

    Raises UnreadableSource.
    """
    try:
        digest = read_json(sidecar_of(out))["output"]["sha256"]
    except (LedgerError, KeyError, TypeError):
        return False
    with legible(str(out)):
        return not out.stat().st_size or bool(sha256(out) == digest)


def check_folder(places: JobFolder, keep: bool) -> None:
    """Refuse a job folder in which something of a person's would be replaced or removed. Raises ColorizeError.

    keep: a person named it, and may keep other things in it; but not under the names that runs write.
    """
    if not os.path.lexists(places.path):
        return
    with legible(str(places.path)):
        if keep:
            other = next((path for path in (*places.notes, places.lock, places.passing) if not _ours(path)), None)
        else:
            other = places.foreign() if places.path.is_dir() else places.path
    if other:
        raise ColorizeError(f"{other}: not this program's; move it away, or give a folder of its own with --job")


def _ours(path: Path) -> bool:
    """Whether what a run would write over is a run's, by what is in it; nothing and an empty file are."""
    if not path.exists() or not path.stat().st_size:
        return True
    if path.name == LOCK:
        return path.read_bytes()[:8] == b"process "
    try:
        values = read_json(path) if path.suffix == ".json" else None
    except LedgerError:
        return False
    if path.name == REFUSED:
        return isinstance(values, dict) and list(values) == ["refused"]
    return isinstance(values, list) and all(isinstance(v, str) and len(v) == 64 for v in values)


def paint(source: str, todo: Sequence[Unit], pool: Pool, ledger: Ledger, listener: Listener) -> None:
    """Run the units and close the pool. Raises SourceError if any was set aside: a job's output needs all of them."""
    try:
        aside = run(todo, pool, ledger, listener)
    finally:
        pool.close()
    if aside:
        first = aside[0]
        more = f" (and {len(aside) - 1} more {first.unit.kind}s)" if len(aside) > 1 else ""
        raise SourceError(
            source,
            f"{first.unit} failed after {counted(first.attempts, 'attempt')}: {first.error}{more}. "
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


def superseded(places: JobFolder, out: Path, record: dict[str, Any] | None) -> bool:
    """Whether an output is the folder's own, so that what an edited plan makes may replace it. record: its sidecar.

    Where a publication was cut half way there is no sidecar, and the output's bytes say so.
    """
    made = _published(places)
    if record is not None:
        return record["output"].get("sha256", "") in made
    if not made or not out.is_file() or has_story(out):
        return False
    with legible(str(out)):
        return sha256(out) in made


def has_story(out: Path) -> bool:
    """Whether something lies under the name of an output's sidecar; an empty file, of a loss of power, is nothing."""
    path = sidecar_of(out)
    return path.exists() and bool(path.stat().st_size)


def is_foreign(places: JobFolder, out: Path, beside: Path) -> bool:
    """Whether a file that lies where one is to go beside an output was made by no run of it, by its bytes."""
    if not os.path.lexists(beside):
        return False
    if not beside.is_file():
        return True
    with legible(str(beside)):
        return bool(beside.stat().st_size) and sha256(beside) not in {*_published(places), *_replaced(out)}


def note_published(places: JobFolder, out: Path, digests: set[str], keep: bool) -> None:
    """Remember an output before it gets its name, what goes with it, and what they replace. digests: sha256 of each.
    keep: as of `occupied`.

    Raises StorageError.
    """
    made = _published(places)
    with writable(places.path):
        if wanted := {*digests, *_replaced(out)} - made:
            write_json(places.published, sorted(made | wanted))
        places.passing.unlink(missing_ok=True) if keep else places.passing.touch()
        for folder in (places.path, *([places.ledger] if keep else [])):
            sync_folder(folder)  # after publication nobody paints anew what is lost here, or clears what is left


def give_name(scratch: Path, out: Path, story: dict[str, Any], beside: Mapping[Path, bytes]) -> None:
    """Publish an output, what goes with it and its sidecar, so that nothing looks finished that is not: the old sidecar
    goes first and the new one comes last, each on the disk before the next. Raises OSError.

    beside: as of `Job.beside`.
    """
    path = sidecar_of(out)
    if path.exists():
        path.unlink()
        sync_folder(path.parent)
    publish(scratch, out)
    for place, data in beside.items():
        if data:
            write_bytes(place, data, scratch.with_name(f"{scratch.name}{place.suffix}"))
        elif place.exists():
            place.unlink()
    write_json(path, story, 1, scratch.with_name(f"{scratch.name}.json"))


def clear_left(places: JobFolder) -> str:
    """Remove a folder that no person named and that a run, killed after its output was whole, could not remove.

    Why something stays, or "".
    """
    if not (places.passing.exists() or _bare(places)):
        return ""
    try:
        with alone(places.path):
            return clear(places.path)
    except LedgerError:  # another run is in it, which clears it too
        return ""
    except StorageError as error:
        return str(error)


def _bare(places: JobFolder) -> bool:
    """Whether nothing but a lock of ours is left in a folder."""
    try:
        mine = places.path.is_dir() and not places.path.is_symlink() and _ours(places.lock)
        return mine and all(path == places.lock for path in places.path.iterdir())
    except OSError:
        return False


def _replaced(out: Path) -> list[str]:
    """The digests in the sidecar of an output that is there: its own, and those of what goes with it."""
    try:
        record = read_json(sidecar_of(out))
        return [str(record["output"]["sha256"]), *map(str, record.get("beside", {}).values())]
    except (LedgerError, KeyError, TypeError, AttributeError):
        return []


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
