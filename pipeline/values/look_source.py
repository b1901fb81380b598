"""LookSource: where the look of a shot or page comes from, if not from its own frames or picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LookSource:
    """One of three: frames [start, stop) of the same reel, a page of the same scan, or a picture by name and digest."""

    frames: tuple[int, int] | None = None
    page: int | None = None
    picture: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if (self.frames is not None) + (self.page is not None) + bool(self.picture) != 1:
            raise ValueError("a look comes from frames, from a page or from a picture")
        if self.frames is not None and not 0 <= self.frames[0] < self.frames[1]:
            raise ValueError(f"a look comes from frames {self.frames[0]} to {self.frames[1] - 1}, which are none")
        if self.picture and not SHA256.fullmatch(self.sha256):
            raise ValueError(f"the picture {self.picture} that a look comes from has no sha256")

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        if self.frames is not None:
            return {"frames": list(self.frames)}
        if self.page is not None:
            return {"page": self.page}
        return {"picture": self.picture, "sha256": self.sha256}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LookSource:
        """Raises KeyError, TypeError or ValueError for what is no source."""
        if "frames" in values:
            start, stop = map(int, values["frames"])
            return cls(frames=(start, stop))
        if "page" in values:
            return cls(page=int(values["page"]))
        return cls(picture=str(values["picture"]), sha256=str(values["sha256"]))


LookSources = tuple[LookSource, ...]
"""Of one look: none if it is its own, several if it is the mean of several."""


def sources_to_json(sources: LookSources) -> dict[str, Any]:
    """`look_from` among a shot's or page's values; nothing where the look is its own."""
    return {"look_from": [source.to_json() for source in sources]} if sources else {}


def sources_from_json(values: dict[str, Any]) -> LookSources:
    """Inverse of `sources_to_json`; plans that know of no edits have no such field."""
    return tuple(LookSource.from_json(source) for source in values.get("look_from", ()))


def united(sources: Iterable[LookSource]) -> LookSources:
    """Each source once, in order; frames that overlap or follow each other as one span."""
    spans: list[tuple[int, int]] = []
    others: dict[LookSource, None] = {}
    for source in sources:
        if source.frames is None:
            others[source] = None
        else:
            spans.append(source.frames)
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return (*(LookSource(frames=span) for span in joined), *others)


def in_words(sources: LookSources, spans: Sequence[tuple[int, int]]) -> str:
    """Where a look comes from, for people; "" where it is its own. spans: frames of the shots as they are now."""
    return " and ".join(_in_words(source, spans) for source in sources)


def _in_words(source: LookSource, spans: Sequence[tuple[int, int]]) -> str:
    if source.frames is None:
        return f"page {source.page}" if source.page is not None else f"{source.picture} (sha256 {source.sha256[:12]})"
    shot = shot_of(source, spans)
    return f"shot {shot}" if shot else f"frames {source.frames[0]} to {source.frames[1] - 1}"


def shot_of(source: LookSource, spans: Sequence[tuple[int, int]]) -> int:
    """The number, from 1, of the shot with just these frames; 0 if there is none, any more."""
    return next((number for number, span in enumerate(spans, 1) if span == source.frames), 0)
