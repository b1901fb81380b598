"""Projections of a frame's luma: a few sums that tell, without the frame, how far another one is from it.

Each sample of a plane is added to or taken from one of some sums, by signs that look like chance and never change. The
squares of the differences of two planes' sums add up to what the squares of the differences of their samples do, on
average over the signs (D. Achlioptas, "Database-friendly random projections", 2003): of an error that is spread over
samples as noise is, with a deviation of sqrt(2 / 61), 18 % or 0.8 dB. So a check need not decode a source again to say
that what was encoded is near to it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

import numpy as np

COUNTS = (61, 59)
"""Of sums. The second where a row of a plane is a multiple of the first: no column falls into one sum."""

DOUBT = 3.0
"""Decibels by which a PSNR that is found so may be too high, once in some thousand frames."""


def sums_of(luma: np.ndarray) -> str:
    """The sums of a plane of uint8 or uint16 codes (H, W), modulo 2**32, little endian, in base 64."""
    flat = np.ascontiguousarray(luma).reshape(-1)
    turned = flat ^ _signs(flat.size, flat.dtype.itemsize)  # top - code where the sign is minus: the tops cancel out
    count = COUNTS[luma.shape[1] % COUNTS[0] == 0]
    even = flat.size - flat.size % count
    sums = turned[:even].reshape(-1, count).sum(0, dtype=np.uint32)
    sums[: flat.size - even] += turned[even:]
    return base64.b64encode(sums.astype("<u4").tobytes()).decode("ascii")


def mean_square(one: str, other: str, samples: int) -> float:
    """About the mean of the squared differences of two planes of so many samples, by their sums.

    Raises ValueError for what are no sums.
    """
    a, b = (base64.b64decode(text, validate=True) for text in (one, other))
    if len(a) != len(b) or len(a) not in [4 * count for count in COUNTS]:
        raise ValueError("these are no sums of two planes of one size")
    apart = (np.frombuffer(a, "<u4") - np.frombuffer(b, "<u4")).view("<i4").astype(np.float64)
    return float(apart @ apart) / samples


@lru_cache(maxsize=4)
def _signs(count: int, width: int) -> np.ndarray:
    """For each sample 0 or all bits, uint8 or uint16 (count,)."""
    bits = np.unpackbits(np.frombuffer(hashlib.shake_128(b"signs").digest(count // 8 + 1), np.uint8), count=count)
    return np.where(bits, (1 << 8 * width) - 1, 0).astype(np.uint8 if width == 1 else np.uint16)
