"""Sound kinds: the rates and layouts that a track has along its way, found by decoding it.

A container says them once. A tape that was recorded over, or a broadcast, may change them where it likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av

from pipeline.containers.labels import CHANGES
from pipeline.reels.reel import frames_of, open_source, readable

CHANGING = ("dv", "avi", "mpegts", "mpeg")
"""Formats, by FFmpeg's names, in which the sound says anew with every packet what it is."""


@dataclass(frozen=True, slots=True)
class SoundKinds:
    """What a track's sound is, in the order in which it first is so.

    kinds: samples per second and layout; at: seconds of each one's first sample; seconds: of all sound that decodes.
    """

    kinds: tuple[tuple[int, str], ...]
    at: tuple[Fraction, ...]
    seconds: Fraction

    @property
    def widest(self) -> tuple[int, str]:
        """The highest rate and the layout of most channels: what holds all of the sound."""
        layouts = [layout for _, layout in self.kinds]
        return max(rate for rate, _ in self.kinds), max(layouts, key=lambda name: av.AudioLayout(name).nb_channels)

    @property
    def change(self) -> str:
        """Where the sound first becomes another, in words; "" where it stays what it is."""
        if len(self.kinds) < 2:
            return ""
        (rate, layout), (other, to) = self.kinds[:2]
        return CHANGES.format(rate, layout, other, to, f"{float(self.at[1]):.3f}")


def sound_kinds(uri: str, index: int) -> SoundKinds:
    """Decode a whole track of sound; packets that fail are left out. Raises SourceError."""
    found: dict[tuple[int, str], Fraction] = {}
    seconds = Fraction(0)
    with readable(uri), open_source(uri) as container:
        for frame in frames_of(container, container.streams[index]):
            at = seconds if frame.pts is None else Fraction(frame.pts * frame.time_base)
            found.setdefault((frame.sample_rate, frame.layout.name), at)
            seconds += Fraction(frame.samples, frame.sample_rate)
    return SoundKinds(tuple(found), tuple(found.values()), seconds)
