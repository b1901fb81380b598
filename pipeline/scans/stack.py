"""Stack: pages of one file that show the same, as focal series and time series do, and therefore share one look.

What decides is what decides about shots: the signs of a page's low frequencies against those of the page before it. An
album's photographs differ in half of them, and each has a look of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pipeline.reels.shots import AGREED, FAINT, apart, signature
from pipeline.values.look_source import LookSource, LookSources

ALIKE = FAINT
"""Share of signs in which a page differs from the one before it, below which both show the same. Of 125,000 pairs of
different photographs none had less than 0.31; grain and a little movement have 0.02 to 0.2."""


class Look(NamedTuple):
    """A look: float32 (look_length,) and scene probabilities. sources: the page that it is of, if not this one.

    negative: whether the picture that it was made of looks like a negative.
    """

    look: np.ndarray
    scene: np.ndarray
    sources: LookSources = ()
    negative: bool = False


class Stack:
    """The pages of a file as they go by, in order."""

    def __init__(self) -> None:
        self._owner: Look | None = None
        self._first = self._last = np.zeros(0, np.int8)
        self._shape: tuple[int, ...] = ()

    def look(self, page: int, luma: np.ndarray, orientation: int, own: Callable[[], Look]) -> Look:
        """That of the pages before, if this one shows what they show: of the same size, nearly alike with the last of
        them, and not far from the one that the look is of. luma: uint8 (h, w). own: makes the page's own look."""
        marks, shape = signature(luma), (*luma.shape, orientation)
        alike = (
            shape == self._shape and marks.any()
            and apart(self._last, marks) < ALIKE and apart(self._first, marks) < AGREED
        )  # fmt: skip
        self._last, self._shape = marks, shape
        if self._owner is None or not alike:
            found = own()
            self._owner, self._first = found._replace(sources=(LookSource(page=page),)), marks
            return found
        return self._owner
