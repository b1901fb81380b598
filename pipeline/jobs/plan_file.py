"""A kept plan as a person edits it: read, replaced while no run uses it, and every former one kept for `undo`.

Beside plan.json lie plan.json.1.undo, plan.json.2.undo and so on, the plans before each edit. A former plan comes back
with its bytes and its time, so that a collection sees whether it is the one that an output was made of.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from colorizer.basis.errors import ColorizeError, LedgerError
from pipeline.reels.plan import Plan, Shot
from pipeline.scans.plan import ScanPlan
from pipeline.storage.atomic import publish, put_aside, read_json, writable, write_json
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

    def read(self) -> Plan | ScanPlan:
        """The plan as it stands. Raises LedgerError for what is none."""
        return _read(self.path)

    def replace(self, plan: Plan | ScanPlan) -> None:
        """Put a plan in the place of the present one, which is kept."""
        numbers = self._numbers()
        kept = self._former(numbers[-1] + 1 if numbers else 1)
        scratch = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        with writable(kept):
            try:
                shutil.copy2(self.path, scratch)
                publish(scratch, kept)
            finally:
                scratch.unlink(missing_ok=True)
            write_json(self.path, plan.to_json())

    def former(self) -> Plan | ScanPlan:
        """The plan before the last edit. Raises ColorizeError if there was none."""
        return _read(self._former(self._last()))

    def undo(self) -> None:
        """Put the plan before the last edit back, as it was. Raises ColorizeError if there was none."""
        with writable(self.path):
            self._former(self._last()).replace(self.path)

    def own_shot(self, shot: Shot) -> Shot | None:
        """A shot as the survey left it, from the former plans; None if none of them has just these frames."""
        for number in self._numbers():
            plan = _read(self._former(number))
            for other in plan.shots if isinstance(plan, Plan) else ():
                if (other.start, other.stop, other.look_from) == (shot.start, shot.stop, ()):
                    return other
        return None

    def units(self, plan: Plan | ScanPlan) -> tuple[int, int]:
        """How many units a run would paint, and of how many. A page that waits for its look is painted anew."""
        pending = {page.number for page in plan.pages if page.pending} if isinstance(plan, ScanPlan) else set()
        every = plan.bands() if isinstance(plan, ScanPlan) else plan.segments()
        if not self.has_pieces:
            return len(every), len(every)
        ledger = Ledger(self.folder)
        todo = [u for u in every if getattr(u, "page", None) in pending or ledger.find(u.id) is None]
        return len(todo), len(every)

    @property
    def has_pieces(self) -> bool:
        """Whether painted pieces were kept."""
        ledger = self.folder / "ledger"
        return ledger.is_dir() and any(ledger.iterdir())

    def _former(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}.undo")

    def _numbers(self) -> list[int]:
        return sorted(map(_number, _formers(self.path)))

    def _last(self) -> int:
        numbers = self._numbers()
        if not numbers:
            raise ColorizeError(f"{self.name}: no edit is left to undo")
        return numbers[-1]


def retire(path: Path) -> Path:
    """Put aside a plan that is of no use to its job any more; what it was before edits goes. Its new path."""
    for former in _formers(path):
        former.unlink()
    return put_aside(path)


def _formers(path: Path) -> list[Path]:
    return [former for former in path.parent.glob(f"{path.name}.*.undo") if _number(former)]


def _number(former: Path) -> int:
    text = former.suffixes[-2][1:]
    return int(text) if text.isdecimal() else 0


def _read(path: Path) -> Plan | ScanPlan:
    values = read_json(path)
    try:
        return ScanPlan.from_json(values, "") if "pages" in values else Plan.from_json(values)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise LedgerError(f"{path}: not a usable plan ({error}); mend it, or remove it to survey again") from error
