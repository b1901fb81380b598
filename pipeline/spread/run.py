"""Run: the units of one job, through the loop that serves collections too."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from colorizer.basis.errors import StorageError
from pipeline.spread.loop import ATTEMPTS, serve
from pipeline.spread.pools import Outcome, Pool
from pipeline.storage.ledger import Ledger
from pipeline.values.events import Listener, Retry, UnitPainted
from pipeline.values.units import Unit


@dataclass(frozen=True, slots=True)
class SetAside:
    """A unit that was given up, and why."""

    unit: Unit
    attempts: int
    error: Exception


def run(units: Sequence[Unit], pool: Pool, ledger: Ledger, listener: Listener) -> list[SetAside]:
    """Paint the units that have no receipt. Returns those set aside; bugs are raised.

    An error about the source is final at once: it would only be repeated. A full disk ends the run.
    """
    work = _Units(units, ledger, listener)
    serve(work, pool, ATTEMPTS)
    return work.aside


class _Units:
    """The units as work."""

    def __init__(self, units: Sequence[Unit], ledger: Ledger, listener: Listener) -> None:
        self.todo, self.ledger, self.listener = deque(units), ledger, listener
        self.aside: list[SetAside] = []

    def begin(self) -> None:
        pass

    def open(self) -> bool:
        return True

    def next(self) -> Unit | None:
        return self.todo.popleft() if self.todo else None

    def wanted(self, unit: Unit) -> bool:
        return True

    def left(self) -> bool:
        return bool(self.todo)

    def take(self, outcome: Outcome, again: bool) -> None:
        unit, error = outcome.unit, outcome.error
        if error is None:
            self.ledger.record(outcome.receipt)
            self.listener(UnitPainted(unit.kind, unit.number, outcome.attempt, unit.size))
        elif isinstance(error, StorageError):
            raise error  # every other unit would meet it too
        elif again:
            self.listener(Retry(f"{unit.kind} {unit.number}, attempt {outcome.attempt}: {error}"))
        else:
            self.aside.append(SetAside(unit, outcome.attempt, error))

    def turn(self) -> None:
        pass
