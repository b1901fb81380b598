"""The luma of R'G'B' that a colored still is solved for and proved by: Rec. 601 weights, in thousandths.

In whole numbers, so that two machines agree and R = G = B = n gives n. Source: ITU-R BT.601, section 2.5.1.
"""

from __future__ import annotations

import numpy as np

WEIGHTS = (299, 587, 114)
"""Of R', G' and B'; they sum to 1000."""


def luma_codes(rgb: np.ndarray) -> np.ndarray:
    """R'G'B' codes (..., 3), uint8 or uint16, to luma codes of the same kind: (299 R + 587 G + 114 B + 500) // 1000."""
    total = sum(rgb[..., i].astype(np.uint32) * np.uint32(w) for i, w in enumerate(WEIGHTS))
    return np.asarray((total + np.uint32(500)) // np.uint32(1000)).astype(rgb.dtype)


def luma_light(rgb: np.ndarray) -> np.ndarray:
    """R'G'B' numbers (..., 3) to Y', float64: (299 R' + 587 G' + 114 B') / 1000."""
    return np.asarray(sum(rgb[..., i].astype(np.float64) * w for i, w in enumerate(WEIGHTS)) / 1000)
