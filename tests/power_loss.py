"""The power is cut at any moment of a small job: the same command then ends in the same bytes.

    python -m tests.power_loss                          # every cut: what `make faults` runs
    python -m tests.power_loss --jobs scan --tenth 7    # one cut in ten, drawn by a seed

What a run writes below its output folder is recorded (nth_failure.c) and played on a model of a disk, which holds what
was synced, and of all else some: names by the sync of their folder, bytes by the sync of their file. It is cut before
every sync, rename and removal and after the last call, each in several ways:

    lost     nothing is there that was not synced
    empty    all names are there, and no byte that was not synced
    torn     all is there, but of each file the second half of its last write
    drawn    by a seed, some of the names, and of each file some of its writes, the last of them torn

Then the folder is made anew as the disk has it, and the same command runs there. It must end as the undisturbed run
did: the same bytes, and no file besides. What it said was done must be there without it, too.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.trials import JOBS, Bench, apart, preloaded, tree

WAYS = ["lost", "empty", "torn", "drawn"]
CHANGES_NAMES = ("sync", "rename", "unlink")
"""Calls before which the power is cut."""
LASTING = re.compile(r"\.(mkv|mp4|tif)(\.json)?$")
"""What is there for good once it was said to be: outputs and their sidecars."""


@dataclass(frozen=True)
class Change:
    """A call that succeeded. number: where bytes go, a length, or whether a file was emptied. time: of the file, ns."""

    call: str
    path: Path
    other: Path
    number: int
    data: bytes
    time: int


def read_changes(record: Path, root: Path) -> list[Change]:
    """What nth_failure.c wrote down, with paths from the output folder on."""
    data, at, changes = record.read_bytes(), 0, []
    while at < len(data):
        end = data.index(b"\n", at)
        call, path, other, number, length, time = data[at:end].decode().split("\t")
        at = end + 1 + int(length)
        places = [Path(p).relative_to(root) if p else Path() for p in (path, other)]
        changes.append(Change(call, *places, int(number), data[end + 1 : at], int(time)))
    return changes


@dataclass(eq=False)
class File:
    """Bytes on the disk, and the writes that are on the way there: where, and what; a length alone cuts."""

    bytes: bytes = b""
    time: int = 0
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    now: int = 0
    """Its time with all of them."""

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self.bytes, self.time, self.pending = self.at(len(self.pending)), self.now, []

    def at(self, writes: int, torn: bool = False) -> bytes:
        """With so many of the writes. torn: only half of the last one."""
        made = bytearray(self.bytes)
        for i, (place, data) in enumerate(self.pending[:writes], 1):
            if data is None:
                del made[place:]
                made.extend(bytes(place - len(made)))
                continue
            part = data[: len(data) // 2] if torn and i == writes else data
            made.extend(bytes(max(0, place + len(part) - len(made))))
            made[place : place + len(part)] = part
        return bytes(made)


@dataclass(eq=False)
class Folder:
    """Names, and those that the disk has. renames: since then, both names of each: they come together or not at all."""

    names: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)
    renames: list[set[str]] = field(default_factory=list)

    def sync(self) -> None:
        """Bring the names to the disk."""
        self.synced, self.renames = dict(self.names), []

    def groups(self) -> list[set[str]]:
        """Names that differ from the disk's, those that only come together in one set."""
        names = {*self.names, *self.synced}
        groups = [{n} for n in sorted(names) if self.names.get(n) is not self.synced.get(n)]
        for pair in self.renames:
            met = [g for g in groups if g & pair]
            groups = [g for g in groups if g not in met] + [set().union(*met)] * bool(met)
        return groups


class Disk:
    """A folder and all below it, as a run changes it and as the disk would have it."""

    def __init__(self, folder: Path) -> None:
        self.root = self._taken(folder)

    def _taken(self, folder: Path) -> Folder:
        names: dict[str, File | Folder] = {}
        for path in folder.iterdir():
            time = path.stat().st_mtime_ns
            names[path.name] = self._taken(path) if path.is_dir() else File(path.read_bytes(), time, now=time)
        return Folder(names, dict(names))

    def _folder(self, path: Path) -> Folder:
        found: File | Folder = self.root
        for name in path.parts:
            found = found.names[name] if isinstance(found, Folder) else Folder()
        return found if isinstance(found, Folder) else Folder()

    def play(self, change: Change) -> None:
        """Change what a call changed."""
        parent, name = self._folder(change.path.parent), change.path.name
        if change.call == "sync":
            (parent.names[name] if name else self.root).sync()
        elif change.call == "mkdir":
            parent.names[name] = Folder()
        elif change.call == "unlink":
            parent.names.pop(name)
        elif change.call == "rename":
            if change.other.parent != change.path.parent:
                raise ValueError(f"renamed into another folder: {change}")
            parent.names[name] = parent.names.pop(change.other.name)
            parent.renames.append({name, change.other.name})
        elif name in parent.names or change.call == "open":
            self._write(parent.names.setdefault(name, File()), change)

    def _write(self, file: File | Folder, change: Change) -> None:
        """Of a file that has a name; bytes of one that has none are nobody's."""
        if not isinstance(file, File):
            raise ValueError(f"no file: {change}")
        if change.call == "write":
            file.pending.append((change.number, change.data))
        elif change.call == "truncate" or change.number:
            file.pending.append((change.number if change.call == "truncate" else 0, None))
        file.now = change.time

    def after(self, way: str, draw: random.Random) -> dict[str, tuple[bytes, int] | None]:
        """What is there when the power comes back: bytes and time of each file by its place; of folders nothing."""
        return dict(self._kept(self.root, "", way, draw))

    def _kept(
        self, folder: Folder, place: str, way: str, draw: random.Random
    ) -> Iterator[tuple[str, tuple[bytes, int] | None]]:  # fmt: skip
        names = dict(folder.synced)
        for group in folder.groups():
            if way in ("empty", "torn") or (way == "drawn" and draw.random() < 0.5):
                for name in group:
                    names.pop(name, None)
                names.update({name: folder.names[name] for name in group if name in folder.names})
        for name, of in sorted(names.items()):
            if isinstance(of, Folder):
                yield place + name, None
                yield from self._kept(of, f"{place}{name}/", way, draw)
            else:
                writes = {"torn": len(of.pending), "drawn": draw.randint(0, len(of.pending))}.get(way, 0)
                yield place + name, (of.at(writes, torn=True), of.now if writes else of.time)


@dataclass(frozen=True)
class Cut:
    """Where the power was cut, how, and what the disk had then."""

    number: int
    before: str
    way: str
    kept: dict[str, tuple[bytes, int] | None] = field(repr=False)


def cuts(changes: list[Change], folder: Path, seed: int) -> Iterator[Cut]:
    """All that differ, and those at the end. folder: as it was before the changes."""
    disk, seen = Disk(folder), set()
    for number in range(len(changes) + 1):
        change = changes[number] if number < len(changes) else None
        if change is None or change.call in CHANGES_NAMES:
            for way in WAYS:
                kept = disk.after(way, random.Random(f"{seed} {number}"))
                mark = hash(tuple(sorted(kept.items(), key=lambda item: item[0])))
                if mark not in seen or change is None:
                    seen.add(mark)
                    yield Cut(number, f"{change.call} {change.path}" if change else "the end", way, kept)
        if change:
            disk.play(change)


def put(folder: Path, kept: dict[str, tuple[bytes, int] | None]) -> None:
    """Make a folder anew, as a disk has it."""
    shutil.rmtree(folder)
    folder.mkdir()
    for place, file in kept.items():
        path = folder / place
        if file is None:
            path.mkdir()
            continue
        path.write_bytes(file[0])
        os.utime(path, ns=(file[1], file[1]))


class Power:
    """A job that was recorded once."""

    def __init__(self, bench: Bench, job: str, seed: int) -> None:
        self.bench, self.job = bench, job
        self.reference, self.want = bench.reference(job)
        place, record = bench.fresh(job), bench.work / f"{job}.record"
        run = bench.run(JOBS[job], place, record=record)
        before = bench.work / "before" / job / "out"
        self.changes = read_changes(record, place / "out")
        self.wrong = [] if run.code == self.reference.code else [f"the recorded run: {run.last}"]
        self.wrong += [f"not recorded: {what}" for what in self._unseen(before, place / "out")]
        self.cuts = list(cuts(self.changes, before, seed))

    def _unseen(self, before: Path, after: Path) -> list[str]:
        """What the model has otherwise than the folder, such as bytes that were written by a call nobody counts."""
        disk = Disk(before)
        for change in self.changes:
            disk.play(change)
        model = _all(disk.root, "")
        there = {str(p.relative_to(after)): p.read_bytes() for p in after.rglob("*") if p.is_file()}
        return [name for name in sorted({*model, *there}) if model.get(name) != there.get(name)]

    def trial(self, cut: Cut) -> str:
        """What is not as it should be after a cut, or ""."""
        place = self.bench.fresh(self.job)
        put(place / "out", cut.kept)
        if cut.before == "the end" and (gone := self._lost(tree(place / "out"))):
            return f"said to be done, and lost: {gone}"
        again = self.bench.run(JOBS[self.job], place)
        bad = apart(tree(place / "out"), self.want) + self.bench.user_files(place)
        if again.code is None:
            return "hangs"
        if "Traceback" in again.text:
            return f"traceback: {again.last}"
        if bad or again.code != self.reference.code:
            return f"ends with {again.code}, {bad}: {again.last}"
        return ""

    def _lost(self, now: dict[str, str]) -> list[str]:
        wanted = [name for name in self.want if LASTING.search(name) and "/report/" not in name]
        return [name for name in wanted if now.get(name) != self.want[name]]


def _all(folder: Folder, place: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, of in folder.names.items():
        if isinstance(of, Folder):
            found.update(_all(of, f"{place}{name}/"))
        else:
            found[place + name] = of.at(len(of.pending))
    return found


def main() -> None:
    """Try every cut, print what does not hold, and end with 1 if anything does not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--tenth", type=int, help="a seed: one cut in ten, drawn by it")
    parser.add_argument("--most", type=int, help="no more cuts of a job than this")
    parser.add_argument("--only", type=int, help="cuts before this call alone")
    asked = parser.parse_args()
    preloaded("tests.power_loss", sys.argv[1:])
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for job in asked.jobs.split(","):
            power = Power(bench, job, asked.seed)
            counts["failures"] += len(power.wrong)
            for what in power.wrong:
                print(f"{job}: {what}", flush=True)
            for cut in chosen(power.cuts, asked):
                why = power.trial(cut)
                counts["failures" if why else "as it should be"] += 1
                if why or asked.only is not None:
                    print(f"{job} {cut.number} {cut.way}, before {cut.before}: {why or 'holds'}", flush=True)
            syncs = sum(change.call == "sync" for change in power.changes)
            print(f"{job}: {syncs} syncs, {len(power.cuts)} cuts; so far {dict(counts)}", flush=True)
    print(f"{counts.total()} trials, {counts['failures']} failures")
    sys.exit(bool(counts["failures"]))


def chosen(every: list[Cut], asked: argparse.Namespace) -> list[Cut]:
    """Which cuts are tried; with a tenth also the one after which nothing may be missing."""
    if asked.only is not None:
        return [cut for cut in every if cut.number == asked.only]
    if asked.tenth is None:
        return every
    draw = random.Random(f"{asked.tenth} {len(every)}")
    count = min(-(-len(every) // 10), asked.most or len(every))
    return [*draw.sample(every[: -len(WAYS)], count - 1), every[-len(WAYS)]]


if __name__ == "__main__":
    main()
