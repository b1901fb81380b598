"""Reduced levels of a picture, computed while its rows pass by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SMALLEST = 512
"""Pixels: the pyramid ends with the first level whose longer side is no longer than this."""

SLICE = 32
"""Rows halved at a time: bounds the wide sums."""


def levels(height: int, width: int, *, pyramid: bool) -> list[tuple[int, int]]:
    """Height and width of each level, the full size first; every next one is half, rounded up."""
    sizes = [(height, width)]
    while pyramid and max(sizes[-1]) > SMALLEST:
        h, w = sizes[-1]
        sizes.append((-(-h // 2), -(-w // 2)))
    return sizes


def halve(rows: np.ndarray) -> np.ndarray:
    """Rows (n, w, 3) of uint8 or uint16 to (ceil(n/2), ceil(w/2), 3): means of 2x2 stored values, rounded half up.

    An odd last row or column stands in for the one that is missing, so its means are of the pixels there are.
    """
    n, w = rows.shape[:2]
    if n % 2 or w % 2:
        rows = np.pad(rows, ((0, n % 2), (0, w % 2), (0, 0)), "edge")
    wide = np.uint16 if rows.dtype == np.uint8 else np.uint32  # four values and the rounding fit
    total = np.add(rows[0::2], rows[1::2], dtype=wide)
    total = np.add(total[:, 0::2], total[:, 1::2])
    total = np.right_shift(np.add(total, 2, out=total), 2, out=total)
    return total.astype(rows.dtype)


class RowBuffer:
    """Rows in any portions, out in bands of `tall` rows; the last band of `height` rows may be shorter.

    A band is a view of the one buffer of tall x width pixels that is all the memory held: use it before the next.
    """

    def __init__(self, height: int, width: int, dtype: np.dtype, tall: int) -> None:
        self._buffer = np.empty((min(tall, height), width, 3), dtype)
        self._filled = 0
        self._left = height

    def add(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Take rows (n, width, 3), no more than are left; gives each band that they complete."""
        start = 0
        while start < len(rows):
            take = min(len(rows) - start, len(self._buffer) - self._filled)
            self._buffer[self._filled : self._filled + take] = rows[start : start + take]
            self._filled += take
            self._left -= take
            start += take
            if self._filled == len(self._buffer) or not self._left:
                yield self._buffer[: self._filled]
                self._filled = 0

    def skip(self, count: int) -> None:
        """Count rows that go another way, `count` of them or those that are left."""
        self._left -= min(count, self._left)

    @property
    def left(self) -> int:
        """Rows still to come."""
        return self._left


def halved(band: np.ndarray) -> Iterator[np.ndarray]:
    """A band at half size, a few rows at a time; only the last band of a level may have an odd number of rows."""
    for start in range(0, len(band), SLICE):
        yield halve(band[start : start + SLICE])
