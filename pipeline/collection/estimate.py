"""Estimate: how large an item is, by its header and its file's room, and what a collection will take of time and disk.

Speeds come from runs on the same kind of device: every run writes down what it measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from colorizer.basis.errors import SourceError
from pipeline.collection.item import Item
from pipeline.collection.state import ItemProgress, State
from pipeline.collection.steps import job_of
from pipeline.jobs.folder import check_source
from pipeline.jobs.speeds import calibration, device_name, hours_of, learn
from pipeline.storage.stores import is_uri, masked
from pipeline.values.kinds import KINDS
from pipeline.values.stages import DONE

UNSEEN = 4.0
"""Bytes of a compressed source per pixel that are guessed where it lies in a store: its header is read with the rest
of it. The survey measures it."""


def size_of(item: Item, state: State) -> dict[str, float]:
    """Frames or pages, megapixels and bytes of the output, as the headers promise. Raises ColorizeError.

    Of a source in a store only its own bytes are known, as `fetched`; the rest is guessed from them.
    """
    if item.fault:
        raise SourceError(masked(item.source), item.fault)
    if not is_uri(item.source):
        check_source(item.source)
        return job_of(item, state.depot).measure()
    held = state.depot.source_bytes(item)
    if held is None:
        raise SourceError(masked(item.source), "no such file")
    if not held:
        raise SourceError(masked(item.source), "the file is empty")
    return {"fetched": float(held), "megapixels": round(held / UNSEEN / 1e6, 6), "bytes": float(2 * held)}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would take. files, frames, megapixels: of what is left to do, by kind. hours: of one worker on this
    device, None where no run has measured it. disk: bytes needed, while it runs; free: bytes there are. fetched: bytes
    of sources in stores.
    """

    files: dict[str, int]
    frames: int
    megapixels: dict[str, float]
    hours: float | None
    device: str
    disk: float
    free: float
    fetched: float = 0.0


def forecast(items: Iterable[ItemProgress], free: float, keep: bool, stored: bool = False) -> Forecast:
    """Of the items that are neither done nor set aside. keep: their pieces stay on this disk.

    stored: outputs go to a store as soon as they are done.
    """
    files, megapixels = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0.0)
    frames, disk, largest = 0, 0.0, 0.0
    fetched = 0.0
    for progress in items:
        if progress.state == DONE or progress.error:
            continue
        kind = progress.item.kind
        files[kind] += 1
        megapixels[kind] += progress.megapixels
        frames += int(progress.size.get("frames", 0))
        size = float(progress.size.get("bytes", 0.0))
        held = float(progress.size.get("fetched", 0.0))
        fetched, largest = fetched + held, max(largest, 2 * size + held if stored else size + held)
        disk += size * ((not stored) + keep)
    hours: float | None = 0.0
    speeds = calibration().get(device_name(), {})
    for kind, count in files.items():
        more = hours_of(speeds, kind, megapixels[kind]) if count else 0.0
        hours = None if hours is None or more is None else hours + more
    return Forecast(files, frames, megapixels, hours, device_name(), disk + largest, free, fetched)


def learn_from(items: Iterable[ItemProgress]) -> None:
    """Write down what the items that were finished took on this device."""
    spent: dict[str, tuple[float, float]] = {}
    for progress in items:
        seconds = sum(progress.seconds.values())
        if progress.state == DONE and seconds > 0 and "megapixels" in progress.size:
            before = spent.get(progress.item.kind, (0.0, 0.0))
            spent[progress.item.kind] = before[0] + seconds, before[1] + progress.megapixels
    learn(spent)
