"""Times and amounts as a person reads them: on a player, of a night, of a disk."""

from __future__ import annotations

import math


def clock(seconds: float) -> str:
    """Seconds as a player shows them: 0:04.2, 1:02:03.0."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02}.{rest % 10}"


def lasting(hours: float) -> str:
    """How long something takes, in the unit that a person would choose.

    >>> lasting(0.004), lasting(0.3), lasting(7.46)
    ('less than a minute', 'about 18 minutes', 'about 7.5 hours')
    """
    minutes = round(hours * 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    return f"about {hours:.1f} hours"


def sized(amount: float) -> str:
    """Bytes, in the unit that a person would choose; a little is never nothing.

    >>> sized(12), sized(3_400_000), sized(75.54e9)
    ('1 MB', '4 MB', '75.5 GB')
    """
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{max(1, math.ceil(amount / 1e6)):,} MB"
