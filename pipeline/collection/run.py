"""A collection from folder or manifest to its report: found, looked at, run on one pool, written down."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from colorizer.basis.errors import ColorizeError, SourceError, StorageError, WorkerDied
from pipeline.collection import layout
from pipeline.collection.begun import Begun
from pipeline.collection.depot import Depot, depot_for
from pipeline.collection.estimate import Forecast, forecast, learn_from, size_of
from pipeline.collection.exposition import Exposition
from pipeline.collection.fixity import keep_manifest, preserved
from pipeline.collection.item import Item
from pipeline.collection.lease import leased
from pipeline.collection.schedule import Night, Schedule, ready
from pipeline.collection.state import ItemProgress, State
from pipeline.collection.steps import Illustrate, StepPainter, nothing
from pipeline.spread.loop import ATTEMPTS
from pipeline.spread.pools import Pool, pool_for
from pipeline.storage import standing
from pipeline.storage.job_folder import growing
from pipeline.storage.lock import alone
from pipeline.storage.stores import Store, hasty, in_parallel, is_uri, masked
from pipeline.values.choices import deadline_of
from pipeline.values.events import GivenUp, Listener, Looking, Note, StepRetry
from pipeline.values.metrics import Gauges, Meter
from pipeline.values.stages import ASIDE, DONE, LISTED, OPENED

METRICS = "metrics.prom"
"""In the collection's folder of state."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a collection is run. deadline: HH:MM, local time, or "". keep: pieces stay, for edits of plans.

    preservation: digests of every frame, and a manifest of all files. scratch: for what is fetched from stores.
    metrics: where they are written, if not METRICS. illustrate: makes a published item's pictures for the report, and
    says where they are below the output folder. orphans: outputs of no source any more. keys: of objects that no
    path can hold.
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
    orphans: Sequence[str] = ()
    keys: Sequence[str] = ()

    def depot(self, out: Path | str) -> Depot:
        """Where outputs go. Raises SourceError if a store does not answer."""
        depot = depot_for(str(out), self.scratch, self.ray not in ("none", "local"))
        if depot.store:
            Store(depot.store).check()
        return depot


def look(state: State, found: Sequence[ItemProgress], listener: Listener, begun: Begun | None = None) -> None:
    """Open every item that is not done: what cannot work is set aside before the night begins.

    begun: where is noted which one is opened now.
    """
    new = {id(p): p for p in found if p.state not in (DONE, ASIDE) and not p.size}
    # what a run ended at is opened with no other beside it, which would be blamed for it too
    elsewhere = [p for p in new.values() if is_uri(p.item.source) and not (begun and begun.tries(p.item.key))]
    in_parallel(elsewhere[0].item.source if elsewhere else "", partial(_open, state, begun), elsewhere)
    opened = {id(p) for p in elsewhere}
    for count, progress in enumerate(found, 1):
        if id(progress) in new:
            if id(progress) not in opened:
                _open(state, begun, progress)
            if progress.error:
                listener(GivenUp(progress.item.name, OPENED, progress.error["error"]))
            if not state.depot.store:
                state.save(progress)
        listener(Looking(count, len(found)))
    if state.depot.store:
        in_parallel(state.depot.store, state.save, list(new.values()))


def clear_left(state: State, found: Sequence[ItemProgress], begun: Begun) -> None:
    """Remove what an earlier run could not remove of items that are done: their pieces, and marks of what it was at."""
    for progress in found:
        if progress.state == DONE:
            begun.forget(progress.item.key)
            if state.depot.untidy(progress.item):
                state.depot.tidy(progress.item, keep=False)


def spare(state: State, found: Sequence[ItemProgress], begun: Begun, listener: Listener, attempts: int) -> None:
    """Set aside what ended earlier runs, before it ends this one; what only the last one crashed at is tried again."""
    for progress in found:
        key, name = progress.item.key, progress.item.name
        if progress.state in (DONE, ASIDE):
            continue
        crashed = [mark for mark in begun.crashed if mark.key == key]
        for mark in crashed:
            how = f"the run crashed ({standing.ended() or 'as its trace says'})"
            progress.attempts.append({"stage": mark.stage, "unit": mark.step, "attempt": mark.crashes, "error": how})
        tries = begun.tries(key)
        if (fate := begun.fate(key, attempts)) is not None:
            stage, why = fate
            state.give_up(progress, stage, SourceError(masked(progress.item.source), why), tries)
            listener(GivenUp(name, stage, (progress.error or {})["error"]))
            with suppress(OSError):  # what was growing then
                growing(state.out / progress.item.out, state.job_folder(key)).unlink(missing_ok=True)
        elif crashed:
            text = f"{name}, {crashed[-1].step}, attempt {crashed[-1].crashes}: {how}"
            listener(StepRetry(text, crashed[-1].stage))
        else:
            continue
        state.save(progress)


def _open(state: State, begun: Begun | None, progress: ItemProgress) -> None:
    """How large an item is, or why it cannot work. A decoder that dies of it is tried again, as workers are."""
    with begun.at(progress.item.key, OPENED) if begun is not None else nullcontext():
        _sized(state, progress)


def _sized(state: State, progress: ItemProgress) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            progress.size = size_of(progress.item, state)
            return
        except StorageError:
            raise
        except ColorizeError as error:
            if attempt == ATTEMPTS or not isinstance(error, WorkerDied):
                state.give_up(progress, LISTED if progress.item.fault else OPENED, error, attempt)
                return


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
        ExitStack() as stack,
    ):
        depot.fetch_state()
        if held:
            state.sweep()
        else:
            listener(Note(f"{state.folder}: no locks on this file system; do not start this collection twice"))
        state.note(layout.ORPHANS, wishes.orphans)
        state.note(layout.KEYS, wishes.keys)
        state.forget_faults(items)
        proof = preserved(state, wishes.preservation)
        if proof and not wishes.preservation:
            listener(Note(f"{depot}: digests and manifest are kept, since an earlier run asked for them"))
        found = ready(state, items, wishes.aside_only, proof)
        for progress in found:
            state.relabel(progress)
        pool: Pool | None = None
        schedule: Schedule | None = None
        try:
            pool = pool_for(
                wishes.ray, wishes.workers, partial(StepPainter, wishes.illustrate), lambda _: None,
                lambda text: listener(Note(text)),
            )  # fmt: skip
            begun = stack.enter_context(Begun(state.out / layout.BEGUN).watched())
            clear_left(state, found, begun)
            spare(state, found, begun, listener, wishes.retries)
            look(state, found, listener, begun)  # meanwhile the workers load
            state.set_aside(found)
            keep = wishes.keep and not depot.shared
            expected = forecast(found, shutil.disk_usage(depot.folder).free, keep, bool(depot.store))
            if expected.disk > expected.free:
                listener(Note(short_of_disk(depot.folder, expected)))
            with Meter(listener, *places(state, wishes, listener)) as meter:
                schedule = Schedule(
                    state, found, pool, meter, wishes.retries, until, wishes.keep, proof,
                    check=lease.check if lease else lambda: None, begun=begun,
                )  # fmt: skip
                night = schedule.run()
        finally:
            if pool is not None:
                pool.close()
            with hasty() if sys.exception() else nullcontext():  # who stopped it does not wait
                state.set_aside(found)
                with suppress(ColorizeError) if sys.exception() else nullcontext():  # the first error is what counts
                    if schedule is not None:
                        schedule.tell(running=False)
                    if proof:
                        keep_manifest(state)
        learn_from(found)
    return night, found


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


def short_of_disk(out: Path, expected: Forecast) -> str:
    """One line about a disk that will not do."""
    free, disk = (f"{size / 1e9:.1f}" for size in (expected.free, expected.disk))
    return f"{out} has {free} GB free and about {disk} will be needed; free some space, or files will wait"
