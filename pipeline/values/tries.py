"""Tries: how often a unit was begun and what ended it, until it is given up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from colorizer.basis.errors import NodeLost

LOSSES = 10
"""Machines that may go away under a unit. That is not its fault, unless it always happens: then it may be."""


@dataclass(frozen=True, slots=True)
class Tries:
    """deaths: of workers that held the unit. losses: of workers whose machine went away with them. limit: of deaths."""

    limit: int
    deaths: int = 0
    losses: int = 0

    @property
    def attempt(self) -> int:
        """Number of the attempt that comes next, from 1; no two are the same."""
        return 1 + self.deaths + self.losses

    @property
    def alone(self) -> bool:
        """Whether it is the last one: it gets a machine to itself, so that no neighbor's fault is laid on the unit."""
        return 1 < self.limit == self.deaths + 1 or self.losses == LOSSES - 1

    @property
    def over(self) -> bool:
        """Whether the unit is to be given up."""
        return self.deaths >= self.limit or self.losses >= LOSSES

    def after(self, death: Exception) -> Tries:
        """With one more attempt that ended so."""
        if isinstance(death, NodeLost):
            return replace(self, losses=self.losses + 1)
        return replace(self, deaths=self.deaths + 1)
