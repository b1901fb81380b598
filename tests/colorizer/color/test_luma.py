"""The luma of codes: Rec. 601 in whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.color.luma import luma_codes, luma_light


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_luma_of_gray_is_gray(kind):
    """R = G = B = n has luma n, for every n."""
    codes = np.arange(np.iinfo(kind).max + 1).astype(kind)
    luma = luma_codes(np.stack([codes] * 3, -1))
    assert luma.dtype == codes.dtype
    assert np.array_equal(luma, codes)


@settings(max_examples=200)
@given(kind=st.sampled_from(("u1", "u2")), data=st.data())
def test_luma_is_rec_601_rounded(kind, data):
    """Of any color it is 299 R + 587 G + 114 B thousandths, rounded half up, and between the least and the most."""
    colors = data.draw(st.lists(st.tuples(*[st.integers(0, np.iinfo(kind).max)] * 3), min_size=1, max_size=9))
    luma = luma_codes(np.array(colors, kind))
    assert luma.tolist() == [(299 * r + 587 * g + 114 * b + 500) // 1000 for r, g, b in colors]
    assert all(min(color) <= code <= max(color) for color, code in zip(colors, luma.tolist(), strict=True))


@settings(max_examples=50)
@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=9))
def test_luma_of_numbers_is_that_of_codes(colors):
    """Of numbers from 0 to 1 it is, but for rounding, that of their 16-bit codes."""
    codes = np.rint(np.array(colors) * 65535).astype(np.uint16)
    assert np.abs(luma_light(codes / 65535) * 65535 - luma_codes(codes)).max() <= 0.5 + 1e-9
