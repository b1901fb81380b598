"""What the report shows, as values: the collection, its files, their shots and pages, and what to look at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from colorizer.painting.scenes import said
from pipeline.values.kinds import KINDS
from pipeline.values.stages import ASIDE, DONE, WAITING
from pipeline.values.words import counted


class FlagKind(StrEnum):
    """What is pointed out, in the order of the page. When: see flags.py."""

    GRAY = "gray"
    LOW_COLOR = "low color"
    COLOR_JUMP = "color jump"
    ONE_HUE = "one hue"
    UNSURE = "unsure"
    UNSTEADY = "unsteady"
    NEGATIVE = "negative"
    HAD_COLOR = "had color"
    DAMAGE = "damage"
    CHECK = "check"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person should look at. why: the numbers."""

    kind: FlagKind
    why: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A pair of thumbnails, by their relative URLs, and what was measured on the colored one. cb, cr: means, of 255.

    large: the same pair to judge colors by, and its size; "" where the thumbnails are as large as the output. hue:
    share of what is lit that has one hue, and its mean chroma, in codes.
    """

    before: str
    after: str
    width: int
    height: int
    colorfulness: float
    cb: float
    cr: float
    large: tuple[str, str, int, int] = ("", "", 0, 0)
    hue: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Part:
    """A shot of a reel or a page of a scan. number: from 0. chroma: mean in 8-bit codes, None if not known.

    moment, seconds: of a shot its middle, after the first frame, and its length. orientation: TIFF's. pieces: chroma of
    each. look: where its look comes from if it is not its own. edit: what `plan look` takes to give it another one.
    """

    number: int
    name: str
    span: str
    scenes: tuple[tuple[str, float], ...] = ()
    chroma: float | None = None
    pieces: tuple[float, ...] = ()
    moment: float = 0.0
    seconds: float = 0.0
    orientation: int = 1
    look: str = ""
    edit: str = ""
    flags: tuple[Flag, ...] = ()
    picture: Picture | None = None

    @property
    def told(self) -> tuple[tuple[str, float], ...]:
        """Of its scene what may be said."""
        return said(self.scenes)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the collection. Texts can be shown; links are relative URLs or "".

    place: of the output below the collection's folder, to open it; "" if it does not lie there. done, of: units.
    catalog: what the manifest says beside the id, by column.
    edit: what `plan` takes for this file, quoted for a shell; "" where no plan is kept. edited: its plan is another one
    than its output was made of. pieces: they were kept.
    error: stage, text and attempts of what was set aside. attempts: what, and why it failed. findings: what, whether
    it holds, detail. digest: of the output, sha256 in hex. preview: what a browser shows of
    an output that it does not. readable: its story as a page. negative: what of it looks like a negative, in words.
    """

    key: str
    kind: str
    state: str
    name: str
    folder: str = ""
    id: str = ""
    catalog: tuple[tuple[str, str], ...] = ()
    source: str = ""
    place: str = ""
    output: str = ""
    story: str = ""
    plan: str = ""
    edit: str = ""
    edited: bool = False
    pieces: bool = False
    done: int = 0
    of: int = 0
    frames: int = 0
    megapixels: float = 0.0
    seconds: float = 0.0
    error: tuple[str, str, int] | None = None
    attempts: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    findings: tuple[tuple[str, bool, str], ...] = ()
    parts: tuple[Part, ...] = ()
    flags: tuple[Flag, ...] = ()
    unpictured: str = ""
    digest: str = ""
    preview: str = ""
    readable: str = ""
    negative: str = ""

    @property
    def group(self) -> str:
        """One of the three states that a person asks for."""
        return self.state if self.state in (DONE, ASIDE) else WAITING

    @property
    def losses(self) -> str:
        """How many there are, in words."""
        return counted(len(self.lost), "loss")

    @property
    def continuous(self) -> bool:
        """Whether a part goes on from the one before, as shots do and pages do not."""
        return self.kind in KINDS and KINDS[self.kind].continuous

    @property
    def flag_counts(self) -> dict[FlagKind, int]:
        """How often each kind of flag was raised, in the order of their kinds."""
        raised = [flag.kind for flag in (*self.flags, *(flag for part in self.parts for flag in part.flags))]
        return {kind: raised.count(kind) for kind in FlagKind if kind in raised}


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as it stands. busy: share of the workers' time, or None. changed: when it last said something.

    orphans: outputs of no source any more. keys: of objects in a store that no path can hold.
    seconds, busy, finished (files, frames, megapixels): of the last run alone.
    """

    files: tuple[File, ...]
    source: str = ""
    started: datetime | None = None
    changed: datetime | None = None
    seconds: float = 0.0
    busy: float | None = None
    workers: int = 0
    deadline: str = ""
    running: bool = False
    version: str = ""
    orphans: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    finished: tuple[int, int, float] | None = None

    def count(self, group: str) -> int:
        """Files done, set aside or waiting."""
        return sum(file.group == group for file in self.files)

    @property
    def flagged(self) -> int:
        """Files with something to look at."""
        return sum(bool(file.flag_counts) for file in self.files)

    @property
    def worked(self) -> float:
        """Seconds of workers, of all runs."""
        return sum(file.seconds for file in self.files)

    @property
    def frames(self) -> int:
        """Colored so far."""
        return sum(file.frames for file in self.files if file.state == DONE)

    @property
    def megapixels(self) -> float:
        """Colored so far."""
        return sum(file.megapixels for file in self.files if file.state == DONE)


def shown(text: str) -> str:
    """Text that a page can hold: no control characters, and nothing that UTF-8 cannot say."""
    known = text.encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", known)
