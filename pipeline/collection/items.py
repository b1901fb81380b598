"""The items of a collection, found by walking a folder or in a manifest."""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.collection.asked import check_places, is_manifest
from pipeline.collection.item import Item
from pipeline.collection.manifest import COLUMNS, in_words, read_manifest
from pipeline.collection.names import Wish, folded, named, same_source
from pipeline.collection.sources import ROOM, is_sequence
from pipeline.collection.walk import Tree, walk
from pipeline.containers.profiles import PROFILES
from pipeline.storage.atomic import is_there
from pipeline.storage.job_folder import beside
from pipeline.storage.stores import is_uri, masked
from pipeline.values.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk or a manifest gave. passed: other files by suffix, which nothing is done about.

    orphans: outputs of earlier runs that belong to no source any more. remarks: what a person should know of the
    manifest or the tree. hints: what who looks first may want otherwise.
    linked: folders behind symbolic links that nothing is done about. keys: of objects in a store that no path can hold,
    below the source.
    """

    items: tuple[Item, ...]
    passed: Mapping[str, int]
    orphans: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    linked: int = 0
    keys: tuple[str, ...] = ()


def find(
    source: Path | str, out: Path | str, options: Mapping[str, Any], include: Iterable[str], exclude: Iterable[str],
    known: Mapping[str, str] | None = None, every: bool = False, follow: bool = False,
) -> Found:  # fmt: skip
    """The items of a folder, or of a manifest (.csv), both by path or URI. options: of every item; a manifest's row
    has the last word.

    include, exclude: patterns that a path below the folder (or a row's file) must and must not match. known: sources by
    the outputs that earlier runs gave them. every, follow: as of `walk`. Raises ColorizeError.
    """
    source, out = str(source), str(out)
    known, remarks, tree = known or {}, tuple[str, ...](), Tree()
    check_places(source, out)
    if is_manifest(source):
        manifest = read_manifest(source)
        rows, passed = _once(manifest.rows), dict[str, int]()
        remarks = (*manifest.remarks, *_repeated(masked(source), manifest.rows, rows))
        _part(rows, known)
    else:
        tree = walk(source, out, every, follow)
        rows, passed, remarks = tree.rows, dict(tree.passed), tuple(tree.remarks)
    items = list(_items(rows, options, known))
    globs = tuple(include), tuple(exclude)
    chosen = tuple(item for row, item in items if _wanted(row["below"], *globs))
    orphans = tuple(_orphans(source, out, [item for _, item in items], known, set(map(masked, tree.folders))))
    return Found(chosen, passed, orphans, remarks, tuple(tree.hints), tree.linked, tuple(tree.keys))


def _orphans(
    source: str, folder: str, items: list[Item], known: Mapping[str, str], looked: Collection[str]
) -> Iterator[str]:  # fmt: skip
    """Outputs of earlier runs whose source is gone, is read with another one by now, or has another output of the same
    kind; and what stands beside one that is gone too. looked: folders all of whose sources are among the items."""
    outs, now = {item.out for item in items}, {(item.source, PurePosixPath(item.out).suffix) for item in items}
    sources = {masked(item.source) for item in items}
    for out, former in known.items():
        renamed = (former, PurePosixPath(out).suffix) in now
        below = former.startswith(f"{masked(source).rstrip('/')}/")
        gone = below if is_uri(former) else not _there(former)
        taken_in = str(PurePosixPath(former).parent) in looked and former not in sources
        if out not in outs and (renamed or gone or taken_in):
            there = is_uri(folder) or (Path(folder) / out).exists()
            yield from [out] if there else [name for name in beside(out) if (Path(folder) / name).exists()]


def _there(source: str) -> bool:
    path = Path(source)
    return is_there(path) or (is_sequence(path.name) and path.parent.is_dir())


def _wanted(below: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    def matches(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(below, p) or fnmatchcase(PurePosixPath(below).name, p) for p in patterns)

    return (not include or matches(include)) and not matches(exclude)


def _once(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without those that ask for the same as one before them."""
    return list({_asked(row): row for row in reversed(rows)}.values())[::-1]


def _asked(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(repr(row.get(name)) for name in COLUMNS if name != "id")


def _repeated(manifest: str, rows: Sequence[Mapping[str, Any]], kept: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    numbers: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in rows:
        numbers[_asked(row)].append(row["row"])
    for row in kept:
        if len(alike := numbers[_asked(row)]) > 1:
            yield f"{manifest}: rows {in_words(alike)} ask for the same; {masked(row['file'])} is colored once"


def _part(rows: Sequence[dict[str, Any]], known: Mapping[str, str]) -> None:
    """Mark rows that want one output, or one below another: none of them is colored over another. The row whose source
    was colored under that name before keeps it."""
    exact = {number: folded(row["out"]) for number, row in enumerate(rows) if row["exact"]}
    of: defaultdict[str, list[int]] = defaultdict(list)
    for number, place in exact.items():
        of[place].append(number)
    for number, place in exact.items():
        row = rows[number]
        above = [n for parent in PurePosixPath(place).parents for n in of.get(str(parent), [])]
        others = [n for n in (*of[place], *above) if n != number]
        mine = row["out"] in known and same_source(known[row["out"]], row["file"])
        if others and not mine:
            told = in_words([rows[n]["row"] for n in others])
            row["fault"] = (
                f"row {row['row']} of the manifest gives it the output {row['out']!r}, which is in the way of that of "
                f"row{'s' * (len(others) > 1)} {told}; give each an output of its own"
            )


def _items(
    rows: list[dict[str, Any]], options: Mapping[str, Any], known: Mapping[str, str]
) -> Iterator[tuple[dict[str, Any], Item]]:
    """Rows with their items, each with an output of its own."""
    wishes = [Wish(row["file"], _choices(row, options), bool(row.get("exact") and "fault" not in row)) for row in rows]
    for row, out in zip(rows, named(wishes, known), strict=True):
        names = KINDS[row["kind"]].options
        given = {**options, **{name: row[name] for name in COLUMNS if name in row}}
        chosen = tuple(sorted((name, given[name]) for name in names if given.get(name) is not None))
        key = hashlib.blake2b(os.fsencode(out), digest_size=8).hexdigest()
        id, notes, fault = row.get("id", ""), row.get("notes", ()), row.get("fault", "")
        yield row, Item(key, id, row["kind"], row["file"], out, chosen, notes, fault)


def _choices(row: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, ...]:
    """Outputs that a row may have: as its source is called, with that one's suffix, with a mark of the row's own."""
    short = _place(row, options)
    suffix = PurePosixPath(short).suffix
    chosen = {name: str(value) for name, value in row.items() if name in COLUMNS and name not in ("id", "file")}
    text = json.dumps([row["below"], chosen], sort_keys=True)
    mark = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    if "fault" in row:
        return (f"{PurePosixPath(short).with_suffix('')}.row-{row['row']}.{mark[:6]}{suffix}",)
    if row.get("exact"):
        return (short,)
    longer = f"{row['as']}{suffix}", f"{row['as']}.{mark[:6]}{suffix}", f"{row['as']}.{mark}{suffix}"
    return tuple(dict.fromkeys(_fitting(out, mark[:6]) for out in (short, *longer)))


def _fitting(out: str, mark: str) -> str:
    """An output whose name has room for what goes beside it; one that is too long ends in a mark of its own."""
    path = PurePosixPath(out)
    if len(os.fsencode(path.name)) <= ROOM:
        return out
    stem = os.fsencode(path.stem)[: ROOM - len(mark) - 1 - len(os.fsencode(path.suffix))]
    return str(path.with_name(f"{stem.decode(errors='ignore')}.{mark}{path.suffix}"))


def _place(row: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    place = PurePosixPath(row["as"])
    if row.get("exact") and place.suffix:
        return str(place)
    profile = row.get("profile") or options.get("profile") or "archive"
    suffix = PROFILES[profile].suffix if row["kind"] == "reel" else str(options.get("scans") or ".tif")
    return str(place.with_suffix(suffix))
