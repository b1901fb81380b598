"""The items of a collection, found by walking a folder or in a manifest."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

from colorizer.basis.errors import ColorizeError
from pipeline.collection.item import Item
from pipeline.containers.profiles import PROFILES
from pipeline.stills.table import SUFFIXES
from pipeline.storage.stores import Store, fetch_text, is_uri, masked
from pipeline.values.kinds import KINDS
from pipeline.values.sequence import NUMBERED as NUMBER

REELS = frozenset(
    [
        ".mov",
        ".mp4",
        ".mkv",
        ".avi",
        ".mxf",
        ".mpg",
        ".mpeg",
        ".ts",
        ".m2ts",
        ".webm",
        ".wmv",
        ".flv",
        ".vob",
        ".dv",
        ".m4v",
        ".ogv",
        ".3gp",
        ".nut",
        ".ivf",
        ".rm",
    ]
)
"""What a walk takes for a moving picture; for a still, what `pipeline.stills.table` knows."""
SEQUENCE = 10
"""Numbered DPX files in a folder from which they are one reel."""
NUMBERED = re.compile(r"(.*?)(\d{3,9})(\.dpx)", re.IGNORECASE)
COLUMNS = {
    "file": str, "id": str, "out": str, "kind": str, "profile": str, "weights": str, "working_size": int,
    "rate": Fraction, "start": str, "stop": str, "compression": str, "page": int,
}  # fmt: skip
"""Columns of a manifest; only `file` is needed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk or a manifest gave. passed: other files by suffix, which nothing is done about."""

    items: tuple[Item, ...]
    passed: Mapping[str, int]


def find(
    source: Path | str, out: Path | str, options: Mapping[str, Any], include: Iterable[str], exclude: Iterable[str]
) -> Found:
    """The items of a folder, or of a manifest (.csv), both by path or URI. options: of every item; a manifest's row
    has the last word.

    include, exclude: patterns that a path below the folder (or a row's file) must and must not match. Raises
    ColorizeError.
    """
    source, out = str(source), str(out)
    if source.lower().endswith(".csv") and not Path(source).is_dir():
        rows, passed = list(_listed(source)), dict[str, int]()
    elif is_uri(source) or Path(source).is_dir():
        if _inside(out, source):
            raise ColorizeError(
                f"{masked(out)}: lies inside {masked(source)}, which would be colored again; give another folder"
            )
        rows, passed = _walked(source, out)
    else:
        raise ColorizeError(
            f"{masked(source)}: neither a folder nor a manifest (.csv); a single file is for reel or scan"
        )
    chosen = [row for row in rows if _wanted(row["below"], tuple(include), tuple(exclude))]
    return Found(tuple(_items(chosen, options)), passed)


def _inside(place: str, folder: str) -> bool:
    if is_uri(place) or is_uri(folder):
        return f"{place.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
    path, around = Path(place).resolve(), Path(folder).resolve()
    return path == around or around in path.parents


def _wanted(below: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    def matches(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(below, p) or fnmatchcase(PurePosixPath(below).name, p) for p in patterns)

    return (not include or matches(include)) and not matches(exclude)


def _folders(source: str, out: str) -> Iterator[tuple[PurePosixPath, list[str]]]:
    """Folders at and below a source, by their place below it, each with the names of its files."""
    if is_uri(source):
        found: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
        for place in Store(source).find():
            path = PurePosixPath(place)
            hidden = any(part.startswith(".") for part in path.parts)  # "..", too, which an object's name may hold
            if not hidden and str(path) == place:
                found[path.parent].append(path.name)
        yield from sorted(found.items())
        return
    mine = None if is_uri(out) else Path(out).resolve()
    for place, folders, files in os.walk(source):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (Path(place) / f).resolve() != mine)
        yield PurePosixPath(Path(place).relative_to(source).as_posix()), files


def _walked(source: str, out: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Rows of all reels and scans below a folder; hidden files, and what this program wrote, do not count."""
    rows: list[dict[str, Any]] = []
    passed: Counter[str] = Counter()
    base = source.rstrip("/") if is_uri(source) else source
    for place, files in _folders(source, out):
        numbered: defaultdict[tuple[str, int, str], list[str]] = defaultdict(list)
        for name in sorted(f for f in files if not f.startswith(".")):
            if match := NUMBERED.fullmatch(name):
                numbered[match[1], len(match[2]), match[3]].append(name)
        pictures = {name for names in numbered.values() if len(names) >= SEQUENCE for name in names}
        for (stem, digits, suffix), names in sorted(numbered.items()):
            if len(names) >= SEQUENCE:
                below = str(place / f"{stem.replace('%', '%%')}%0{digits}d{suffix}")
                rows.append({"file": _below(base, below), "below": below, "as": _sequence(below), "kind": "reel"})
        for name in sorted(f for f in files if not f.startswith(".") and f not in pictures):
            suffix = PurePosixPath(name).suffix.lower()
            kind = "reel" if suffix in REELS else "scan" if suffix in SUFFIXES else ""
            if not kind:
                passed[suffix or "without suffix"] += 1
                continue
            below = str(place / name)
            rows.append({"file": _below(base, below), "below": below, "as": below, "kind": kind})
    return rows, dict(sorted(passed.items()))


def _below(base: str, place: str) -> str:
    return f"{base}/{place}" if is_uri(base) else str(Path(base) / place)


def _sequence(below: str) -> str:
    """What a sequence's output is called: as its pictures are without their numbers, else as their folder."""
    place = PurePosixPath(below)
    stem = re.sub(r"%\d*d", "", place.stem).rstrip("._- ")
    if stem:
        return str(place.with_name(stem + place.suffix))
    return f"{place.parent if place.parent.name else 'reel'}{place.suffix}"


def _listed(manifest: str) -> Iterator[dict[str, Any]]:
    """Rows of a manifest, checked. Files are relative to its folder."""
    try:
        text = fetch_text(manifest) if is_uri(manifest) else Path(manifest).read_bytes().decode("utf-8-sig")
        reader = csv.DictReader(StringIO(text, newline=""), strict=True)
        unknown = [name for name in reader.fieldnames or () if name not in COLUMNS]
        if unknown or "file" not in (reader.fieldnames or ()):
            wrong = f"unknown columns {', '.join(map(repr, unknown))}" if unknown else "no column 'file'"
            raise ColorizeError(f"{masked(manifest)}: {wrong}; columns are {', '.join(COLUMNS)}, and file is needed")
        for row in reader:
            yield _row(manifest, reader.line_num, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ColorizeError(
            f"{masked(manifest)}: cannot be read as a table ({error}); save it as CSV in UTF-8"
        ) from error


def _row(manifest: str, line: int, row: Mapping[str, Any]) -> dict[str, Any]:
    where = f"{masked(manifest)}, line {line}"
    if None in row:
        raise ColorizeError(f"{where}: more fields than columns; put quotes around a field with a comma in it")
    values: dict[str, Any] = {}
    for name, text in row.items():
        if not (text or "").strip():
            continue
        try:
            values[name] = 0 if (name, text) == ("working_size", "native") else COLUMNS[name](text.strip())
        except (ValueError, ZeroDivisionError) as error:
            number = "a whole number" if COLUMNS[name] is int else "a number"
            raise ColorizeError(f"{where}: {name} {text!r} is not {number}") from error
    if "file" not in values:
        raise ColorizeError(f"{where}: no file is named")
    path = Path(values["file"])
    elsewhere = is_uri(values["file"])
    below = path.name if elsewhere or path.is_absolute() else path.as_posix()
    suffix, sequence = path.suffix.lower(), NUMBER.search(path.name) is not None
    kind = values.get("kind") or ("reel" if suffix in REELS or sequence else "scan")
    if kind not in KINDS:
        raise ColorizeError(f"{where}: kind {kind!r} is neither {' nor '.join(KINDS)}")
    if values.get("profile", "archive") not in PROFILES:
        raise ColorizeError(f"{where}: no profile is called {values['profile']!r}; there are {', '.join(PROFILES)}")
    if "out" in values and not _stays(values["out"]):
        raise ColorizeError(f"{where}: out {values['out']!r} leads out of the output folder")
    place = values.get("out") or _tame(_sequence(below) if sequence else below)
    source = values["file"]
    if not elsewhere:
        folder = manifest.rpartition("/")[0] if is_uri(manifest) else str(Path(manifest).parent)
        source = _below(folder, source)
    return {**values, "file": source, "below": below, "as": place, "kind": kind, "exact": "out" in values}


def _stays(out: str) -> bool:
    """Whether a relative place stays within its folder, on every system."""
    parts = PurePosixPath(out.replace("\\", "/"))
    return bool(parts.name) and not parts.is_absolute() and ".." not in parts.parts and ":" not in parts.parts[0]


def _tame(below: str) -> str:
    """A source's own path as a place below a folder: what leads out of it is left out."""
    parts = [
        part for part in PurePosixPath(below.replace("\\", "/")).parts if part not in ("..", "/") and ":" not in part
    ]
    return str(PurePosixPath(*parts)) if parts else "unnamed"


def _items(rows: list[dict[str, Any]], options: Mapping[str, Any]) -> Iterator[Item]:
    """Items with outputs of their own: where two sources would meet in a name, both keep their suffix in it."""
    placed = [(row, _place(row, options)) for row in rows]
    taken = Counter(out.lower() for _, out in placed)  # also where a file system takes a and A for one name
    outs: set[str] = set()
    for row, out in placed:
        if taken[out.lower()] > 1:
            out = f"{row['as']}{PurePosixPath(out).suffix}"
        if out.lower() in outs:
            raise ColorizeError(
                f"{masked(row['file'])}: another file has the same output {out}; give each a name of its own"
            )
        outs.add(out.lower())
        names = KINDS[row["kind"]].options
        given = {**options, **{name: row[name] for name in COLUMNS if name in row}}
        chosen = tuple(sorted((name, given[name]) for name in names if given.get(name) is not None))
        key = hashlib.blake2b(os.fsencode(out), digest_size=8).hexdigest()
        yield Item(key, str(row.get("id", "")), row["kind"], row["file"], out, chosen)


def _place(row: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    place = PurePosixPath(row["as"])
    if row.get("exact") and place.suffix:
        return str(place)
    profile = row.get("profile") or options.get("profile") or "archive"
    suffix = PROFILES[profile].suffix if row["kind"] == "reel" else str(options.get("scans") or ".tif")
    return str(place.with_suffix(suffix))
