"""A collection from folder or manifest to its report: found, looked at, run on one pool, written down."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from colorizer.basis.errors import ColorizeError, StorageError
from pipeline.collection import layout
from pipeline.collection.depot import Depot, depot_for
from pipeline.collection.estimate import Forecast, forecast, learn, size_of
from pipeline.collection.exposition import Exposition
from pipeline.collection.item import Item
from pipeline.collection.lease import leased
from pipeline.collection.schedule import Night, Schedule, ready
from pipeline.collection.state import ItemProgress, State
from pipeline.collection.steps import Illustrate, StepPainter, nothing
from pipeline.reels.preservation import manifest_of
from pipeline.spread.pools import Pool, pool_for
from pipeline.storage.lock import alone
from pipeline.storage.stores import Store, hasty, in_parallel, is_uri, masked
from pipeline.values.events import GivenUp, Listener, Looking, Note
from pipeline.values.metrics import Gauges, Meter
from pipeline.values.stages import ASIDE, DONE

METRICS = "metrics.prom"
"""In the collection's folder of state."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a collection is run. deadline: HH:MM, local time, or "". keep: pieces stay, for edits of plans.

    preservation: digests of every frame, and a manifest of all files. scratch: for what is fetched from stores.
    metrics: where they are written, if not METRICS. illustrate: makes a published item's pictures for the report, and
    says where they are below the output folder.
    """

    ray: str = "none"
    workers: int = 1
    retries: int = 3
    deadline: str = ""
    aside_only: bool = False
    keep: bool = False
    preservation: bool = False
    metrics: Path | None = None
    scratch: Path | None = None
    illustrate: Illustrate = nothing

    def depot(self, out: Path | str) -> Depot:
        """Where outputs go. Raises SourceError if a store does not answer."""
        depot = depot_for(str(out), self.scratch, self.ray not in ("none", "local"))
        if depot.store:
            Store(depot.store).check()
        return depot


def look(state: State, found: Sequence[ItemProgress], listener: Listener) -> None:
    """Open every item that is not done: what cannot work is set aside before the night begins."""
    new = {id(p): p for p in found if p.state not in (DONE, ASIDE) and not p.size}
    elsewhere = [p for p in new.values() if is_uri(p.item.source)]
    in_parallel(elsewhere[0].item.source if elsewhere else "", partial(_open, state), elsewhere)
    for count, progress in enumerate(found, 1):
        if id(progress) in new:
            if not is_uri(progress.item.source):
                _open(state, progress)
            if progress.error:
                listener(GivenUp(progress.item.name, "open", progress.error["error"]))
            if not state.depot.store:
                state.save(progress)
        listener(Looking(count, len(found)))
    if state.depot.store:
        in_parallel(state.depot.store, state.save, list(new.values()))


def _open(state: State, progress: ItemProgress) -> None:
    """How large an item is, or why it cannot work."""
    try:
        progress.size = size_of(progress.item, state)
    except StorageError:
        raise
    except ColorizeError as error:
        state.give_up(progress, "open", error, 1)


def color(
    out: Path | str, items: Sequence[Item], wishes: Wishes, listener: Listener
) -> tuple[Night, list[ItemProgress]]:
    """Color a collection into a folder, by path or URI; what happened to each item too.

    Raises ColorizeError for what no item is to blame for.
    """
    until = deadline_of(wishes.deadline, datetime.now()) if wishes.deadline else None
    depot = wishes.depot(out)
    state = State(depot)
    with (
        alone(state.folder, "wait for it or give another OUT_DIR") as held,
        leased(Store(depot.store), listener) if depot.store else nullcontext() as lease,
    ):
        depot.fetch_state()
        if not held:
            listener(Note(f"{state.folder}: no locks on this file system; do not start this collection twice"))
        found = ready(state, items, wishes.aside_only, wishes.preservation)
        for progress in found:
            state.relabel(progress)
        pool: Pool | None = None
        try:
            pool = pool_for(
                wishes.ray, wishes.workers, partial(StepPainter, wishes.illustrate), lambda _: None,
                lambda text: listener(Note(text)),
            )  # fmt: skip
            look(state, found, listener)  # meanwhile the workers load
            state.set_aside(found)
            keep = wishes.keep and not depot.shared
            told = forecast(found, shutil.disk_usage(depot.folder).free, keep, bool(depot.store))
            if told.disk > told.free:
                listener(Note(short_of_disk(depot.folder, told)))
            with Meter(listener, *places(state, wishes, listener)) as meter:
                schedule = Schedule(
                    state, found, pool, meter, wishes.retries, until, wishes.keep, wishes.preservation,
                    check=lease.check if lease else lambda: None,
                )  # fmt: skip
                night = schedule.run()
        finally:
            if pool is not None:
                pool.close()
            with hasty() if sys.exception() else nullcontext():  # who stopped it does not wait
                state.set_aside(found)
        schedule.tell(running=False)
        if wishes.preservation:
            _manifest(depot, [p.item.out for p in found if p.state == DONE])
        learn(found)
    return night, found


def _manifest(depot: Depot, places: Sequence[str]) -> None:
    in_parallel(depot.store, lambda place: depot.fetch(layout.sidecar(place), layout.digests(place)), places)
    depot.put(manifest_of(depot.folder, places).name)


def places(state: State, wishes: Wishes, listener: Listener) -> list[Gauges]:
    """Where a run's metrics are shown; its pool is there already."""
    folder = state.depot.store or str(state.out.absolute())
    folder = masked(folder).encode("utf-8", "replace").decode("utf-8")  # its name may be no text
    labels = {"collection": folder}
    path = wishes.metrics or state.folder / METRICS
    found: list[Gauges] = [Exposition(path, labels, lambda text: listener(Note(text)))]
    if wishes.ray != "none":
        from pipeline.spread.ray_metrics import RayGauges

        found.append(RayGauges(labels))
    return found


def short_of_disk(out: Path, told: Forecast) -> str:
    """One line about a disk that will not do."""
    free, disk = (f"{size / 1e9:.1f}" for size in (told.free, told.disk))
    return f"{out} has {free} GB free and about {disk} will be needed; free some space, or files will wait"


def deadline_of(text: str, now: datetime) -> datetime:
    """The next time the local clock shows HH:MM. Raises ValueError."""
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(f"{text!r} is not a time of day; write 08:00")
    at = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)
