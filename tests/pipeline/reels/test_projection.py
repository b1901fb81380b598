"""Sums of luma planes: how well they tell how far two planes are apart."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reels.projection import COUNTS, mean_square, sums_of

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(SIZES, st.integers(0, 2**32 - 1), st.sampled_from([np.uint8, np.uint16]))
def test_they_are_signed_sums(size, seed, kind):
    """One more in a sample is one more or less in one sum; the same plane, laid out otherwise, has the same sums."""
    rng = np.random.default_rng(seed)
    plane = rng.integers(0, np.iinfo(kind).max, size, dtype=kind)
    assert sums_of(np.asfortranarray(plane)) == sums_of(np.pad(plane, 3)[3:-3, 3:-3]) == sums_of(plane)
    other = plane.copy()
    other[tuple(rng.integers(0, size))] += 1
    assert mean_square(sums_of(plane), sums_of(plane), plane.size) == 0
    assert mean_square(sums_of(plane), sums_of(other), plane.size) == pytest.approx(1 / plane.size)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("error", ["noise", "a column", "a block", "darker"])
def test_how_near_they_come(kind, error):
    """Of planes that differ by noise, and in one column, in one block, or all over besides: about the mean square."""
    rng, found = np.random.default_rng(1), []
    for number in range(200):
        width = 122 if number % 2 else int(rng.integers(100, 140))
        plane = rng.integers(100, 156 if kind is np.uint8 else 60_000, (96, width))
        other = plane + rng.integers(-3, 4, plane.shape)
        x, y, off = rng.integers(100), rng.integers(72), rng.integers(20, 90)
        place = {"a column": np.s_[:, x], "a block": np.s_[y : y + 24, x : x + 24], "darker": np.s_[:]}
        other[place.get(error, np.s_[:0])] -= off
        right = np.mean((plane - other) ** 2)
        found.append(mean_square(sums_of(plane.astype(kind)), sums_of(other.astype(kind)), plane.size) / right)
    assert 0.75 < np.mean(found) < 1.25
    assert np.std(found) < 0.3
    assert min(found) > 0.3


def test_large_differences_stay_large():
    """White against black, of a plane so large that sums are counted anew: never near."""
    size = (2160, 3840)
    white, black = np.full(size, 65535, np.uint16), np.zeros(size, np.uint16)
    assert mean_square(sums_of(white), sums_of(black), white.size) > 1e6


def test_what_are_no_sums():
    """Other than so many numbers in base 64, and those of planes of other sizes."""
    right = sums_of(np.zeros((8, 8), np.uint8))
    assert len(base64.b64decode(right)) == 4 * COUNTS[0]
    for wrong in ("", "?", right[:-4], right + right, sums_of(np.zeros((8, 61), np.uint8))):
        with pytest.raises(ValueError, match=r"sums|base64|Base64|character|padding|data"):
            mean_square(right, wrong, 64)
