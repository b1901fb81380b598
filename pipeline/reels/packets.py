"""Packets of a track, in a source and in its output: their bytes, and their times beside the picture's."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from typing import Any

import av

from pipeline.reels.reel import open_source, packets_of, readable

UNKNOWN = -(2**63)
"""FFmpeg's own mark for a packet without a time."""


@dataclass(slots=True)
class Packets:
    """A track's packets: a digest of all bytes, and each one's own, its size and its time in ticks of `base`.

    hidden: how many of them an edit list hides; left: how many more that are left out for it. outside: how many lie
    outside the span that was asked for; stopped: why reading ended before the file did, "" where it did not.
    """

    base: Fraction
    digest: str = ""
    marks: list[bytes] = field(default_factory=list, repr=False)
    sizes: array[int] = field(default_factory=lambda: array("q"), repr=False)
    ticks: array[int] = field(default_factory=lambda: array("q"), repr=False)
    hidden: int = 0
    left: int = 0
    outside: int = 0
    stopped: str = ""

    def __len__(self) -> int:
        return len(self.marks)

    def time(self, index: int) -> Fraction | None:
        """Seconds, if the file says."""
        return None if self.ticks[index] == UNKNOWN else self.ticks[index] * self.base

    @property
    def first(self) -> Fraction | None:
        """Seconds of the first packet that has a time."""
        return next((t for i in range(len(self)) if (t := self.time(i)) is not None), None)

    @property
    def offsets(self) -> list[int]:
        """Bytes of the track before each packet."""
        return [0, *accumulate(self.sizes)][:-1]


def shown(packets: Iterable[Any]) -> Iterator[Any]:
    """Packets but for those that an edit list hides. The last of these before one that it shows stays: a decoder of
    sound begins with it, as it does in files without such a list.
    """
    held: dict[int, Any] = {}
    for packet in packets:
        index = packet.stream.index
        before = held.pop(index, None)
        if packet.size and packet.is_discard:
            held[index] = packet
            continue
        if before is not None and packet.size:
            yield before
        yield packet


def read_packets(
    uri: str, index: int, since: Fraction | None = None, until: Fraction | None = None, hidden: bool = True
) -> Packets:
    """All packets of a track that hold anything; of a piece those in [since, until), seconds.

    hidden: those that an edit list hides, too.
    """
    whole = hashlib.sha256()
    with readable(uri), open_source(uri) as container:
        stream = container.streams[index]
        found = Packets(Fraction(stream.time_base or Fraction(1, 1_000_000)))
        gaps = stream.type == "subtitle" and stream.codec_context.name == "mov_text"  # muxers fill gaps with empty ones

        def stopped(error: av.FFmpegError) -> None:
            found.stopped = type(error).__name__

        def counted() -> Iterator[Any]:
            for packet in packets_of(container, stream, stopped):
                found.left += bool(packet.size and packet.is_discard)
                yield packet

        every = counted()
        for packet in every if hidden else shown(every):
            data = bytes(packet)
            time = None if packet.pts is None else packet.pts * found.base
            outside = time is not None and (
                (since is not None and time < since) or (until is not None and time >= until)
            )
            found.outside += bool(data and outside)
            if data and not outside and not (gaps and data == b"\0\0"):
                whole.update(data)
                found.marks.append(hashlib.blake2b(data, digest_size=8).digest())
                found.sizes.append(len(data))
                found.hidden += packet.is_discard
                found.ticks.append(packet.pts if packet.pts is not None else UNKNOWN)
    found.digest, found.left = whole.hexdigest(), found.left - found.hidden
    return found


def paired(a: Packets, b: Packets) -> Iterator[tuple[int, int]]:
    """Indices of packets that begin with the same byte of a track: a muxer may cut PCM anew."""
    if len(a) == len(b):
        yield from ((i, i) for i in range(len(a)))
    elif a.digest == b.digest:
        offsets = a.offsets
        for j, offset in enumerate(b.offsets):
            i = bisect_left(offsets, offset)
            if i < len(offsets) and offsets[i] == offset:
                yield i, j


def moved(a: Packets, b: Packets, clock: Fraction) -> Fraction:
    """By how much a track moved at most, in seconds. clock: what the picture itself moved by.

    A packet with the time of the one before it has none of its own, and may be anywhere behind that.
    """
    own = ((i, j) for i, j in paired(a, b) if not i or a.ticks[i] == UNKNOWN or a.ticks[i] != a.ticks[i - 1])
    pairs = ((a.time(i), b.time(j)) for i, j in own)
    return max((abs(y - x - clock) for x, y in pairs if x is not None and y is not None), default=Fraction(0))


def found_in(a: Packets, b: Packets, clock: Fraction, allowed: Fraction) -> list[int]:
    """Where the packets of a part lie in the whole, each with its bytes and at its time; ends at one that does not."""
    places: list[int] = []
    at = 0
    for j in range(len(b)):
        later = b.time(j)
        while at < len(a):
            time = a.time(at)
            if a.marks[at] == b.marks[j] and (time is None or later is None or abs(later - time - clock) <= allowed):
                break
            at += 1
        else:
            return places
        places.append(at)
        at += 1
    return places
