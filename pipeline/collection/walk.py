"""Walk: a tree of files, local or in a store, as rows of reels and scans; what is passed over is counted."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.collection.asked import is_output
from pipeline.collection.sources import joined, kind_of, of_sequence
from pipeline.storage.stores import Store, is_uri
from pipeline.values.sequence import SUFFIXES, sequences
from pipeline.values.title import following
from pipeline.values.words import counted

SEQUENCE = 10
"""Numbered pictures in a folder from which they are one reel."""
FILMS = (".dpx",)
"""What numbered pictures are a reel of by themselves; others may be plates."""


@dataclass(slots=True)
class Tree:
    """What a walk found. rows: as of a manifest. passed: other files by suffix, and what else is not looked at, with
    counts. folders: that were looked into, as rows name them. hints: numbered pictures that are taken for scans.
    linked: folders behind links that lead out of the tree and are not followed. keys: of objects in a store that no
    path can hold. remarks: what else a person should know."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    folders: set[str] = field(default_factory=set)
    hints: list[str] = field(default_factory=list)
    linked: int = 0
    keys: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def walk(source: str, out: str, every: bool = False, follow: bool = False) -> Tree:
    """All reels and scans below a folder, by path or URI; hidden files, and what this program wrote, do not count.

    every: numbered pictures of other kinds than FILMS are reels too. follow: folders behind symbolic links belong to
    the tree, each of them once.
    """
    tree = Tree()
    base = source.rstrip("/") if is_uri(source) else source
    folders = _stored(source, tree) if is_uri(source) else _local(source, out, follow, tree)
    for place, files in folders:
        tree.folders.add(joined(base, str(place)) if place.parts else base)
        names = sorted(f for f in files if not f.startswith("."))
        others = _sequences(tree, base, place, names, every) | _later_parts(names)
        for name in (n for n in names if n not in others):
            if kind := kind_of(name):
                below = str(place / name)
                tree.rows.append({"file": joined(base, below), "below": below, "as": below, "kind": kind})
            else:
                tree.passed[PurePosixPath(name).suffix.lower() or "without suffix"] += 1
    tree.passed = Counter(dict(sorted(tree.passed.items())))
    return tree


def _sequences(tree: Tree, base: str, place: PurePosixPath, names: list[str], every: bool) -> set[str]:
    """Take in the numbered pictures of a folder; which of its files they are."""
    pictures = set[str]()
    found = {str(pattern): those for pattern, those in sequences(names, SUFFIXES, SEQUENCE).items()}
    for name, those in sorted(found.items()):
        below, suffix = str(place / name), PurePosixPath(name).suffix
        if not every and suffix.lower() not in FILMS:
            many = counted(len(those), "numbered picture")
            tree.hints.append(f"{joined(base, below)}: {many}, taken for scans; with --sequences all they are one reel")
            continue
        pictures |= set(those)
        tree.rows.append({"file": joined(base, below), "below": below, "as": of_sequence(below), "kind": "reel"})
    return pictures


def _later_parts(names: list[str]) -> set[str]:
    """Files that are read with the first one of their title."""
    there = set(names)
    return {part for name in names for part in takewhile(there.__contains__, following(name))}


def _stored(source: str, tree: Tree) -> Iterator[tuple[PurePosixPath, list[str]]]:
    """Folders of a store, by their place below the source, each with the names of its files.

    Objects whose keys no path can hold are passed over, and named.
    """
    found: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
    for place in Store(source).find():
        path = PurePosixPath(place)
        hidden = any(part.startswith(".") for part in path.parts)  # "..", too, which an object's name may hold
        if not hidden and str(path) == place:
            found[path.parent].append(path.name)
        elif not hidden:
            tree.passed["under keys with // or /./"] += 1
            tree.keys.append(place)
    yield from sorted(found.items())


def _local(source: str, out: str, follow: bool, tree: Tree) -> Iterator[tuple[PurePosixPath, list[str]]]:
    """Folders at and below a source, by their place below it, each with the names of its files.

    Links that lead back into the tree need no count: those folders are met where they are. One to a folder that holds
    the tree is never followed. No folder is met twice, so that links in a circle end.
    """
    mine, inner = None if is_uri(out) else Path(out).resolve(), Path(source).resolve()
    tops, seen = [Path(source)], set[Path]()

    def unread(error: OSError) -> None:
        why = error.strerror or str(error)
        tree.remarks.append(
            f"{error.filename}: what is in this folder is not looked at, since it cannot be read ({why})"
        )

    while tops:
        for top, folders, files in os.walk(tops.pop(0), onerror=unread):
            place, real = Path(top), Path(top).resolve()
            if real in seen or real == mine:
                folders.clear()
                continue
            seen.add(real)
            if place != Path(source) and is_output(place):
                folders.clear()
                tree.passed["in outputs of earlier runs"] += len(files)
                continue
            near = sorted(place / f for f in folders if not f.startswith("."))
            links = [path for path in near if os.path.islink(path)]  # noqa: PTH114 - Path's raises where a path is too long
            folders[:] = [path.name for path in near if path not in links]
            away = [path for path in links if not path.resolve().is_relative_to(inner)]
            led = [path for path in away if follow and not inner.is_relative_to(path.resolve())]
            tops += led
            tree.linked += len(away) - len(led)
            yield PurePosixPath(place.relative_to(source).as_posix()), files
