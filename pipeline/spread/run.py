"""Run: bounded submission, counted attempts, set-aside. The same for every pool."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from colorizer.basis.errors import StorageError, WorkerDied
from pipeline.spread.pools import Pool
from pipeline.storage.ledger import Ledger
from pipeline.values.events import Listener, Retry, UnitPainted
from pipeline.values.tries import Tries
from pipeline.values.units import Unit

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class SetAside:
    """A unit that was given up, and why."""

    unit: Unit
    attempts: int
    error: Exception


def run(units: Sequence[Unit], pool: Pool, ledger: Ledger, listener: Listener) -> list[SetAside]:
    """Paint the units that have no receipt. Returns those set aside; bugs are raised.

    A worker's death is tried again, `ATTEMPTS` times in all, the loss of its machine more often (see tries.py). An
    error about the source is final at once: it would only be repeated. A full disk ends the run.
    """
    todo = deque(units)
    tries: dict[str, Tries] = {}
    flying, aside = 0, []
    while todo or flying:
        while todo and flying < pool.size:
            unit = todo.popleft()
            tried = tries.setdefault(unit.id, Tries(ATTEMPTS))
            pool.start(unit, tried.attempt, tried.alone)
            flying += 1
        outcome = pool.finished()
        if outcome is None:
            continue
        flying -= 1
        if outcome.receipt is not None:
            ledger.record(outcome.receipt)
            unit = outcome.unit
            listener(UnitPainted(unit.kind, unit.number, outcome.attempt, unit.size))
            continue
        assert outcome.error is not None, "an outcome is a receipt or an error"
        if isinstance(outcome.error, StorageError):
            raise outcome.error  # every other unit would meet it too
        if isinstance(outcome.error, WorkerDied):
            tries[outcome.unit.id] = tried = tries[outcome.unit.id].after(outcome.error)
        if isinstance(outcome.error, WorkerDied) and not tried.over:
            listener(Retry(f"{outcome.unit.kind} {outcome.unit.number}, attempt {outcome.attempt}: {outcome.error}"))
            todo.appendleft(outcome.unit)
        else:
            aside.append(SetAside(outcome.unit, outcome.attempt, outcome.error))
    return aside
