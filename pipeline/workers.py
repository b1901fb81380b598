"""The pool seam: who paints. InlinePool paints in this process, RayPool in actors, and both keep one contract.

start() takes a unit while fewer than `size` are in flight; finished() waits for one. A worker's death is an outcome
(WorkerDied), never an exception of the pool, and a dead worker is replaced. Torch is loaded by those who paint.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from colorizer.errors import ColorizeError, WeightsError, WorkerDied
from pipeline.cluster import connect
from pipeline.units import Painter, Report, Unit

if TYPE_CHECKING:
    from colorizer.engine import Colorizer, Precision


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
    def size(self) -> int:
        """Units that may be in flight."""

    def start(self, unit: Unit, attempt: int) -> None:
        """Give a unit to a free worker."""

    def finished(self) -> Outcome:
        """Wait for a unit in flight."""

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
    from colorizer import weights
    from colorizer.engine import Colorizer

    loaded = weights.load(name)
    if loaded.digest != digest:
        raise WeightsError(f"{name}: not the weights this job was planned with; start a new job")
    return Colorizer(loaded, device(), precision)


def pool_for(ray: str, workers: int, make: Callable[[], Painter], report: Report) -> Pool:
    """The pool that a person asked for. ray: "none", "local" or an address; report: progress inside a unit, inline."""
    return InlinePool(make(), report) if ray == "none" else RayPool(ray, workers or 1, make)


class InlinePool:
    """One worker: this process."""

    size = 1

    def __init__(self, painter: Painter, report: Report = lambda _: None) -> None:
        self.painter, self.report = painter, report
        self._waiting: deque[tuple[Unit, int]] = deque()

    def start(self, unit: Unit, attempt: int) -> None:
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


class Worker:
    """The actor: one painter in a process of its own."""

    def __init__(self, make: Callable[[], Painter], threads: int) -> None:
        self.painter = make()
        if threads and "torch" in sys.modules:  # a painter that does without is spared the import
            sys.modules["torch"].set_num_threads(threads)

    def run_unit(self, unit: Unit, attempt: int) -> Any:
        """Paint a unit."""
        return self.painter.paint(unit, attempt)


class RayPool:
    """Actors of a Ray cluster, one unit each at a time.

    address: "local" starts a cluster of this process's own, anything else joins one. make: builds the painter inside
    the actor. Job folder and source must be readable from every node under the same path.
    """

    def __init__(self, address: str, workers: int, make: Callable[[], Painter], temp: Path | None = None) -> None:
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        # Ray reports every dead worker on our stdout, between the JSON lines; `run` reports it in its own place
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
        try:
            import ray
        except ImportError as error:
            raise ColorizeError("Ray is not installed; pip install 'ray>=2.60', or use --ray none") from error
        self.ray, self.make, self.size = ray, make, workers
        self._free: list[Any] = []
        self._flying: dict[Any, tuple[Any, Unit, int]] = {}
        self._deaths = (
            ray.exceptions.RayActorError, ray.exceptions.NodeDiedError, ray.exceptions.WorkerCrashedError,
            ray.exceptions.OutOfMemoryError, ray.exceptions.ActorUnavailableError,
        )  # fmt: skip
        self._mine = not ray.is_initialized()
        if self._mine:
            connect(ray, address, workers, temp)
        resources = ray.cluster_resources()
        if workers > resources.get("CPU", 0):  # the rest would wait for ever, holding units
            self.close()
            raise ColorizeError(
                f"Ray at {address} has {resources.get('CPU', 0):g} CPUs, too few for {workers} workers; lower --workers"
            )
        gpus = resources.get("GPU", 0)
        threads = max(1, int(resources.get("CPU", 1)) // workers) if address == "local" else 0
        self._actor = ray.remote(
            num_cpus=1, num_gpus=min(1.0, gpus / workers) if gpus else 0, max_restarts=0, max_task_retries=0
        )(Worker)
        self._arguments = (make, threads)
        self._free = [self._hire() for _ in range(workers)]

    def _hire(self) -> Any:
        return self._actor.remote(*self._arguments)

    def start(self, unit: Unit, attempt: int) -> None:
        """Send a unit to a free actor."""
        worker = self._free.pop(0)
        self._flying[worker.run_unit.remote(unit.located(), attempt)] = worker, unit, attempt

    def finished(self) -> Outcome:
        """Wait for any unit in flight; a dead actor is replaced."""
        [ref], _ = self.ray.wait(list(self._flying))
        worker, unit, attempt = self._flying.pop(ref)
        try:
            receipt = self.ray.get(ref)
        except self._deaths as death:
            self.ray.kill(worker)
            self._free.append(self._hire())
            why = str(death).strip().splitlines()[0]
            return Outcome(unit, attempt, error=WorkerDied(f"worker died ({type(death).__name__}): {why}"))
        except self.ray.exceptions.RayTaskError as error:
            self._free.append(worker)
            cause = error.cause
            if isinstance(cause, ColorizeError):
                return Outcome(unit, attempt, error=cause)
            raise
        self._free.append(worker)
        return Outcome(unit, attempt, receipt)

    def close(self) -> None:
        """Let the actors go, and the cluster if this pool started it."""
        for worker in [*self._free, *(w for w, _, _ in self._flying.values())]:
            self.ray.kill(worker)
        self._free, self._flying = [], {}
        if self._mine:
            self.ray.shutdown()
