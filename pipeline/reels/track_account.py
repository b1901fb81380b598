"""Track account: whether the packets of a track beside the picture add up, in a source and in its output."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pipeline.reels.account import HIDDEN, OUTSIDE, REFUSED, SOURCE, UNDECODED, check_track
from pipeline.reels.packets import Packets
from pipeline.reels.tracks import Carried
from pipeline.values.finding import Finding
from pipeline.values.words import counted

STOPPED, NEW = "reading stopped there ({})", "{} of the new sound refused by the container"


@dataclass(slots=True)
class Track:
    """A track in the source and in the output, and its packets in both. undecoded: of those, in the source.

    clock: seconds that the picture moved by; allowed: by how much more a packet may.
    """

    fate: Carried
    index: int
    a: Packets
    b: Packets
    clock: Fraction
    allowed: Fraction
    undecoded: int = 0

    def failed(self, _: Any) -> None:
        """A packet of the source does not decode."""
        self.undecoded += 1


def account_of(track: Track, span: tuple[Fraction, Fraction] | None, holds: bool) -> Finding:
    """Whether a track's packets add up. span: of a piece; holds: what is in the output was found to be the source's."""
    fate, a, b = track.fate, track.a, track.b
    converted = fate.how == "converted"
    times = (a.time(i) for i in range(len(a)))
    outside = sum(t is not None and not span[0] <= t < span[1] for t in times) if span is not None else 0
    undecoded, refused = (track.undecoded, 0) if converted else (0, fate.rejected)
    written = len(a) - outside - undecoded - refused
    if not converted and a.digest != b.digest:
        written = len(b)
        if span is not None and holds:  # from the very beginning with the sound before it; by decoding times, too
            outside = max(0, len(a) - len(b) - refused)
            written = min(len(b), len(a) - refused)  # a muxer may cut PCM anew
    counts = {SOURCE: len(a) + a.left, HIDDEN: a.left, OUTSIDE: outside, REFUSED: refused, UNDECODED: undecoded}
    troubles = [STOPPED.format(why)] if (why := a.stopped or b.stopped) else []
    troubles += [NEW.format(counted(fate.rejected, "packet"))] if converted and fate.rejected else []
    return check_track(fate.name, counts, written, troubles)
