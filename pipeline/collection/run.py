"""A collection from folder or manifest to its report: found, looked at, run on one pool, written down."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from colorizer.errors import ColorizeError, StorageError
from pipeline.collection.estimate import Forecast, forecast, learn, size_of
from pipeline.collection.items import Item
from pipeline.collection.schedule import Night, Schedule, ready
from pipeline.collection.state import ASIDE, DONE, Progress, State
from pipeline.collection.steps import StepPainter
from pipeline.events import Listener
from pipeline.lock import alone
from pipeline.preservation import manifest_of
from pipeline.workers import Pool, pool_for


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a collection is run. deadline: HH:MM, local time, or "". keep: pieces stay, for edits of plans.

    preservation: digests of every frame, and a manifest of all files.
    """

    ray: str = "none"
    workers: int = 1
    retries: int = 3
    deadline: str = ""
    aside_only: bool = False
    keep: bool = False
    preservation: bool = False


def look(state: State, found: Sequence[Progress], listener: Listener) -> None:
    """Open every item that is not done: what cannot work is set aside before the night begins."""
    for count, progress in enumerate(found, 1):
        if progress.state not in (DONE, ASIDE) and not progress.size:
            try:
                progress.size = size_of(progress.item, state)
            except StorageError:
                raise
            except ColorizeError as error:
                state.give_up(progress, "open", error, 1)
                listener("aside", name=progress.item.name, stage="open", text=str(error))
            state.save(progress)
        listener("looking", done=count, of=len(found))


def color(out: Path, items: Sequence[Item], wishes: Wishes, listener: Listener) -> tuple[Night, list[Progress]]:
    """Color a collection; what happened to each item too. Raises ColorizeError for what no item is to blame for."""
    until = deadline_of(wishes.deadline, datetime.now()) if wishes.deadline else None
    state = State(out)
    with alone(state.folder, "wait for it or give another OUT_DIR") as held:
        if not held:
            listener("note", text=f"{state.folder}: nothing can be locked there; do not start this collection twice")
        found = ready(state, items, wishes.aside_only)
        look(state, found, listener)
        state.set_aside(found)
        told = forecast(found, shutil.disk_usage(out).free, wishes.keep)
        if told.disk > told.free:
            listener("note", text=short_of_disk(out, told))
        pool: Pool | None = None
        try:
            pool = pool_for(
                wishes.ray, wishes.workers, StepPainter, lambda _: None, lambda text: listener("note", text=text)
            )  # fmt: skip
            schedule = Schedule(state, found, pool, listener, wishes.retries, until, wishes.keep, wishes.preservation)
            night = schedule.run()
        finally:
            if pool is not None:
                pool.close()
            state.set_aside(found)
        schedule.tell(running=False)
        if wishes.preservation:
            manifest_of(out, [p.item.out for p in found if p.state == DONE])
        learn(found)
    return night, found


def short_of_disk(out: Path, told: Forecast) -> str:
    """One line about a disk that will not do."""
    free, disk = (f"{size / 1e9:.1f}" for size in (told.free, told.disk))
    return f"{out} has {free} GB free and about {disk} will be needed; make room, or a part will be left"


def deadline_of(text: str, now: datetime) -> datetime:
    """The next time the local clock shows HH:MM. Raises ValueError."""
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(f"{text!r} is no time of day; write 08:00")
    at = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)
