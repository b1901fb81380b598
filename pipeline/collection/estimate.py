"""Estimate: how large an item is, by its header alone, and how long and how much disk a collection will take.

Speeds come from runs on the same kind of device: every run writes down what it measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from colorizer.errors import ColorizeError
from pipeline.collection.item import Item
from pipeline.collection.state import DONE, Progress, State
from pipeline.collection.steps import job_of
from pipeline.jobs import Job
from pipeline.storage import write_json
from pipeline.workers import device

REEL_BYTES, SCAN_BYTES = 1.5, 2.5
"""Of an output per pixel and byte of a sample: a frame's luma and chroma in FFV1, three samples in Deflate; both with
grain, which compresses badly."""


def size_of(item: Item, state: State) -> dict[str, float]:
    """Frames or pages, megapixels and bytes of the output, as the headers promise. Raises ColorizeError."""
    job = job_of(item, state.out, state)
    if isinstance(job, Job):
        reel = job.reel
        frames = reel.header_frames or round(float(reel.header_seconds * reel.rate)) or 1
        pixels = float(frames * reel.width * reel.height)
        return {
            "frames": frames,
            "megapixels": round(pixels / 1e6, 2),
            "bytes": _bytes(pixels, reel.coding.bits, REEL_BYTES),
        }
    pixels, held = 0.0, 0.0
    for page in job.facts:
        pixels += page.height * page.width
        held += _bytes(page.height * page.width, page.bits, SCAN_BYTES)
    return {"pages": len(job.facts), "megapixels": round(pixels / 1e6, 2), "bytes": held}


def _bytes(pixels: float, bits: int, each: float) -> float:
    return round(pixels * each * (1 if bits <= 8 else 2))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would take. files, frames, megapixels: of what is left to do, by kind. hours: of one worker on this
    device, None where no run has measured it. disk: bytes needed, while it runs; free: bytes there are.
    """

    files: dict[str, int]
    frames: int
    megapixels: dict[str, float]
    hours: float | None
    device: str
    disk: float
    free: float


def forecast(items: Iterable[Progress], free: float, keep: bool) -> Forecast:
    """Of the items that are neither done nor set aside."""
    files, megapixels, frames, disk, largest = {"reel": 0, "scan": 0}, {"reel": 0.0, "scan": 0.0}, 0, 0.0, 0.0
    for progress in items:
        if progress.state == DONE or progress.error:
            continue
        kind = progress.item.kind
        files[kind] += 1
        megapixels[kind] += progress.megapixels
        frames += int(progress.size.get("frames", 0))
        size = float(progress.size.get("bytes", 0.0))
        disk, largest = disk + size * (2 if keep else 1), max(largest, size)
    speeds = calibration().get(device_name(), {})
    hours: float | None = 0.0
    for kind, count in files.items():
        if count and hours is not None:
            hours = hours + megapixels[kind] * speeds[kind] / 3600 if kind in speeds else None
    return Forecast(files, frames, megapixels, hours, device_name(), disk + largest, free)


def device_name() -> str:
    """The device that workers paint on, in words."""
    if device() == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} threads"


def _path() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chromatheque" / "calibration.json"


def calibration() -> dict[str, dict[str, float]]:
    """Seconds of one worker per megapixel, by device and kind; what cannot be read is nothing known."""
    try:
        told = json.loads(_path().read_text(encoding="utf-8"))
        return {
            str(name): {kind: float(speed) for kind, speed in kinds.items() if float(speed) > 0}
            for name, kinds in told.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def learn(items: Iterable[Progress]) -> None:
    """Write down what the items that were finished took on this device; a cache that cannot be written is no matter."""
    spent: dict[str, list[float]] = {}
    for progress in items:
        seconds = sum(progress.seconds.values())
        if progress.state == DONE and seconds > 0 and "megapixels" in progress.size:
            pair = spent.setdefault(progress.item.kind, [0.0, 0.0])
            pair[0], pair[1] = pair[0] + seconds, pair[1] + progress.megapixels
    new = {kind: seconds / pixels for kind, (seconds, pixels) in spent.items() if pixels > 0}
    if not new:
        return
    told = calibration()
    told[device_name()] = {**told.get(device_name(), {}), **{kind: round(speed, 6) for kind, speed in new.items()}}
    try:
        _path().parent.mkdir(parents=True, exist_ok=True)
        write_json(_path(), told, indent=1)
    except (OSError, ColorizeError):
        return
