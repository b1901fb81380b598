"""Step: what a driver gives a worker to do, and what comes back. Light to import, to hold and to send."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from colorizer.basis.errors import ColorizeError
from pipeline.collection.depot import Depot
from pipeline.collection.item import Item
from pipeline.storage.ledger import Receipt
from pipeline.storage.stores import is_uri
from pipeline.values.units import Unit


class StepFailed(ColorizeError):
    """A bug met by one file: the others go on. `trace` tells a developer where."""

    def __init__(self, what: str, trace: str) -> None:
        super().__init__(what)
        self.trace = trace

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.trace)


@dataclass(frozen=True, slots=True)
class UnitKey:
    """A unit by its place in its item's plan: a driver holds a hundred thousand of them, workers read the rest there.

    id, number, kind: the unit's. words: where in the source it lies. counted, count: its size, as 96 frames.
    """

    id: str
    number: int
    kind: str
    words: str
    counted: str
    count: int

    @classmethod
    def of(cls, unit: Unit) -> UnitKey:
        """A unit's ticket."""
        [(counted, count)] = unit.size.items()
        return cls(unit.id, unit.number, unit.kind, str(unit), counted, count)

    def __str__(self) -> str:
        return self.words

    @property
    def size(self) -> dict[str, int]:
        """As the unit's."""
        return {self.counted: self.count}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of an item; of painting, one unit. number: in the order of submission.

    keep: pieces stay at the end. proof: digests of a reel's frames are left beside it. source: what the survey found
    the source to be, so that painting need not read all of it first.
    """

    stage: str
    item: Item
    depot: Depot
    number: int
    unit: UnitKey | None = field(default=None, repr=False)
    keep: bool = False
    proof: bool = False
    source: dict[str, Any] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return str(self.unit) if self.unit is not None else self.stage

    @property
    def id(self) -> str:
        """Of the item and its unit: two copies of a film have units of the same ids."""
        return f"{self.item.key}-{self.stage if self.unit is None else self.unit.id}"

    @property
    def kind(self) -> str:
        """The stage."""
        return self.stage

    @property
    def size(self) -> dict[str, int]:
        """Of the unit."""
        return self.unit.size if self.unit is not None else {}

    def located(self) -> Step:
        """The step with full paths."""
        source = self.item.source
        item = replace(self.item, source=source if is_uri(source) else str(Path(source).absolute()))
        return replace(self, item=item, depot=self.depot.located())


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a survey came to. already: the output is there and right. source: its name, size and sha256.

    todo: units without a receipt. of: units in all. notes: what a person should read. size: as `measure` gives it.
    lost: of an output that is there, as its sidecar says.
    """

    already: bool = False
    source: dict[str, Any] | None = None
    todo: tuple[UnitKey, ...] = field(default=(), repr=False)
    of: int = 0
    notes: tuple[str, ...] = ()
    size: dict[str, float] | None = None
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step. seconds: it took. receipt: of a unit. found: by a survey. lost: of a publication."""

    seconds: float
    receipt: Receipt | None = None
    found: Surveyed | None = None
    lost: tuple[str, ...] = ()
