"""Workers that sleep instead of painting: all else of a collection's run is real. Light, so that 64 of them fit."""

from __future__ import annotations

import heapq
import time
from typing import Any

from pipeline.collection.step import Done, Step, Surveyed, UnitKey
from pipeline.spread.pools import Outcome
from pipeline.storage.ledger import Receipt
from pipeline.values.stages import PAINT, SURVEY
from pipeline.values.units import Report

FRAMES = 96
"""Of a unit; its receipt has a packet for each, as a reel's has."""
SHARE = 0.05
"""What a survey takes of the time that an item's painting takes, and a publication too."""
PACKETS = tuple((40 * n, 40 * n, 40, n == 0, 123_456) for n in range(FRAMES))


class StandIn:
    """Takes `cost` seconds for a unit. An item's units are told by its options."""

    def __init__(self, cost: float) -> None:
        self.cost = cost

    def takes(self, step: Step) -> float:
        """Seconds."""
        return self.cost if step.stage == PAINT else self.cost * SHARE * dict(step.item.options)["units"]

    def done(self, step: Step, attempt: int, seconds: float) -> Done:
        """What comes of a step."""
        if step.stage == SURVEY:
            count = dict(step.item.options)["units"]
            return Done(seconds, found=Surveyed(False, {"sha256": "0" * 64}, _tickets(step.item.key, count), count))
        if step.unit is None:
            return Done(seconds)
        name = f"{step.unit.id}.{attempt}.packets"
        size = sum(packet[-1] for packet in PACKETS)
        return Done(seconds, Receipt(step.unit.id, attempt, name, size, "0" * 64, "", 9.5, PACKETS))

    def paint(self, step: Step, attempt: int, report: Report = lambda _: None) -> Done:
        """Sleep, and say that it is done."""
        began = time.monotonic()
        time.sleep(self.takes(step))
        return self.done(step, attempt, time.monotonic() - began)

    def close(self) -> None:
        """Nothing is open."""


def _tickets(key: str, count: int) -> tuple[UnitKey, ...]:
    return tuple(
        UnitKey(f"{key}{n:016x}", n, "segment", f"segment {n} (frames {n * FRAMES} to {n * FRAMES + FRAMES - 1})",
               "frames", FRAMES)
        for n in range(count)
    )  # fmt: skip


class Timers:
    """A pool of such workers in this process: each is a time at which it is done."""

    here = False

    def __init__(self, size: int, cost: float) -> None:
        self.workers, self.size, self.painter = size, size, StandIn(cost)
        self._flying: list[tuple[float, int, Step, int]] = []

    def start(self, step: Any, attempt: int, alone: bool = False) -> None:
        """Set a worker's timer."""
        heapq.heappush(self._flying, (time.monotonic() + self.painter.takes(step), step.number, step, attempt))

    def finished(self) -> Outcome:
        """Wait for the first that rings."""
        due, _, step, attempt = heapq.heappop(self._flying)
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)
        return Outcome(step, attempt, self.painter.done(step, attempt, self.painter.takes(step)))

    def close(self) -> None:
        """Nothing is open."""
