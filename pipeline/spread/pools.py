"""The pool seam: who paints. InlinePool paints in this process, RayPool in actors, and both keep one contract.

start() takes a unit while fewer than `size` are in flight; finished() waits for one. A worker's death is an outcome
(WorkerDied, NodeLost), never an exception of the pool, and a dead worker is replaced as soon as there is room for
another. So `size` shrinks with the nodes that are lost, to 0 if need be, and grows with those that join. Torch is
loaded by those who paint.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from colorizer.basis.errors import ColorizeError, NodeLost, WeightsError, WorkerDied
from pipeline.spread.cluster import connect, leave
from pipeline.spread.crew import Crew, Member
from pipeline.spread.head import Head
from pipeline.values.units import Painter, Report, Unit

if TYPE_CHECKING:
    from colorizer.painting.colorizer import Colorizer, Precision

LOOK = 10.0
"""Seconds after which a waiting pool lets its caller look at the clock."""
POLL = 0.2
"""Seconds between looks at something that is about to be decided."""
GRACE = 3.0
"""Seconds in which a node that takes its workers along is known to be gone."""
SILENCE = 60.0
"""Seconds that a worker out of reach has to answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: what the painter returned, or an error."""

    unit: Unit
    attempt: int
    receipt: Any = None
    error: Exception | None = None


class Pool(Protocol):
    """See the module docstring."""

    @property
    def workers(self) -> int:
        """How many were asked for."""

    @property
    def size(self) -> int:
        """Units that may be in flight now."""

    @property
    def here(self) -> bool:
        """Whether units are painted in this process."""

    def start(self, unit: Unit, attempt: int, alone: bool = False) -> None:
        """Give a unit to a free worker. alone: on whose machine no other unit of this pool is to run meanwhile."""

    def finished(self) -> Outcome | None:
        """Wait for a unit in flight; None where it is time to look at `size`, or at the clock, again."""

    def close(self) -> None:
        """Let the workers go."""


def device() -> str:
    """The device a worker paints on: a GPU it was given, else the CPU."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache(maxsize=2)
def planned_colorizer(name: str, digest: str, precision: Precision) -> Colorizer:
    """Weights on this worker's device. Raises WeightsError when they are not the ones the plan was made with.

    The last two stay: a night of small scans would load them thousands of times.
    """
    from colorizer.networks import weights_file as weights
    from colorizer.painting.colorizer import Colorizer

    loaded = weights.load(name)
    if loaded.digest != digest:
        raise WeightsError(f"{name}: not the weights this job was planned with; start a new job")
    return Colorizer(loaded, device(), precision)


def pool_for(
    ray: str, workers: int, make: Callable[[], Painter], report: Report, tell: Callable[[str], None]
) -> Pool:  # fmt: skip
    """The pool that a person asked for. ray: "none", "local" or an address; report: progress inside a unit, inline.

    tell: what a person should read about the workers, a line each.
    """
    return InlinePool(make(), report) if ray == "none" else RayPool(ray, workers or 1, make, tell=tell)


class InlinePool:
    """One worker: this process."""

    workers = size = 1
    here = True

    def __init__(self, painter: Painter, report: Report = lambda _: None) -> None:
        self.painter, self.report = painter, report
        self._waiting: deque[tuple[Unit, int]] = deque()

    def start(self, unit: Unit, attempt: int, alone: bool = False) -> None:
        """Remember the unit; `finished` paints it."""
        self._waiting.append((unit, attempt))

    def finished(self) -> Outcome:
        """Paint the next unit."""
        unit, attempt = self._waiting.popleft()
        try:
            return Outcome(unit, attempt, self.painter.paint(unit, attempt, self.report))
        except ColorizeError as error:
            return Outcome(unit, attempt, error=error)

    def close(self) -> None:
        """Release the source."""
        self.painter.close()


@dataclass(slots=True)
class _Flight:
    """A unit that a worker has, or waits for."""

    worker: Member
    unit: Unit
    attempt: int
    alone: bool


@dataclass(slots=True)
class _Doubt:
    """A unit whose worker fell silent, until it is known of what. why: the verdict if its node is still there `until`
    then (monotonic seconds)."""

    flight: _Flight
    why: WorkerDied
    until: float


class RayPool:
    """Actors of a Ray cluster, one unit each at a time.

    address: "local" starts a cluster of this process's own, anything else joins one. make: builds the painter inside
    the actor. tell: see `pool_for`. Job folder and source must be readable from every node under the same path.
    """

    def __init__(
        self, address: str, workers: int, make: Callable[[], Painter], temp: Path | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        # Ray reports every dead worker on our stdout, between the JSON lines; `run` reports it in its own place
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
        try:
            import ray
        except ImportError as error:
            raise ColorizeError("Ray is not installed; pip install 'ray>=2.60', or use --ray none") from error
        self.ray, self.workers = ray, workers
        self.here = False
        self._flying: dict[Any, _Flight] = {}
        self._waiting: list[_Flight] = []
        self._doubts: list[_Doubt] = []
        self._questions: dict[Any, _Doubt] = {}
        self._mine = not ray.is_initialized()
        if self._mine:
            connect(ray, address, workers, temp)
        self._head = Head(ray.get_runtime_context().gcs_address)
        resources = ray.cluster_resources()
        cpus, gpus = int(resources.get("CPU", 0)), resources.get("GPU", 0)
        if workers > cpus:
            tell(f"Ray at {address} has {cpus} CPUs, room for as many of {workers} workers; more begin when nodes join")
        threads = max(1, cpus // workers) if address == "local" else 0
        share = min(1.0, gpus / workers) if gpus else 0
        self._crew = Crew(ray, workers, {"num_cpus": 1, "num_gpus": share}, (make, threads), tell)

    @property
    def size(self) -> int:
        """Units that may be in flight now: those that are, and one for each free worker."""
        return len(self._flying) + len(self._waiting) + len(self._doubts) + len(self._crew.usable())

    def start(self, unit: Unit, attempt: int, alone: bool = False) -> None:
        """Send a unit to a free actor; one that is to be alone waits until the others on that machine have ended."""
        flight = _Flight(self._crew.take(alone), unit, attempt, alone)
        if alone:
            self._waiting.append(flight)
            self._send_waiting()
        else:
            self._send(flight)

    def _send(self, flight: _Flight) -> None:
        self._flying[flight.worker.actor.run_unit.remote(flight.unit.located(), flight.attempt)] = flight

    def _send_waiting(self) -> None:
        held = [*self._flying.values(), *(doubt.flight for doubt in self._doubts)]
        for flight in [w for w in self._waiting if all(other.worker.node != w.worker.node for other in held)]:
            self._waiting.remove(flight)
            self._send(flight)

    def finished(self) -> Outcome | None:
        """Wait for any unit in flight, or for a worker to come; a dead actor is replaced. See Pool."""
        if not self._head.answers():  # most of what is asked of Ray now would wait for it
            time.sleep(POLL)
            return None
        self._crew.fill()
        self._send_waiting()
        if (settled := self._settled()) is not None:
            return settled
        ref = self._next()
        if ref is None:
            return None
        if ref in self._crew.awaited:
            self._crew.welcome(ref)
        elif ref in self._questions:
            self._answered(ref)
        else:
            return self._landed(ref)
        return None

    def _next(self) -> Any:
        """What is ready first: a unit, a new worker, a silent one's answer; None if nothing is for a while."""
        patience = POLL if self._doubts else LOOK
        refs = [*self._flying, *self._questions, *self._crew.awaited]
        if not refs:
            time.sleep(POLL)
            return None
        ready, _ = self.ray.wait(refs, timeout=patience)
        return ready[0] if ready else None

    def _landed(self, ref: Any) -> Outcome | None:
        flight = self._flying.pop(ref)
        errors = self.ray.exceptions
        try:
            receipt = self.ray.get(ref)
        except errors.RayTaskError as error:
            self._free(flight)
            if isinstance(error.cause, ColorizeError):
                return Outcome(flight.unit, flight.attempt, error=error.cause)
            raise
        except errors.ActorUnavailableError:  # it may be dead, or out of reach and working still
            why = NodeLost("its worker could not be reached")
            self._doubts.append(doubt := _Doubt(flight, why, time.monotonic() + SILENCE))
            self._ask(doubt)
            return None
        except errors.ObjectLostError:
            self._doubts.append(_Doubt(flight, NodeLost("what its worker made was lost"), 0.0))
            return None
        except errors.RayError as death:
            self._crew.dismiss(flight.worker)
            self._doubts.append(_Doubt(flight, WorkerDied(_cause(death)), time.monotonic() + GRACE))
            return None
        self._free(flight)
        return Outcome(flight.unit, flight.attempt, receipt)

    def _ask(self, doubt: _Doubt) -> None:
        """Ask a silent worker how it is. It answers when it has ended what it was at."""
        self._questions[doubt.flight.worker.actor.begin.remote()] = doubt

    def _answered(self, ref: Any) -> None:
        doubt = self._questions.pop(ref)
        errors = self.ray.exceptions
        try:
            self.ray.get(ref)
            doubt.until = 0.0  # it is well, but what it made of the unit did not arrive
        except errors.ActorUnavailableError:  # Ray takes a second to say so
            self._ask(doubt)
        except errors.RayError as death:
            doubt.why, doubt.until = WorkerDied(_cause(death)), time.monotonic() + GRACE

    def _settled(self) -> Outcome | None:
        """A unit of which it is known by now why it did not come back."""
        if not self._doubts:
            return None
        gone, now = self._crew.gone(), time.monotonic()
        for doubt in self._doubts:
            flight, why = doubt.flight, doubt.why
            if gone(flight.worker.node):
                why = NodeLost("its worker's machine is gone")
            elif now < doubt.until:
                continue
            self._doubts.remove(doubt)
            self._questions = {ref: other for ref, other in self._questions.items() if other is not doubt}
            self._crew.dismiss(flight.worker)
            if flight.alone:
                self._crew.reserved.discard(flight.worker.node)
            return Outcome(flight.unit, flight.attempt, error=why)
        return None

    def _free(self, flight: _Flight) -> None:
        self._crew.free.append(flight.worker)
        if flight.alone:
            self._crew.reserved.discard(flight.worker.node)

    def close(self) -> None:
        """Let the actors go, and the cluster if this pool started it."""
        held = [*self._flying.values(), *self._waiting, *(doubt.flight for doubt in self._doubts)]
        if not self._head.lost:  # nobody is left to tell the workers; they end with the cluster
            self._crew.close([flight.worker for flight in held])
        self._flying, self._waiting, self._doubts, self._questions = {}, [], [], {}
        if self._mine:
            leave(self.ray)


def _cause(error: Exception) -> str:
    """Ray's long story of an actor's end, as its first line."""
    return f"worker died ({type(error).__name__}): {str(error).strip().splitlines()[0]}"
