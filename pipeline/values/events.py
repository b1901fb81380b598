"""Events of a run as values, and who listens to them. How they look on a screen or in a log is not decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `event` is its name in JSON, where its fields follow in their order."""

    event: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """What `--progress json` writes; scripts read it, so names and order stay."""
        return {"event": self.event, **asdict(self)}


class Listener(Protocol):
    """Told what happens, while it happens; it should not take long."""

    def __call__(self, event: Event, /) -> None: ...


class Silent:
    """Nobody listens. A base for those who do: each is left when the run ends."""

    def __call__(self, event: Event, /) -> None:
        """Nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something a person should read. text: one sentence or a few."""

    event: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True)
class Retry(Event):
    """A unit is tried again. text: which, and why."""

    event: ClassVar[str] = "retry"
    text: str


@dataclass(frozen=True, slots=True)
class Surveyed(Event):
    """So much of the source is looked at. of: 0 where nothing says how much there is."""

    event: ClassVar[str] = "survey"
    unit: ClassVar[str] = ""
    done: int
    of: int

    def to_json(self) -> dict[str, Any]:
        """What is done is told by the name of what is counted."""
        return {"event": self.event, self.unit: self.done, "of": self.of}


@dataclass(frozen=True, slots=True)
class FramesSurveyed(Surveyed):
    """Of a reel."""

    unit: ClassVar[str] = "frames"


@dataclass(frozen=True, slots=True)
class RowsSurveyed(Surveyed):
    """Of a scan's page."""

    unit: ClassVar[str] = "rows"


@dataclass(frozen=True, slots=True)
class ReelPlanned(Event):
    """A reel's plan is there. done: segments that are painted."""

    event: ClassVar[str] = "planned"
    frames: int
    shots: int
    segments: int
    done: int


@dataclass(frozen=True, slots=True)
class ScanPlanned(Event):
    """A scan's plan is there. rows: of all pages. done: bands that are painted."""

    event: ClassVar[str] = "planned"
    pages: int
    megapixels: float
    rows: int
    bands: int
    done: int


@dataclass(frozen=True, slots=True)
class Painted(Event):
    """So much of the source is colored; told where the painter is in this process."""

    done: int
    of: int


@dataclass(frozen=True, slots=True)
class FramesPainted(Painted):
    """Of a reel."""

    event: ClassVar[str] = "frame"


@dataclass(frozen=True, slots=True)
class RowsPainted(Painted):
    """Of a scan."""

    event: ClassVar[str] = "rows"


@dataclass(frozen=True, slots=True)
class UnitPainted(Event):
    """A unit has its receipt. kind: the event's name, segment or band. size: as the unit tells it."""

    kind: str
    number: int
    attempt: int
    size: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Its size is told by its name: frames or rows."""
        return {"event": self.kind, "number": self.number, "attempt": self.attempt, **self.size}


@dataclass(frozen=True, slots=True)
class Joining(Event):
    """What was painted becomes one file."""

    event: ClassVar[str] = "joining"


@dataclass(frozen=True, slots=True)
class Checking(Event):
    """The file is compared with its source."""

    event: ClassVar[str] = "checking"


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The output has its name. already: it had it before. painted: units of this run.

    verdict: the last word on it. lost: what it does not hold, by name.
    """

    event: ClassVar[str] = "finished"
    out: str
    already: bool
    painted: int
    verdict: str
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looking(Event):
    """So many files are opened, before anything is colored."""

    event: ClassVar[str] = "looking"
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class StepDone(Event):
    """A step of an item is done. stage: see stages.py. step: in words. seconds: of a worker."""

    event: ClassVar[str] = "step"
    name: str
    stage: str
    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepRetry(Retry):
    """A step of an item is tried again."""

    stage: str


@dataclass(frozen=True, slots=True)
class GivenUp(Event):
    """An item is set aside. stage: in which it failed. text: why."""

    event: ClassVar[str] = "aside"
    name: str
    stage: str
    text: str


@dataclass(frozen=True, slots=True)
class ItemChanged(Event):
    """How an item stands. state: see stages.py. done, of: units."""

    event: ClassVar[str] = "item"
    key: str
    name: str
    state: str
    done: int
    of: int
    megapixels: float


@dataclass(frozen=True, slots=True)
class UnitCount:
    """Units painted, of those of all plans that are there."""

    done: int
    of: int


@dataclass(frozen=True, slots=True)
class Total(Event):
    """How the whole stands. done, of: megapixels. items: by state, without zeros. busy: share of the workers' time."""

    event: ClassVar[str] = "total"
    done: float
    of: float
    unit: str = field(default="megapixels", init=False)
    units: UnitCount
    items: Mapping[str, int]
    busy: float
    workers: int


@dataclass(frozen=True, slots=True)
class NightFinished(Event):
    """What a run over a collection came to (see Night).

    losses: of all files that are done. report: where it lies, or None.
    """

    event: ClassVar[str] = "finished"
    done: int
    aside: int
    left: int
    late: bool
    seconds: float
    busy: float
    losses: int
    report: str | None
