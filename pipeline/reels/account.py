"""Account: what became of each packet of a picture's track. Packets and frames add up, or that is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.reels import pulldown
from pipeline.values.finding import Finding

UNSEEN = {"vp8": 0x10}
"""Of codecs whose packets say whether they show a picture: the bit of the first byte that says so (RFC 6386, 9.1)."""

WORDS = {
    "frames": "gave a frame", "hidden": "hidden by an edit list", "unseen": "not to be shown, as they say themselves",
    "failed": "cannot be decoded", "before": "need a picture that is not in the file", "silent": "gave no frame",
}  # fmt: skip
"""What becomes of packets, in the order in which it is told."""


@dataclass(slots=True)
class Account:
    """Counts of packets and frames, while a track is decoded. waiting: times of packets of which no frame has come.

    repeated: packets that ask for a field to be shown twice.
    """

    packets: int = 0
    frames: int = 0
    hidden: int = 0
    unseen: int = 0
    failed: int = 0
    repeated: int = 0
    first: int | None = None
    waiting: dict[int | None, int] = field(default_factory=dict, repr=False)

    def read(self, packet: Any, codec: str) -> None:
        """A packet was read. The last one is empty: it asks the decoder for what it still holds."""
        if not packet.size:
            return
        self.packets += 1
        self.repeated += codec in pulldown.CODECS and pulldown.repeats(bytes(memoryview(packet)[: pulldown.HEAD]))
        if packet.is_discard:
            self.hidden += 1
        elif codec in UNSEEN and not bytes(packet)[0] & UNSEEN[codec]:
            self.unseen += 1
        else:
            self.waiting[packet.pts] = self.waiting.get(packet.pts, 0) + 1

    def refused(self, packet: Any) -> None:
        """The decoder made an error of a packet. One that would not have been shown is counted already."""
        if packet.size and packet.pts in self.waiting:
            self.failed += 1
            self._came(packet.pts)

    def gave(self, frames: Iterable[Any]) -> None:
        """Frames came of a packet, or of those before it."""
        for frame in frames:
            self.frames += 1
            self.first = frame.pts if self.first is None else self.first
            self._came(frame.pts)

    def _came(self, pts: int | None) -> None:
        self.waiting[pts] = self.waiting.get(pts, 0) - 1
        if self.waiting[pts] <= 0:
            del self.waiting[pts]

    def counts(self) -> dict[str, int]:
        """What became of the packets, by name. extra: frames beyond those that packets account for."""
        rest = self.packets - self.hidden - self.unseen - self.failed - self.frames
        early = [
            n for pts, n in self.waiting.items() if pts is not None and self.first is not None and pts < self.first
        ]
        before = max(0, min(rest, sum(early)))
        found = {
            "packets": self.packets, "frames": self.frames, "hidden": self.hidden, "unseen": self.unseen,
            "failed": self.failed, "before": before, "silent": max(0, rest - before), "extra": max(0, -rest),
        }  # fmt: skip
        return {name: count for name, count in found.items() if count}


def check_account(counts: dict[str, int]) -> list[Finding]:
    """Whether each packet of the picture gave a frame, or is not to be shown; nothing where nothing was counted."""
    if not counts:
        return []
    told = [f"{counts[name]} {words}" for name, words in WORDS.items() if counts.get(name)]
    told += [f"{counts['extra']} frames came of no packet"] if counts.get("extra") else []
    whole = not any(counts.get(name) for name in ("failed", "before", "silent", "extra"))
    return [Finding("packets", whole, f"{counts.get('packets', 0)} in the source: {', '.join(told)}")]
