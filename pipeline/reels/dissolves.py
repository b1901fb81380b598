"""Dissolves: shots that pass into one another, found as frames that are blends of what is before and after them; and
wipes, which a file of their own tells of.

Owns the decision what is a dissolve, where it begins and ends, and which of several candidates it is. Does not decode,
and finds no cuts.

Three things hold together in a dissolve and seldom elsewhere. What is on both sides is unlike. In the large each frame
between is a sum of the two, with weights that pass from one to the other; those of a pan are not. And their detail has
less contrast than either side's, because unlike details even out (A. M. Alattar, "Detecting and compressing dissolve
regions in video sequences", ISCAS 1993); what moves keeps its detail.

A camera that moves is told by the move itself: shifted, its frames are far more alike.

What it cannot do: a dissolve of less than some 6 or of more than 50 frames, and one between shots in which most of the
picture moves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pipeline.reels.shots import SIDE, apart, majority
from pipeline.reels.wipes import light, wipe

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

RESTLESS = 0.2
"""Most signs that turn from frame to frame, mostly: more do in a quick pan."""

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

CONTRAST = 0.85
"""Most contrast of detail in the middle, as a share of the sides': 0.5 where unlike pictures are blended evenly."""

EXPLAINED, ENOUGH = 19.0, 4.2
"""What the two pictures explain of the blends, 0 to 1, speaks for a dissolve so much; more than ENOUGH is needed."""

AGAINST = (12.0, 9.0, 7.5, 10.0)
"""What speaks against one: how alike the pictures are (correlation); how far the weights of the first and last frames
are from 0 and 1; how far the weights' sum is from the sides' (its logarithm); and the contrast of detail in the middle.
All are a logistic regression's, rounded, on 125 dissolves and 200 moving shots of constructed reels."""

MOVED, NEARER = 0.85, 0.1
"""Two frames show the same things before and after a move of the camera if their correlation is at least MOVED after
it, and greater than without it by NEARER: a blend is most like its two pictures where they are. Chosen on 54
constructed reels and 60 pans, in which 2 of 87 dissolves went and 12 of 14 false ones."""

EVEN = 0.4
"""Less contrast than this says no more than this: a pan may have it."""

FAR = SIDE // 4
"""Longest move that is sought, in areas."""

STRIDES = (1, 2, 4)
"""So many frames before and after the middle are compared: a pan is slow or quick."""

EACH = 4
"""A wipe of 2·half frames is sought every half / EACH frames."""

WIPE = 100.0
"""The score of a wipe begins here, above those of dissolves: a moving boundary is surer evidence."""


@dataclass(frozen=True, slots=True)
class Dissolve:
    """Frames [start, stop) that show both shots, one through the other or beside it, as in a wipe."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """light, step: beside the frame before, as of `wipes.light`, and the share of signs that turn. coarse: less their
    mean. detail: mean square. signs: as of a signature.
    """

    areas: np.ndarray
    light: tuple[float, float]
    step: float
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
        last = self._frames[-1] if self._frames else None
        beside = (light(last.areas, areas), apart(last.signs, signs)) if last else ((1.0, 0.0), 0.0)
        self._frames.append(_reduced(areas, beside, signs))
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
        if apart(*(majority([frame.signs for frame in side]) for side in (frames[:SIDES], frames[-SIDES:]))) < UNLIKE:
            return None
        if np.median([frame.step for frame in frames]) > RESTLESS:
            return None
        if self._count % max(1, half // EACH) == 0 and (wiped := _wiped(frames, first, last)):
            return wiped
        fit = _fit(frames)
        if fit is None or (contrast := _contrast(frames, fit[0] + fit[1])) > CONTRAST:
            return None
        weight = _weights(*fit)
        if weight is None or (score := _sure(frames, weight, fit[0] + fit[1], contrast)) < 0:
            return None
        return _Candidate(first, last, score, _span(weight, first, last))


def _wiped(frames: list[_Frame], first: int, last: int) -> _Candidate | None:
    """The wipe that frames show, the first SIDES of them being before frame `first`."""
    found = wipe(np.stack([frame.areas for frame in frames]), np.array([frame.light for frame in frames]))
    if found is None:
        return None
    start, stop, sure = found
    span = Dissolve(max(first, first - SIDES + start), min(last, first - SIDES + stop))
    return _Candidate(first, last, WIPE + sure, span)


def _reduced(areas: np.ndarray, beside: tuple[tuple[float, float], float], signs: np.ndarray) -> _Frame:
    size = SIDE // COARSE
    blocks = areas.reshape(COARSE, size, COARSE, size)
    coarse = blocks.mean((1, 3))
    detail = blocks - coarse[:, None, :, None]
    return _Frame(areas, *beside, (coarse - coarse.mean()).ravel(), float(np.mean(detail**2)), signs)


def _fit(frames: list[_Frame]) -> tuple[np.ndarray, np.ndarray] | None:
    """How much of the pictures before and after each frame is, in the large; None if those are too much alike."""
    shown = _coarse(frames)
    one, other = shown[:SIDES].mean(0), shown[-SIDES:].mean(0)
    aa, bb, ab = one @ one, other @ other, one @ other
    if ab > ALIKE * np.sqrt(aa * bb) or not aa * bb:
        return None
    fa, fb = shown @ one, shown @ other
    return (fa * bb - fb * ab) / (aa * bb - ab**2), (fb * aa - fa * ab) / (aa * bb - ab**2)


def _coarse(frames: list[_Frame]) -> np.ndarray:
    return np.stack([frame.coarse for frame in frames]).astype(np.float64)


def _contrast(frames: list[_Frame], light: np.ndarray) -> float:
    """Mean square of detail in the middle third, as a share of the sides' mean; at one light, that of the pictures in
    the large, or a flicker would pass for a dissolve and a dissolve for one."""
    detail = np.array([frame.detail for frame in frames]) / np.maximum(light, FADE) ** 2
    between = detail[SIDES:-SIDES]
    middle, third = len(between) // 2, max(1, len(between) // 6)
    sides = np.mean([np.median(detail[:SIDES]), np.median(detail[-SIDES:])])
    there = np.median(between[middle - third : middle + third + 1])
    return float(there / sides) if sides > 0 else np.inf


def _weights(before: np.ndarray, after: np.ndarray) -> np.ndarray | None:
    """The weight of the picture after in each frame between; None if the weights are not those of a dissolve."""
    a, b = before[SIDES:-SIDES], after[SIDES:-SIDES]
    weight: np.ndarray = b / np.maximum(a + b, FADE)
    blends = _blends(weight)
    step = np.diff(weight)
    if (
        blends.sum() < FEWEST
        or (a + b)[blends].min() < FADE
        or np.corrcoef(weight, np.arange(len(weight)))[0, 1] < STEADY
        or np.maximum(-step, 0).sum() > TURN
        or step.max() > LEAP
    ):
        return None
    return weight


def _blends(weight: np.ndarray) -> np.ndarray:
    return (weight > BETWEEN[0]) & (weight < BETWEEN[1])


def _sure(frames: list[_Frame], weight: np.ndarray, light: np.ndarray, contrast: float) -> float:
    """How much speaks for a dissolve, as a logit; 0 and more is enough."""
    blends = np.flatnonzero(_blends(weight)) + SIDES
    sides = (frames[:SIDES], frames[-SIDES:])
    pair = np.stack([np.mean([frame.areas - frame.areas.mean() for frame in side], 0).ravel() for side in sides])
    shown = np.stack([(frames[i].areas - frames[i].areas.mean()).ravel() for i in blends])
    within = pair @ pair.T
    alike = within[0, 1] / np.sqrt(within[0, 0] * within[1, 1])
    along = shown @ pair.T
    explained = np.sum(along * np.linalg.solve(within + 1e-6 * np.eye(2), along.T).T) / np.sum(shown**2)
    off = min(1.0, abs(weight[0]) + abs(1 - weight[-1]))
    more = np.median(light[blends]) / np.median([*light[:SIDES], *light[-SIDES:]])
    sums = min(1.0, abs(np.log(max(more, FADE))))
    against = np.dot([max(0.0, alike), off, sums, max(EVEN, contrast)], AGAINST)
    score = float(explained * EXPLAINED - against - ENOUGH)
    middle = int(blends[np.argmin(abs(weight[blends - SIDES] - 0.5))])
    return score if score < 0 or not _moves(frames, middle) else -np.inf


def _moves(frames: list[_Frame], middle: int) -> bool:
    """Whether the camera moves where the blend would be even, or has moved there from one side to the other."""
    reach = min(middle, len(frames) - 1 - middle)
    near = [(frames[middle - n].areas, frames[middle + n].areas) for n in STRIDES if n <= reach]
    here, first, last = frames[middle].areas, frames[SIDES // 2].areas, frames[-SIDES // 2].areas
    return any(_panned(*pair) for pair in near) or (_panned(first, here) and _panned(last, here))


def _panned(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the middle of one picture is in the other, somewhere within FAR, but not where it was."""
    inner = one[FAR:-FAR, FAR:-FAR] - one[FAR:-FAR, FAR:-FAR].mean()
    places = np.lib.stride_tricks.sliding_window_view(other, inner.shape)
    power = (places * places).sum((2, 3)) - places.sum((2, 3)) ** 2 / inner.size
    alike = np.einsum("yxij,ij->yx", places, inner) / np.sqrt(np.maximum(power * np.sum(inner * inner), 1e-9))
    return bool(alike.max() > max(MOVED, alike[FAR, FAR] + NEARER))


def _span(weight: np.ndarray, first: int, last: int) -> Dissolve:
    """Where the line through the weights of the blends begins and ends."""
    at = np.flatnonzero(_blends(weight))
    slope, base = np.polyfit(at, weight[at], 1)
    if slope <= 1 / (last - first):
        return Dissolve(first, last)
    start, stop = first + int(np.floor(-base / slope)) + 1, first + int(np.ceil((1 - base) / slope))
    return Dissolve(max(first, start), min(last, stop))
