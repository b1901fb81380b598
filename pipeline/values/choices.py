"""Choices as people type them, in options and in the cells of a manifest: read once, and held to their range."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

SIZES = range(32, 4097)
"""Working sizes, pixels."""
COMPRESSIONS = ("deflate", "zstd", "lzw", "jpeg", "none")
"""Of a TIFF output."""
PYRAMIDS = ("pages", "subifds")
"""Where a TIFF output's reduced levels are: in pages behind their own, or in directories below it."""
NUMBER = re.compile(r"(?=[.,]?\d)\d{0,20}(?:[.,]\d{0,20})?", re.ASCII)
"""A plain decimal number. One with an exponent can name more than a machine can hold."""
YES, NO = ("yes", "y", "true", "1", "x"), ("no", "n", "false", "0")
"""As spreadsheets and people write them in a cell."""
PAGES = 1 << 31
FRAMES = range(1_000_000)
"""In a second of a time code, and room for slips."""
SHOWN = 40
"""Characters of a wrong value that a message repeats."""
BYTES = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([KMGT]?)i?B?", re.IGNORECASE | re.ASCII)


def _told(text: str) -> str:
    """What was typed, cut where it is no line any more."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def number(text: str) -> Fraction:
    """A number of zero or more, with a point or a comma, or two of them with a slash. Raises ValueError.

    >>> number("23.976"), number("0,5"), number("24000/1001")
    (Fraction(2997, 125), Fraction(1, 2), Fraction(24000, 1001))
    """
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2 or not all(map(NUMBER.fullmatch, parts)):
        raise ValueError(f"{_told(text)} is not a number")
    above, below = (*(Fraction(part.replace(",", ".")) for part in parts), Fraction(1))[:2]
    if not below:
        raise ValueError(f"{_told(text)} divides by nothing")
    return above / below


def whole(text: str, allowed: range) -> int:
    """A whole number of a range. Raises ValueError."""
    word = text.strip()
    if not (word.isdecimal() and word.isascii() and len(word) <= 12):
        raise ValueError(f"{_told(text)} is not a whole number from {allowed[0]} to {allowed[-1]}")
    if int(word) not in allowed:
        raise ValueError(f"{_told(text)} is not from {allowed[0]} to {allowed[-1]}")
    return int(word)


def rate_of(text: str) -> Fraction:
    """Pictures a second: 18, 23.976 or 24000/1001. Raises ValueError."""
    try:
        rate = number(text)
    except ValueError as error:
        raise ValueError(f"{_told(text)} is not a rate; write 18, 23.976 or 24000/1001") from error
    if not 0 < rate <= 1000:
        raise ValueError(f"{_told(text)} is not a rate between 0 and 1000")
    return rate


def working_size_of(text: str) -> int:
    """A number of pixels, or 0 for `native`. Raises ValueError."""
    try:
        return 0 if text.strip().lower() == "native" else whole(text, SIZES)
    except ValueError as error:
        raise ValueError(f"{_told(text)} is neither 'native' nor a size from {SIZES[0]} to {SIZES[-1]}") from error


def page_of(text: str) -> int:
    """A page's number, from 0. Raises ValueError."""
    try:
        return whole(text, range(PAGES))
    except ValueError as error:
        raise ValueError(f"{_told(text)} is not a whole number of 0 or more") from error


def yes_or_no(text: str) -> bool:
    """yes, true, 1 or no, false, 0, in whatever case. Raises ValueError."""
    word = text.strip().lower()
    if word not in (*YES, *NO):
        raise ValueError(f"{_told(text)} is neither yes nor no")
    return word in YES


def bytes_of(text: str) -> int:
    """A number of bytes such as 800M or 2G. Raises ValueError."""
    if (match := BYTES.fullmatch(text.strip())) is None:
        raise ValueError(f"{_told(text)} is not a number of bytes; write 800M or 2G")
    asked = Fraction(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " ")
    if 0 < asked < 1:  # somebody meant gigabytes; 0 would be no limit at all
        raise ValueError(f"{_told(text)} is less than a byte; write 800M or 2G")
    return int(asked)


def seconds(text: str, rate: Fraction) -> Fraction:
    """A time of day on the reel: seconds, [HH:]MM:SS[.fraction] or HH:MM:SS:FF. Raises ValueError."""
    parts = text.strip().replace(";", ":").split(":")
    if text.strip().startswith("-"):
        raise ValueError(f"{_told(text)} is before the reel's beginning")
    try:
        if not 1 <= len(parts) <= 4:
            raise ValueError
        frames = whole(parts.pop(), FRAMES) / rate if len(parts) == 4 else Fraction(0)
        values = [number(part) for part in parts]
    except ValueError as error:
        raise ValueError(f"{_told(text)} is not a time; write seconds, MM:SS, HH:MM:SS.sss or HH:MM:SS:FF") from error
    total = Fraction(0)
    for value in values:
        total = total * 60 + value
    return total + frames


def deadline_of(text: str, now: datetime) -> datetime:
    """The next time the local clock shows HH:MM. Raises ValueError."""
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(f"{_told(text)} is not a time of day; write 08:00")
    at = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


def one_of(names: Any) -> Callable[[str], str]:
    """A reader of one of several names, in whatever case it is typed; it raises ValueError."""

    def read(text: str) -> str:
        if (word := text.strip().lower()) not in names:
            raise ValueError(f"{_told(text)} is not one of {', '.join(names)}")
        return word

    return read
