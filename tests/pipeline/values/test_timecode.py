"""Time code of a piece."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.timecode import advance, mended

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("code", "frames", "rate", "wanted"),
    [
        ("01:00:00:00", 0, Fraction(25), "01:00:00:00"),
        ("01:00:00:00", 25, Fraction(25), "01:00:01:00"),
        ("09:59:59:23", 1, Fraction(24000, 1001), "10:00:00:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
        ("00:00:59:29", 1, NTSC, "00:01:00:00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("garbage", 3, Fraction(25), ""),
        ("garbage", 0, Fraction(25), "garbage"),
    ],
)
def test_known_values(code, frames, rate, wanted):
    """Hours carry, midnight wraps, drop-frame skips numbers and not frames (an hour is 107892 frames)."""
    assert advance(code, frames, rate) == wanted


@given(st.integers(0, 107891), st.integers(0, 107891), st.sampled_from([":", ";"]))
def test_advancing_twice_is_advancing_by_the_sum(a, b, mark):
    """Frames add up, whichever way of counting."""
    start = f"00:00:00{mark}00"
    once = advance(start, a + b, NTSC)
    assert advance(advance(start, a, NTSC), b, NTSC) == once


@pytest.mark.parametrize(
    ("code", "rate", "wanted"),
    [
        ("01:00:00;00", Fraction(24), "01:00:00:00"),
        ("01:00:00.00", Fraction(25), "01:00:00:00"),
        ("01:00:00;02", NTSC, "01:00:00;02"),
        ("1:02:03:04", Fraction(25), "01:02:03:04"),
        ("00:00:00:30", Fraction(24), ""),
        ("00:00:00:29", NTSC, "00:00:00:29"),
        ("24:00:00:00", Fraction(24), ""),
        ("00:60:00:00", Fraction(24), ""),
        ("abc", Fraction(24), ""),
        ("", Fraction(24), ""),
    ],
)
def test_only_what_is_plainly_meant_is_mended(code, rate, wanted):
    """A drop-frame mark at a rate that drops nothing is a colon; numbers that cannot be stay nothing."""
    assert mended(code, rate) == wanted
