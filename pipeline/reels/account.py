"""Account: what became of each packet of a picture's track. Packets and frames add up, or that is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from pipeline.reels import pulldown
from pipeline.values.finding import Finding
from pipeline.values.words import counted

UNSEEN = {"vp8": 0x10}
"""Of codecs whose packets say whether they show a picture: the bit of the first byte that says so (RFC 6386, 9.1)."""

WORDS = {
    "frames": "gave a frame", "hidden": "hidden by an edit list", "unseen": "not to be shown, as they say themselves",
    "failed": "cannot be decoded", "before": "need a picture that is not in the file", "silent": "gave no frame",
}  # fmt: skip
"""What becomes of packets, in the order in which it is told."""

SOURCE, HIDDEN, OUTSIDE = "in the source", "hidden by an edit list and left out", "outside the piece"
REFUSED, UNDECODED = "refused by the container", "cannot be decoded"
FINE = {SOURCE, HIDDEN, OUTSIDE}
"""Of another track's packets: why some are left out; these reasons are no loss."""

Event = tuple[int, int | None]
"""How many packets had been read when something came of one, and its time."""


@dataclass(slots=True)
class Account:
    """What comes of packets, while a track is decoded. waiting: times of packets of which no frame has come.

    since, until: times of the frames that a piece begins with and that comes after it. repeated: packets that ask for
    a field to be shown twice.
    """

    packets: list[Event] = field(default_factory=list, repr=False)
    frames: list[Event] = field(default_factory=list, repr=False)
    hidden: list[Event] = field(default_factory=list, repr=False)
    unseen: list[Event] = field(default_factory=list, repr=False)
    failed: list[Event] = field(default_factory=list, repr=False)
    repeated: int = 0
    waiting: dict[int | None, int] = field(default_factory=dict, repr=False)
    since: int | None = None
    until: int | None = None

    def read(self, packet: Any, codec: str) -> None:
        """A packet was read. The last one is empty: it asks the decoder for what it still holds."""
        if not packet.size:
            return
        event = len(self.packets) + 1, packet.pts
        self.packets.append(event)
        self.repeated += codec in pulldown.CODECS and pulldown.repeats(bytes(memoryview(packet)[: pulldown.HEAD]))
        if packet.is_discard:
            self.hidden.append(event)
        elif codec in UNSEEN and not bytes(packet)[0] & UNSEEN[codec]:
            self.unseen.append(event)
        else:
            self.waiting[packet.pts] = self.waiting.get(packet.pts, 0) + 1

    def refused(self, packet: Any) -> None:
        """The decoder made an error of a packet. One that would not have been shown is counted already."""
        if packet.size and packet.pts in self.waiting:
            self.failed.append((len(self.packets), packet.pts))
            self._came(packet.pts)

    def gave(self, frames: Iterable[Any]) -> None:
        """Frames came of a packet, or of those before it."""
        for frame in frames:
            self.frames.append((len(self.packets), frame.pts))
            self._came(frame.pts)

    def _came(self, pts: int | None) -> None:
        self.waiting[pts] = self.waiting.get(pts, 0) - 1
        if self.waiting[pts] <= 0:
            del self.waiting[pts]

    def counts(self) -> dict[str, int]:
        """What became of the packets, by name. extra: frames beyond those that packets account for.

        Of a piece those are counted that lie in it and were read before the frame after it came: a reader may be ahead
        by any number. Nothing is counted where packets have no times.
        """
        piece = self.since is not None or self.until is not None
        if piece and any(pts is None for _, pts in self.packets):
            return {}
        kinds = {"frames": self.frames, "hidden": self.hidden, "unseen": self.unseen, "failed": self.failed}
        found = {name: self._inside(events) for name, events in kinds.items()}
        packets = self._inside(self.packets)
        rest = packets - sum(found.values())
        before = max(0, min(rest, 0 if piece else self._early()))
        found |= {"before": before, "silent": max(0, rest - before), "extra": max(0, -rest)}
        return {name: count for name, count in {"packets": packets, **found}.items() if count}

    def _inside(self, events: list[Event]) -> int:
        """How many lie in the piece."""
        if self.since is None and self.until is None:
            return len(events)
        last = next((read for read, pts in self.frames if pts == self.until), len(self.packets))
        low, high = (-inf if self.since is None else self.since), (inf if self.until is None else self.until)
        return sum(read <= last and pts is not None and low <= pts < high for read, pts in events)

    def _early(self) -> int:
        """Packets from before the first frame of which no frame came."""
        first = self.frames[0][1] if self.frames else None
        return sum(n for pts, n in self.waiting.items() if pts is not None and first is not None and pts < first)


def check_account(counts: dict[str, int]) -> list[Finding]:
    """Whether each packet of the picture gave a frame, or is not to be shown; nothing where nothing was counted."""
    if not counts:
        return []
    told = [f"{counts[name]} {words}" for name, words in WORDS.items() if counts.get(name)]
    told += [f"{counted(counts['extra'], 'frame')} came of no packet"] if counts.get("extra") else []
    whole = not any(counts.get(name) for name in ("failed", "before", "silent", "extra"))
    return [Finding("packets", whole, f"{counts.get('packets', 0)} in the source: {', '.join(told)}")]


def check_track(name: str, counts: Mapping[str, int], written: int, troubles: Sequence[str] = ()) -> Finding:
    """Whether each packet of another track is in the output, or is left out for a reason that is no loss.

    counts: packets in the source, and those that are left out, by why. written: those that are in the output, or went
    into its sound where that is converted. troubles: what else was lost, in words.
    """
    left = {why: n for why, n in counts.items() if why != SOURCE and n}
    missing = counts[SOURCE] - written - sum(left.values())
    told = [f"{written} are in the output", *(f"{n} {why}" for why, n in left.items())]
    told += [f"{missing} are missing"] * (missing > 0) + [f"{-missing} came of no packet"] * (missing < 0)
    whole = not missing and not troubles and not left.keys() - FINE
    return Finding(f"packets of {name}", whole, f"{counts[SOURCE]} in the source: {', '.join([*told, *troubles])}")


def of_pictures(count: int, bad: int) -> dict[str, int]:
    """The same of a sequence's pictures, or of those of a piece: how many there are, and how many cannot be read."""
    return {name: n for name, n in (("packets", count), ("frames", count - bad), ("failed", bad)) if n}
