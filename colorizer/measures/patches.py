"""Patches: chroma that varies where luma does not, beside the truth's.

Two figures over all pictures of a set, both 0 for gray. The *patch score* is the variance of a*b* inside BLOCK x BLOCK
pixels of smooth luma (standard deviation of Y' below SMOOTH), ours over the truth's; a painter paler than the truth
stays below 1 even with stains, so beside it stand *invented edges*: of all pairs of CELL x CELL cells two cells apart
between which luma is smooth, the share at which ours steps by FAR or more and the truth by less than NEAR.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 8
"""Side of the windows of the patch score, pixels."""
CELL = 4
"""Side of the cells whose mean colors are compared, pixels."""
SMOOTH = 0.02
"""Largest standard deviation of Y' in a window or cell, and largest difference of the means of three cells in a row."""
FAR, NEAR = 8.0, 4.0
"""Steps of a*b* that are an edge, and that are none; CIE units."""


def cells(plane: Floats, side: int) -> Floats:
    """Whole cells of (H, W, ...) as (h, w, side², ...); what is left over at right and bottom is dropped."""
    high, wide = (length // side for length in plane.shape[:2])
    cut = plane[: high * side, : wide * side].reshape(high, side, wide, side, *plane.shape[2:])
    return np.moveaxis(cut, 2, 1).reshape(high, wide, side * side, *plane.shape[2:])


def smooth_pairs(luma: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells see smooth luma down to the second next cell, and across; Y' (H, W) in [0, 1]."""
    parts = cells(luma, CELL)
    flat, mean = parts.std(2) < SMOOTH, parts.mean(2)

    def along(flat: NDArray[np.bool_], mean: Floats) -> NDArray[np.bool_]:
        three = np.stack([mean[:-2], mean[1:-1], mean[2:]])
        return flat[:-2] & flat[1:-1] & flat[2:] & (np.ptp(three, 0) < SMOOTH)

    return along(flat, mean), along(flat.T, mean.T).T


def steps(ab: Floats) -> tuple[Floats, Floats]:
    """How far the mean a*b* of each cell is from that of the second next one, down and across; ab (H, W, 2)."""
    mean = cells(ab, CELL).mean(2)
    down, across = mean[2:] - mean[:-2], mean[:, 2:] - mean[:, :-2]
    return np.hypot(*np.moveaxis(down, 2, 0)), np.hypot(*np.moveaxis(across, 2, 0))


@dataclass(slots=True)
class Patches:
    """Sums over pictures: [ours, truth] variance in smooth blocks; invented edges and pairs."""

    variance: Floats = field(default_factory=lambda: np.zeros(2))
    edges: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))

    def add(self, luma: Floats, ab: Floats, truth: Floats) -> None:
        """One picture: Y' (H, W) in [0, 1], a*b* as painted and as they were, (H, W, 2)."""
        flat = cells(luma, BLOCK).std(2) < SMOOTH
        self.variance += [float(cells(x, BLOCK).var(2).sum(2)[flat].sum()) for x in (ab, truth)]
        for smooth, ours, theirs in zip(smooth_pairs(luma), steps(ab), steps(truth), strict=True):
            self.edges += [int((smooth & (ours >= FAR) & (theirs < NEAR)).sum()), int(smooth.sum())]

    def figures(self) -> dict[str, float]:
        """The two figures; not a number without smooth luma."""
        ours, truth = self.variance
        invented, pairs = self.edges
        return {
            "patch_score": float(ours / truth) if truth > 0 else float("nan"),
            "invented_edges": float(invented / pairs) if pairs else float("nan"),
        }
