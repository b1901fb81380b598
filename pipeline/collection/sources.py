"""Sources: what a file is by its name, and where below a folder its output goes by that name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from colorizer.basis.atomic import NAME_MAX
from pipeline.stills.table import SUFFIXES
from pipeline.storage.stores import is_uri
from pipeline.values.sequence import SUFFIXES as PICTURES
from pipeline.values.sequence import pattern_of
from pipeline.values.suffixes import REELS

ROOM = NAME_MAX - 25
"""Bytes of an output's name, so that sidecar, digests, job folder and scratch names can be made of it."""


def kind_of(name: str) -> str:
    """What a walk takes a file for, by its suffix; "" for neither."""
    suffix = PurePosixPath(name).suffix.lower()
    return "reel" if suffix in REELS else "scan" if suffix in SUFFIXES else ""


def is_sequence(name: str) -> bool:
    """Whether a name is a pattern of numbered pictures."""
    found = pattern_of(name)
    return found is not None and (found.digits > 1 or PurePosixPath(name).suffix.lower() in PICTURES)


def joined(base: str, place: str) -> str:
    """A place below a folder or a store."""
    return f"{base}/{place}" if is_uri(base) else str(Path(base) / place)


def of_sequence(below: str) -> str:
    """What a sequence's output is called: as its pictures are without their numbers, else as their folder."""
    place = PurePosixPath(below)
    pattern = pattern_of(place.name)
    name = f"{pattern.before}{pattern.after}" if pattern is not None else place.name
    stem = name.removesuffix(place.suffix).rstrip("._- ")
    if stem:
        return str(place.with_name(stem + place.suffix))
    return f"{place.parent if place.parent.name else 'reel'}{place.suffix}"


def stays(out: str) -> bool:
    """Whether a relative place stays within its folder, on every system."""
    parts = PurePosixPath(out.replace("\\", "/"))
    return bool(parts.name) and not parts.is_absolute() and ".." not in parts.parts and ":" not in parts.parts[0]


def tame(below: str) -> str:
    """A source's own path as a place below a folder: what leads out of it is left out."""
    parts = [
        part for part in PurePosixPath(below.replace("\\", "/")).parts if part not in ("..", "/") and ":" not in part
    ]
    return str(PurePosixPath(*parts)) if parts else "unnamed"
