"""Time code of a piece: the reel's own, moved on by the frames before it (SMPTE ST 12-1, drop-frame included)."""

from __future__ import annotations

import re
from fractions import Fraction

CODE = re.compile(r"(\d{1,2}):(\d\d):(\d\d)([:;.])(\d{2,3})")


def mended(code: str, rate: Fraction) -> str:
    """`code` as files take it that count frames from it, such as QuickTime's; "" where it does not say what is meant.

    A drop-frame mark at a rate that drops no numbers can only be meant as a colon.
    """
    found, nominal = CODE.fullmatch(code.strip()), max(1, round(rate))
    if found is None:
        return ""
    hours, minutes, seconds, frame = (int(found[n]) for n in (1, 2, 3, 5))
    if hours >= 24 or minutes >= 60 or seconds >= 60 or frame >= nominal:
        return ""
    mark = found[4] if nominal % 30 == 0 else ":"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{found[5]}"


def advance(code: str, frames: int, rate: Fraction) -> str:
    """`code` plus `frames` at a rate; an unreadable code comes back as it is when frames is 0, else empty.

    A ";" or "." before the frame number marks drop-frame counting: at 30 and 60 frames a second nominal, the first 2
    (4) numbers of every minute but each tenth are skipped.
    """
    if not frames:
        return code
    found = CODE.fullmatch(code.strip())
    if found is None:
        return ""
    hours, minutes, seconds, mark, frame = (found[1], found[2], found[3], found[4], found[5])
    nominal = max(1, round(rate))
    skipped = nominal // 15 if mark != ":" and nominal % 30 == 0 else 0
    whole = int(hours) * 60 + int(minutes)
    count = (whole * 60 + int(seconds)) * nominal + int(frame) - skipped * (whole - whole // 10) + frames
    if skipped:
        tens, rest = divmod(count, 600 * nominal - 9 * skipped)
        count += 9 * skipped * tens + skipped * max(0, (rest - skipped) // (60 * nominal - skipped))
    total, frame_number = divmod(count, nominal)
    return f"{total // 3600 % 24:02d}:{total // 60 % 60:02d}:{total % 60:02d}{mark}{frame_number:0{len(frame)}d}"
