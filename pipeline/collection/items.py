"""The items of a collection, found by walking a folder or in a manifest."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.collection.asked import check_places, is_manifest, is_output
from pipeline.collection.item import Item
from pipeline.collection.manifest import COLUMNS, in_words, read_manifest
from pipeline.collection.names import Wish, folded, named, same_source
from pipeline.collection.sources import ROOM, is_sequence, joined, kind_of, of_sequence
from pipeline.containers.profiles import PROFILES
from pipeline.storage.stores import Store, is_uri, masked
from pipeline.values.kinds import KINDS

SEQUENCE = 10
"""Numbered DPX files in a folder from which they are one reel."""
NUMBERED = re.compile(r"(.*?)(\d{3,9})(\.dpx)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk or a manifest gave. passed: other files by suffix, which nothing is done about.

    orphans: outputs of earlier runs that belong to no source any more. remarks: what a person should know of the
    manifest.
    """

    items: tuple[Item, ...]
    passed: Mapping[str, int]
    orphans: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def find(
    source: Path | str, out: Path | str, options: Mapping[str, Any], include: Iterable[str], exclude: Iterable[str],
    known: Mapping[str, str] | None = None,
) -> Found:  # fmt: skip
    """The items of a folder, or of a manifest (.csv), both by path or URI. options: of every item; a manifest's row
    has the last word.

    include, exclude: patterns that a path below the folder (or a row's file) must and must not match. known: sources by
    the outputs that earlier runs gave them. Raises ColorizeError.
    """
    source, out = str(source), str(out)
    known, remarks = known or {}, tuple[str, ...]()
    check_places(source, out)
    if is_manifest(source):
        manifest = read_manifest(source)
        rows, passed = _once(manifest.rows), dict[str, int]()
        remarks = (*manifest.remarks, *_repeated(masked(source), manifest.rows, rows))
        _part(rows, known)
    else:
        rows, passed = _walked(source, out)
    items = list(_items(rows, options, known))
    globs = tuple(include), tuple(exclude)
    chosen = tuple(item for row, item in items if _wanted(row["below"], *globs))
    return Found(chosen, passed, tuple(_orphans(source, out, [item for _, item in items], known)), remarks)


def _orphans(source: str, folder: str, items: list[Item], known: Mapping[str, str]) -> Iterator[str]:
    """Outputs of earlier runs whose source is gone, or has another output of the same kind by now."""
    outs, now = {item.out for item in items}, {(item.source, PurePosixPath(item.out).suffix) for item in items}
    for out, former in known.items():
        renamed = (former, PurePosixPath(out).suffix) in now
        below = former.startswith(f"{masked(source).rstrip('/')}/")
        gone = below if is_uri(former) else not _there(former)
        there = is_uri(folder) or (Path(folder) / out).exists()
        if there and out not in outs and (renamed or gone):
            yield out


def _there(source: str) -> bool:
    path = Path(source)
    return path.exists() or (is_sequence(path.name) and path.parent.is_dir())


def _wanted(below: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    def matches(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(below, p) or fnmatchcase(PurePosixPath(below).name, p) for p in patterns)

    return (not include or matches(include)) and not matches(exclude)


def _folders(source: str, out: str, passed: Counter[str]) -> Iterator[tuple[PurePosixPath, list[str]]]:
    """Folders at and below a source, by their place below it, each with the names of its files.

    passed: counts files in outputs of earlier runs, and objects whose keys no path can hold.
    """
    if is_uri(source):
        found: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
        for place in Store(source).find():
            path = PurePosixPath(place)
            hidden = any(part.startswith(".") for part in path.parts)  # "..", too, which an object's name may hold
            if not hidden and str(path) == place:
                found[path.parent].append(path.name)
            elif not hidden:
                passed["under keys with // or /./"] += 1
        yield from sorted(found.items())
        return
    mine = None if is_uri(out) else Path(out).resolve()
    for place, folders, files in os.walk(source):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (Path(place) / f).resolve() != mine)
        if place != source and is_output(place):
            folders.clear()
            passed["in outputs of earlier runs"] += len(files)
            continue
        yield PurePosixPath(Path(place).relative_to(source).as_posix()), files


def _walked(source: str, out: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Rows of all reels and scans below a folder; hidden files, and what this program wrote, do not count."""
    rows: list[dict[str, Any]] = []
    passed: Counter[str] = Counter()
    base = source.rstrip("/") if is_uri(source) else source
    for place, files in _folders(source, out, passed):
        numbered: defaultdict[tuple[str, int, str], list[str]] = defaultdict(list)
        for name in sorted(f for f in files if not f.startswith(".")):
            if match := NUMBERED.fullmatch(name):
                numbered[match[1], len(match[2]), match[3]].append(name)
        pictures = {name for names in numbered.values() if len(names) >= SEQUENCE for name in names}
        for (stem, digits, suffix), names in sorted(numbered.items()):
            if len(names) >= SEQUENCE:
                below = str(place / f"{stem.replace('%', '%%')}%0{digits}d{suffix}")
                rows.append({"file": joined(base, below), "below": below, "as": of_sequence(below), "kind": "reel"})
        for name in sorted(f for f in files if not f.startswith(".") and f not in pictures):
            if not (kind := kind_of(name)):
                passed[PurePosixPath(name).suffix.lower() or "without suffix"] += 1
                continue
            below = str(place / name)
            rows.append({"file": joined(base, below), "below": below, "as": below, "kind": kind})
    return rows, dict(sorted(passed.items()))


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
