"""Job: one source, one output, and a folder in between that any later run goes on from.

What a reel's job and a scan's have in common is here, and it is most of both: one run at a time, a plan that is kept,
receipts, a join that is checked before the output gets its name, and what is forgotten when the check fails. What
differs, each kind says in the methods that are abstract here. Nobody else asks which kind a job is of.

A job takes note of what is wanted and looks at nothing. `prepare` gives the work to do, as a value: plan, units and
ledger belong together and come together.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import torch

from colorizer.basis.errors import ColorizeError, JoinError, LedgerError
from colorizer.networks import weights_file
from colorizer.networks.shipped import DEFAULT_WEIGHTS, shipped
from colorizer.networks.weights_file import Weights
from colorizer.painting.colorizer import Colorizer, Precision, auto_precision
from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
from pipeline.jobs.folder import (
    Count,
    check_sidecar,
    check_source,
    clear_left,
    give_name,
    is_foreign,
    made,
    note_published,
    occupied,
    paint,
    superseded,
)
from pipeline.jobs.plan import Plan
from pipeline.jobs.plan_file import retire
from pipeline.spread.cluster import reach
from pipeline.spread.pools import device, planned_colorizer, pool_for
from pipeline.storage.atomic import read_json, sha256, writable, write_json
from pipeline.storage.job_folder import JobFolder, growing, sidecar_of
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.storage.lock import clear
from pipeline.values.events import Checking, Event, Joining, Listener, Note, Painted, Silent
from pipeline.values.finding import Finding
from pipeline.values.formats import OtherFormat
from pipeline.values.kinds import Kind
from pipeline.values.loss import declared_in, verdict
from pipeline.values.units import Painter, Unit

P = TypeVar("P", bound=Plan)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a person asked for, of any kind; None and "auto" are resolved by the job. id, catalog: the catalogue's."""

    weights: str = DEFAULT_WEIGHTS
    working_size: int = DEFAULT_WORKING_SIZE
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    ray: str = "none"
    workers: int = 0
    overwrite: bool = False
    id: str = ""
    catalog: tuple[tuple[str, str], ...] = ()


C = TypeVar("C", bound=Choices)


@dataclass(frozen=True)
class Work(Generic[P]):
    """A plan, the units that follow from it, and the ledger that knows which of them are painted."""

    plan: P
    units: tuple[Any, ...] = field(repr=False)
    ledger: Ledger

    def todo(self) -> list[Any]:
        """Units without a receipt."""
        return [unit for unit in self.units if self.ledger.find(unit.id) is None]

    def receipts(self) -> list[Receipt]:
        """Of all units. Raises JoinError for one that is not painted."""
        found = [(unit, self.ledger.find(unit.id)) for unit in self.units]
        for unit, receipt in found:
            if receipt is None:
                raise JoinError(f"{self.ledger.job}: the piece of {unit} is gone; run it again to paint that")
        return [receipt for _, receipt in found if receipt is not None]


@dataclass(frozen=True)
class Result(Generic[P]):
    """What a job came to. plan: None when it was finished already. painted: units painted now. lost: what the output
    does not hold, by name, as its sidecar says it."""

    out: Path
    plan: P | None
    painted: int
    findings: tuple[Finding, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def already(self) -> bool:
        """Whether there was nothing to do."""
        return self.plan is None

    @property
    def verdict(self) -> str:
        """The last word on the output: "verified" alone where it holds all of its source."""
        return verdict(len(self.lost))


@dataclass(frozen=True, slots=True)
class Proved:
    """What the check of a joined output found. suspects: units to blame where something does not hold."""

    findings: list[Finding]
    suspects: list[Any] = field(default_factory=list)


class Job(ABC, Generic[P, C]):
    """See the module docstring. folder: where plan and pieces are kept; None for OUT.job, which is removed at the end.

    Whatever looks at the source raises SourceError, at the weights WeightsError, at the folder LedgerError and
    StorageError: all of them ColorizeError.
    """

    kind: ClassVar[Kind]
    wishes: ClassVar[type[Choices]]
    """The kind's own choices."""
    open_painter: ClassVar[Callable[..., Painter]]
    """Opens a painter of the kind's units; a function that can be sent to a worker."""
    painted: ClassVar[type[Painted]]
    """The event of progress inside a unit."""

    def __init__(
        self, source: str, out: Path, choices: C, folder: Path | None = None, listener: Listener | None = None
    ) -> None:  # fmt: skip
        self.uri, self.out, self.choices, self.listener = source, out, choices, listener or Silent()
        self.keep = folder is not None
        self.places = JobFolder(folder) if folder is not None else JobFolder.of(out)
        self.work: Work[P] | None = None
        """What `prepare` found, once it did."""

    # --- what each kind says

    @cached_property
    @abstractmethod
    def settings(self) -> Any:
        """All that changes the output beside the source; looks at names, formats, headers and weights."""

    @cached_property
    @abstractmethod
    def source(self) -> dict[str, Any]:
        """What the source is: name, size and sha256; takes a read of all of it."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """Frames or pages, megapixels, and bytes of the output, by the source's header and the size of its file."""

    @abstractmethod
    def remarks(self, plan: P) -> list[str]:
        """What a person should read before the work is done."""

    @abstractmethod
    def adopt(self, values: dict[str, Any]) -> P | None:
        """A kept plan under these settings, with what a person edited in it; None if it is of another source or other
        weights.

        Raises ValueError, KeyError, TypeError, AttributeError or ArithmeticError for what is no plan.
        """

    @abstractmethod
    def survey(self, kept: P | None, colorizer: Colorizer) -> P:
        """The plan that a look at the source gives. kept: an earlier one that waits for this in parts."""

    @abstractmethod
    def planned(self, work: Work[P], done: int) -> Event:
        """The event that tells what is to do. done: units painted before."""

    @property
    @abstractmethod
    def painter_arguments(self) -> tuple[Any, ...]:
        """What `open_painter` takes."""

    @abstractmethod
    def join(self, work: Work[P], receipts: list[Receipt], scratch: Path) -> Any:
        """Write the output from its pieces; what became of everything that is not the picture."""

    @abstractmethod
    def prove(self, work: Work[P], receipts: list[Receipt], scratch: Path, carried: Any) -> Proved:
        """Decode the joined output and hold it against the source. carried: as `join` gave it."""

    @abstractmethod
    def sidecar(
        self, work: Work[P], receipts: list[Receipt], carried: Any, findings: list[Finding], output: dict[str, Any]
    ) -> dict[str, Any]:  # fmt: skip
        """The output's story, without clock times, so that a repeated run writes the same bytes."""

    @abstractmethod
    def settings_of(self, record: dict[str, Any]) -> dict[str, Any]:
        """The settings in a sidecar. Raises KeyError or TypeError for what is not of this kind."""

    @abstractmethod
    def edited(self, values: dict[str, Any], record: dict[str, Any]) -> bool:
        """Whether a kept plan differs, in what a person may edit, from the one that an output was made of."""

    def beside(self, work: Work[P]) -> dict[Path, bytes]:
        """Files that go with the output, by their places beside it; empty ones are not to be there."""
        return {}

    def leave_digests(self, work: Work[P]) -> None:
        """Leave digests of the frames beside the output, for kinds that have some."""

    # --- what is common to all

    @property
    def folder(self) -> Path:
        """Of the job."""
        return self.places.path

    @property
    def sidecar_path(self) -> Path:
        """Where the output's story is written."""
        return sidecar_of(self.out)

    @cached_property
    def weights(self) -> Weights:
        """The weights that were asked for."""
        return weights_file.load(self.choices.weights)

    @property
    def chosen_weights(self) -> str:
        """Their name; a file by its full path, since workers elsewhere stand in another folder."""
        name = self.choices.weights
        return name if shipped(name) else str(Path(name).absolute())

    @property
    def auto_precision(self) -> Precision:
        """The precision that was asked for, or the one that suits this device."""
        asked = self.choices.precision
        return auto_precision(torch.device(device())) if asked == "auto" else asked

    def opening(self, make: Callable[..., Painter] | None = None) -> Callable[[], Painter]:
        """Opens a painter, wherever it is called. make: instead of `open_painter`, with the same arguments."""
        return partial(make or type(self).open_painter, *self.painter_arguments)

    def color(self, make: Callable[..., Painter] | None = None) -> Result[P]:
        """Do what is left to do. make: as of `opening` (tests hand in painters that die)."""
        check_source(self.uri)
        self.settings  # noqa: B018 - what is wrong with names, formats and weights is told before all else
        if self.finished():
            self._tell_left("" if self.keep else clear_left(self.places))
            return Result(self.out, None, 0, lost=self.declared())
        replace_it = self.choices.overwrite or self.own()
        if not self.choices.overwrite:
            check_sidecar(self.out)
        with occupied(self.places, self.out, self.keep, replace_it, self.listener):
            work = self.prepare()
            work.ledger.sweep()
            todo = work.todo()
            self._check_beside(work)
            self.listener(self.planned(work, len(work.units) - len(todo)))
            for text in self.remarks(work.plan):
                self.listener(Note(text))
            if todo:
                self._paint(work, todo, make)
            return self.publish(work, len(todo))

    def prepare(self) -> Work[P]:
        """Plan, units and ledger, kept or surveyed now. The folder must be this run's."""
        ledger = Ledger(self.folder)
        plan = self._plan()
        with self._usable():
            self.work = Work(plan, plan.units(), ledger)
        return self.work

    def progress(self) -> tuple[int, int]:
        """Units painted and units in all, so far as known."""
        if self.work is None:
            return 0, 0
        return len(self.work.units) - len(self.work.todo()), len(self.work.units)

    def finished(self, size: int | None = None) -> bool:
        """Whether the output is there and is what this job makes. size: of an output that lies elsewhere, bytes."""
        record = self._made(size)
        return record is not None and not self._edited(record)

    def own(self) -> bool:
        """Whether what lies under the output's name was made in this job's folder, perhaps by a run that was cut short
        before the sidecar was there."""
        return superseded(self.places, self.out, self._made())

    def _made(self, size: int | None = None) -> dict[str, Any] | None:
        """The sidecar of an output of this source under these settings, whatever its plan was."""

        def fits(record: dict[str, Any]) -> bool:
            theirs = self.settings_of(record)
            mine = {**asdict(self.settings), "weights": theirs["weights"]}
            return bool(theirs == mine and record["source"]["sha256"] == self.source["sha256"])

        return made(self.out, size, fits)

    def _edited(self, record: dict[str, Any]) -> bool:
        path = self.places.plan
        try:
            return path.exists() and self.edited(read_json(path), record)
        except (LedgerError, KeyError, TypeError):
            return True

    def _plan(self) -> P:
        path = self.places.plan
        values = read_json(path) if path.exists() else None
        kept = self._adopted(values) if values is not None else None
        if kept is not None and kept.surveyed:
            if values is not None and not self._settled(values["settings"]):
                with writable(path):
                    write_json(path, kept.to_json())
            return kept
        reach(self.choices.ray)  # a survey may take an hour
        precision: Any = self.settings.precision
        plan = self.survey(kept, planned_colorizer(self.settings.weights, self.weights.digest, precision))
        with writable(path):
            if kept is None and path.exists():
                aside = retire(path)
                other = "another source, other frames, other weights or another version of this program"
                self.listener(Note(f"{path} was made for {other}; kept as {aside.name}"))
            write_json(path, plan.to_json())
        return plan

    def _settled(self, kept: dict[str, Any]) -> bool:
        """Whether a kept plan's settings are these, by whatever name the weights go."""
        return kept == {**asdict(self.settings), "weights": kept["weights"]}

    def _adopted(self, values: dict[str, Any]) -> P | None:
        try:
            with self._usable():
                return self.adopt(values)
        except OtherFormat:
            return None

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Maps what is raised by a plan that is none to LedgerError."""
        try:
            yield
        except OtherFormat:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError) as error:
            path = self.places.plan
            raise LedgerError(f"{path}: not a usable plan ({error}); fix it, or remove it to survey again") from error

    def _paint(self, work: Work[P], todo: list[Any], make: Callable[..., Painter] | None) -> None:
        def counted(units: list[Any]) -> int:
            return sum(unit.size[self.kind.counted] for unit in units)

        total = counted(list(work.units))
        count = Count(total - counted(todo))
        pool = pool_for(
            self.choices.ray, self.choices.workers, self.opening(make),
            lambda more: self.listener(self.painted(count.add(more), total)),
            lambda text: self.listener(Note(text)),
        )  # fmt: skip
        paint(self.uri, todo, pool, work.ledger, self.listener)

    def publish(self, work: Work[P], painted: int) -> Result[P]:
        """Join what was painted, check it, and give it its name. Raises JoinError, StorageError."""
        receipts, beside = work.receipts(), self._check_beside(work)
        scratch = growing(self.out, self.folder)
        self.listener(Joining())
        try:
            with writable(self.out):
                carried = self.join(work, receipts, scratch)
            self.listener(Checking())
            proof = self.prove(work, receipts, scratch, carried)
            if failed := [f for f in proof.findings if f.forbids]:
                raise self._refused(work, failed, proof.suspects)
            with suppress(OSError):
                self.places.refused.unlink(missing_ok=True)
            output: dict[str, Any] = {"name": self.out.name, "bytes": scratch.stat().st_size, "sha256": sha256(scratch)}
            story = self.sidecar(work, receipts, carried, proof.findings, output)
            if beside:
                story["beside"] = {path.name: hashlib.sha256(data).hexdigest() for path, data in beside.items() if data}
            digests = {output["sha256"], *story.get("beside", {}).values()}
            note_published(self.places, self.out, digests, self.keep)
            with writable(self.out):
                give_name(scratch, self.out, story, beside)
        finally:
            with suppress(OSError):  # what went wrong before is what a person should read
                scratch.unlink(missing_ok=True)
        self._tell_left("" if self.keep else clear(self.folder))
        return Result(self.out, work.plan, painted, tuple(proof.findings), declared_in(story))

    def declared(self) -> tuple[str, ...]:
        """What the sidecar of a finished output names as lost."""
        return declared_in(read_json(self.sidecar_path))

    def _check_beside(self, work: Work[P]) -> dict[Path, bytes]:
        """What goes with the output; what is to be replaced by it is this program's. Raises ColorizeError.

        What is to be removed and is none of ours stays as it is.
        """
        files = self.beside(work)
        foreign = [] if self.choices.overwrite else [p for p in files if is_foreign(self.places, self.out, p)]
        if replaced := next((path for path in foreign if files[path]), None):
            raise ColorizeError(
                f"{replaced}: exists and is not this program's; what goes with the output would replace it. Move it "
                "away, add --overwrite or give the output another name"
            )
        return {path: data for path, data in files.items() if data or path not in foreign}

    def _tell_left(self, why: str) -> None:
        if why:
            self.listener(Note(f"{why}; {self.out} is finished: {self.folder} may be removed"))

    def _refused(self, work: Work[P], failed: list[Finding], suspects: list[Unit]) -> JoinError:
        """The error of a broken law. What may be at fault is forgotten, or the next run would fail alike; where it did
        fail alike already, that is said."""
        for unit in suspects:
            work.ledger.forget(unit.id)
        message = "; ".join(f"{f.what}: {f.detail}" for f in failed)
        refused = f"{self.out}: not published, the check failed ({message})"
        if self._refused_before(message):
            return JoinError(f"{refused}; painted anew it failed alike, so no further run helps: please report it")
        anew = (
            f"paints {len(suspects)} of {len(work.units)} {self.kind.unit}s anew"
            if suspects
            else "joins and checks it anew"
        )
        return JoinError(f"{refused}; run the same command again, it {anew}. If that fails too, please report it")

    def _refused_before(self, why: str) -> bool:
        """Whether the last output of this folder was refused for the same, which is noted for the next one."""
        path = self.places.refused
        try:
            before = path.exists() and read_json(path) == {"refused": why}
            write_json(path, {"refused": why})
        except (LedgerError, OSError):  # what was found wrong is what a person should read
            return False
        return bool(before)
