"""What a collection's workers do: survey an item, paint one of its units, publish it.

A worker keeps nothing between steps but what is expensive to open; all that matters is in the item's job folder, which
every worker reaches: under the same path, or through a store (see depot).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from colorizer.basis.atomic import make_folder
from colorizer.basis.errors import ColorizeError, InUse, LedgerError, WorkerDied
from pipeline.collection import layout
from pipeline.collection.depot import Depot
from pipeline.collection.item import Item
from pipeline.collection.step import Done, Step, StepFailed, Surveyed, UnitKey
from pipeline.jobs.folder import as_made, has_story, is_sidecar
from pipeline.jobs.job import Job, Work
from pipeline.jobs.kinds import JOBS
from pipeline.reels.sidecar import relabel
from pipeline.storage.atomic import writable
from pipeline.storage.ledger import Ledger
from pipeline.storage.lock import alone
from pipeline.values.stages import SURVEY
from pipeline.values.units import Painter, Report, Unit

Illustrate = Callable[[Path, Item], Sequence[str]]

OPEN = 2
"""Items that a worker keeps open: their units and their readers."""
PATIENCE = 900.0
"""Seconds that a step waits for another worker at the same item."""


def job_of(item: Item, depot: Depot) -> Job[Any, Any]:
    """The item's job, in its own folder below the output's. Its source must be here."""
    folder, target, source = depot.job_folder(item.key), depot.folder / item.out, str(depot.source_path(item))
    with writable(target):
        make_folder(target.parent)
    kind = JOBS[item.kind]
    return kind(
        source, target, kind.wishes(**dict(item.options), overwrite=True, id=item.id, catalog=item.catalog), folder
    )


def nothing(folder: Path, item: Item) -> Sequence[str]:
    """No pictures."""
    return ()


@dataclass(slots=True)
class _Open:
    """An item that a worker has open: its job, the work there is, and the painter, which keeps the source open."""

    job: Job[Any, Any]
    work: Work[Any]
    painter: Painter | None = None

    def open_painter(self) -> Painter:
        """The units' painter."""
        if self.painter is None:
            self.painter = self.job.opening()()
        return self.painter

    def close(self) -> None:
        if self.painter is not None:
            self.painter.close()


class StepPainter:
    """Does steps, whatever they are."""

    def __init__(self, illustrate: Illustrate = nothing) -> None:
        self.illustrate = illustrate
        self._open: dict[str, _Open] = {}

    def paint(self, step: Step, attempt: int, report: Report = lambda _: None) -> Done:
        """Do a step. Raises ColorizeError; a bug becomes StepFailed."""
        began = time.monotonic()
        try:
            done = self._do(step, attempt, report)
        except ColorizeError:
            raise
        except Exception as error:
            raise StepFailed(
                f"{step.item.source}: unexpected {type(error).__name__} at {step.stage} ({error}); please report it",
                traceback.format_exc(),
            ) from error
        return replace(done, seconds=time.monotonic() - began)

    def _do(self, step: Step, attempt: int, report: Report) -> Done:
        with step.depot.source(step.item):
            if step.unit is not None:
                opened, unit = self._found(step, step.unit)
                receipt = opened.open_painter().paint(unit, attempt, report)
                step.depot.put_piece(step.item.key, receipt)
                return Done(0.0, receipt)
            with _by_itself(step.depot.job_folder(step.item.key)):
                survey = step.stage == SURVEY
                done = Done(0.0, found=self._survey(step)) if survey else Done(0.0, lost=self._publish(step))
        if done.found is None or done.found.already:
            step.depot.drop_source(step.item)
        return done

    def _survey(self, step: Step) -> Surveyed:
        depot, item = step.depot, step.item
        depot.fetch_job(item)
        depot.fetch(layout.sidecar(item.out))
        job, there = job_of(item, depot), depot.output_bytes(item)
        if job.finished(there):
            self._prove(step, job)
            relabel(job.sidecar_path, item.id, item.catalog)
            depot.put(layout.sidecar(item.out))
            depot.tidy(item, step.keep)  # the worker that published it may have died before it could
            return Surveyed(already=True, lost=job.declared())
        if other := _foreign(depot, item, job, there is not None):
            raise ColorizeError(
                f"{depot}: {other} exists there and is not this program's; move it away, or give the output another "
                "name"
            )
        work = job.prepare()
        depot.put_plan(item.key)
        Ledger(job.folder).sweep(receipts=False)  # the run may be at one of before its plan was edited
        self._keep(item.key, _Open(job, work))
        ledger = depot.ledger(item.key)
        todo = tuple(UnitKey.of(unit) for unit in work.units if ledger.find(unit.id) is None)
        return Surveyed(False, job.source, todo, len(work.units), tuple(job.remarks(work.plan)), job.measure())

    def _publish(self, step: Step) -> tuple[str, ...]:
        depot, item = step.depot, step.item
        depot.fetch_job(item)
        depot.fetch(layout.sidecar(item.out))
        job = job_of(item, depot)
        if job.finished(depot.output_bytes(item)):  # by a worker whose answer was lost
            self._prove(step, job)
            depot.tidy(item, step.keep)
            return job.declared()
        depot.fetch_pieces(item.key)
        work = job.prepare()
        depot.drop(layout.digests(item.out))  # of an earlier output
        with depot.forgetting(item.key):
            result = job.publish(work, 0)
        self._prove(step, job)
        depot.publish(item, self.illustrate(depot.folder, item))
        self._forget(item.key)
        depot.tidy(item, step.keep)
        return tuple(result.lost)

    def _prove(self, step: Step, job: Job[Any, Any]) -> None:
        """Leave the digests of an output's frames beside it, if they are wanted and not there."""
        depot, item = step.depot, step.item
        place = layout.digests(item.out)
        depot.fetch(place)
        if not step.proof or not job.kind.digests or (depot.folder / place).exists():
            return
        if there := not job.out.exists():
            depot.fetch(item.out)
        job.leave_digests(job.prepare())
        depot.put(place)
        if there:
            job.out.unlink()

    def _found(self, step: Step, ticket: UnitKey) -> tuple[_Open, Unit]:
        """A ticket's unit and its item, opened. Raises LedgerError if its plan was edited since the survey."""
        for _ in range(2):
            opened = self._open.get(step.item.key) or self._opened(step)
            for unit in opened.work.units[ticket.number : ticket.number + 1]:
                if unit.id == ticket.id:
                    return opened, unit
            self._forget(step.item.key)  # it may be of an earlier survey
        raise LedgerError(f"{opened.job.places.plan}: edited while it was painted; it is looked at again")

    def _opened(self, step: Step) -> _Open:
        step.depot.fetch_plan(step.item)
        job = job_of(step.item, step.depot)
        if step.source is not None:
            job.source = step.source  # publication reads all of it again, and refuses one that changed meanwhile
        return self._keep(step.item.key, _Open(job, job.prepare()))

    def _keep(self, key: str, opened: _Open) -> _Open:
        self._forget(key)
        while len(self._open) >= OPEN:
            self._forget(next(iter(self._open)))
        self._open[key] = opened
        return opened

    def _forget(self, key: str) -> None:
        if key in self._open:
            self._open.pop(key).close()

    def close(self) -> None:
        """Release all readers."""
        for key in list(self._open):
            self._forget(key)


def _foreign(depot: Depot, item: Item, job: Job[Any, Any], there: bool) -> str:
    """The place of something that publication would replace or remove and that no run made; "" if there is nothing.

    there: whether something lies under the output's name. What a person made of an output is no run's any more.
    """
    story, *others = layout.beside(item.out)
    if has_story(job.out):
        if not is_sidecar(job.sidecar_path):
            return story
        return item.out if there and job.out.exists() and not as_made(job.out) else ""
    if job.own() or (job.places.published.exists() and not there):
        return ""
    return item.out if there else next(filter(depot.stamp_of, others), "")


@contextmanager
def _by_itself(folder: Path) -> Iterator[None]:
    """Wait until no other worker surveys or publishes the item: one that the pool lost sight of may be at it still."""
    until = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(alone(folder))
                break
            except InUse as error:
                if time.monotonic() > until:
                    raise WorkerDied(f"a worker out of reach is still at it ({error})") from error
                time.sleep(1)
        yield
