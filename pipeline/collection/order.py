"""Order: the item that a free worker serves next. Publishing comes before painting, painting before surveys."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.collection.state import ItemProgress
from pipeline.collection.step import UnitKey
from pipeline.storage.ledger import Ledger
from pipeline.values.stages import ASIDE, DONE, PAINT, PUBLISH, SURVEY


@dataclass(slots=True)
class Active:
    """An item in the works. place: among all. todo: units that no worker has. flying: steps that one has.

    source: what its survey found it to be. queued: ranks it was offered at.
    """

    progress: ItemProgress
    place: int
    todo: deque[UnitKey] = field(default_factory=deque)
    flying: int = 0
    stage: str = SURVEY
    failed_checks: int = 0
    source: dict[str, Any] | None = None
    ledger: Ledger | None = None
    queued: set[int] = field(default_factory=set)

    @property
    def rank(self) -> int | None:
        """How soon its next step is wanted, 0 first; None while it has none to give."""
        if self.progress.state in (DONE, ASIDE):
            return None
        if self.stage == PAINT and self.todo:
            return 1
        if self.flying:
            return None
        if self.stage == PAINT or (self.stage == SURVEY and self.failed_checks):
            return 0
        return 2 if self.stage == SURVEY else None

    @property
    def next_stage(self) -> str:
        """Of its next step."""
        return PUBLISH if self.stage == PAINT and not self.todo else self.stage


class Order:
    """Items by rank, among equals the largest first, then as they were given. Finding the next takes O(log items)."""

    def __init__(self, items: Iterable[Active]) -> None:
        self._heap: list[tuple[int, float, int]] = []
        self._items: dict[int, Active] = {}
        for active in items:
            self._items[active.place] = active
            self.offer(active)

    def offer(self, active: Active) -> None:
        """Call it after every change to an item that may give it another rank."""
        rank = active.rank
        if rank is not None and rank not in active.queued:
            active.queued.add(rank)
            heapq.heappush(self._heap, (rank, -active.progress.megapixels, active.place))

    def next(self) -> Active | None:
        """The item to serve; None if no item has a step to give."""
        while self._heap:
            rank, _, place = self._heap[0]
            active = self._items[place]
            if active.rank == rank:
                return active
            heapq.heappop(self._heap)  # it was offered at this rank and has another now
            active.queued.discard(rank)
        return None
