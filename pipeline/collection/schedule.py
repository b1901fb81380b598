"""Schedule: which step of which item comes next, on one pool, until all is done, set aside, or the deadline has come.

A free worker first publishes what is painted, then paints, and surveys another item only when there is nothing to
paint; among equals the largest item comes first, so that small ones fill the end. Every step is retried when its
worker dies, and after that its item is set aside: no file stops the others. A full disk stops the run. Where all
workers are lost it waits for others, until the deadline.

What the driver does for a unit is little and grows neither with items nor with units, and it never reads a source:
while it is busy, every worker that becomes free waits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from typing import Any

from colorizer.basis.errors import JoinError, LedgerError, StorageError
from pipeline.collection import layout
from pipeline.collection.begun import Begun
from pipeline.collection.item import Item
from pipeline.collection.order import Active, Order
from pipeline.collection.state import ItemProgress, State
from pipeline.collection.step import Done, Step, StepFailed, Surveyed, UnitKey
from pipeline.collection.tally import Tally
from pipeline.spread.loop import serve
from pipeline.spread.pools import Outcome, Pool
from pipeline.storage.ledger import Ledger
from pipeline.storage.stores import hasty, in_parallel
from pipeline.values.events import GivenUp, ItemChanged, Listener, StepDone, StepRetry
from pipeline.values.kinds import REEL
from pipeline.values.stages import ASIDE, DONE, PAINT, PAINTING, PUBLISH, SURVEY, SURVEYED, WAITING
from pipeline.values.units import Unit

SUMMARY = 5.0
"""Seconds between two times that counts are written down. Receipts are at once, and they are what counts."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a run came to. busy: share of the workers' time that was work; 0 if there was none."""

    done: int
    aside: int
    left: int
    late: bool
    seconds: float
    busy: float


class Schedule:
    """One run over a collection's items. retries: attempts a step has. deadline: local time, or None.

    check: raises what ends the run. begun: where is noted what is done in this very process.
    """

    def __init__(
        self, state: State, items: Sequence[ItemProgress], pool: Pool, listener: Listener,
        retries: int = 3, deadline: datetime | None = None, keep: bool = False, proof: bool = False,
        now: Callable[[], datetime] = datetime.now, check: Callable[[], None] = lambda: None,
        begun: Begun | None = None,
    ) -> None:  # fmt: skip
        self.state, self.pool, self.listener = state, pool, listener
        self.retries, self.deadline, self.keep, self.proof, self.now = retries, deadline, keep, proof, now
        self.check = check
        self.begun = begun if begun is not None and pool.here else None
        self.all = list(items)
        self.active = [Active(p, place) for place, p in enumerate(items) if p.state not in (DONE, ASIDE)]
        self._order = Order(self.active)
        self._given: dict[str, Active] = {}
        self._tally = Tally(items)
        self._unsaved: dict[int, Active] = {}
        self._more_aside = False
        self.worked, self.began, self.count, self.late = 0.0, time.monotonic(), 0, False
        self.finished: dict[str, float] = {"files": 0, "frames": 0, "megapixels": 0.0}
        """By this run."""
        self._summary, self.started = 0.0, datetime.now(UTC).isoformat(timespec="seconds")

    def run(self) -> Night:
        """Do all that can be done. Raises StorageError where nothing can be written any more."""
        self.tell(running=bool(self.active))
        serve(self, self.pool, self.retries)
        self.tell(running=False)
        seconds = time.monotonic() - self.began
        states = [p.state for p in self.all]
        left = sum(s not in (DONE, ASIDE) for s in states)
        return Night(states.count(DONE), states.count(ASIDE), left, self.late and left > 0, seconds, self.busy(seconds))

    # --- as the loop's work

    def begin(self) -> None:
        """Raises what `check` does."""
        self.check()

    def open(self) -> bool:
        """Whether it is not too late."""
        # once the deadline has come, a clock that is set back makes no new night
        self.late = self.late or (self.deadline is not None and self.now() >= self.deadline)
        return not self.late

    def next(self) -> Step | None:
        """The step that a free worker gets; None if there is none now."""
        if (chosen := self._order.next()) is None:
            return None
        stage = chosen.next_stage
        if stage == PUBLISH:
            chosen.stage = PUBLISH
        step = self._step(chosen, stage, chosen.todo.popleft() if stage == PAINT else None)
        chosen.flying += 1
        self._given[step.id] = chosen
        if self.begun is not None:
            self.begun.begin(step.item.key, str(step))
        return step

    def wanted(self, unit: Unit) -> bool:
        """Whether its item was not given up meanwhile, for another of its units."""
        if wanted := self._given[unit.id].progress.state != ASIDE:
            return wanted
        self._given.pop(unit.id).flying -= 1
        return False

    def left(self) -> bool:
        """Whether any item is neither done nor set aside."""
        return any(a.progress.state not in (DONE, ASIDE) for a in self.active)

    def take(self, outcome: Outcome, again: bool) -> None:
        """What came of a step, into its item's progress."""
        active = self._given[outcome.unit.id]
        if self.begun is not None:
            self.begun.end(active.progress.item.key, str(outcome.unit))
        if not again:
            del self._given[outcome.unit.id]
            active.flying -= 1
        step: Any = outcome.unit
        if outcome.error is None:
            self._done(active, step, outcome.receipt)
        else:
            self._failed(active, step, outcome.attempt, outcome.error, again)
        self._order.offer(active)
        self._tally.update(active.place, active.progress)

    def turn(self) -> None:
        """Tell how the whole stands, and write it down now and then."""
        if time.monotonic() - self._summary > SUMMARY:
            self.tell()
        self._total()

    def busy(self, seconds: float) -> float:
        """Share of the workers' time that was work."""
        return round(min(1.0, self.worked / (seconds * self.pool.workers)), 3) if seconds > 0 else 0.0

    def _step(self, active: Active, stage: str, unit: UnitKey | None) -> Step:
        self.count += 1
        source = active.source if stage == PAINT else None
        depot = self.state.depot
        return Step(stage, active.progress.item, depot, self.count, unit, self.keep, self.proof, source)

    def _done(self, active: Active, step: Step, done: Done) -> None:
        progress = active.progress
        self.worked += done.seconds
        progress.seconds[step.stage] = progress.seconds.get(step.stage, 0.0) + done.seconds
        self.listener(StepDone(progress.item.name, step.stage, str(step), round(done.seconds, 3)))
        if done.receipt is not None:
            self._ledger(active).record(done.receipt)
        if progress.state == ASIDE:
            return  # another of its units was given up meanwhile
        if done.found is not None:
            self._surveyed(active, done.found)
        elif step.stage == PAINT:
            progress.state = PAINTING
            progress.units["done"] += 1
            self._unsaved[active.place] = active
            self._say(progress)
        else:
            progress.lost = list(done.lost)
            self._finish(progress)

    def _surveyed(self, active: Active, found: Surveyed) -> None:
        """Take over the units of an item's plan, which a worker made or an earlier run left."""
        progress = active.progress
        if found.already:
            progress.lost = list(found.lost)
            self._finish(progress)
            return
        active.todo, active.source, active.stage = deque(found.todo), found.source, PAINT
        if found.size is not None and "fetched" in progress.size:
            progress.size = {**found.size, "fetched": progress.size["fetched"]}
        progress.notes = list(found.notes)
        progress.units = {"done": found.of - len(found.todo), "of": found.of}
        progress.state = SURVEYED if not progress.units["done"] else PAINTING
        self._save(progress)

    def _failed(self, active: Active, step: Step, attempt: int, error: Exception, again: bool) -> None:
        progress = active.progress
        if isinstance(error, StorageError):
            with hasty(), suppress(StorageError):  # the first error tells what is wrong
                self._save(progress)
            raise error
        text = self.state.depot.worded(str(error), progress.item)
        values = {"stage": step.stage, "unit": str(step), "attempt": attempt, "error": text}
        if isinstance(error, StepFailed):
            values["trace"] = error.trace
        progress.attempts.append(values)
        if again:
            self._retry(progress, step, f"{step}, attempt {attempt}: {text}")
            self._save(progress)
            return
        if isinstance(error, JoinError | LedgerError) and step.stage != SURVEY:
            if active.stage == SURVEY:
                return  # of the plan that is looked at again already
            active.failed_checks += 1
            if active.failed_checks < self.retries:  # what it doubts is forgotten by now: paint that anew
                self._retry(progress, step, f"{step}: {text}")
                active.stage = SURVEY
                self._save(progress)
                return
        self._aside(progress, step.stage, error, attempt)

    def _retry(self, progress: ItemProgress, step: Step, why: str) -> None:
        self.listener(StepRetry(f"{progress.item.name}, {why}", step.stage))

    def _aside(self, progress: ItemProgress, stage: str, error: Exception, attempts: int) -> None:
        self.state.give_up(progress, stage, error, attempts)
        text = self.state.depot.worded(str(error), progress.item)
        self.listener(GivenUp(progress.item.name, stage, text))
        self._save(progress)
        self._more_aside = True

    def _finish(self, progress: ItemProgress) -> None:
        progress.state, progress.error = DONE, None
        self.finished["files"] += 1
        self.finished["frames"] += int(progress.size.get("frames", 0)) if progress.item.kind == REEL.name else 0
        self.finished["megapixels"] = round(self.finished["megapixels"] + progress.megapixels, 2)
        progress.units["done"] = progress.units["of"]
        progress.seen = self.state.look(progress.item)
        self._save(progress)
        if self.begun is not None:
            self.begun.forget(progress.item.key)  # what an earlier run could not remove

    def _ledger(self, active: Active) -> Ledger:
        if active.ledger is None:
            active.ledger = Ledger(self.state.job_folder(active.progress.item.key))
        return active.ledger

    def _save(self, progress: ItemProgress) -> None:
        self.state.save(progress)
        self._say(progress)

    def _say(self, progress: ItemProgress) -> None:
        item, units, megapixels = progress.item, progress.units, round(progress.megapixels, 1)
        self.listener(ItemChanged(item.key, item.name, progress.state, units["done"], units["of"], megapixels))

    def _total(self) -> None:
        self.listener(self._tally.total(self.busy(time.monotonic() - self.began), self.pool.size))

    def _write(self) -> None:
        """What is told on disk of units and of what was given up, which need not be there at once."""
        for active in self._unsaved.values():
            self.state.save(active.progress)
        self._unsaved.clear()
        if self._more_aside:
            self.state.set_aside(self.all)
            self._more_aside = False

    def tell(self, running: bool = True) -> None:
        """How the whole stands, for people now and for the report."""
        self._total()
        self._write()
        if not self.active and (self.state.depot.folder / layout.SUMMARY).exists():
            return  # nothing was to do: what is written tells of the night that did it
        self._summary = time.monotonic()
        seconds = self._summary - self.began
        self.state.summary(
            started=self.started, seconds=round(seconds, 1), busy=self.busy(seconds), workers=self.pool.workers,
            running=running, deadline=self.deadline.strftime("%H:%M") if self.deadline else "",
            chromatheque=metadata.version("chromatheque"), finished=self.finished,
        )  # fmt: skip


def ready(state: State, items: Sequence[Item], aside_only: bool, proof: bool = False) -> list[ItemProgress]:
    """What is known of the items, and what this run is about. proof: a reel without its frames' digests is not done.

    Items that are finished and unchanged stay so; items set aside stay so unless they alone are asked for, or their
    source is another file by now. With aside_only, all others are left out.
    """
    found = in_parallel(state.depot.store, partial(_ready, state, aside_only, proof), items)
    return [progress for progress in found if progress is not None]


def _ready(state: State, aside_only: bool, proof: bool, item: Item) -> ItemProgress | None:
    progress = state.load(item)
    if aside_only and progress.state != ASIDE:
        return None
    if progress.state == ASIDE and (aside_only or state.forgiven(progress)):
        return ItemProgress(item, size=progress.size, attempts=progress.attempts)
    if progress.state == DONE and not (state.unchanged(progress) and (not proof or state.proved(item))):
        return ItemProgress(item)
    if progress.state in (SURVEYED, PAINTING):
        progress.state = WAITING
    return progress
