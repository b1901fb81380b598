"""A few lines of many: what is lost, as a terminal shows it. Sidecars have all of it."""

from __future__ import annotations

from collections.abc import Sequence

LINES = 10


def few(lost: Sequence[str], place: str) -> list[str]:
    """At most LINES lines, the last of them a count where there are more. place: where all of them are."""
    if len(lost) <= LINES:
        return list(lost)
    return [*lost[: LINES - 1], f"{len(lost) - LINES + 1} more, all in {place}"]
