"""Reduced levels: means of what is there, whatever the portions the rows come in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pages.pyramid import SMALLEST, RowBuffer, halve, halved, levels


def plain_halve(rows):
    """The means by definition: of each block's pixels that exist, halves up."""
    h, w = rows.shape[:2]
    out = np.empty((-(-h // 2), -(-w // 2), 3), rows.dtype)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            block = rows[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].reshape(-1, 3).astype(np.int64)
            out[y, x] = (2 * block.sum(0) + len(block)) // (2 * len(block))
    return out


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from((np.uint8, np.uint16)), st.integers(0, 99))
def test_halves_are_means(height, width, dtype, seed):
    """Every sample is the mean of the 1, 2 or 4 above it, the highest codes included."""
    top = np.iinfo(dtype).max
    rows = np.random.default_rng(seed).choice([0, 1, top - 1, top], (height, width, 3)).astype(dtype)
    assert np.array_equal(halve(rows), plain_halve(rows))


@settings(max_examples=60)
@given(
    height=st.integers(1, 300),
    tall=st.sampled_from((16, 32, 48, 512)),
    portions=st.lists(st.integers(0, 70), min_size=1, max_size=5).filter(any),
)
def test_bands_are_the_rows(height, tall, portions):
    """Bands hold all rows in order, each `tall` high but the last; halved band by band they are the halved picture."""
    rows = np.random.default_rng(height).integers(0, 65536, (height, 7, 3), np.uint16)
    bands, got, y, turn = RowBuffer(height, 7, rows.dtype, tall), [], 0, 0
    while y < height:
        step = portions[turn % len(portions)]
        got += [band.copy() for band in bands.add(rows[y : y + step])]
        y, turn = y + step, turn + 1
    assert bands.left == 0
    assert all(len(band) == tall for band in got[:-1])
    assert np.array_equal(np.concatenate(got), rows)
    assert np.array_equal(np.concatenate([half for band in got for half in halved(band)]), halve(rows))


@pytest.mark.parametrize(
    ("size", "count"), [((1, 1), 1), ((SMALLEST, 3), 1), ((3, SMALLEST + 1), 2), ((60000, 60000), 8)]
)
def test_levels_end_small(size, count):
    """The last level fits in SMALLEST pixels, the one before does not; without a pyramid there is one level."""
    found = levels(*size, pyramid=True)
    assert len(found) == count
    assert max(found[-1]) <= SMALLEST
    assert len(found) == 1 or max(found[-2]) > SMALLEST
    assert levels(*size, pyramid=False) == [size]
