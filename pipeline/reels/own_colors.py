"""Colors that a reel has of its own: asked of some of its frames, and where between two frames they begin or end.

Owns which frames are asked, and what their answers say of a shot. What a frame's color is, `frames` knows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import av
import numpy as np

from pipeline.reels.frames import color_amount, has_color, has_hues

ASKED = 4
"""Of so many frames one is asked whether it is in color; fewer than the shortest shot has, so that each is asked."""

LASTING = 8
"""Frames without color, and with it, on both sides of where it begins or ends."""

AT_ONCE = 0.5
"""Least color beside such a place, as a share of what there is further on: a fade out of black begins with little."""


@dataclass(frozen=True, slots=True)
class Colors:
    """What a frame of the source has of its own. colored: more than gray. hues: more than one. amount: mean chroma."""

    colored: bool
    hues: bool
    amount: float = 0.0


def colors_of(frame: av.VideoFrame) -> Colors:
    """What a frame has of its own."""
    if not has_color(frame):
        return Colors(False, False)
    return Colors(True, has_hues(frame), color_amount(frame))


class Asker:
    """Asks one frame in ASKED, and those since the one before where the answer is another."""

    def __init__(self) -> None:
        self._last: Colors | None = None
        self._passed: list[tuple[int, av.VideoFrame]] = []

    def ask(self, index: int, frame: av.VideoFrame) -> dict[int, Colors]:
        """Answers by the frames' numbers; frames come in order."""
        if index % ASKED:
            self._passed.append((index, frame))
            return {}
        now, passed = colors_of(frame), self._passed
        turned = self._last is not None and self._last.colored != now.colored
        self._last, self._passed = now, []
        return {**({i: colors_of(other) for i, other in passed} if turned else {}), index: now}


class Answers:
    """All answers of a reel, ascending."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.colors: list[Colors] = []

    def add(self, answers: dict[int, Colors]) -> None:
        """More of them, of frames after those before."""
        self.frames += answers
        self.colors += answers.values()

    @property
    def colored(self) -> bool:
        """Whether a good part of the reel is more than gray."""
        return sum(colors.colored for colors in self.colors) > len(self.colors) / 4

    def _between(self, start: int, stop: int) -> slice:
        return slice(bisect_left(self.frames, start), bisect_left(self.frames, stop))

    def in_color(self, start: int, stop: int) -> bool:
        """Whether most of a shot's frames have several hues."""
        asked = self.colors[self._between(start, stop)]
        return 2 * sum(colors.hues for colors in asked) > len(asked)

    def turns(self, start: int, stop: int) -> list[int]:
        """Frames within a shot where color begins, or ends, at once and for a while: cuts that luma need not show."""
        span = self._between(start, stop)
        asked = zip(self.frames[span], self.colors[span], strict=True)
        runs = [list(run) for _, run in groupby(asked, key=lambda answer: (answer[1].colored, answer[1].hues))]
        edges = [*(run[0][0] for run in runs), stop]
        return [
            edges[i + 1]
            for i, (one, other) in enumerate(pairwise(runs))
            if min(edges[i + 1] - edges[i], edges[i + 2] - edges[i + 1]) >= LASTING
            and {_kind(one), _kind(other)} == {GRAY, HUES}
            and (_at_once(other) if _kind(one) == GRAY else _at_once(one[::-1]))
        ]


GRAY, HUES = (False, False), (True, True)


def _kind(run: Sequence[tuple[int, Colors]]) -> tuple[bool, bool]:
    return run[0][1].colored, run[0][1].hues


def _at_once(run: Sequence[tuple[int, Colors]]) -> bool:
    """Whether a run in color begins with about as much of it as it has."""
    amounts = [colors.amount for _, colors in run]
    return amounts[0] >= AT_ONCE * float(np.median(amounts))
