"""ReelJob: a job whose source is a moving image and whose units are segments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from colorizer.painting.colorizer import Colorizer
from pipeline.containers.containers import container_of
from pipeline.containers.profiles import Profile, profile_for
from pipeline.containers.sei import CAPTIONS
from pipeline.jobs.folder import check_names
from pipeline.jobs.folder import identity as identity_of
from pipeline.jobs.job import Choices, Job, Proved, Work
from pipeline.reels.account import check_account
from pipeline.reels.beside import check_beside
from pipeline.reels.captions import check_captions, scenarist_of
from pipeline.reels.elements import check_elements
from pipeline.reels.extent import extent_of
from pipeline.reels.fidelity import Shown, check, check_source, decoded, planned
from pipeline.reels.fields import UNFLAGGED
from pipeline.reels.join import join
from pipeline.reels.limits import check_limits, check_times
from pipeline.reels.memory import batch_for
from pipeline.reels.painter import SegmentPainter
from pipeline.reels.parts import joined_name, parts_of
from pipeline.reels.pictures import picture
from pipeline.reels.piece import frames_between
from pipeline.reels.plan import BATCH, BATCH_BYTES, Plan, Segment, Settings
from pipeline.reels.preservation import keep_proof
from pipeline.reels.reel import ASSUMED_RATE, BARE_RATE, Reel, open_source, pictures_in, probe, readable
from pipeline.reels.sidecar import sidecar
from pipeline.reels.survey import survey
from pipeline.reels.target import target_for
from pipeline.reels.tracks import Carried
from pipeline.spread.pools import planned_colorizer
from pipeline.storage.atomic import legible, sha256
from pipeline.storage.job_folder import captions_of
from pipeline.storage.ledger import Receipt
from pipeline.values.events import FramesPainted, FramesSurveyed, ReelPlanned
from pipeline.values.finding import Finding
from pipeline.values.kinds import REEL
from pipeline.values.remarks import ALPHA, COLORED, INVERTED, assumed
from pipeline.values.words import counted, harm

BYTES = 1.5
"""Of an output per pixel and byte of a sample: luma and chroma in FFV1, with grain, which compresses badly."""


@dataclass(frozen=True, kw_only=True)
class ReelChoices(Choices):
    """What a person asked for of a reel.

    color_shots: those of a mixed reel that are in color already. rate: of an image sequence. start, stop: of a piece,
    as typed. memory: bytes for the job's process, 0 for any. invert: the reel is a negative.
    """

    profile: str | None = None
    looks: Literal["per-shot", "per-frame"] = "per-shot"
    color_shots: Literal["keep", "recolor"] = "keep"
    start: str = ""
    stop: str = ""
    rate: Fraction | None = None
    memory: int = 0
    invert: bool = False


TOLD = (ASSUMED_RATE, BARE_RATE, *UNFLAGGED.values())
"""What is assumed of a reel and a person should know; the rest is assumed of most files."""


def open_painter(settings: Settings, job: Path) -> SegmentPainter:
    """A painter of a plan's segments. Raises WeightsError."""
    precision: Any = settings.precision
    return SegmentPainter(planned_colorizer(settings.weights, settings.weights_digest, precision), job)


class ReelJob(Job[Plan, ReelChoices]):
    """One reel, one output."""

    kind = REEL
    wishes = ReelChoices
    open_painter = staticmethod(open_painter)
    painted = FramesPainted

    @cached_property
    def profile(self) -> Profile:
        """The one that was named, or that the output's suffix picks."""
        return profile_for(self.out, self.choices.profile)

    @cached_property
    def reel(self) -> Reel:
        """Facts of the source, of its header and first picture."""
        return probe(self.uri, self.choices.rate)

    @cached_property
    def settings(self) -> Settings:
        """Profile, weights, sizes: all that changes the output beside the source."""
        profile, asked = self.profile, self.choices
        self.reel  # noqa: B018 - what is wrong with the source is told before what is wrong with the output's name
        check_names(self.uri, self.out)
        check_limits(self.out, self.reel, profile, container_of(self.out))
        return Settings(
            profile.name, self.chosen_weights, self.weights.digest, asked.working_size, self.auto_precision,
            asked.looks, asked.start, asked.stop, self._batch(),
            color_shots="recolor" if asked.invert else asked.color_shots, invert=asked.invert,
        )  # fmt: skip

    def _batch(self) -> int:
        """Frames painted at once, so that memory stays bounded at any working size."""
        config, reel = self.weights.config, self.reel
        height, width = reel.geometry.working_shape(reel.height, reel.width, self.choices.working_size, config.grid)
        layers = height * width * config.bytes_per_pixel
        most = max(1, min(BATCH, BATCH_BYTES // layers))
        return batch_for(self.choices.memory, reel, target_for(reel, self.profile), layers, most)

    @cached_property
    def source(self) -> dict[str, Any]:
        """Name, size and sha256; takes a read of all of it."""
        return identity(self.reel)

    def measure(self) -> dict[str, float]:
        """Frames, megapixels and bytes, as the header promises and the file has room for; of a piece its own.

        `promised` and `promised_hours` are what the header alone promises, where the file does not hold it.
        """
        reel, extent = self.reel, extent_of(self.reel)
        frames = frames_between(reel, self.choices.start, self.choices.stop, extent.frames)
        pixels = float(frames * reel.width * reel.height)
        size = round(pixels * BYTES * (1 if reel.coding.bits <= 8 else 2))
        sizes: dict[str, float] = {"frames": frames, "megapixels": round(pixels / 1e6, 6), "bytes": size}
        if extent.doubtful:
            sizes |= {"promised": extent.promised, "promised_hours": round(float(extent.seconds) / 3600, 4)}
        return sizes

    def remarks(self, plan: Plan) -> list[str]:
        """What a person should read before the work is done."""
        remarks = [INVERTED] * plan.settings.invert
        if kept := [shot for shot in plan.shots if shot.kept]:
            frames = sum(shot.stop - shot.start for shot in kept)
            of = f"{len(kept)} of {counted(len(plan.shots), 'shot')} ({counted(frames, 'frame')})"
            remarks.append(f"in color already, and left so: {of}")
        elif plan.colored_source:
            remarks.append(COLORED)
        remarks += self._others()
        if plan.damaged_frames:
            remarks.append(f"{counted(len(plan.damaged_frames), 'damaged frame')}, listed in {self.sidecar_path.name}")
        if plan.damaged_packets:
            remarks.append(
                f"damage in the source: {harm(plan.damaged_packets)}; what decodes is colored, times are kept"
            )
        if plan.retimed:
            remarks.append(f"{counted(plan.retimed, 'frame')} had times missing or out of order; set in order")
        if plan.reel.layout.alpha:
            remarks.append(ALPHA)
        if plan.captions:
            remarks.append(
                f"closed captions in {counted(len(plan.captions), 'frame')}; {captions_of(self.out).name} has them"
            )
        usual = {assumed(what) for what in plan.reel.guessed if what not in TOLD}  # of most files
        return remarks + [note for note in plan.notes if note not in usual]

    def _others(self) -> list[str]:
        """Which files are read as one, and which picture is colored where there are several."""
        if self.reel.is_sequence:
            return []
        parts = parts_of(self.uri)
        one = [f"{joined_name(parts)} are one title; they are read as one reel"] * (len(parts) > 1)
        with readable(self.uri), open_source(self.uri) as container:
            others = [s for s in pictures_in(container) if s.index != self.reel.stream]
            sizes = ", ".join(f"{s.index} ({s.codec_context.width} x {s.codec_context.height})" for s in others)
        mine = f"{self.reel.stream} ({self.reel.width} x {self.reel.height})"
        return [*one, *[f"of several pictures track {mine} is colored; as they are stay {sizes}"] * bool(others)]

    def adopt(self, values: dict[str, Any]) -> Plan | None:
        """The folder's plan with whatever a person edited in it; None if it is of other frames or weights."""
        plan = Plan.from_json(values)
        if not plan.surveyed_like(self.reel, self.source["sha256"], self.settings):
            return None
        plan.check_looks(self.weights.config.look_length)
        check_times(self.out, plan, self.profile, container_of(self.out))
        rate = self.reel.rate if self.reel.is_sequence else plan.reel.rate  # which all of its frames told
        return replace(plan, reel=replace(self.reel, rate=rate), settings=self.settings)

    def survey(self, kept: Plan | None, colorizer: Colorizer) -> Plan:
        """One decode of all frames."""
        total = 0 if self.settings.stop else self.reel.header_frames
        plan = survey(
            self.reel, self.source, self.settings, colorizer, lambda n: self.listener(FramesSurveyed(n, total))
        )
        check_times(self.out, plan, self.profile, container_of(self.out))
        return plan

    def planned(self, work: Work[Plan], done: int) -> ReelPlanned:
        """Frames, shots and segments."""
        plan = work.plan
        return ReelPlanned(len(plan.pts), len(plan.shots), len(work.units), done)

    @property
    def painter_arguments(self) -> tuple[Any, ...]:
        """Settings and folder."""
        return self.settings, self.folder.resolve()

    def join(self, work: Work[Plan], receipts: list[Receipt], scratch: Path) -> list[Carried]:
        """All packets, with the source's other streams; the fate of each track."""
        return join(work.plan.as_piece(), receipts, work.ledger, scratch)

    def prove(self, work: Work[Plan], receipts: list[Receipt], scratch: Path, carried: list[Carried]) -> Proved:
        """Luma, times, tracks and tags. Suspects are segments with a frame to blame; all of them where the picture is
        wrong and no frame is singled out."""
        plan = work.plan.as_piece()
        findings = self._checked(plan, receipts, scratch, carried)
        findings += [*check_source(plan.reel, plan.damaged_frames), *check_beside(plan.beside, self.profile)]
        findings += check_captions(
            plan.captions, plan.pts, plan.reel.time_base, self.beside(work)[captions_of(self.out)].decode(),
            plan.beside.get(CAPTIONS, 0), captions_of(self.out).name,
        )  # fmt: skip
        findings += [*check_account(plan.account), *check_elements(plan.reel, scratch)]
        return Proved(findings, _suspects([f for f in findings if not f.holds], work.units))

    def _checked(self, plan: Plan, receipts: list[Receipt], scratch: Path, carried: list[Carried]) -> list[Finding]:
        """The output against what is known of the source: digests of its luma where that is kept bit for bit, else sums
        of it. It is decoded again where neither is there, or the sums leave a doubt; a positive is always held against
        the negative itself."""
        exact = self.profile.lossless and target_for(self.reel, self.profile).coding.bits == self.reel.coding.bits
        settings = plan.settings
        sums = () if self.profile.lossless or plan.aside else tuple(s for r in receipts for s in r.sums)
        told = planned(plan, sums) if (exact or len(sums) == len(plan.pts)) and not settings.invert else None
        piece = bool(settings.start or settings.stop)

        def held(shown: Iterable[Shown]) -> list[Finding]:
            return check(plan.reel, scratch, self.profile.name, shown, carried, piece, settings.invert, fresh=True)

        if told is not None:
            findings = held(told)
            if exact or not any(finding.forbids for finding in findings):
                return findings
        return held(decoded(self.reel, settings.start, settings.stop))

    def sidecar(
        self, work: Work[Plan], receipts: list[Receipt], carried: list[Carried], findings: list[Finding],
        output: dict[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        """Shots, looks, damage, tracks and the whole plan."""
        return sidecar(work.plan.as_piece(), receipts, carried, findings, output, self.choices.id, self.choices.catalog)

    def settings_of(self, record: dict[str, Any]) -> dict[str, Any]:
        """They are in the sidecar's plan."""
        return asdict(Settings(**record["plan"]["settings"]))  # of an earlier version what it did not know is as usual

    def edited(self, values: dict[str, Any], record: dict[str, Any]) -> bool:
        """Spans and looks of shots are what may be edited."""
        return bool(values["shots"] != record["plan"]["shots"])

    def beside(self, work: Work[Plan]) -> dict[Path, bytes]:
        """Captions that the frames carry."""
        plan = work.plan
        return {captions_of(self.out): scenarist_of(plan.captions, plan.pts, plan.reel.time_base).encode()}

    def leave_digests(self, work: Work[Plan]) -> None:
        """framemd5 of the luma."""
        exact = self.profile.lossless and work.plan.reel.layout.kind != "rgb"
        keep_proof(self.out, work.plan.digests, exact)


def _suspects(failed: list[Finding], segments: tuple[Segment, ...]) -> list[Segment]:
    frames = [set(f.frames) for f in failed if f.frames is not None]
    return [s for s in segments if any(not f or not f.isdisjoint(range(s.start, s.stop)) for f in frames)]


def identity(reel: Reel) -> dict[str, Any]:
    """What a source is, wherever it lies: name, size and sha256 (of several files: of their digests)."""
    numbers = range(reel.first, reel.first + reel.count)
    paths = [picture(reel.uri, n) for n in numbers] if reel.is_sequence else list(parts_of(reel.uri))
    if not reel.is_sequence and len(paths) == 1:
        return identity_of(paths[0])
    total, digest = 0, hashlib.sha256()
    for path in paths:
        with legible(str(path)):
            total += path.stat().st_size
            digest.update(bytes.fromhex(sha256(path)))
    several = {"pictures": reel.count} if reel.is_sequence else {"files": [path.name for path in paths]}
    return {"name": Path(reel.uri).name, "bytes": total, "sha256": digest.hexdigest(), **several}
