"""Clock: one time for all of a file whose own begins anew on its way, as where broadcasts or DVD parts were joined.

FFmpeg gives such times as they are: what comes later would lie upon what came before. Here it is put behind it, all
tracks by the same amount, whichever tracks are asked for.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

BEGINS_ANEW = 0x200
"""Of FFmpeg's formats: the clock may jump (AVFMT_TS_DISCONT)."""
BACK = Fraction(1, 10)
"""Seconds by which a track's time must go back to have begun anew; less is a muxer's carelessness."""
APART = 1
"""Seconds by which tracks that end together may end apart."""


class Clock:
    """Moves the times of packets as they are read, all of them from a file's beginning on.

    may_jump: what kind of file it is. jumps: seconds, of one clock, from which on the file's own was another.
    """

    def __init__(self, container: Any) -> None:
        self.jumps: list[Fraction] = []
        self.may_jump = bool(container.format.flags & BEGINS_ANEW)
        self._moves = [Fraction(0)]
        self._at: dict[int, int] = {}
        self._until: dict[int, Fraction] = {}
        self._shown: dict[int, Fraction] = {}

    def set(self, packet: Any) -> None:
        """Give a packet the time that it has in the whole file."""
        if not packet.size:
            return
        index, base = packet.stream.index, packet.time_base
        lasts = (packet.duration or 0) * base
        stamp = _stamp(packet)
        if packet.stream.type not in ("audio", "video"):
            self._at[index] = len(self._moves) - 1
        elif stamp is None:
            if index in self._until:
                self._until[index] += lasts
        else:
            time = stamp * base
            shown = time if packet.pts is None else packet.pts * base
            self._at[index] = self._era(index, time, shown)
            now = time + self._moves[self._at[index]]
            shown += self._moves[self._at[index]] + lasts
            self._shown[index] = max(self._shown.get(index, shown), shown)
            self._until[index] = max(self._until.get(index, now), now) if not lasts else now + lasts
        if by := round(self._moves[self._at.get(index, len(self._moves) - 1)] / base):
            _move(packet, by)

    def _era(self, index: int, time: Fraction, shown: Fraction) -> int:
        """Which of the moves is a track's, at a time as it is written. Tracks change theirs one after the other."""
        era, until = self._at.get(index, 0), self._until.get(index)
        if until is None:
            return len(self._moves) - 1
        if time + self._moves[era] >= until - BACK:
            return era
        last = len(self._moves) - 1
        if era < last and time + self._moves[last] >= until - APART:
            return last
        self.jumps.append(end := max(self._until.values()))
        self._moves.append(max(end - time, self._shown[index] - shown))
        return last + 1


def _stamp(packet: Any) -> int | None:
    """A packet's time in the order of the file. What FFmpeg puts in place of a decoding time runs on where the clock
    has begun anew."""
    if packet.dts is None or packet.pts is None:
        return packet.dts if packet.stream.type == "video" or packet.dts is not None else packet.pts
    return min(packet.dts, packet.pts)


def _move(packet: Any, by: int) -> None:
    if packet.dts is not None:
        packet.dts += by
    if packet.pts is not None:
        packet.pts += by
        if packet.dts is not None:
            packet.dts = min(packet.dts, packet.pts)
