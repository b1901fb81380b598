"""What a frame shows with those around it: no dust, scratch or flash that it has alone, and no picture made of dirt.

Owns the median over three frames of their areas. A median leaves an edge in time where it is, so that a cut stays at
its frame; what one frame has alone is gone (as in temporal despeckling: G. R. Arce, "Multistage order statistic filters
for image sequence processing", 1991).
"""

from __future__ import annotations

from collections import deque

import numpy as np

FLAT = 2.5
"""Deviation of the areas, in 8-bit codes, below which a plane holds no picture: black, leader, white."""

DELAY = 1
"""Frames until a frame's cleaned areas are known."""


def normalized(areas: np.ndarray) -> np.ndarray:
    """Areas less their mean, over their deviation: what flicker does not change. Near zero if they are flat."""
    shown: np.ndarray = (areas - areas.mean()) / max(float(areas.std()), FLAT)
    return shown


class Cleaner:
    """Cleans the areas of a reel's frames in order, one frame behind. After `flush` it is ready for another reel.

    >>> cleaner, cleaned = Cleaner(), []
    >>> for frame in frames:
    ...     cleaned += cleaner.push(areas(frame))
    >>> cleaned += cleaner.flush()
    """

    def __init__(self) -> None:
        self._held: deque[tuple[np.ndarray, float, float]] = deque(maxlen=3)

    def push(self, areas: np.ndarray) -> list[np.ndarray]:
        """Takes the next frame's areas, float32 (SIDE, SIDE); returns those of the frame before, if there is one."""
        light, contrast = float(areas.mean()), float(areas.std())
        frame = normalized(areas), light, contrast
        if not self._held:
            self._held.append(frame)  # the first frame has itself before it
        self._held.append(frame)
        return [self._middle()] if len(self._held) == 3 else []

    def flush(self) -> list[np.ndarray]:
        """The reel has ended: returns the areas of its last frame, and forgets the reel."""
        if not self._held:
            return []
        self._held.append(self._held[-1])
        last = self._middle() if len(self._held) == 3 else None
        self._held.clear()
        return [] if last is None else [last]

    def _middle(self) -> np.ndarray:
        """The median of three, normalized each, at the median of their light and contrast."""
        (a, *_), (b, *_), (c, *_) = self._held
        shown = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
        light, contrast = (sorted(frame[i] for frame in self._held)[1] for i in (1, 2))
        middle: np.ndarray = (shown * max(contrast, FLAT) + light).astype(np.float32)
        return middle
