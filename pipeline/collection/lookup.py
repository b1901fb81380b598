"""Which plan a person means: that of a job folder, a plan file, or a file of a collection by path, name or id."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from colorizer.basis.errors import ColorizeError, LedgerError, Mistyped
from pipeline.collection import layout
from pipeline.storage.atomic import read_json
from pipeline.storage.job_folder import PLAN, JobFolder
from pipeline.storage.stores import is_uri, masked
from pipeline.values.words import counted

if TYPE_CHECKING:
    from pipeline.jobs.plan_file import PlanFile

NAMED = 5
"""Files that an error names at most."""


def find_plan(place: str) -> PlanFile:
    """The plan that `place` stands for. Raises ColorizeError, in one line.

    place: a job folder, a plan file, the output of a run that was stopped, or the path of a collection's output; below
    OUT_DIR a catalogue's id, a source's name, or an output's name without its suffix will do as well.
    """
    if is_uri(place):
        raise ColorizeError(
            f"{masked(place)}: plans in a store cannot be edited; color that file into a folder and edit there"
        )
    path = Path(os.path.abspath(place))  # noqa: PTH100 - resolves "..", and keeps links as they were typed
    for job in (JobFolder(path), JobFolder.of(path)):  # the second: of a run that was stopped
        if job.plan.is_file():
            return _at(job.plan, place)
    if path.suffix == ".json" and path.parent.is_dir() and path.is_file() and path.name.startswith(PLAN):
        return _at(path, place)
    for folder in (path, *path.parents):
        if (folder / layout.ITEMS).is_dir():
            return _in_collection(folder, path.relative_to(folder).as_posix(), place)
    if not path.exists():
        raise Mistyped(f"{place}: no such file or folder, and no collection (archive's OUT_DIR) around it")
    raise ColorizeError(
        f"{place}: no plan is kept for it; give the folder of `reel --job` or `scan --job`, or a file below archive's "
        "OUT_DIR"
    )


def _at(path: Path, place: str) -> PlanFile:
    """A plan in a job folder, which may be a collection's: then a run holds the collection's lock, not the folder's."""
    from pipeline.jobs.plan_file import PlanFile  # here, so that a slip is told before torch is loaded

    state = path.parent.parent.parent
    lock = state if state.name == layout.STATE else path.parent
    return PlanFile(path, lock, place)


def _in_collection(out: Path, below: str, place: str) -> PlanFile:
    items = [record for record in map(_record, sorted((out / layout.ITEMS).glob("*.json"))) if record]
    found = _matching(items, below) if below != "." else items
    if len(found) != 1:
        raise Mistyped(_unclear(items, found, below, place))
    [item] = found
    path = out / layout.plan(item["key"])
    if not path.is_file():
        raise ColorizeError(f"{place}: it has no plan yet; that is made when the collection is colored")
    return _at(path, place)


def _record(path: Path) -> dict[str, Any]:
    """What a state file says of its item; nothing where it is damaged."""
    try:
        values = read_json(path)
        record = {name: str(values[name]) for name in ("id", "source", "out")}
    except (LedgerError, KeyError, TypeError):
        return {}
    return {**record, "key": path.stem}


def _matching(items: list[dict[str, Any]], below: str) -> list[dict[str, Any]]:
    """Items that are called so; a whole path or an id counts more than a part of a path."""
    exact = [item for item in items if below in (item["out"], item["id"])]
    return exact or [item for item in items if below in _names(item)]


def _names(item: dict[str, Any]) -> tuple[str, ...]:
    out, source = PurePosixPath(item["out"]), PurePosixPath(item["source"].replace("\\", "/"))
    return str(out.with_suffix("")), out.name, out.stem, source.name, item["source"]


def _unclear(items: list[dict[str, Any]], found: list[dict[str, Any]], below: str, place: str) -> str:
    several = found or items
    named = ", ".join(item["id"] or item["out"] for item in several[:NAMED])
    more = f" and {len(several) - NAMED} more" if len(several) > NAMED else ""
    if below == ".":
        return f"{place}: a collection of {counted(len(items), 'file')}; name one below it: {named}{more}"
    if found:
        return f"{place}: {len(found)} files are called so ({', '.join(item['out'] for item in found[:NAMED])}{more})"
    known = {name: item["out"] for item in items for name in (item["id"], item["out"], *_names(item)) if name}
    near = dict.fromkeys(known[name] for name in get_close_matches(below, known, NAMED))
    if near:
        return f"{place}: the collection has no such file; did you mean {' or '.join(near)}?"
    return f"{place}: the collection has no such file; it has {named}{more}" if items else f"{place}: no such file"
