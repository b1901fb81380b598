"""Step: what a collection's workers do: survey an item, paint one of its units, publish it.

A worker keeps nothing between steps but what is dear to open; all that matters is in the item's job folder, which
every worker reaches under the same path.
"""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from colorizer.errors import ColorizeError, InUse, WorkerDied
from pipeline.collection.items import Item
from pipeline.collection.state import State
from pipeline.events import Silent
from pipeline.jobs import Choices, Job
from pipeline.jobs import open_painter as open_segment_painter
from pipeline.ledger import Receipt
from pipeline.lock import alone
from pipeline.plan import Segment
from pipeline.preservation import keep_proof
from pipeline.scans.job import ScanChoices, ScanJob
from pipeline.scans.job import open_painter as open_band_painter
from pipeline.scans.plan import Band
from pipeline.storage import writable
from pipeline.units import Painter, Report

SURVEY, PAINT, PUBLISH = "survey", "paint", "publish"
OPEN = 2
"""Items whose readers a worker keeps open."""
PATIENCE = 900.0
"""Seconds that a step waits for another worker at the same item."""


class StepFailed(ColorizeError):
    """A bug met by one file: the others go on. `trace` tells a developer where."""

    def __init__(self, what: str, trace: str) -> None:
        super().__init__(what)
        self.trace = trace

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.trace)


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of an item; of painting, one unit. number: in the order of submission.

    keep: pieces stay at the end. proof: digests of a reel's frames are left beside it.
    """

    stage: str
    item: Item
    out: str
    number: int
    unit: Segment | Band | None = field(default=None, repr=False)
    keep: bool = False
    proof: bool = False

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
        item = replace(self.item, source=str(Path(self.item.source).absolute()))
        unit = self.unit.located() if self.unit is not None else None
        return replace(self, item=item, out=str(Path(self.out).absolute()), unit=unit)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step. seconds: it took. receipt: of a unit. facts: of a survey or a publication."""

    seconds: float
    receipt: Receipt | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def job_of(item: Item, out: Path, state: State | None = None) -> Job | ScanJob:
    """The item's job, in its own folder below the output's."""
    state = state or State(out)
    folder, target = state.job_folder(item.key), out / item.out
    with writable(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = dict(item.options)
    if item.kind == "reel":
        return Job(item.source, target, Choices(**options, overwrite=True), folder, Silent())
    return ScanJob(item.source, target, ScanChoices(**options, overwrite=True), folder, Silent())


class StepPainter:
    """Does steps, whatever they are."""

    def __init__(self) -> None:
        self._painters: dict[tuple[str, str], Painter] = {}

    def paint(self, step: Step, attempt: int, report: Report = lambda _: None) -> Done:
        """Do a step. Raises ColorizeError; a bug becomes StepFailed."""
        began = time.monotonic()
        try:
            done = self._do(step, attempt, report)
        except ColorizeError:
            raise
        except Exception as error:
            raise StepFailed(
                f"{step.item.source}: unexpected {type(error).__name__} at {step.stage} ({error}); please report it",
                traceback.format_exc(),
            ) from error
        return replace(done, seconds=time.monotonic() - began)

    def _do(self, step: Step, attempt: int, report: Report) -> Done:
        out = Path(step.out)
        if step.unit is not None:
            return Done(0.0, self._painter(step).paint(step.unit, attempt, report))
        job = job_of(step.item, out)
        if step.stage == SURVEY:
            return Done(0.0, facts=_survey(job))
        with _by_itself(job.folder):
            plan: Any = job.prepare()
            result = job.publish(plan, 0)
            if step.proof and isinstance(job, Job):
                exact = job.profile.lossless and plan.reel.layout.kind != "rgb"
                keep_proof(job.out, plan.digests, exact)
            self._forget(step.item.key)
            if not step.keep:
                _tidy(job.folder)
        return Done(0.0, facts={"lost": list(result.lost)})

    def _painter(self, step: Step) -> Painter:
        unit = step.unit
        assert unit is not None
        folder = State(Path(step.out)).job_folder(step.item.key)
        key = step.item.key, repr(unit.settings)
        if key not in self._painters:
            while len(self._painters) >= OPEN:
                self._painters.pop(next(iter(self._painters))).close()
            if isinstance(unit, Segment):
                self._painters[key] = open_segment_painter(unit.settings, folder)
            else:
                job = job_of(step.item, Path(step.out))
                assert isinstance(job, ScanJob)
                self._painters[key] = open_band_painter(unit.settings, folder, job.limits)
        return self._painters[key]

    def _forget(self, key: str) -> None:
        for mine in [k for k in self._painters if k[0] == key]:
            self._painters.pop(mine).close()

    def close(self) -> None:
        """Release all readers."""
        for painter in self._painters.values():
            painter.close()
        self._painters = {}


@contextmanager
def _by_itself(folder: Path) -> Iterator[None]:
    """Wait until no other worker surveys or publishes the item: one that the pool lost sight of may be at it still."""
    until = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(alone(folder))
                break
            except InUse as error:
                if time.monotonic() > until:
                    raise WorkerDied(f"a worker out of reach is still at it ({error})") from error
                time.sleep(1)
        yield


def _survey(job: Job | ScanJob) -> dict[str, Any]:
    """What a survey found; `already` where the output is there and right."""
    if job.finished():
        return {"already": True}
    if job.out.exists() and not job.sidecar_path.exists():
        raise ColorizeError(
            f"{job.out}: exists and is not this program's; move it away, or give the output another name"
        )
    with _by_itself(job.folder):
        plan: Any = job.prepare()
    return {"already": False, "notes": job.remarks(plan)}


def _tidy(folder: Path) -> None:
    """Remove an item's pieces; its plan stays for a person to edit."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "plan.json":
            path.unlink()
