"""Depot: where a collection's outputs go, and where its workers keep what is fetched from stores.

Every step works on local files. Where the output folder is in a store, `folder` stands for it on this machine: what a
step needs is fetched into it, what came of the step is put. A worker may stand on any machine, so nothing in `folder`
is counted on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from colorizer.basis.atomic import sync_folder
from colorizer.basis.errors import LedgerError, SourceError
from pipeline.collection import layout
from pipeline.collection.item import Item
from pipeline.reels.parts import parts_of
from pipeline.storage.atomic import read_json, stamp, writable, write_json
from pipeline.storage.cache import cache_folder
from pipeline.storage.job_folder import PLAN, PUBLISHED, JobFolder
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.storage.lock import removed
from pipeline.storage.stores import Store, StoredFile, in_parallel, is_uri, masked, store_of
from pipeline.values.sequence import pattern_of
from pipeline.values.title import following

if sys.platform != "win32":
    import fcntl

ATTEMPTS = 5
"""Times that a source is fetched before it is taken for one that does not rest."""
STAYING = PLAN, PUBLISHED
"""How files of a job begin that outlast its output: for a person to edit, and by which the output is known."""
KEPT = 4
"""Fetched sources that stay on a machine while no worker has them open."""


@dataclass(frozen=True, slots=True)
class Depot:
    """See the module docstring. store: URI of the output folder, or "" where `folder` is it.

    scratch: for fetched sources. shared: painted pieces go through the store, since workers may be on other machines.
    """

    folder: Path
    scratch: Path
    store: str = ""
    shared: bool = False

    def located(self) -> Depot:
        """With full paths."""
        return replace(self, folder=self.folder.absolute(), scratch=self.scratch.absolute())

    def __str__(self) -> str:
        return masked(self.store) or str(self.folder)

    @property
    def _store(self) -> Store:
        return Store(self.store)

    def job_folder(self, key: str) -> Path:
        """Where an item's plan and pieces are."""
        return self.folder / layout.job(key)

    # --- sources

    def source_path(self, item: Item) -> Path:
        """Where an item's source is read: itself, or a copy of what a store has."""
        if not is_uri(item.source):
            return Path(item.source)
        return self.scratch / "sources" / item.key / PurePosixPath(item.source).name

    def worded(self, text: str, item: Item) -> str:
        """A message in which the source is called what a person calls it."""
        if is_uri(item.source):
            text = text.replace(str(self.source_path(item)), masked(item.source)).replace(
                item.source, masked(item.source)
            )
        return text.replace(str(self.folder), masked(self.store)) if self.store else text

    @contextmanager
    def source(self, item: Item) -> Iterator[Path]:
        """The source as a local file that stays while this lasts. Raises SourceError, StorageError."""
        path = self.source_path(item)
        if not is_uri(item.source):
            yield path
            return
        with writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.parent.with_name(f"{item.key}.lock")
        with ExitStack() as held:
            with writable(lock):  # what is raised while the source is used is no fault of this
                self._hold(item.source, path.parent, held.enter_context(lock.open("a+b")))
            yield path

    def _hold(self, uri: str, folder: Path, lock: IO[bytes]) -> None:
        """Have a source in a folder of this machine, and keep others from removing it while the lock is open."""
        _wait(lock, alone=False)
        for _ in range(ATTEMPTS):
            if _fetched(folder) == (wanted := _listed(uri)):
                os.utime(folder)
                return
            _wait(lock, alone=True)  # workers that share a machine fetch a source once
            if _fetched(folder) != wanted:
                self._fetch(uri, folder, wanted)
            _wait(lock, alone=False)  # it may be gone again: a lock is let go before it is taken otherwise
        raise SourceError(masked(uri), "it changes while it is read; try again when it is at rest")

    def _fetch(self, uri: str, folder: Path, wanted: list[Any]) -> None:
        self._make_room(folder, sum(size for _, size, _ in wanted))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        store, _ = store_of(uri)
        entries = [store.pull(name, folder / name) for name, _, _ in wanted]
        write_json(folder / ".fetched", [[e.place, *e.stamp] for e in entries])

    def _make_room(self, wanted: Path, size: int) -> None:
        """Let go of what was used longest ago: of all but a few, and of more where the disk has no room."""
        others = [(_used(p), p) for p in wanted.parent.iterdir() if p.is_dir() and p != wanted]
        for left, (_, folder) in zip(range(len(others), 0, -1), sorted(others), strict=True):
            if left >= KEPT or shutil.disk_usage(wanted.parent).free < size:
                _forget(folder)

    def drop_source(self, item: Item) -> None:
        """Let go of a fetched source that no worker of this machine has open."""
        if is_uri(item.source):
            _forget(self.source_path(item).parent)

    # --- what is known of items, and outputs

    def stamps(self, item: Item) -> list[list[Any]]:
        """Sizes and versions of an item's source, output, plan and sidecar; empty for what is not there."""
        places = item.out, layout.plan(item.key), layout.sidecar(item.out)
        return [self._source_stamp(item.source), *map(self.stamp_of, places)]

    def _source_stamp(self, source: str) -> list[Any]:
        if is_uri(source):
            return [part for listed in _listed(source) for part in listed]
        path = Path(source)
        if "%" in path.name and not path.is_file():
            return stamp(path.parent)  # of a sequence: its folder
        return [part for each in parts_of(source) for part in stamp(each)]

    def source_bytes(self, item: Item) -> int | None:
        """Size of a source in a store; None if it is not there."""
        listed = _listed(item.source)
        return sum(size for _, size, _ in listed) if listed else None

    def stamp_of(self, place: str) -> list[Any]:
        """Size and version of a file of the output folder; empty for what is not there."""
        if not self.store:
            return stamp(self.folder / place)
        entry = self._store.look(place)
        return list(entry.stamp) if entry else []

    def listed(self) -> list[str]:
        """Places of all files in the store."""
        return list(self._store.find()) if self.store else []

    def put(self, *places: str) -> None:
        """Send files of `folder` to the store."""
        if self.store:
            for place in places:
                if (path := self.folder / place).exists():
                    self._store.push(path, place)

    def drop(self, place: str) -> None:
        """Remove a file, here and in the store."""
        with writable(path := self.folder / place):
            path.unlink(missing_ok=True)
        self.take_back(place)

    def take_back(self, place: str) -> None:
        """Remove a file from the store; `folder` has none by then."""
        if self.store:
            self._store.remove(place)

    def fetch(self, *places: str) -> None:
        """Bring files of the store into `folder`; what is not there is removed here too."""
        if not self.store:
            return
        for place in places:
            entry, path = self._store.look(place), self.folder / place
            if entry is None:
                path.unlink(missing_ok=True)
            else:
                self._bring(entry)

    def _bring(self, entry: StoredFile) -> None:
        with writable(path := self.folder / entry.place):
            self._store.pull(entry.place, path)

    def _bring_small(self, place: str) -> None:
        """Bring a file of the size of one answer, which nobody reads before it is there."""
        if (data := self._store.read(place)) is not None:
            with writable(path := self.folder / place):
                path.write_bytes(data)

    def apart(self) -> Depot:
        """For who only looks on, perhaps while a run is at work in `folder`."""
        return replace(self, folder=self.scratch / "looked-at") if self.store else self

    def fetch_state(self) -> None:
        """Bring what is known of the items into `folder`: what other machines wrote counts.

        What lies there in the same version since somebody looked on (`apart`), as every run does before it begins, is
        not fetched again.
        """
        if not self.store:
            return
        found = {e.place: e for e in self._store.find(layout.ITEMS).values() if _is_below(e.place)}
        looked, versions = self.apart().folder, {place: list(e.stamp) for place, e in found.items()}
        here = _versions(looked / layout.LOOKED)
        here = here.get("items", {}) if here.get("store") == masked(self.store) else {}  # scratch may serve several
        same = [place for place, e in found.items() if e.stamp[1] and here.get(place) == versions[place]]
        held = {place: data for place in same if (data := _content(looked / place, found[place].bytes)) is not None}
        with writable(items := self.folder / layout.ITEMS):
            (index := self.folder / layout.LOOKED).unlink(missing_ok=True)
            shutil.rmtree(items, ignore_errors=True)
            items.mkdir(parents=True)
            for place, data in held.items():
                (self.folder / place).write_bytes(data)
            in_parallel(self.store, self._bring_small, [place for place in found if place not in held])
            if self.folder == looked:
                write_json(index, {"store": masked(self.store), "items": versions}, lasting=False)
        self.fetch(layout.SUMMARY)

    def fetch_report(self, stories: Iterable[str]) -> frozenset[str]:
        """Bring what a report is made of, but outputs and pictures. stories: places of sidecars. What the store has."""
        if not self.store:
            return frozenset()
        found, index = self._store.find(), self.folder / layout.FETCHED
        measured = [place for place in found if place.startswith("report/") and place.endswith(".json")]
        wanted = [place for place in (*stories, *measured) if place in found and _is_below(place)]
        here, versions = _versions(index), {place: list(found[place].stamp) for place in wanted}
        new = [p for p, version in versions.items() if here.get(p) != version or not (self.folder / p).is_file()]
        with writable(index):
            index.unlink(missing_ok=True)
            for place in new:
                (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
            in_parallel(self.store, self._bring_small, new)
            write_json(index, versions)
        return frozenset(found)

    def output_bytes(self, item: Item) -> int | None:
        """Size of an output; None if there is none."""
        if not self.store:
            path = self.folder / item.out
            return path.stat().st_size if path.exists() else None
        entry = self._store.look(item.out)
        return entry.bytes if entry else None

    # --- jobs

    def fetch_plan(self, item: Item) -> None:
        """Bring an item's plan into its job folder."""
        self.fetch(layout.plan(item.key))

    def fetch_job(self, item: Item) -> None:
        """Bring an item's plan, and the receipts of its pieces, into its job folder; the item must be this step's."""
        self.fetch_plan(item)
        if not self.shared:
            return
        shutil.rmtree(self.folder / layout.ledger(item.key), ignore_errors=True)
        for entry in self._store.find(layout.ledger(item.key)).values():
            self._bring(entry)

    def ledger(self, key: str) -> Ledger:
        """The receipts of an item, each good if its piece is there, here or in the store."""
        if not self.shared:
            return Ledger(self.job_folder(key))
        sizes = {PurePosixPath(e.place).name: e.bytes for e in self._store.find(layout.job(key)).values()}
        return Ledger(self.job_folder(key), sizes.get)

    def put_plan(self, key: str) -> None:
        """Send a plan, and plans that were put aside for it."""
        for path in sorted(self.job_folder(key).glob(f"{PLAN}*")) if self.store else ():
            self.put(layout.piece(key, path.name))

    def put_piece(self, key: str, receipt: Receipt) -> None:
        """Send a painted piece, then its receipt; the piece is not kept here."""
        if not self.shared:
            return
        Ledger(self.job_folder(key)).record(receipt)
        self.put(layout.piece(key, receipt.file), layout.receipt(key, receipt.unit))
        (self.job_folder(key) / receipt.file).unlink(missing_ok=True)

    def fetch_pieces(self, key: str) -> None:
        """Bring all pieces that have receipts."""
        if not self.shared:
            return
        for path in (self.folder / layout.ledger(key)).glob("*.json"):
            try:
                name = str(read_json(path)["file"])
            except (LedgerError, KeyError, TypeError):
                continue
            if PurePosixPath(name).name == name:
                self.fetch(layout.piece(key, name))

    @contextmanager
    def forgetting(self, key: str) -> Iterator[None]:
        """Receipts that are forgotten while this lasts are forgotten in the store too."""
        ledger = self.folder / layout.ledger(key)
        before = {path.name for path in ledger.glob("*.json")} if self.shared else set()
        try:
            yield
        finally:
            for name in before - {path.name for path in ledger.glob("*.json")}:
                self.take_back(f"{layout.ledger(key)}/{name}")

    def publish(self, item: Item, pictures: Sequence[str] = ()) -> None:
        """Send an output and what goes with it, in the order of publication; nothing of it stays here.

        The old sidecar goes first and the new one comes last, so that nothing looks finished that is not.
        """
        if not self.store:
            return
        beside = layout.digests(item.out), layout.captions(item.out)
        places = [*pictures, *beside, item.out, layout.sidecar(item.out)]
        self.take_back(layout.sidecar(item.out))
        self.take_back(layout.captions(item.out))  # of an earlier output, where this one has none
        self.put(*places)
        for place in places:
            (self.folder / place).unlink(missing_ok=True)

    def untidy(self, item: Item) -> bool:
        """Whether something that `tidy` was to remove is in an item's folder still."""
        return not self.store and JobFolder(self.job_folder(item.key)).passing.exists()

    def tidy(self, item: Item, keep: bool) -> None:
        """Remove an item's pieces, here and, unless `keep`, in the store; its plan stays for a person to edit, and in a
        folder what says that the output is this program's, whatever becomes of its sidecar.

        What cannot be removed here stays: the output is whole, and is no worse for it.
        """
        folder, here = layout.job(item.key), self.job_folder(item.key)
        if (not keep or self.shared) and here.is_dir():
            passing = JobFolder(here).passing
            with suppress(OSError):  # it only says that a next run is to go on with this
                if not self.store:
                    passing.touch()
                    sync_folder(
                        here
                    )  # a loss of power may bring back what is removed: the mark first, and it goes last
            with suppress(OSError):
                left = [p for p in here.iterdir() if p.is_dir() or self.store or not p.name.startswith(STAYING)]
                if not removed(p for p in left if p != passing):
                    sync_folder(here)
                    passing.unlink(missing_ok=True)
        if self.shared and not keep:
            for entry in self._store.find(folder).values():
                if not entry.place.startswith(f"{folder}/{PLAN}"):
                    self.take_back(entry.place)


def depot_for(out: str, scratch: Path | None = None, shared: bool = False) -> Depot:
    """The depot of an output folder, a path or a URI. shared: workers may be on other machines."""
    if scratch is None:
        mark = out if is_uri(out) else str(Path(out).resolve())
        scratch = cache_folder() / "work" / hashlib.blake2b(os.fsencode(mark), digest_size=8).hexdigest()
    scratch = scratch.absolute()
    if is_uri(out):
        return Depot(scratch / "out", scratch, out.rstrip("/"), shared)
    return Depot(Path(out), scratch)


def _is_below(place: str) -> bool:
    return ".." not in PurePosixPath(place).parts


def _listed(uri: str) -> list[list[Any]]:
    """Name, size and version of a source's files, in order: one, or of a sequence all that may belong to it."""
    store, name = store_of(uri)
    entry, pattern = store.look(name), pattern_of(name)
    if entry is not None or pattern is None:  # a file may be called 100%.mov
        more = takewhile(lambda part: part is not None, map(store.look, following(name))) if entry else ()
        return [[part.place, *part.stamp] for part in (entry, *more) if part is not None]
    found = sorted(store.find().values(), key=lambda e: e.place)
    return [[e.place, *e.stamp] for e in found if pattern.number(e.place) is not None]


def _fetched(folder: Path) -> list[list[Any]] | None:
    try:
        values = json.loads((folder / ".fetched").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, list) else None


def _content(path: Path, size: int) -> bytes | None:
    """What is in a file of this size; None where it is not whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if len(data) == size else None


def _versions(path: Path) -> dict[str, Any]:
    try:
        values = read_json(path)
    except LedgerError:
        return {}
    return values if isinstance(values, dict) else {}


def _used(folder: Path) -> float:
    """When a fetched source was used last; one that another worker lets go just now, long ago."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _wait(file: IO[bytes], alone: bool) -> None:
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)


def _forget(folder: Path) -> None:
    """Remove a fetched source unless a worker has it."""
    if sys.platform == "win32":
        return
    with folder.with_name(f"{folder.name}.lock").open("a+b") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        shutil.rmtree(folder, ignore_errors=True)
