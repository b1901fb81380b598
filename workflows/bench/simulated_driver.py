"""The driver of a simulated cluster, alone in its process.

`python -m workflows.bench.simulated_driver FACTS` prints JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.collection.depot import Depot
from pipeline.collection.item import Item
from pipeline.collection.schedule import Schedule
from pipeline.collection.state import ItemProgress, State
from pipeline.collection.step import Step, UnitKey
from pipeline.spread.pools import Pool, RayPool
from pipeline.storage.ledger import Ledger
from pipeline.values.events import Silent
from pipeline.values.stages import PAINT
from workflows.bench.measured import peak_memory
from workflows.bench.stand_in import FRAMES, StandIn, Timers

MEGAPIXELS = 0.5
"""Of a frame."""


class Stopwatch:
    """Seconds of wall and of this thread's processor, by part of the driver."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, its time counted."""

        def run(*given: Any, **named: Any) -> Any:
            wall, processor = time.perf_counter(), time.thread_time()
            try:
                return work(*given, **named)
            finally:
                self.wall[part] = self.wall.get(part, 0.0) + time.perf_counter() - wall
                self.processor[part] = self.processor.get(part, 0.0) + time.thread_time() - processor

        return run


def item_of(place: int, units: int) -> Item:
    """An item that no file belongs to."""
    return Item(f"{place:016x}", "", "reel", f"/simulated/{place}.mov", f"{place}.mkv", (("units", units),))


def items_of(count: int, units: int) -> list[ItemProgress]:
    """Items of `units` units on average: the smallest has a fifth of that, the largest nine fifths."""
    found = []
    for place in range(count):
        mine = max(1, round(units * (0.2 + 1.6 * place / (count - 1)))) if count > 1 else units
        found.append(ItemProgress(item_of(place, mine), size={"megapixels": mine * FRAMES * MEGAPIXELS}))
    return found


def warm(pool: Pool, depot: Depot) -> None:
    """Wait until every worker answers: how long Ray takes to start processes is another matter."""
    for place in range(pool.size):
        ticket = UnitKey(f"warm{place}", 0, "segment", "segment 0", "frames", 1)
        pool.start(Step(PAINT, item_of(place, 1), depot, 0, ticket), 1)
    for _ in range(pool.size):
        pool.finished()


def simulate(pool: Pool, items: list[ItemProgress], depot: Depot) -> dict[str, Any]:
    """One run: its time, and the driver's by part. files: state and receipts. pool: starting units, taking them back,
    and (of its wall) waiting for one. schedule: the rest.
    """
    watch, state = Stopwatch(), State(depot)
    for owner, part, names in (
        (state, "files", ("save", "summary", "set_aside")), (Ledger, "files", ("record",)),
        (pool, "pool", ("start", "finished")),
    ):  # fmt: skip
        for name in names:
            setattr(owner, name, watch.timed(part, getattr(owner, name)))
    before, mine = time.process_time(), time.thread_time()
    night = Schedule(state, items, pool, Silent()).run()
    processor, mine = time.process_time() - before, time.thread_time() - mine
    parts = {part: watch.processor.get(part, 0.0) for part in ("files", "pool")}
    parts["schedule"] = mine - sum(parts.values())
    parts["pool"] += processor - mine  # of threads that Ray has in this process
    waiting = watch.wall["pool"]
    walls = {"files": watch.wall["files"], "pool": waiting, "schedule": night.seconds - waiting - watch.wall["files"]}
    return {
        "items": night.done, "units": sum(p.units["of"] for p in items), "seconds": night.seconds, "busy": night.busy,
        "processor": processor, "processor_by_part": parts, "wall_by_part": walls, "peak": peak_memory(),
    }  # fmt: skip


def main(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts: pool, workers, items, units (of an item, on average), cost (seconds of a unit), folder."""
    began, workers, cost = time.monotonic(), facts["workers"], facts["cost"]
    out = Path(tempfile.mkdtemp(dir=facts["folder"]))
    temp = Path(tempfile.mkdtemp(prefix="chq-", dir="/tmp"))  # short: the path of a Unix socket has 107 bytes
    depot = Depot(out, out)
    pool: Pool | None = None
    try:
        if facts["pool"] == "ray":
            pool = RayPool("local", workers, partial(StandIn, cost), temp)
            warm(pool, depot)
        else:
            pool = Timers(workers, cost)
        ready = time.monotonic() - began
        return {**facts, "ready": ready, **simulate(pool, items_of(facts["items"], facts["units"]), depot)}
    finally:
        if pool is not None:
            pool.close()
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(temp, ignore_errors=True)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
