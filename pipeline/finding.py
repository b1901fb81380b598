"""Finding: one thing that was checked about an output."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked: what, whether it holds, and the numbers."""

    what: str
    holds: bool
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
