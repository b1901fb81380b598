"""Jobs: one reel from source to published output, resumable at every step.

The job folder holds the plan, the ledger and the packets of finished segments. The output gets its name only when it
is complete and has been checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

from colorizer.basis.errors import JoinError, LedgerError
from colorizer.networks import weights_file as weights
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from colorizer.painting.colorizer import DEFAULT_WORKING_SIZE, Precision, auto_precision
from pipeline.containers.profiles import profile_for
from pipeline.jobs.folder import (
    PLAN,
    Count,
    check_names,
    made,
    note_published,
    occupied,
    paint,
    scratch_name,
    superseded,
)
from pipeline.jobs.folder import identity as identity_of
from pipeline.jobs.plan_file import retire
from pipeline.reels.fidelity import check, decoded, planned
from pipeline.reels.join import join
from pipeline.reels.painter import SegmentPainter
from pipeline.reels.plan import BATCH, BATCH_BYTES, Plan, Segment, Settings
from pipeline.reels.reel import Reel, probe
from pipeline.reels.sidecar import sidecar
from pipeline.reels.survey import survey
from pipeline.reels.target import target_for
from pipeline.spread.cluster import reach
from pipeline.spread.pools import Pool, device, planned_colorizer, pool_for
from pipeline.storage.atomic import legible, publish, read_json, sha256, writable, write_json
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.storage.lock import clear
from pipeline.values.events import Checking, FramesPainted, FramesSurveyed, Joining, Listener, Note, ReelPlanned
from pipeline.values.finding import Finding
from pipeline.values.units import Painter


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person asked for; None and "auto" are resolved by `Job`. id: the catalogue's, for the sidecar."""

    profile: str | None = None
    weights: str = DEFAULT_WEIGHTS
    working_size: int = DEFAULT_WORKING_SIZE
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    looks: Literal["per-shot", "per-frame"] = "per-shot"
    ray: str = "none"
    workers: int = 0
    start: str = ""
    stop: str = ""
    rate: Fraction | None = None
    overwrite: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a job came to. painted: segments painted now; 0 with `already` when there was nothing to do."""

    out: Path
    plan: Plan | None
    painted: int
    already: bool
    findings: tuple[Finding, ...] = ()
    lost: tuple[str, ...] = ()


MakePainter = Callable[[Settings, Path], Painter]


def open_painter(settings: Settings, job: Path) -> SegmentPainter:
    """A painter of a plan's segments. Raises WeightsError."""
    precision: Any = settings.precision
    return SegmentPainter(planned_colorizer(settings.weights, settings.weights_digest, precision), job)


class Job:
    """One reel, one output."""

    def __init__(self, source: str, out: Path, choices: Choices, folder: Path | None, listener: Listener) -> None:
        """Looks at everything cheap to look at first: names, formats, weights. Raises ColorizeError."""
        self.out, self.choices, self.listener = out, choices, listener
        self.profile = profile_for(out, choices.profile)
        self.reel = probe(source, choices.rate)
        check_names(source, out)
        self.weights = weights.load(choices.weights)
        precision: Precision = (
            auto_precision(torch.device(device())) if choices.precision == "auto" else choices.precision
        )
        # a file by its full path: workers elsewhere stand in another folder
        chosen = choices.weights if weights.shipped(choices.weights) else str(Path(choices.weights).absolute())
        self.settings = Settings(
            self.profile.name, chosen, self.weights.digest, choices.working_size, precision, choices.looks,
            choices.start, choices.stop, self._batch(),
        )  # fmt: skip
        self.keep = folder is not None
        self.folder = folder or out.with_name(out.name + ".job")
        self.segments: tuple[Segment, ...] = ()
        self.ledger: Ledger | None = None

    def _batch(self) -> int:
        """Frames painted at once, so that memory stays bounded at any working size."""
        config, reel = self.weights.config, self.reel
        height, width = reel.geometry.working_shape(reel.height, reel.width, self.choices.working_size, config.grid)
        return max(1, min(BATCH, BATCH_BYTES // (height * width * config.bytes_per_pixel)))

    @property
    def sidecar_path(self) -> Path:
        """Where the output's story is written."""
        return self.out.with_name(self.out.name + ".json")

    def color(self, make: MakePainter = open_painter) -> Result:
        """Do what is left to do. `make` builds a painter (tests hand in ones that die)."""
        if self.finished():
            return Result(self.out, None, 0, True)
        replace_it = self.choices.overwrite or superseded(self.folder, self._made())
        with occupied(self.folder, self.out, self.keep, replace_it, self.listener):
            return self._color(make)

    @cached_property
    def source(self) -> dict[str, Any]:
        """What the source is; takes a read of all of it."""
        return identity(self.reel)

    def prepare(self) -> Plan:
        """The plan, kept or surveyed now; ledger and segments are known from then on. The folder must be this run's."""
        self.ledger = Ledger(self.folder)
        plan = self._plan()
        self.segments = plan.segments()
        return plan

    def todo(self) -> list[Segment]:
        """Segments without a receipt."""
        assert self.ledger is not None, "prepare comes first"
        return [segment for segment in self.segments if self.ledger.find(segment.id) is None]

    def _color(self, make: MakePainter) -> Result:
        plan, todo = self.prepare(), self.todo()
        assert self.ledger is not None
        done = len(self.segments) - len(todo)
        self.listener(ReelPlanned(len(plan.pts), len(plan.shots), len(self.segments), done))
        for text in self.remarks(plan):
            self.listener(Note(text))
        if todo:
            paint(self.reel.uri, todo, self._pool(make, plan), self.ledger, self.listener)
        return self.publish(plan, len(todo))

    def progress(self) -> tuple[int, int]:
        """Segments painted and segments in all, so far as known."""
        if self.ledger is None:
            return 0, 0
        return sum(self.ledger.find(s.id) is not None for s in self.segments), len(self.segments)

    def finished(self, size: int | None = None) -> bool:
        """Whether the output is there and is what this job makes. size: of an output that lies elsewhere, bytes."""
        said = self._made(size)
        try:
            return said is not None and not self._edited(said["plan"])
        except (LedgerError, KeyError, TypeError):
            return False

    def _made(self, size: int | None = None) -> dict[str, Any] | None:
        """The sidecar of an output of this source under these settings, whatever its plan was."""

        def fits(said: dict[str, Any]) -> bool:
            wanted = {**asdict(self.settings), "weights": said["plan"]["settings"]["weights"]}
            return bool(said["plan"]["settings"] == wanted and said["source"]["sha256"] == self.source["sha256"])

        return made(self.out, size, fits)

    def _edited(self, said: dict[str, Any]) -> bool:
        """Whether a kept job's plan now differs from the one the output was made of."""
        path = self.folder / PLAN
        return path.exists() and read_json(path)["shots"] != said["shots"]

    def _plan(self) -> Plan:
        path = self.folder / PLAN
        kept = self._kept(path) if path.exists() else None
        if kept is not None:
            plan = replace(kept, reel=self.reel, settings=self.settings)
            if asdict(kept.settings) != {**asdict(self.settings), "weights": kept.settings.weights}:
                with writable(path):
                    write_json(path, plan.to_json())
            return plan
        reach(self.choices.ray)  # a survey may take an hour
        precision: Any = self.settings.precision
        colorizer = planned_colorizer(self.settings.weights, self.weights.digest, precision)
        total = 0 if self.settings.stop else self.reel.header_frames
        plan = survey(
            self.reel, self.source, self.settings, colorizer, lambda n: self.listener(FramesSurveyed(n, total))
        )
        with writable(path):
            if path.exists():
                aside = retire(path)
                self.listener(Note(f"{path} was made for other frames or weights; kept as {aside.name}"))
            write_json(path, plan.to_json())
        return plan

    def _kept(self, path: Path) -> Plan | None:
        """The folder's plan with whatever a person edited in it; None if it is of other frames or weights."""
        try:
            plan = Plan.from_json(read_json(path))
            if not plan.surveyed_like(self.reel, self.source["sha256"], self.settings):
                return None
            plan.check_looks(self.weights.config.look_length)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise LedgerError(f"{path}: not a usable plan ({error}); mend it, or remove it to survey again") from error
        return plan

    def remarks(self, plan: Plan) -> list[str]:
        """What a person should read before the work is done."""
        remarks = []
        if plan.colored_source:
            remarks.append("the source has color already; its luminance is used, its color is not")
        if plan.damaged_frames:
            remarks.append(f"{len(plan.damaged_frames)} damaged frames, listed in {self.sidecar_path.name}")
        if plan.damaged_packets:
            told = ", ".join(f"{n} x {name}" for name, n in sorted(plan.damaged_packets.items()))
            remarks.append(f"damage in the source: {told}; what decodes is colored, times are kept")
        if plan.retimed:
            remarks.append(f"{plan.retimed} frames had times missing or out of order; set in order")
        if plan.reel.layout.alpha:
            remarks.append("the source's transparency is not kept")
        return remarks + [n for n in plan.notes if not n.startswith("the file does not say")]

    def _pool(self, make: MakePainter, plan: Plan) -> Pool:
        settings, folder = plan.settings, self.folder.resolve()
        total, done = len(plan.pts), sum(len(s.pts) for s in self.segments if self.ledger and self.ledger.find(s.id))
        count = Count(done)
        return pool_for(
            self.choices.ray, self.choices.workers, lambda: make(settings, folder),
            lambda more: self.listener(FramesPainted(count.add(more), total)),
            lambda text: self.listener(Note(text)),
        )  # fmt: skip

    def publish(self, plan: Plan, painted: int) -> Result:
        """Join what was painted, check it, and give it its name. Raises JoinError, StorageError."""
        assert self.ledger is not None
        plan = plan.as_piece()
        receipts: list[Receipt] = []
        for segment in self.segments:
            receipt = self.ledger.find(segment.id)
            if receipt is None:
                raise JoinError(
                    f"{self.folder}: the packets of segment {segment.number} are gone; run again to paint it"
                )
            receipts.append(receipt)
        scratch = scratch_name(self.out, self.folder)
        self.listener(Joining())
        try:
            with writable(self.out):
                carried = join(plan, receipts, self.ledger, scratch)
            self.listener(Checking())
            exact = self.profile.lossless and target_for(self.reel, self.profile).coding.bits == self.reel.coding.bits
            shown = planned(plan) if exact else decoded(self.reel, plan.settings.start, plan.settings.stop)
            piece = bool(plan.settings.start or plan.settings.stop)
            findings = check(plan.reel, scratch, self.profile.name, shown, carried, piece)
            if failed := [f for f in findings if not f.holds]:
                raise self._refused(failed)
            output: dict[str, Any] = {"name": self.out.name, "bytes": scratch.stat().st_size, "sha256": sha256(scratch)}
            story = sidecar(plan, receipts, carried, findings, output, self.choices.id)
            if self.keep:
                note_published(self.folder, output["sha256"])
            with writable(self.out):
                write_json(self.sidecar_path, story, 1, scratch.with_name(scratch.name + ".json"))
                publish(scratch, self.out)
        finally:
            scratch.unlink(missing_ok=True)
        if not self.keep:
            clear(self.folder)
        lost = tuple(c.loss for c in carried if c.loss)
        return Result(self.out, plan, painted, False, tuple(findings), lost)

    def _refused(self, failed: list[Finding]) -> JoinError:
        """The error of a failed check. What may be at fault is forgotten, or the next run would fail alike."""
        assert self.ledger is not None
        suspects = _suspects(failed, self.segments)
        for segment in suspects:
            self.ledger.forget(segment.id)
        told = "; ".join(f"{f.what}: {f.detail}" for f in failed)
        anew = (
            f"paints {len(suspects)} of {len(self.segments)} segments anew" if suspects else "joins and checks it anew"
        )
        return JoinError(
            f"{self.out}: not published, the check failed ({told}); run the same command again, it {anew}. "
            "If that fails too, please report it"
        )


def _suspects(failed: list[Finding], segments: tuple[Segment, ...]) -> list[Segment]:
    """Segments with a frame to blame; all of them where the picture is wrong and no frame is singled out."""
    frames = [set(f.frames) for f in failed if f.frames is not None]
    return [s for s in segments if any(not f or not f.isdisjoint(range(s.start, s.stop)) for f in frames)]


def identity(reel: Reel) -> dict[str, Any]:
    """What a source is, wherever it lies: name, size and sha256 (of a sequence: of its pictures' digests)."""
    if not reel.is_sequence:
        return identity_of(Path(reel.uri))
    total, digest = 0, hashlib.sha256()
    for number in range(reel.first, reel.first + reel.count):
        path = Path(reel.uri % number)
        with legible(str(path)):
            total += path.stat().st_size
            digest.update(bytes.fromhex(sha256(path)))
    return {"name": Path(reel.uri).name, "bytes": total, "sha256": digest.hexdigest(), "pictures": reel.count}
