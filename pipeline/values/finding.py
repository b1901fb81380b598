"""Finding: one thing that was checked about an output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked: what, whether it holds, and the numbers.

    frames: of a finding about the picture, those that are to blame, none where no frame is singled out; None for
    tracks and tags.
    """

    what: str
    holds: bool
    detail: str
    frames: tuple[int, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values: what a person reads, without the frames."""
        return {"what": self.what, "holds": self.holds, "detail": self.detail}
