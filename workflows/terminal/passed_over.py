"""Passed over: what a walk of a collection does not take, in words. A slip is told by these before torch is loaded."""

from __future__ import annotations

from pipeline.collection.items import Found
from pipeline.values.words import counted

NOTHING_ASIDE = "nothing is set aside in {}; there is nothing to try again"


def passed_over(found: Found) -> str:
    """A line's part about files that are neither reels nor scans, and about folders that were not looked into."""
    message = ", ".join(f"{count} {suffix}" for suffix, count in found.passed.items())
    parts = [f"{counted(sum(found.passed.values()), 'other file')}: {message}"] * bool(message)
    folders = f"{counted(found.linked, 'folder')} behind a symbolic link, which --follow-links takes in"
    parts += [folders] * bool(found.linked)
    return f" ({'; '.join(parts)})" * bool(parts)


def keys_of(found: Found) -> list[str]:
    """A line for each object of a store that is passed over because no path can hold its key."""
    why = "passed over, no path holds such a key; copy the object to one without // and /./"
    return [f"{key!r}: {why}" for key in found.keys]
