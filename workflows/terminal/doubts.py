"""Doubts: what a header promises beside what its file holds, in words."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.values.words import counted


def doubt(size: Mapping[str, float]) -> str | None:
    """What a header promises that its file does not hold, in words; None where it is believed. size: of an item.

    >>> doubt({"frames": 9000, "promised": 92_610_000, "promised_hours": 1029})
    'the header promises 1,029 hours (92,610,000 frames); the bytes of the file hold 9,000 frames at most'
    """
    if "promised" not in size:
        return None
    promised, frames = counted(size["promised"], "frame"), counted(size["frames"], "frame")
    hours = size["promised_hours"]
    length = f"{counted(round(hours, 1), 'hour')} ({promised})" if hours >= 1 else promised
    return f"the header promises {length}; the bytes of the file hold {frames} at most"
