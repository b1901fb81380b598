"""Times and numbers as a person reads them: on a player, of a night, with their noun."""

from __future__ import annotations


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


def counted(count: float, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "reel"), counted(0.26, "megapixel"), counted(12345, "frame")
    ('1 reel', '0.3 megapixels', '12,345 frames')
    """
    number = f"{count:.1f}" if count < 10 and count != int(count) else f"{count:,.0f}"
    return f"{number} {noun}{'s' * (number != '1')}"
