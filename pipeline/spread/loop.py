"""Loop: the one place where work is given to a pool, tried again and given up, of one file or of a thousand.

It knows units and attempts. What comes next, and what becomes of it, is for the work it serves to say.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from colorizer.basis.errors import WorkerDied
from pipeline.spread.pools import Outcome, Pool
from pipeline.values.tries import Tries
from pipeline.values.units import Unit

ATTEMPTS = 3
"""Deaths of workers after which a unit is given up."""


class Work(Protocol):
    """What a loop serves."""

    def begin(self) -> None:
        """Called at the start of every turn. Raises what ends the loop."""

    def open(self) -> bool:
        """Whether units may be given out now."""

    def next(self) -> Unit | None:
        """A unit for a free worker; None if there is none now."""

    def wanted(self, unit: Unit) -> bool:
        """Whether a unit that is to be tried again still matters."""

    def left(self) -> bool:
        """Whether there is or will be something to do, apart from what workers have."""

    def take(self, outcome: Outcome, again: bool) -> None:
        """What came of an attempt. again: its worker died and the unit is tried once more."""

    def turn(self) -> None:
        """Called once a turn, after it: time to tell how things stand."""


def serve(work: Work, pool: Pool, attempts: int = ATTEMPTS) -> None:
    """Give out units until there are no more, as many at a time as the pool has workers for.

    A worker's death is tried again, `attempts` times in all, the loss of its machine more often (see values/tries.py).
    Where all workers are lost it waits for others as long as `open` says so.
    """
    tries: dict[str, Tries] = {}
    again: deque[Unit] = deque()
    flying = 0
    while True:
        work.begin()
        while work.open() and flying < pool.size and (unit := _next(work, again)) is not None:
            tried = tries.setdefault(unit.id, Tries(attempts))
            pool.start(unit, tried.attempt, tried.alone)
            flying += 1
        if not flying and (pool.size or not work.open() or not (again or work.left())):
            return
        outcome = pool.finished()
        if outcome is not None:
            flying -= 1
            tried = tries.pop(outcome.unit.id)
            if isinstance(outcome.error, WorkerDied):
                tried = tried.after(outcome.error)
            if once_more := isinstance(outcome.error, WorkerDied) and not tried.over:
                tries[outcome.unit.id] = tried
                again.append(outcome.unit)
            work.take(outcome, once_more)
        work.turn()


def _next(work: Work, again: deque[Unit]) -> Unit | None:
    while again:
        if work.wanted(unit := again.popleft()):
            return unit
    return work.next()
