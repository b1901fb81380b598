"""Asked: a collection's source and output folder as they were typed, checked before what reads pictures is loaded."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from colorizer.basis.errors import Mistyped
from pipeline.collection import layout
from pipeline.storage.job_folder import PAGE, REPORT
from pipeline.storage.stores import Store, is_uri, masked
from pipeline.values.suffixes import REELS

SUFFIXES = (".csv", ".tsv")
"""Of manifests."""


def check_places(source: str, out: str) -> None:
    """Raises Mistyped where a source is neither a folder nor a manifest, where the output lies in it, and where it is
    itself the output of an earlier run."""
    if is_manifest(source):
        return
    if not is_uri(source) and not Path(source).is_dir():
        command = "reel" if PurePosixPath(source).suffix.lower() in REELS else "scan"
        raise Mistyped(
            f"{masked(source)}: neither a folder nor a manifest (.csv); of a single file: chromatheque {command} IN OUT"
        )
    if _inside(out, source):
        raise Mistyped(
            f"{masked(out)}: lies inside {masked(source)}, which would be colored again; give another folder"
        )
    if is_output(source):
        raise Mistyped(f"{masked(source)}: the output folder of an earlier run; give the folder of the originals")


def check_collection(out: Path, more: str = "") -> None:
    """Raises Mistyped where a folder of this machine holds no collection's outputs. more: what else could be given."""
    if not (out / layout.STATE).is_dir():
        raise Mistyped(f"{out}: no collection here; give the OUT_DIR of `chromatheque archive`{more}")


def is_manifest(place: str) -> bool:
    """Whether a path or URI names a manifest."""
    return place.lower().endswith(SUFFIXES) and not Path(place).is_dir()


def _inside(place: str, folder: str) -> bool:
    if is_uri(place) or is_uri(folder):
        return f"{place.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
    path, around = Path(place).resolve(), Path(folder).resolve()
    return path == around or around in path.parents


def is_output(folder: Path | str) -> bool:
    """Whether runs wrote their outputs into a folder, by the state that they keep there; or a report about one."""
    if is_uri(str(folder)):
        return bool(Store(str(folder)).find(layout.ITEMS))
    path = Path(folder)
    alone = path.name.endswith(REPORT) and os.path.isfile(path / PAGE)  # noqa: PTH113 - Path's raises, as below
    return alone or os.path.isdir(path / layout.ITEMS)  # noqa: PTH112 - Path's raises where a path is too long
