"""A kept plan as a person edits it: read, replaced while no run uses it, and every former one kept for `undo`.

Beside plan.json lie plan.json.1.undo, plan.json.2.undo and so on, the plans before each edit. A former plan comes back
with its bytes and its time, so that a collection sees whether it is the one that an output was made of.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorizer.basis.atomic import move, whole
from colorizer.basis.errors import ColorizeError, LedgerError
from pipeline.jobs.plan import Plan, plan_from_json
from pipeline.reels.plan import Shot
from pipeline.storage.atomic import put_aside, read_json, writable, write_json
from pipeline.storage.job_folder import JobFolder
from pipeline.storage.ledger import Ledger
from pipeline.storage.lock import alone


@dataclass(frozen=True, slots=True)
class PlanFile:
    """Where a plan lies. lock: the folder that a run of it holds. name: what people call what it is of."""

    path: Path
    lock: Path
    name: str

    @property
    def folder(self) -> Path:
        """Of the job."""
        return self.path.parent

    @property
    def collected(self) -> bool:
        """Whether it is a collection's."""
        return self.lock != self.folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep runs and other edits away. Raises LedgerError, in one line, while one is at work."""
        with alone(self.lock, "edit its plan when that has ended, or stop it"):
            yield

    def read(self) -> Plan:
        """The plan as it stands. Raises LedgerError for what is none."""
        return _read(self.path)

    def replace(self, plan: Plan) -> None:
        """Put a plan in the place of the present one, which is kept."""
        numbers = self._numbers()
        kept = self._former(numbers[-1] + 1 if numbers else 1)
        with writable(kept):
            with whole(kept) as scratch:
                shutil.copy2(self.path, scratch)
            write_json(self.path, plan.to_json())

    def former(self) -> Plan:
        """The plan before the last edit. Raises ColorizeError if there was none."""
        return _read(self._former(self._last()))

    def undo(self) -> None:
        """Put the plan before the last edit back, as it was. Raises ColorizeError if there was none."""
        with writable(self.path):
            move(self._former(self._last()), self.path)

    def own_shot(self, shot: Shot) -> Shot | None:
        """Of a reel, a shot as the survey left it, from the former plans; None if none has just these frames."""
        for number in self._numbers():
            plan: Any = _read(self._former(number))
            for other in plan.shots:
                if (other.start, other.stop, other.look_from) == (shot.start, shot.stop, ()):
                    return other
        return None

    def units(self, plan: Plan) -> tuple[int, int]:
        """How many units a run would paint, and of how many. A page that waits for its look is painted anew."""
        every = plan.units()
        if not self.has_pieces:
            return len(every), len(every)
        ledger = Ledger(self.folder)
        return sum(plan.waits(unit) or ledger.find(unit.id) is None for unit in every), len(every)

    @property
    def has_pieces(self) -> bool:
        """Whether painted pieces were kept."""
        ledger = self._places.ledger
        return ledger.is_dir() and any(ledger.iterdir())

    @property
    def _places(self) -> JobFolder:
        return JobFolder(self.folder)

    def _former(self, number: int) -> Path:
        return self._places.former(number)

    def _numbers(self) -> list[int]:
        return self._places.former_numbers()

    def _last(self) -> int:
        numbers = self._numbers()
        if not numbers:
            raise ColorizeError(f"{self.name}: no edit is left to undo")
        return numbers[-1]


def retire(path: Path) -> Path:
    """Put aside a plan that is of no use to its job any more; what it was before edits goes. Its new path."""
    places = JobFolder(path.parent)
    for number in places.former_numbers():
        places.former(number).unlink()
    return put_aside(path)


def _read(path: Path) -> Plan:
    values = read_json(path)
    try:
        return plan_from_json(values)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise LedgerError(f"{path}: not a usable plan ({error}); fix it, or remove it to survey again") from error
