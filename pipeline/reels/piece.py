"""Piece: the frames of a reel between two times, as a person types them."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pipeline.reels.frames import Frame
from pipeline.reels.reel import Reel
from pipeline.values.choices import seconds


class Piece:
    """Says of each frame of a reel, asked in order, whether it belongs to the piece.

    start, stop: as `seconds` reads them, from the reel's first frame on; empty: from its beginning, to its end. The
    frame at `stop` is outside. A piece has no holes: where a file's times are in the wrong order, frames that
    follow its first one are in it until one reaches `stop`.
    """

    def __init__(self, reel: Reel, start: str, stop: str) -> None:
        """Raises ValueError for what is not a time."""
        self._reel = reel
        self._begin = seconds(start, reel.rate) if start else Fraction(0)
        self._end = seconds(stop, reel.rate) if stop else None
        self._origin: int | None = None
        self._begun = not start

    def place(self, frame: Frame) -> Literal["before", "inside", "after"]:
        """Where the frame lies; nothing follows one that is after the piece."""
        if frame.pts is None:
            time = frame.index / self._reel.rate
        else:
            self._origin = frame.pts if self._origin is None else self._origin
            time = (frame.pts - self._origin) * self._reel.time_base
        if self._end is not None and self._reached(time, self._end):
            return "after"
        self._begun = self._begun or self._reached(time, self._begin)
        return "inside" if self._begun else "before"

    def _reached(self, time: Fraction, mark: Fraction) -> bool:
        """Files round times: at 24 fps frame 20 is at 833 ms, not 833.3."""
        return time + min(self._reel.time_base, 1 / (4 * self._reel.rate)) >= mark


def frames_between(reel: Reel, start: str, stop: str, frames: int) -> int:
    """How many of a reel's frames a piece has, by its rate; at least one. frames: of all of it."""
    first = min(round(seconds(start, reel.rate) * reel.rate), frames) if start else 0
    last = min(round(seconds(stop, reel.rate) * reel.rate), frames) if stop else frames
    return max(1, last - first) if start or stop else frames
