"""Fixity: the manifest of a preserved collection lists all that stands in its folder, whatever a run was about.

A line goes only with its file. Once a run was asked for digests and manifest, every later one keeps them.
"""

from __future__ import annotations

from collections.abc import Callable

from colorizer.basis.errors import ColorizeError
from pipeline.collection import layout
from pipeline.collection.depot import Depot
from pipeline.collection.state import State, records
from pipeline.reels.preservation import MANIFEST, digests_of, read_manifest, write_manifest
from pipeline.storage.atomic import writable
from pipeline.storage.stores import in_parallel
from pipeline.values.stages import DONE


def preserved(state: State, asked: bool) -> bool:
    """Whether a collection is a preserved one: by this run's wish, or an earlier one's.

    Raises StorageError, and ColorizeError for a manifest that no run wrote, such as a bag's (RFC 8493), where one is to
    be.
    """
    known = bool(state.depot.stamp_of(layout.PRESERVED))
    if asked and not known:
        if state.depot.stamp_of(MANIFEST):
            raise ColorizeError(
                f"{state.depot}: {MANIFEST} exists there and is not this program's; move it away, or give another "
                "OUT_DIR"
            )
        with writable(path := state.out / layout.PRESERVED):
            path.touch()
        state.depot.put(layout.PRESERVED)
    return asked or known


def keep_manifest(state: State) -> None:
    """Bring the manifest up to what stands in the folder: finished items anew, all else as it was listed.

    Raises StorageError, and SourceError where a store does not answer.
    """
    depot, there = state.depot, _there(state.depot)
    places = [r["out"] for r in records(state.out) if r["state"] == DONE and there(r["out"])]
    depot.fetch(MANIFEST)
    in_parallel(depot.store, lambda place: depot.fetch(*layout.beside(place)), places)
    listed = {place: digest for place, digest in read_manifest(depot.folder).items() if there(place)}
    for place in places:
        listed |= digests_of(depot.folder, place)
    if listed or depot.stamp_of(MANIFEST):
        depot.put(write_manifest(depot.folder, listed).name)


def _there(depot: Depot) -> Callable[[str], bool]:
    """Tells whether a file stands in the folder, or in its store."""
    if not depot.store:
        return lambda place: (depot.folder / place).is_file()
    return frozenset(depot.listed()).__contains__
