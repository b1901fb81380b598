"""Finding: one thing that was checked about an output, and whether a law hangs on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from pipeline.values.formats import CENSUS
from pipeline.values.loss import Loss, is_declared, verdict


class Law(Enum):
    """The laws that a finding about a finished file can break; the others hold while it is made.

    Only a broken law keeps an output from its name. Whatever else does not hold is named, and the file comes out.
    """

    PICTURE = "the picture is untouched"
    WHOLE = "no frame and no page is lost, and none is shown at another time"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked: what, whether it holds, and the numbers.

    frames: of a finding about the picture, those that are to blame, none where no frame is singled out; None for
    tracks and tags. law: the one that is broken where this does not hold. named: it does not hold, and the output's
    sidecar says so. unknown: it does not hold, and the version that wrote the sidecar did not look for it.
    """

    what: str
    holds: bool
    detail: str
    frames: tuple[int, ...] | None = None
    law: Law | None = None
    named: bool = False
    unknown: bool = False

    @property
    def forbids(self) -> bool:
        """Whether an output of which this was found may not have its name."""
        return not self.holds and self.law is not None

    @property
    def right(self) -> bool:
        """Whether all is as it should be: it holds, or no law hangs on it and the sidecar says what is lost, or is of a
        version that promised nothing about it."""
        return self.holds or ((self.named or self.unknown) and self.law is None)

    @classmethod
    def of_loss(cls, loss: Loss) -> Finding:
        """Of a loss that the sidecar declares."""
        return cls(str(replace(loss, why="")), False, loss.why, named=True)

    def to_json(self) -> dict[str, Any]:
        """Plain values: what a person reads, without the frames."""
        values = {"what": self.what, "holds": self.holds, "detail": self.detail}
        return values | {name: True for name in ("named", "unknown") if getattr(self, name)}


def losses(findings: Iterable[Finding]) -> tuple[Loss, ...]:
    """What does not hold and breaks no law, as losses by name."""
    return tuple(Loss(f.what, f.detail) for f in findings if not f.holds and f.law is None)


def summary(findings: Iterable[Finding]) -> dict[str, Any]:
    """What a sidecar says of an output as a whole: the last word, and everything that is lost, by name."""
    lost = list(map(str, losses(findings)))
    return {"verdict": verdict(len(lost)), "not_carried_over": lost}


def named(findings: Iterable[Finding], declared: Collection[Loss]) -> list[Finding]:
    """The findings, those marked that do not hold and are among what a sidecar names as lost."""
    return [
        replace(f, named=True) if not f.holds and f.law is None and is_declared(f.what, declared) else f
        for f in findings
    ]


def promised(findings: Iterable[Finding], census: int, known: Collection[str]) -> list[Finding]:
    """The findings, as the sidecar of an older version answers for them: what that one did not look for is marked, and
    said first. census: the sidecar's; known: what it says that was verified."""
    if census >= CENSUS:
        return list(findings)
    marked = [
        replace(f, unknown=True) if not f.right and f.law is None and f.what not in known else f for f in findings
    ]
    new = sum(f.unknown for f in marked)
    if not new:
        return marked
    detail = f"of an older version of this program, which did not look for {new} of what is lost here"
    return [Finding("census", True, detail), *marked]
