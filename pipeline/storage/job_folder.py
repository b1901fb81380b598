"""JobFolder: what lies where in a job's folder and beside its output, by names that only this file spells.

OUT                          the output, which gets its name when it was checked
OUT.scc                      captions that its source's frames carry
OUT.report/                  a report about it alone: report.html, and its pictures in report/
OUT.json                     its sidecar, which comes last: without it nothing is finished
.STEM.MARK.part.SUFFIX       the output while it grows
OUT.job/                     the folder, where a person named none
    plan.json                what the survey found, for a person to edit
    plan.json.1.undo         the plan before the first edit, and so on
    plan.json.bak            a plan that was of no use any more
    published.json           digests of the outputs that were made here, and of the one that they replaced
    refused.json             why the last output was refused, so that what no run mends is said
    passing                  empty: the folder goes once OUT is finished, since no person named it
    lock                     held by the run at work
    ledger/UNIT.json         a receipt
    UNIT.ATTEMPT.packets     a painted piece (.blocks: of a scan), hidden and with .part in its name while it grows
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from colorizer.basis.atomic import scratch_of

PLAN = "plan.json"
LEDGER = "ledger"
PUBLISHED = "published.json"
LOCK = "lock"
PASSING = "passing"
REFUSED = "refused.json"
SIDECAR, DIGESTS, CAPTIONS = ".json", ".framemd5", ".scc"
"""What the names of files beside an output end in, after its own."""
REPORT, PAGE = ".report", "report.html"
"""The same of the folder of a report about it alone; and the page in it."""

UNIT = r"[0-9a-f]{8,64}"
PIECE = rf"{UNIT}\.\d+"
OWN = re.compile(
    rf"plan\.json(\.\d+\.undo|(\.\d+)?\.bak)?|(published|refused)\.json|passing|lock|{PIECE}\.(packets|blocks)"
)
"""Names of what a run puts into a job's folder."""
OWN_SCRATCH = re.compile(rf"\.(plan|published|refused)\.\d+\.part\.json|\.{PIECE}\.{UNIT}\.part\.(packets|blocks)")
OWN_SCRATCH_RECEIPT = re.compile(rf"\.{PIECE}\.part\.json")
OWN_RECEIPT = re.compile(rf"{UNIT}\.json|{OWN_SCRATCH_RECEIPT.pattern}")
"""Names of what it puts there for a while, and into the folder of receipts. Nothing else is ever removed."""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """See the module docstring."""

    path: Path

    @classmethod
    def of(cls, out: Path) -> JobFolder:
        """The folder of an output for which a person named none."""
        return cls(out.with_name(f"{out.name}.job"))

    @property
    def plan(self) -> Path:
        """The plan as it stands."""
        return self.path / PLAN

    @property
    def published(self) -> Path:
        """Where the digests of outputs are kept."""
        return self.path / PUBLISHED

    @property
    def passing(self) -> Path:
        """Says that the folder goes once its output is finished."""
        return self.path / PASSING

    @property
    def refused(self) -> Path:
        """Why the last output was refused."""
        return self.path / REFUSED

    @property
    def notes(self) -> tuple[Path, Path]:
        """What outputs leave in the folder."""
        return self.published, self.refused

    @property
    def lock(self) -> Path:
        """What a run at work holds."""
        return self.path / LOCK

    @property
    def ledger(self) -> Path:
        """The folder of receipts."""
        return self.path / LEDGER

    def receipt(self, unit: str) -> Path:
        """The receipt of a unit."""
        return self.ledger / f"{unit}.json"

    def piece(self, name: str) -> Path:
        """A painted piece by its name in a receipt."""
        return self.path / name

    def scratch(self, name: str) -> Path:
        """Where a piece grows: of its own, since a worker that a killed run left may be at the same attempt still."""
        return scratch_of(self.piece(name), secrets.token_hex(4))

    def unfinished(self, receipts: bool) -> list[Path]:
        """What was left while it grew, by runs that were killed. receipts: those too."""
        others = self.ledger.iterdir() if receipts and self._plain(self.ledger) else ()
        found = [path for path in self.path.iterdir() if OWN_SCRATCH.fullmatch(path.name)]
        return found + [path for path in others if OWN_SCRATCH_RECEIPT.fullmatch(path.name)]

    def own(self) -> Iterator[Path]:
        """Files of runs, by their names, receipts first."""
        receipts = self.ledger.iterdir() if self._plain(self.ledger) else ()
        yield from (path for path in receipts if OWN_RECEIPT.fullmatch(path.name))
        for path in self.path.iterdir():
            if (OWN.fullmatch(path.name) or OWN_SCRATCH.fullmatch(path.name)) and not self._plain(path):
                yield path

    def foreign(self) -> Path | None:
        """Something in it that no run put there; the folder itself where it is a link. None if there is nothing."""
        if self.path.is_symlink():
            return self.path
        mine = {*self.own(), *([self.ledger] if self._plain(self.ledger) else [])}
        inside = [*self.path.iterdir(), *(self.ledger.iterdir() if self.ledger in mine else ())]
        return next((path for path in sorted(inside) if path not in mine), None)

    @staticmethod
    def _plain(path: Path) -> bool:
        return path.is_dir() and not path.is_symlink()

    def former(self, number: int) -> Path:
        """The plan before the edit of that number, counted from 1."""
        return self.path / f"{PLAN}.{number}.undo"

    def former_numbers(self) -> list[int]:
        """Numbers of the edits that can be undone, rising."""
        found = (path.suffixes[-2][1:] for path in self.path.glob(f"{PLAN}.*.undo"))
        return sorted(int(text) for text in found if text.isdecimal() and int(text))

    def empty(self) -> bool:
        """Whether nothing but the lock is in it."""
        return not any(path.is_file() and path.name != LOCK for path in self.path.rglob("*"))


def piece_name(unit: str, attempt: int, content: str) -> str:
    """What a piece is called; its attempt is in it, so that no two workers write the same file."""
    return f"{unit}.{attempt}.{content}"


def beside(out: str) -> list[str]:
    """What a run may leave beside an output, by name."""
    return [f"{out}{suffix}" for suffix in (SIDECAR, DIGESTS, CAPTIONS)]


def sidecar_of(out: Path) -> Path:
    """Where an output's story is written."""
    return out.with_name(f"{out.name}{SIDECAR}")


def digests_of(out: Path) -> Path:
    """Where the digests of an output's frames are written."""
    return out.with_name(f"{out.name}{DIGESTS}")


def captions_of(out: Path) -> Path:
    """Where an output's captions are written, of a source that has some in its frames."""
    return out.with_name(f"{out.name}{CAPTIONS}")


def growing(out: Path, folder: Path) -> Path:
    """Where an output grows: of this job's own, since another may make the same output, and the same in every run."""
    mark = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=4).hexdigest()
    return scratch_of(out, mark)
