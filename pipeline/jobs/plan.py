"""Plan: what plans of either kind are to those who do not ask which kind it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from pipeline.reels import plan as reels
from pipeline.scans import plan as scans
from pipeline.values.kinds import REEL, SCAN, Kind


class Plan(Protocol):
    """What a survey found and a person may edit, of either kind; its units follow from it."""

    kind: ClassVar[Kind]

    @property
    def source(self) -> dict[str, Any]:
        """Name, size and sha256."""

    @property
    def settings(self) -> Any:
        """What a person chose, resolved."""

    @property
    def surveyed(self) -> bool:
        """Whether nothing of it waits for another survey."""

    @property
    def own_looks(self) -> bool:
        """Whether its parts have looks that a person may exchange."""

    def units(self) -> tuple[Any, ...]:
        """What workers paint, in the order of the source."""

    def waits(self, unit: Any) -> bool:
        """Whether the colors of a unit are not decided yet, though it has an id."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the kind among them."""


READERS: dict[str, Callable[[dict[str, Any]], Plan]] = {
    REEL.name: reels.Plan.from_json,
    SCAN.name: scans.ScanPlan.from_json,
}


def plan_from_json(values: dict[str, Any]) -> Plan:
    """A plan as it was written down. Raises KeyError, TypeError, ValueError and their kin for what is none."""
    # plans of version 0.1.0 do not name their kind
    return READERS[values.get("kind") or (SCAN if "pages" in values else REEL).name](values)
