"""Schedule: which step of which item comes next, on one pool, until all is done, set aside, or the deadline has come.

A free worker first publishes what is painted, then paints, and surveys another item only when there is nothing to
paint; among equals the largest item comes first, so that small ones fill the end. Every step is retried when its
worker dies, and after that its item is set aside: no file stops the others. A full disk stops the run. Where all
workers are lost it waits for others, until the deadline.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from colorizer.errors import ColorizeError, JoinError, LedgerError, StorageError, WorkerDied
from pipeline.collection.items import Item
from pipeline.collection.state import ASIDE, DONE, PAINTING, SURVEYED, WAITING, Progress, State
from pipeline.collection.steps import PAINT, PUBLISH, SURVEY, Done, Step, StepFailed, job_of
from pipeline.events import Listener
from pipeline.ledger import Ledger
from pipeline.tries import Tries
from pipeline.units import Unit
from pipeline.workers import Outcome, Pool

SUMMARY = 5.0
"""Seconds between summaries on disk."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a run came to. busy: share of the workers' time that was work; 0 if there was none."""

    done: int
    aside: int
    left: int
    late: bool
    seconds: float
    busy: float


@dataclass(slots=True)
class _Active:
    """An item in the works. todo: units that no worker has. flying: steps that one has."""

    progress: Progress
    todo: deque[Any] = field(default_factory=deque)
    flying: int = 0
    stage: str = SURVEY
    failed_checks: int = 0

    @property
    def weight(self) -> float:
        return self.progress.megapixels


class Schedule:
    """One run over a collection's items. retries: attempts a step has. deadline: local time, or None."""

    def __init__(
        self, state: State, items: Sequence[Progress], pool: Pool, listener: Listener,
        retries: int = 3, deadline: datetime | None = None, keep: bool = False, proof: bool = False,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:  # fmt: skip
        self.state, self.pool, self.listener = state, pool, listener
        self.retries, self.deadline, self.keep, self.proof, self.now = retries, deadline, keep, proof, now
        self.all = list(items)
        self.active = [_Active(p) for p in items if p.state not in (DONE, ASIDE)]
        self.worked, self.began, self.count, self.late = 0.0, time.monotonic(), 0, False
        self._summary, self.started = 0.0, datetime.now(UTC).isoformat(timespec="seconds")
        self._again: deque[Step] = deque()
        self._tries: dict[str, Tries] = {}

    def run(self) -> Night:
        """Do all that can be done. Raises StorageError where nothing can be written any more."""
        flying: dict[str, _Active] = {}
        self.tell(running=bool(self.active))
        while True:
            while not self._too_late() and len(flying) < self.pool.size and (chosen := self._next()) is not None:
                active, step = chosen
                active.flying += 1
                flying[step.id] = active
                tries = self._tries.get(step.id, Tries(self.retries))
                self.pool.start(step, tries.attempt, tries.alone)
            if not flying and (self.pool.size or self.late or not self._left()):
                break
            outcome = self.pool.finished()
            if outcome is not None:
                active = flying.pop(outcome.unit.id)
                active.flying -= 1
                self._take(active, outcome)
            if time.monotonic() - self._summary > SUMMARY:
                self.tell()
            self._total()
        self.tell(running=False)
        seconds = time.monotonic() - self.began
        states = [p.state for p in self.all]
        left = sum(s not in (DONE, ASIDE) for s in states)
        return Night(states.count(DONE), states.count(ASIDE), left, self.late and left > 0, seconds, self.busy(seconds))

    def busy(self, seconds: float) -> float:
        """Share of the workers' time that was work."""
        return round(min(1.0, self.worked / (seconds * self.pool.workers)), 3) if seconds > 0 else 0.0

    def _too_late(self) -> bool:
        """Whether the deadline has come. Once it has, a clock that is set back makes no new night."""
        self.late = self.late or (self.deadline is not None and self.now() >= self.deadline)
        return self.late

    def _left(self) -> list[_Active]:
        return [a for a in self.active if a.progress.state not in (DONE, ASIDE)]

    def _next(self) -> tuple[_Active, Step] | None:
        """The step that a free worker gets; None if there is none now."""
        while self._again:
            step = self._again.popleft()
            found = [a for a in self.active if a.progress.item.key == step.item.key and a.progress.state != ASIDE]
            if found:
                return found[0], step
        ready = self._left()
        publish = [a for a in ready if a.stage == PAINT and not a.todo and not a.flying]
        if publish:
            active = max(publish, key=lambda a: a.weight)
            active.stage = PUBLISH
            return active, self._step(active, PUBLISH, None)
        if paint := [a for a in ready if a.stage == PAINT and a.todo]:
            active = max(paint, key=lambda a: a.weight)
            return active, self._step(active, PAINT, active.todo.popleft())
        if survey := [a for a in ready if a.stage == SURVEY and not a.flying]:
            active = max(survey, key=lambda a: a.weight)
            return active, self._step(active, SURVEY, None)
        return None

    def _step(self, active: _Active, stage: str, unit: Unit | None) -> Step:
        self.count += 1
        return Step(stage, active.progress.item, str(self.state.out), self.count, unit, self.keep, self.proof)  # type: ignore[arg-type]

    def _take(self, active: _Active, outcome: Outcome) -> None:
        """What came of a step, into the item's progress."""
        step: Any = outcome.unit
        progress = active.progress
        if outcome.error is not None:
            self._failed(active, step, outcome.attempt, outcome.error)
            return
        done: Any = outcome.receipt
        assert isinstance(done, Done)
        self.worked += done.seconds
        progress.seconds[step.stage] = progress.seconds.get(step.stage, 0.0) + done.seconds
        if done.receipt is not None:
            self._ledger(progress.item).record(done.receipt)
        if progress.state == ASIDE:
            return  # another of its units was given up meanwhile
        if step.stage == SURVEY:
            if done.facts["already"]:
                self._finish(progress)
                return
            progress.notes = list(done.facts["notes"])
            self._unfold(active)
        elif step.stage == PAINT:
            progress.state = PAINTING
            progress.units["done"] += 1
        else:
            progress.lost = list(done.facts["lost"])
            self._finish(progress)
            return
        self._save(progress)

    def _unfold(self, active: _Active) -> None:
        """Load the units of an item's plan, which a worker made or an earlier run left."""
        item, progress = active.progress.item, active.progress
        try:
            job = job_of(item, self.state.out, self.state)
            job.prepare()
            self._ledger(item).sweep()
            todo: list[Any] = list(job.todo())
            of = job.progress()[1]
        except ColorizeError as error:
            self._aside(progress, SURVEY, error, 1)
            return
        active.todo, active.stage = deque(todo), PAINT
        progress.units = {"done": of - len(todo), "of": of}
        progress.state = SURVEYED if not progress.units["done"] else PAINTING

    def _failed(self, active: _Active, step: Step, attempt: int, error: Exception) -> None:
        progress = active.progress
        if isinstance(error, StorageError):
            self._save(progress)
            raise error
        said = {"stage": step.stage, "unit": str(step), "attempt": attempt, "error": str(error)}
        if isinstance(error, StepFailed):
            said["trace"] = error.trace
        progress.attempts.append(said)
        if isinstance(error, WorkerDied):
            tries = self._tries[step.id] = self._tries.get(step.id, Tries(self.retries)).after(error)
            if not tries.over:
                self.listener("retry", text=f"{progress.item.name}, {step}, attempt {attempt}: {error}")
                self._again.append(step)
                self._save(progress)
                return
        if isinstance(error, JoinError | LedgerError) and step.stage == PUBLISH:
            active.failed_checks += 1
            if active.failed_checks < self.retries:  # what it doubts is forgotten by now: paint that anew
                self.listener("retry", text=f"{progress.item.name}, {step}: {error}")
                self._unfold(active)
                self._save(progress)
                return
        self._aside(progress, step.stage, error, attempt)

    def _aside(self, progress: Progress, stage: str, error: Exception, attempts: int) -> None:
        self.state.give_up(progress, stage, error, attempts)
        self.listener("aside", name=progress.item.name, stage=stage, text=str(error))
        self._save(progress)
        self.state.set_aside(self.all)

    def _finish(self, progress: Progress) -> None:
        progress.state, progress.error = DONE, None
        progress.units["done"] = progress.units["of"]
        progress.seen = self.state.look(progress.item)
        self._save(progress)

    def _ledger(self, item: Item) -> Ledger:
        return Ledger(self.state.job_folder(item.key))

    def _save(self, progress: Progress) -> None:
        self.state.save(progress)
        self.listener(
            "item", key=progress.item.key, name=progress.item.name, state=progress.state, done=progress.units["done"],
            of=progress.units["of"], megapixels=round(progress.megapixels, 1),
        )  # fmt: skip

    def _total(self) -> None:
        done = sum(_share(p) * p.megapixels for p in self.all)
        of = sum(p.megapixels for p in self.all)
        self.listener("total", done=round(done, 1), of=round(of, 1), unit="megapixels")

    def tell(self, running: bool = True) -> None:
        """How the whole stands, for people now and for the report."""
        self._total()
        if not self.active and (self.state.folder / "collection.json").exists():
            return  # nothing was to do: what is written tells of the night that did it
        self._summary = time.monotonic()
        seconds = self._summary - self.began
        self.state.summary(
            started=self.started, seconds=round(seconds, 1), busy=self.busy(seconds), workers=self.pool.workers,
            running=running, deadline=self.deadline.strftime("%H:%M") if self.deadline else "",
            chromatheque=metadata.version("chromatheque"),
        )  # fmt: skip


def _share(progress: Progress) -> float:
    """How much of an item is done; what was given up needs nothing more."""
    if progress.state in (DONE, ASIDE):
        return 1.0
    return 0.98 * progress.units["done"] / progress.units["of"] if progress.units["of"] else 0.0


def ready(state: State, items: Sequence[Item], aside_only: bool) -> list[Progress]:
    """What is known of the items, and what this run is about.

    Items that are finished and unchanged stay so; items set aside stay so unless they alone are asked for, or their
    source is another file by now. With aside_only, all others are left out.
    """
    found = []
    for item in items:
        progress = state.load(item)
        if aside_only and progress.state != ASIDE:
            continue
        if progress.state == ASIDE and (aside_only or state.forgiven(progress)):
            progress = Progress(item, size=progress.size, attempts=progress.attempts)
        elif progress.state == DONE and not state.unchanged(progress):
            progress = Progress(item)
        elif progress.state in (SURVEYED, PAINTING):
            progress.state = WAITING
        found.append(progress)
    return found
