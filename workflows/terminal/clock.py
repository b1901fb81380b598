"""Times as a person reads them on a player."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as a player shows them: 0:04.2, 1:02:03.0."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02}.{rest % 10}"
