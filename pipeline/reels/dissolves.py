"""Dissolves: shots that pass into one another, found as frames that are blends of what is before and after them.

Owns the decision what is a dissolve and where it begins and ends. Does not decode, and finds no cuts.

Three things hold together in a dissolve and seldom elsewhere. What is on both sides is unlike. In the large each frame
between is a sum of the two, with weights that pass from one to the other; those of a pan are not. And their detail has
less contrast than either side's, because unlike details even out (A. M. Alattar, "Detecting and compressing dissolve
regions in video sequences", ISCAS 1993); what moves keeps its detail.

What it cannot do: a dissolve of less than some 6 or of more than 50 frames, one between shots in which most of the
picture moves, and a wipe, in which each place has a cut of its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pipeline.reels.shots import SIDE, apart, majority

HALVES = (5, 8, 12, 18, 26)
"""Frames before and after its middle in which a dissolve is sought."""

SIDES = 3
"""Frames whose mean is the picture before, or after."""

REACH = 2 * HALVES[-1] + SIDES
"""Frames after a dissolve's first that may pass until it is found."""

COARSE = 8
"""In the large: means over COARSE x COARSE areas. Detail is what the SIDE x SIDE areas differ from them."""

UNLIKE = 0.36
"""Least share of signs that turn from one side to the other."""

ALIKE = 0.8
"""Largest correlation of both sides in the large: more leaves no two pictures to blend."""

BETWEEN = (0.15, 0.85)
"""Weights of the picture after at which a frame is taken for a blend; frames nearer to a side say less."""

FEWEST = 4
"""Blends that make a dissolve."""

STEADY = 0.93
"""Least correlation of the weights with time."""

TURN = 0.5
"""Most that all steps back add up to; a light that flickers makes some."""

LEAP = 0.35
"""Most that the weight grows from frame to frame: what leaps is a cut."""

FADE = 0.3
"""Least sum of both weights: less is a fade through black, which has a first frame of its own."""

CONTRAST = 0.7
"""Most contrast of detail in the middle, as a share of the sides': 0.5 where unlike pictures are blended evenly."""

DETAIL, SURE = 2.0, -0.65
"""How much better the blend explains the frames, less DETAIL times their contrast, is SURE at least: where things move
in both shots it explains less, and the loss of detail alone tells."""


@dataclass(frozen=True, slots=True)
class Dissolve:
    """Frames [start, stop) that show both shots."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """coarse: (COARSE², ) less their mean. detail: mean square. signs: as of a signature."""

    coarse: np.ndarray
    detail: float
    signs: np.ndarray


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Frames [first, last) that look like a dissolve and its surroundings. score: the higher the surer."""

    first: int
    last: int
    score: float
    found: Dissolve

    def meets(self, other: _Candidate) -> bool:
        return self.first < other.last and other.first < self.last


class DissolveDetector:
    """Finds the dissolves of one reel from the areas and signs of its frames, in order, some frames behind.

    >>> detector = DissolveDetector()
    >>> for frame in frames:
    ...     plane = areas(frame)
    ...     dissolves = detector.push(plane, signs(plane))
    >>> dissolves = detector.flush()
    """

    def __init__(self) -> None:
        self._frames: deque[_Frame] = deque(maxlen=2 * (HALVES[-1] + SIDES))
        self._count = 0
        self._cuts: deque[int] = deque(maxlen=REACH)
        self._open: list[_Candidate] = []

    def cut(self, index: int) -> None:
        """There is a cut at frame `index`; no dissolve holds one."""
        self._cuts.append(index)
        self._open = [candidate for candidate in self._open if not candidate.first <= index <= candidate.last]

    def push(self, areas: np.ndarray, signs: np.ndarray) -> list[Dissolve]:
        """Takes the next frame; returns the dissolves that it settles, ascending (mostly none)."""
        self._frames.append(_reduced(areas, signs))
        self._count += 1
        for half in HALVES:
            if (candidate := self._candidate(half)) is not None:
                self._weigh(candidate)
        return self._settle(self._count)

    def flush(self) -> list[Dissolve]:
        """The reel has ended: returns what was not settled."""
        return self._settle(self._count + REACH + 1)

    @property
    def settled(self) -> int:
        """No dissolve that begins before this frame will come any more."""
        return min([max(0, self._count - REACH), *(candidate.found.start for candidate in self._open)])

    def _settle(self, count: int) -> list[Dissolve]:
        """Those that no candidate still to come could meet."""
        done = [candidate for candidate in self._open if candidate.last + REACH < count]
        self._open = [candidate for candidate in self._open if candidate not in done]
        return sorted((candidate.found for candidate in done), key=lambda found: found.start)

    def _weigh(self, candidate: _Candidate) -> None:
        """Of candidates that meet the surest stays."""
        rivals = [other for other in self._open if other.meets(candidate)]
        if all(candidate.score > other.score for other in rivals):
            self._open = [other for other in self._open if other not in rivals] + [candidate]

    def _candidate(self, half: int) -> _Candidate | None:
        """The frames up to now as a dissolve of 2·half frames at most, with its sides, if they can be one."""
        frames = list(self._frames)[-2 * (half + SIDES) :]
        first, last = self._count - 2 * half - SIDES, self._count - SIDES
        if len(frames) < 2 * (half + SIDES) or any(first <= cut <= last for cut in self._cuts):
            return None
        before, between, after = frames[:SIDES], frames[SIDES:-SIDES], frames[-SIDES:]
        if apart(*(majority([frame.signs for frame in side]) for side in (before, after))) < UNLIKE:
            return None
        contrast = _contrast(before, between, after)
        if contrast > CONTRAST:
            return None
        weights = _weights(before, between, after)
        if weights is None or (score := weights[1] - DETAIL * contrast) < SURE:
            return None
        return _Candidate(first, last, score, _span(weights[0], first, last))


def _reduced(areas: np.ndarray, signs: np.ndarray) -> _Frame:
    size = SIDE // COARSE
    blocks = areas.reshape(COARSE, size, COARSE, size)
    coarse = blocks.mean((1, 3))
    detail = blocks - coarse[:, None, :, None]
    return _Frame((coarse - coarse.mean()).ravel(), float(np.mean(detail**2)), signs)


def _coarse(frames: list[_Frame]) -> np.ndarray:
    return np.stack([frame.coarse for frame in frames]).astype(np.float64)


def _contrast(before: list[_Frame], between: list[_Frame], after: list[_Frame]) -> float:
    """Mean square of detail in the middle third, as a share of the sides' mean."""
    middle, third = len(between) // 2, max(1, len(between) // 6)
    sides = np.mean([np.median([frame.detail for frame in side]) for side in (before, after)])
    there = np.median([frame.detail for frame in between[middle - third : middle + third + 1]])
    return float(there / sides) if sides > 0 else np.inf


def _weights(
    before: list[_Frame], between: list[_Frame], after: list[_Frame]
) -> tuple[np.ndarray, float] | None:  # fmt: skip
    """The weight of the picture after in each frame, and how much better the sum of both explains the blends than the
    nearer one alone does, from 0 to 1; None if the weights are not those of a dissolve."""
    one, other, frames = _coarse(before).mean(0), _coarse(after).mean(0), _coarse(between)
    aa, bb, ab = one @ one, other @ other, one @ other
    if ab > ALIKE * np.sqrt(aa * bb) or not aa * bb:
        return None
    fa, fb, ff = frames @ one, frames @ other, np.sum(frames**2, 1)
    a, b = (fa * bb - fb * ab) / (aa * bb - ab**2), (fb * aa - fa * ab) / (aa * bb - ab**2)
    weight = b / np.maximum(a + b, FADE)
    blends = (weight > BETWEEN[0]) & (weight < BETWEEN[1])
    step = np.diff(weight)
    if (
        blends.sum() < FEWEST
        or (a + b)[blends].min() < FADE
        or np.corrcoef(weight, np.arange(len(weight)))[0, 1] < STEADY
        or np.maximum(-step, 0).sum() > TURN
        or step.max() > LEAP
    ):
        return None
    alone = np.minimum(ff - fa**2 / aa, ff - fb**2 / bb)[blends].sum()
    return weight, float(1 - (ff - a * fa - b * fb)[blends].sum() / alone) if alone > 0 else 0.0


def _span(weight: np.ndarray, first: int, last: int) -> Dissolve:
    """Where the line through the weights of the blends begins and ends."""
    at = np.flatnonzero((weight > BETWEEN[0]) & (weight < BETWEEN[1]))
    slope, base = np.polyfit(at, weight[at], 1)
    if slope <= 1 / (last - first):
        return Dissolve(first, last)
    start, stop = first + int(np.floor(-base / slope)) + 1, first + int(np.ceil((1 - base) / slope))
    return Dissolve(max(first, start), min(last, stop))
