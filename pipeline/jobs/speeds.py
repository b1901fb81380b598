"""Speeds: what runs on a kind of device took per megapixel, written down by each for the forecasts of later ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from colorizer.basis.errors import ColorizeError
from pipeline.spread.pools import device
from pipeline.storage.atomic import write_json
from pipeline.storage.cache import cache_folder
from pipeline.values.words import counted

ENOUGH = 10.0
"""Megapixels from which a run is believed where an earlier one is known: of a few frames most of the time goes into
beginning and end."""


def hours_of(speeds: Mapping[str, float], kind: str, megapixels: float) -> float | None:
    """Of one worker. speeds: seconds per megapixel by kind, as `calibration` tells of a device; None for a kind that
    was never measured."""
    return megapixels * speeds[kind] / 3600 if kind in speeds else None


def device_name() -> str:
    """The device that workers paint on, in words."""
    if device() == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU, {counted(torch.get_num_threads(), 'thread')}"


def _path() -> Path:
    return cache_folder() / "calibration.json"


def calibration() -> dict[str, dict[str, float]]:
    """Seconds of one worker per megapixel, by device and kind; what cannot be read is nothing known."""
    try:
        values = json.loads(_path().read_text(encoding="utf-8"))
        return {
            str(name): {kind: float(speed) for kind, speed in kinds.items() if float(speed) > 0}
            for name, kinds in values.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def learn(spent: Mapping[str, tuple[float, float]]) -> None:
    """Write down what a run took on this device: seconds of workers and megapixels, by kind.

    Where a speed is known, a run of little is no better one. A cache that cannot be written is no matter.
    """
    known = calibration()
    mine = known.get(device_name(), {})
    new = {
        kind: round(seconds / pixels, 6)
        for kind, (seconds, pixels) in spent.items()
        if seconds > 0 and pixels > 0 and (pixels >= ENOUGH or kind not in mine)
    }
    if not new:
        return
    known[device_name()] = {**mine, **new}
    try:
        _path().parent.mkdir(parents=True, exist_ok=True)
        write_json(_path(), known, indent=1)
    except (OSError, ColorizeError):
        return
