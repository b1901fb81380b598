"""JobFolder: what lies where in a job's folder and beside its output, by names that only this file spells.

OUT                          the output, which gets its name last
OUT.json                     its sidecar
.STEM.MARK.part.SUFFIX       the output while it grows
OUT.job/                     the folder, where a person named none
    plan.json                what the survey found, for a person to edit
    plan.json.1.undo         the plan before the first edit, and so on
    plan.json.bak            a plan that was of no use any more
    published.json           digests of the outputs that were made here
    lock                     held by the run at work
    ledger/UNIT.json         a receipt
    UNIT.ATTEMPT.packets     a painted piece (.blocks: of a scan), hidden and with .part in its name while it grows
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from colorizer.basis.atomic import leftovers, scratch_of

PLAN = "plan.json"
LEDGER = "ledger"
PUBLISHED = "published.json"
LOCK = "lock"


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

    def unfinished(self) -> list[Path]:
        """Pieces that were left while they grew."""
        return leftovers(self.path)

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


def sidecar_of(out: Path) -> Path:
    """Where an output's story is written."""
    return out.with_name(f"{out.name}.json")


def growing(out: Path, folder: Path) -> Path:
    """Where an output grows: of this job's own, since another may make the same output, and the same in every run."""
    mark = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=4).hexdigest()
    return scratch_of(out, mark)
