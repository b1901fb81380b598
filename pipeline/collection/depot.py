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
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from colorizer.errors import LedgerError
from pipeline.collection.item import STATE, Item
from pipeline.job_folder import PLAN
from pipeline.ledger import Ledger, Receipt
from pipeline.storage import read_json, stamp, writable, write_json
from pipeline.stores import Entry, Store, is_uri, shown, store_of

if sys.platform != "win32":
    import fcntl

KEPT = 4
"""Fetched sources that stay on a machine while no worker has them open."""
JOBS = f"{STATE}/jobs"


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
        return shown(self.store) or str(self.folder)

    @property
    def _store(self) -> Store:
        return Store(self.store)

    def job_folder(self, key: str) -> Path:
        """Where an item's plan and pieces are."""
        return self.folder / JOBS / key

    # --- sources

    def source_path(self, item: Item) -> Path:
        """Where an item's source is read: itself, or a copy of what a store has."""
        if not is_uri(item.source):
            return Path(item.source)
        return self.scratch / "sources" / item.key / PurePosixPath(item.source).name

    def told(self, text: str, item: Item) -> str:
        """A message in which the source is called what a person calls it."""
        return text.replace(str(self.source_path(item)), shown(item.source)) if is_uri(item.source) else text

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
        with writable(lock), lock.open("a+b") as held:
            _wait(held, alone=False)
            if _fetched(path.parent) != (wanted := _listed(item.source)):
                _wait(held, alone=True)  # workers that share a machine fetch a source once
                if _fetched(path.parent) != wanted:
                    self._fetch(item.source, path.parent, wanted)
                _wait(held, alone=False)
            os.utime(path.parent)
            yield path

    def _fetch(self, uri: str, folder: Path, wanted: list[Any]) -> None:
        self._make_room(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        store, _ = store_of(uri)
        entries = [store.pull(name, folder / name) for name, _, _ in wanted]
        write_json(folder / ".fetched", [[e.place, *e.stamp] for e in entries])

    def _make_room(self, wanted: Path) -> None:
        others = [p for p in wanted.parent.iterdir() if p.is_dir() and p != wanted] if wanted.parent.is_dir() else []
        for folder in sorted(others, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT - 1 :]:
            _forget(folder)

    def drop_source(self, item: Item) -> None:
        """Let go of a fetched source that no worker of this machine has open."""
        if is_uri(item.source):
            _forget(self.source_path(item).parent)

    # --- what is known of items, and outputs

    def stamps(self, item: Item) -> list[list[Any]]:
        """Sizes and versions of an item's source, output and plan; empty for what is not there."""
        plan = f"{JOBS}/{item.key}/{PLAN}"
        return [self._source_stamp(item.source), self._stamp(item.out), self._stamp(plan)]

    def _source_stamp(self, source: str) -> list[Any]:
        if is_uri(source):
            return [part for listed in _listed(source) for part in listed]
        path = Path(source)
        return stamp(path.parent if "%" in path.name else path)  # of a sequence: its folder

    def source_bytes(self, item: Item) -> int | None:
        """Size of a source in a store; None if it is not there."""
        listed = _listed(item.source)
        return sum(size for _, size, _ in listed) if listed else None

    def _stamp(self, place: str) -> list[Any]:
        if not self.store:
            return stamp(self.folder / place)
        entry = self._store.look(place)
        return list(entry.stamp) if entry else []

    def put(self, *places: str) -> None:
        """Send files of `folder` to the store."""
        if self.store:
            for place in places:
                if (path := self.folder / place).exists():
                    self._store.push(path, place)

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

    def _bring(self, entry: Entry) -> None:
        with writable(path := self.folder / entry.place):
            self._store.pull(entry.place, path)

    def fetch_state(self) -> None:
        """Bring what is known of the items into `folder`: what other machines wrote counts."""
        if not self.store:
            return
        with writable(items := self.folder / STATE / "items"):
            shutil.rmtree(items, ignore_errors=True)
            items.mkdir(parents=True)
        for entry in self._store.find(f"{STATE}/items").values():
            if _is_below(entry.place):
                self._bring(entry)
        self.fetch(f"{STATE}/collection.json")

    def fetch_report(self, stories: Iterable[str]) -> frozenset[str]:
        """Bring what a report is made of, but the outputs. stories: places of sidecars. What files the store has."""
        if not self.store:
            return frozenset()
        found = self._store.find()
        for place, entry in found.items():
            path, wanted = self.folder / place, place.startswith("report/") or place in stories
            if wanted and _is_below(place) and not (path.exists() and path.stat().st_size == entry.bytes):
                self._bring(entry)
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
        self.fetch(f"{JOBS}/{item.key}/{PLAN}")

    def fetch_job(self, item: Item) -> None:
        """Bring an item's plan, and the receipts of its pieces, into its job folder; the item must be this step's."""
        self.fetch_plan(item)
        if not self.shared:
            return
        shutil.rmtree(self.job_folder(item.key) / "ledger", ignore_errors=True)
        for entry in self._store.find(f"{JOBS}/{item.key}/ledger").values():
            self._bring(entry)

    def ledger(self, key: str) -> Ledger:
        """The receipts of an item, each good if its piece is there, here or in the store."""
        if not self.shared:
            return Ledger(self.job_folder(key))
        sizes = {PurePosixPath(e.place).name: e.bytes for e in self._store.find(f"{JOBS}/{key}").values()}
        return Ledger(self.job_folder(key), sizes.get)

    def put_plan(self, key: str) -> None:
        """Send a plan, and plans that were put aside for it."""
        for path in sorted(self.job_folder(key).glob(f"{PLAN}*")) if self.store else ():
            self.put(f"{JOBS}/{key}/{path.name}")

    def put_piece(self, key: str, receipt: Receipt) -> None:
        """Send a painted piece, then its receipt; the piece is not kept here."""
        if not self.shared:
            return
        Ledger(self.job_folder(key)).record(receipt)
        self.put(f"{JOBS}/{key}/{receipt.file}", f"{JOBS}/{key}/ledger/{receipt.unit}.json")
        (self.job_folder(key) / receipt.file).unlink(missing_ok=True)

    def fetch_pieces(self, key: str) -> None:
        """Bring all pieces that have receipts."""
        if not self.shared:
            return
        for path in (self.job_folder(key) / "ledger").glob("*.json"):
            try:
                name = str(read_json(path)["file"])
            except (LedgerError, KeyError, TypeError):
                continue
            if PurePosixPath(name).name == name:
                self.fetch(f"{JOBS}/{key}/{name}")

    @contextmanager
    def forgetting(self, key: str) -> Iterator[None]:
        """Receipts that are forgotten while this lasts are forgotten in the store too."""
        ledger = self.job_folder(key) / "ledger"
        before = {path.name for path in ledger.glob("*.json")} if self.shared else set()
        try:
            yield
        finally:
            for name in before - {path.name for path in ledger.glob("*.json")}:
                self.take_back(f"{JOBS}/{key}/ledger/{name}")

    def publish(self, item: Item, pictures: Sequence[str] = ()) -> None:
        """Send an output and what goes with it, the output last; it does not stay here."""
        if not self.store:
            return
        self.put(*pictures, f"{item.out}.framemd5", f"{item.out}.json", item.out)
        (self.folder / item.out).unlink(missing_ok=True)

    def tidy(self, item: Item, keep: bool) -> None:
        """Remove an item's pieces, here and, unless `keep`, in the store; its plan stays for a person to edit."""
        folder, here = f"{JOBS}/{item.key}", self.job_folder(item.key)
        if (not keep or self.shared) and here.is_dir():
            for path in here.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif not path.name.startswith(PLAN):
                    path.unlink()
        if self.shared and not keep:
            for entry in self._store.find(folder).values():
                if not entry.place.startswith(f"{folder}/{PLAN}"):
                    self.take_back(entry.place)


def depot_for(out: str, scratch: Path | None = None, shared: bool = False) -> Depot:
    """The depot of an output folder, a path or a URI. shared: workers may be on other machines."""
    if scratch is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        mark = out if is_uri(out) else str(Path(out).resolve())
        scratch = cache / "chromatheque" / "work" / hashlib.blake2b(os.fsencode(mark), digest_size=8).hexdigest()
    if is_uri(out):
        return Depot(scratch / "out", scratch, out.rstrip("/"), shared)
    return Depot(Path(out), scratch)


def _is_below(place: str) -> bool:
    return ".." not in PurePosixPath(place).parts


def _listed(uri: str) -> list[list[Any]]:
    """Name, size and version of a source's files, in order: one, or of a sequence all that may belong to it."""
    store, name = store_of(uri)
    if "%" not in name:
        entry = store.look(name)
        return [[entry.place, *entry.stamp]] if entry else []
    before, _, after = name.partition("%")
    suffix = PurePosixPath(after).suffix
    found = (e for e in store.find().values() if "/" not in e.place)
    return [
        [e.place, *e.stamp]
        for e in sorted(found, key=lambda e: e.place)
        if e.place.startswith(before) and e.place.endswith(suffix)
    ]


def _fetched(folder: Path) -> list[list[Any]] | None:
    try:
        told = json.loads((folder / ".fetched").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, list) else None


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
