"""What a night over a collection measures, defined once for every place that shows it to a monitoring system.

The numbers are those that `Schedule` tells its listener: of each step that is done, and of how the whole stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from pipeline.values.events import Event, GivenUp, Listener, Silent, StepDone, StepRetry, Total
from pipeline.values.stages import ASIDE, DONE, PAINT, PAINTING, PUBLISH, SURVEY, SURVEYED, WAITING

GAUGE, COUNTER, HISTOGRAM = "gauge", "counter", "histogram"

BOUNDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""Upper ends, in seconds, of the classes that steps are sorted into."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number with a name; labels: of its parts. A gauge is set, a counter added to, a histogram sorted into."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


STEPS = Metric("chromatheque_step_seconds", HISTOGRAM, "Time that each step took, in this run.", ("stage",))
SECONDS = Metric(
    "chromatheque_work_seconds_total", COUNTER, "Time of workers, by what it went to, in this run.", ("stage",)
)
FAILURES = Metric(
    "chromatheque_failures_total", COUNTER, "Steps that were tried again or given up, in this run.", ("stage", "fate")
)
ITEMS = Metric("chromatheque_items", GAUGE, "Reels and scans, by state.", ("state",))
UNITS_DONE = Metric("chromatheque_units_done", GAUGE, "Segments and bands that are painted.")
UNITS = Metric("chromatheque_units_planned", GAUGE, "Segments and bands of all items that are surveyed.")
MEGAPIXELS_DONE = Metric("chromatheque_megapixels_done", GAUGE, "Megapixels that are colored.")
MEGAPIXELS = Metric("chromatheque_megapixels_found", GAUGE, "Megapixels of all items.")
BUSY = Metric("chromatheque_busy_ratio", GAUGE, "Share of the workers' time that was work, in this run.")
WORKERS = Metric("chromatheque_workers", GAUGE, "Workers of this run.")

STATES = (WAITING, SURVEYED, PAINTING, DONE, ASIDE)
RETRIED, GIVEN_UP = "retried", "set_aside"


class Gauges(Protocol):
    """A place that shows metrics."""

    def keep(self, metric: Metric, value: float, *labels: str) -> None:
        """Take a value; labels: those that the metric names, in its order."""

    def show(self, last: bool) -> None:
        """All values of this moment are taken. last: there will be no other."""


class Meter(Silent):
    """Passes every event on, and what can be measured in it to `places`, until it is left."""

    def __init__(self, listener: Listener, *places: Gauges) -> None:
        self.listener, self.places = listener, places
        for stage in (SURVEY, PAINT, PUBLISH):  # a counter that is not there yet cannot be watched
            self._keep(SECONDS, 0, stage)
            for fate in (RETRIED, GIVEN_UP):
                self._keep(FAILURES, 0, stage, fate)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for place in self.places:
            place.show(last=True)
        self.places = ()

    def __call__(self, event: Event, /) -> None:
        """Pass it on, and measure."""
        self.listener(event)
        match event:
            case StepDone(stage=stage, seconds=seconds):
                self._keep(STEPS, seconds, stage)
                self._keep(SECONDS, seconds, stage)  # exact; of a histogram Ray passes on the classes alone
            case StepRetry(stage=stage):
                self._keep(FAILURES, 1, stage, RETRIED)
            case GivenUp(stage=stage):
                self._keep(FAILURES, 1, stage, GIVEN_UP)
            case Total():
                self._stand(event)

    def _stand(self, total: Total) -> None:
        for state in STATES:
            self._keep(ITEMS, total.items.get(state, 0), state)
        for metric, value in (
            (UNITS_DONE, total.units.done), (UNITS, total.units.of), (MEGAPIXELS_DONE, total.done),
            (MEGAPIXELS, total.of), (BUSY, total.busy), (WORKERS, total.workers),
        ):  # fmt: skip
            self._keep(metric, value)
        for place in self.places:
            place.show(last=False)

    def _keep(self, metric: Metric, value: float, *labels: str) -> None:
        for place in self.places:
            place.keep(metric, value, *labels)
