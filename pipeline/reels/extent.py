"""Extent: how many frames a file can hold, by its index or its packets, where its header promises more, or nothing.

Nothing is decoded, and of a large file only so much is read as its promise needs: a header that its bytes can keep is
believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pipeline.reels.parts import parts_of
from pipeline.reels.reel import Reel, open_source, packets_of, readable

SAMPLE = 8_000_000
"""Bytes of packets from which the size of a frame is known."""
COUNTED = 2_000_000_000
"""Bytes of packets that are counted at most where a header is not believed; from there on the count is scaled."""
LITTLE = 3
"""Times the frames that a header promises: where there is room for more, it is not the header that counts. A packet may
be a field, and a file may hold other things than pictures."""
BELIEVED = 2
"""Times the frames that a file has room for at its frames' mean size: what promises more is counted. A film's pictures
differ in size."""


@dataclass(frozen=True, slots=True)
class Extent:
    """frames: to color, at most. promised: by the header, the same number where nothing speaks against it.
    seconds: that the header promises."""

    frames: int
    promised: int
    seconds: Fraction

    @property
    def doubtful(self) -> bool:
        """Whether the header promises what the file cannot hold. A film shown at 30 pictures a second that is stored at
        24 promises a quarter more than there is, and is sound."""
        return self.promised > self.frames * 1.25 + 1


def extent_of(reel: Reel) -> Extent:
    """What a reel's header promises, bounded by what its file holds. Raises SourceError."""
    promised = reel.header_frames or round(float(reel.header_seconds * reel.rate))
    if reel.is_sequence:
        return Extent(max(1, promised), max(1, promised), reel.header_seconds)
    size = sum(part.stat().st_size for part in parts_of(reel.uri))
    with readable(reel.uri), open_source(reel.uri) as container:
        index = container.streams[reel.stream].index_entries
        held: float = sum(entry.pos + entry.size <= size for entry in index)
        if len(index) < promised or not reel.header_frames:  # of key frames only, or none
            held = _room(container, reel.stream, promised, size)
    little = held > LITTLE * promised  # as a bare stream, a film without its end, and one with few times promise
    frames = max(1, round(held) if little else min(promised, round(held)))
    promised = frames if little else promised
    return Extent(frames, promised, reel.header_seconds or promised / reel.rate)


def _room(container: Any, stream: int, promised: int, size: int) -> float:
    """Frames that there is room for: counted to the end of a small file, and of one that promises too many; else scaled
    from its first ones, which is more than there are, since a file is not packets alone. promised: 0 for nothing."""
    frames = read = 0
    for packet in packets_of(container, tuple(container.streams)):
        read += packet.size
        frames += packet.stream.index == stream and packet.size > 0
        if read > (SAMPLE if frames and promised * read <= BELIEVED * frames * size else COUNTED):
            return frames * max(size, read) / read
    return frames
