"""Units: what is scheduled, retried and recorded, and who does it. A segment of a reel, a band of a scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Report = Callable[[int], None]


class Unit(Protocol):
    """A piece of work with an output of its own. Its words (`str`) say where in the source it lies."""

    @property
    def id(self) -> str:
        """Hash of everything that changes its output."""

    @property
    def number(self) -> int:
        """Place among the units of its job."""

    @property
    def kind(self) -> str:
        """One word for people: segment, band."""

    @property
    def size(self) -> dict[str, int]:
        """How much of the source it is, under the name of what is counted: frames, rows."""

    def located(self) -> Unit:
        """The same unit for a worker that stands in another folder: its source by its full path."""


class Painter(Protocol):
    """Does units, one at a time, and keeps between them what is expensive to open. Plain Python; pools decide where."""

    def paint(self, unit: Any, attempt: int, report: Report = lambda _: None) -> Any:
        """Do a unit and give its receipt; its output lies in the job folder under a name that carries the attempt.

        report: told how much more is done, in what the unit's size counts.
        """

    def close(self) -> None:
        """Let go of what is open."""
