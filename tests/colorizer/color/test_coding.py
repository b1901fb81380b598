"""Codings: stored codes and what they mean."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.light import MATRICES, PRIMARIES
from colorizer.color.coding import Coding

codings = st.builds(
    Coding,
    st.integers(8, 16),
    st.booleans(),
    st.sampled_from(list(MATRICES)),
    st.sampled_from(list(PRIMARIES)),
)


@given(codings)
def test_black_white_and_gray_codes(coding):
    """BT.601/709: limited 8-bit is 16, 235 and 128 shifted left by the further bits; full range uses every
    code.
    """
    black, white = coding.luma_range
    shift = coding.bits - 8
    expected = (0, 2**coding.bits - 1) if coding.full_range else (16 << shift, 235 << shift)
    assert (black, white) == expected
    assert coding.neutral == 128 << shift
    luma = coding.luma(torch.tensor([black, white, 0, 2**coding.bits - 1]))
    assert luma.tolist() == [0.0, 1.0, 0.0, 1.0]


@given(codings, st.data())
def test_luma_codes_round_trip(coding, data):
    """Within the nominal range, luma of a code determines the code; outside, only the copy is clamped to [0,
    1].
    """
    code = data.draw(st.integers(0, 2**coding.bits - 1))
    stored = torch.tensor([code], dtype=torch.int32)
    luma = float(coding.luma(stored))
    black, white = coding.luma_range
    assert 0 <= luma <= 1
    assert round(luma * (white - black)) + black == min(max(code, black), white)
    assert stored.item() == code


@given(codings, st.data())
def test_a_negative_turned_around(coding, data):
    """Black and white change places, and so does every code with its opposite; only what lies further above white than
    there is room below black becomes 0.
    """
    black, white = coding.luma_range
    kind = np.uint8 if coding.bits == 8 else np.uint16
    some = data.draw(st.lists(st.integers(0, 2**coding.bits - 1), min_size=1, max_size=9))
    codes = np.array([black, white, *some], kind)
    turned = coding.inverted(codes)
    assert turned.dtype == kind
    assert turned.tolist() == [white, black, *(max(0, black + white - code) for code in some)]
    if coding.full_range:
        assert np.array_equal(coding.inverted(turned), codes)


@given(codings, st.floats(-0.75, 0.75))
def test_chroma_codes_are_near_storable_and_symmetric(coding, chroma):
    """The stored code is within half a code of its chroma, clamped to what the bits hold; gray is
    `neutral`.
    """
    code = float(coding.chroma_codes(torch.tensor(chroma, dtype=torch.float64)))
    assert code == int(code)
    assert 0 <= code <= 2**coding.bits - 1
    exact = chroma * coding.chroma_span + coding.neutral
    assert abs(code - min(max(exact, 0), 2**coding.bits - 1)) <= 0.5 + 1e-9
    assert float(coding.chroma_codes(torch.tensor(0.0))) == coding.neutral


@given(st.integers(8, 16))
def test_limited_chroma_spans_16_to_240(bits):
    """BT.601/709: Cb = -0.5 and 0.5 are codes 16 and 240, shifted."""
    ends = Coding(bits).chroma_codes(torch.tensor([-0.5, 0.5], dtype=torch.float64))
    assert ends.tolist() == [16 << (bits - 8), 240 << (bits - 8)]


@pytest.mark.parametrize("wrong", [{"bits": 7}, {"bits": 17}, {"matrix": "rgb"}, {"primaries": "film"}])
def test_an_unknown_coding_is_refused(wrong):
    """Bits, matrix and primaries that no standard here names raise."""
    with pytest.raises(ValueError, match="not a coding"):
        Coding(**wrong)
