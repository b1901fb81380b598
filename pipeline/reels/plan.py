"""Plan: what a survey found and a person may edit; and the segments that follow from it.

A segment's id is a hash of everything that changes its packets. Edit a shot and only its segments get new ids.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from colorizer.color.arithmetic import ARITHMETIC
from pipeline.containers.profiles import PROFILES
from pipeline.reels.captions import Captions
from pipeline.reels.fields import PROGRESSIVE, words_in
from pipeline.reels.reel import Reel
from pipeline.values.formats import check_format
from pipeline.values.kinds import REEL, Kind
from pipeline.values.look_source import LookSources, sources_from_json, sources_to_json
from pipeline.values.timecode import advance
from pipeline.values.typed import checked

FORMAT = 9
PAIRS = re.compile("([0-9a-f]{4})+")
SEGMENT_FRAMES = 96
"""Frames of a segment at most: some 10 seconds of work, so that a crash costs little and a bar moves."""

NOT_IN_PACKETS = ("uri", "header_frames", "header_seconds", "timecode", "format", "mirrored", "tilt", "remarks", "hdr")
"""Facts of a reel that do not change a segment's packets, or only by its encoder's options."""

NOT_IN_SEGMENTS = ("weights", "start", "stop", "color_shots", "invert")
"""Settings that do not change a segment's packets, or only by what stands in its shot or by its frames' digests."""

BATCH = 8
"""Frames painted at once, at most. Part of the plan: a library may pick another algorithm for another batch."""

BATCH_BYTES = 300_000_000
"""Memory that a network's layers may take for the frames painted at once."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames [start, stop) between two cuts, with the look they share and what the classifier makes of them.

    look_from: where the look comes from if not from these frames. kept: these frames have colors of their own, which
    they keep; they are not painted. dissolve: so many first frames show the shot before, too; their looks pass from its
    look to this one.
    """

    start: int
    stop: int
    look: np.ndarray = field(repr=False)
    scenes: tuple[tuple[str, float], ...] = ()
    look_from: LookSources = ()
    kept: bool = False
    dissolve: int = 0

    def to_json(self) -> dict[str, Any]:
        """Look as base64 of little-endian float32."""
        look = base64.b64encode(self.look.astype("<f4").tobytes()).decode()
        return {
            "start": self.start,
            "stop": self.stop,
            "look": look,
            "scenes": [list(s) for s in self.scenes],
            "kept": self.kept,
            "dissolve": self.dissolve,
            **sources_to_json(self.look_from),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Shot:
        """Inverse of `to_json`."""
        look = np.frombuffer(base64.b64decode(values["look"]), "<f4").astype(np.float32)
        scenes = tuple((str(n), float(p)) for n, p in values["scenes"])
        return cls(
            values["start"], values["stop"], look, scenes, sources_from_json(values), bool(values["kept"]),
            int(values["dissolve"]),
        )  # fmt: skip

    def looks(self, before: Shot | None, start: int, stop: int) -> np.ndarray:
        """The look of frames [start, stop) of it: (look_length,), or one each, (stop - start, look_length).

        before: the shot before this one. Colors that are kept have no look that could pass into this one.
        """
        end = self.start + self.dissolve
        if before is None or before.kept or start >= end:
            return self.look
        share = np.minimum((np.arange(start, stop) - self.start + 1) / (self.dissolve + 1), 1).astype(np.float32)
        share[max(0, end - start) :] = 1
        return (1 - share[:, None]) * before.look + share[:, None] * self.look


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person chose, resolved: everything beside the source that changes the output.

    invert: the reel is a negative, and its positive is colored and written.
    """

    profile: str
    weights: str
    weights_digest: str
    working_size: int
    precision: str
    looks: str = "per-shot"
    start: str = ""
    stop: str = ""
    batch: int = BATCH
    segment_frames: int = SEGMENT_FRAMES
    color_shots: str = "keep"
    invert: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A reel, ready to be painted.

    pts: presentation time of each frame in the reel's time base, strictly rising. digests: MD5 of each luma plane;
    of a negative of its positive's. skip: frames of the source before the first one (a piece starts late).
    seekable: the file's own times are trustworthy. damaged_frames: frame -> what is wrong; damaged_packets: error
    -> count. beside: what frames carry beside their samples -> how many do. account: what became of the picture's
    packets -> of how many; empty of a piece whose packets have no times. last: how long the last frame is shown, in the
    reel's time base, 0 for a nominal frame. fields: of a reel whose frames differ in it, where those of another word
    begin ("tff", "bff", "progressive"). aside: a digest of what frames carry and some codec could, too.
    captions: byte pairs of the first field that say something, in hex, by the index of their frame.
    notes: what else a person should know.
    """

    reel: Reel
    source: dict[str, Any]
    settings: Settings
    skip: int
    pts: tuple[int, ...] = field(repr=False)
    digests: tuple[str, ...] = field(repr=False)
    shots: tuple[Shot, ...] = field(repr=False)
    seekable: bool = True
    retimed: int = 0
    colored_source: bool = False
    damaged_frames: dict[int, str] = field(default_factory=dict)
    damaged_packets: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    beside: dict[str, int] = field(default_factory=dict)
    account: dict[str, int] = field(default_factory=dict)
    last: int = 0
    fields: tuple[tuple[int, str], ...] = ()
    aside: str = ""
    captions: Captions = ()

    kind: ClassVar[Kind] = REEL

    def __post_init__(self) -> None:
        if len(self.pts) != len(self.digests) or any(b <= a for a, b in pairwise(self.pts)):
            raise ValueError("a plan has one digest per frame and rising times")
        edges = [0, *(s.stop for s in self.shots)]
        if [s.start for s in self.shots] != edges[:-1] or edges[-1] != len(self.pts):
            raise ValueError("the shots of a plan follow each other and cover all its frames")
        if any(s.start >= s.stop for s in self.shots):
            raise ValueError("a shot has at least one frame")
        if any(not 0 <= s.dissolve < s.stop - s.start for s in self.shots):
            raise ValueError("a shot has more frames than the dissolve that it begins with")
        if min(self.settings.segment_frames, self.settings.batch) < 1:
            raise ValueError("a segment and a batch have at least one frame")
        begins = [at for at, _ in self.fields]
        if self.fields and (begins[0] != 0 or begins[-1] >= len(self.pts) or any(b <= a for a, b in pairwise(begins))):
            raise ValueError("runs of frames of one kind of fields begin with the first frame and follow each other")
        if any(word not in (PROGRESSIVE, "tff", "bff") for _, word in self.fields):
            raise ValueError("a frame's fields are progressive, tff or bff")
        frames = [-1, *(frame for frame, _ in self.captions), len(self.pts)]
        if any(b <= a for a, b in pairwise(frames)) or any(PAIRS.fullmatch(data) is None for _, data in self.captions):
            raise ValueError("captions are byte pairs in hex of frames of the plan, in order")
        sizes = {s.look.size for s in self.shots}
        if len(sizes) > 1 or 0 in sizes or not all(np.isfinite(s.look).all() for s in self.shots):
            raise ValueError("the looks of a plan are finite numbers, as many for each shot")

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        return {
            "kind": self.kind.name, "format": FORMAT, "reel": self.reel.to_json(), "source": self.source,
            "settings": asdict(self.settings),
            "skip": self.skip, "pts": list(self.pts), "digests": list(self.digests),
            "shots": [s.to_json() for s in self.shots], "seekable": self.seekable, "retimed": self.retimed,
            "colored_source": self.colored_source,
            "damaged_frames": {str(k): v for k, v in self.damaged_frames.items()},
            "damaged_packets": self.damaged_packets, "notes": list(self.notes), "beside": self.beside,
            "account": self.account, "last": self.last,
            "fields": [list(run) for run in self.fields], "aside": self.aside,
            "captions": [list(pairs) for pairs in self.captions],
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Plan:
        """Inverse of `to_json`."""
        check_format("plan", values, FORMAT)
        plan = cls(
            Reel.from_json(values["reel"]), values["source"], Settings(**values["settings"]), values["skip"],
            tuple(values["pts"]), tuple(values["digests"]), tuple(Shot.from_json(s) for s in values["shots"]),
            values["seekable"], values["retimed"], values["colored_source"],
            {int(k): v for k, v in values["damaged_frames"].items()}, values["damaged_packets"], tuple(values["notes"]),
            values.get("beside", {}), values.get("account", {}), values.get("last", 0),
            tuple((int(at), str(word)) for at, word in values.get("fields", [])), values["aside"],
            tuple((int(frame), str(data)) for frame, data in values["captions"]),
        )  # fmt: skip
        return cast(Plan, checked(plan))

    def surveyed_like(self, reel: Reel, sha256: str, settings: Settings) -> bool:
        """Whether a survey with these settings would look at the same frames through the same network.

        Profile, working size, precision, looks and batch are not asked: shots and looks do not depend on them, or (for
        precision) so little that a person's edits are worth more.
        """
        mine, other = self.settings, settings
        piece = bool(mine.start or mine.stop)
        return (
            self.source["sha256"] == sha256
            and (mine.weights_digest, mine.start, mine.stop) == (other.weights_digest, other.start, other.stop)
            and mine.invert == other.invert
            # the rate of pictures says where a piece of them begins
            and (self.reel.rate == reel.rate or not (piece and reel.is_sequence))
        )

    def check_looks(self, size: int) -> None:
        """Raises ValueError for a look that the network cannot paint under. size: numbers it wants."""
        if wrong := [s for s in self.shots if s.look.size != size]:
            raise ValueError(
                f"the look of the shot at frame {wrong[0].start} has {wrong[0].look.size} numbers, "
                f"the network wants {size}"
            )

    @property
    def surveyed(self) -> bool:
        """A reel's plan is made in one piece."""
        return True

    @property
    def own_looks(self) -> bool:
        """Whether its shots have looks that a person may exchange."""
        return self.settings.looks != "per-frame"

    def waits(self, unit: Segment) -> bool:
        """A shot's look is all that decides about its segments."""
        return False

    def units(self) -> tuple[Segment, ...]:
        """The shots cut into pieces of nearly equal length, at most settings.segment_frames each."""
        found: list[Segment] = []
        for before, shot in zip((None, *self.shots), self.shots, strict=False):
            length = shot.stop - shot.start
            pieces = -(-length // self.settings.segment_frames)
            edges = [shot.start + length * i // pieces for i in range(pieces + 1)]
            found += [
                self._segment(len(found) + i, a, b, shot.looks(before, a, b), shot.kept)
                for i, (a, b) in enumerate(pairwise(edges))
            ]
        return tuple(found)

    def _segment(self, number: int, start: int, stop: int, look: np.ndarray, kept: bool) -> Segment:
        settings = {k: v for k, v in asdict(self.settings).items() if k not in NOT_IN_SEGMENTS}
        ends = [*self.pts[start + 1 : stop], self.next_pts(stop)]
        durations = tuple(b - a for a, b in zip(self.pts[start:stop], ends, strict=True))
        pts, digests = self.pts[start:stop], self.digests[start:stop]
        source, facts = self.coded_reel, self.coded_reel.to_json()
        reel = {k: v for k, v in facts.items() if k not in NOT_IN_PACKETS}
        codec = PROFILES[self.settings.profile].codec
        coded = codec.identity(source.width, source.height, source.coding.bits, source.fields, source.hdr)
        colors = look.tobytes().hex(), kept
        fields = words_in(self.fields, start, stop) if codec.marks else ()
        identity = [FORMAT, ARITHMETIC, reel, settings, coded, self.skip + start, pts, durations, digests, colors]
        identity += [fields] * bool(fields) + [self.aside] * bool(self.aside and codec.carries)
        digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16).hexdigest()
        return Segment(
            digest, number, source, self.settings, start, self.skip + start, pts, durations, digests, look,
            self.seekable, kept, fields,
        )  # fmt: skip

    @property
    def coded_reel(self) -> Reel:
        """The reel as its codec is set up for it: where frames differ in their fields and each is coded for some, those
        that come first."""
        words = [word for _, word in self.fields if word != PROGRESSIVE]
        mark = PROFILES[self.settings.profile].codec.mark
        return replace(self.reel, fields=words[0]) if words and mark is not None else self.reel

    def as_piece(self) -> Plan:
        """The plan with the time code of its own first frame."""
        return replace(self, reel=replace(self.reel, timecode=advance(self.reel.timecode, self.skip, self.reel.rate)))

    def next_pts(self, index: int) -> int:
        """Time of a frame, or of the reel's end: after as long as the last frame is shown."""
        if index < len(self.pts):
            return self.pts[index]
        return self.pts[-1] + (self.last or self.reel.step)


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames one worker paints at a time. start: index in the plan. offset: index in the source. kept: as of a shot.

    look: one for all, or one each, as `Shot.looks` says. fields: of each frame, where those of the reel differ and its
    codec can say so.
    """

    id: str
    number: int
    reel: Reel
    settings: Settings
    start: int
    offset: int
    pts: tuple[int, ...] = field(repr=False)
    durations: tuple[int, ...] = field(repr=False)
    digests: tuple[str, ...] = field(repr=False)
    look: np.ndarray = field(repr=False)
    seekable: bool = True
    kept: bool = False
    fields: tuple[str, ...] = ()

    kind = REEL.unit

    def __str__(self) -> str:
        return f"segment {self.number} (frames {self.start} to {self.stop - 1})"

    @property
    def stop(self) -> int:
        """Index in the plan after the last frame."""
        return self.start + len(self.pts)

    @property
    def size(self) -> dict[str, int]:
        """In frames."""
        return {"frames": len(self.pts)}

    def located(self) -> Segment:
        """The segment with its reel's full path."""
        return replace(self, reel=replace(self.reel, uri=str(Path(self.reel.uri).absolute())))


def rising(pts: list[int | None], step: int) -> tuple[tuple[int, ...], int]:
    """Strictly rising times out of what a file says, and how many had to change.

    Missing times are put one step after their predecessor. Times in the wrong order are the right times on the wrong
    frames (RealMedia, AVI): they are sorted. Equal ones move up by one tick.
    """
    filled: list[int] = []
    for time in pts:
        filled.append(time if time is not None else (filled[-1] + step if filled else 0))
    ordered = sorted(filled)
    for i in range(1, len(ordered)):
        ordered[i] = max(ordered[i], ordered[i - 1] + 1)
    return tuple(ordered), sum(a != b for a, b in zip(pts, ordered, strict=True))
