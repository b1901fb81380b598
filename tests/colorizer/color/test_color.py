"""Color arithmetic: codes, CIE L*a*b*, and chroma under a luma that no one may change."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.light import MATRICES, PRIMARIES
from colorizer.color.color import (
    Coding,
    KeptLuma,
    eotf,
    lab_to_rgb,
    lightness,
    oetf,
    rgb_to_lab,
    rgb_to_xyz,
)

SYSTEMS = [
    ("bt709", "bt709"),
    ("bt601", "smpte170m"),
    ("bt601", "bt470bg"),
    ("bt601", "bt709"),
    ("bt2020", "bt2020"),
]
codings = st.builds(
    Coding,
    st.integers(8, 16),
    st.booleans(),
    st.sampled_from(list(MATRICES)),
    st.sampled_from(list(PRIMARIES)),
)


def wishes(count: int, reach: float = 100.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random luma with wanted a*b*, most of them out of the display's gamut."""
    ab = (torch.rand(2, count) * 2 - 1) * reach
    return torch.rand(count), ab[0], ab[1]


# --- L*a*b*


def test_lightness_of_gray():
    """Gray 0.5 has L* 53.39; black 0, white 100; L* rises with luma."""
    found = lightness(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor([0.0, 53.39, 100.0]).double(), rtol=0, atol=5e-3)
    ramp = lightness(torch.linspace(0, 1, 4096, dtype=torch.float64))
    assert bool((ramp.diff() > 0).all())


@pytest.mark.parametrize("primaries", PRIMARIES)
def test_grays_are_neutral(primaries):
    """The white point, and every gray with it, has a* = b* = 0 and the L* of `lightness`."""
    gray = torch.linspace(0, 1, 64, dtype=torch.float64).expand(3, -1)
    lab = rgb_to_lab(gray, primaries)
    assert lab[1:].abs().max() < 1e-12
    torch.testing.assert_close(lab[0], lightness(gray[0]), rtol=0, atol=1e-9)


@pytest.mark.parametrize("primaries", PRIMARIES)
def test_lab_round_trip(primaries):
    """The matrices here are computed inverses, so it is rounding: fp64 1e-12, fp32
    1e-4.
    """
    rgb = torch.rand(3, 20000, dtype=torch.float64)
    assert (lab_to_rgb(rgb_to_lab(rgb, primaries), primaries) - rgb).abs().max() <= 1e-12
    single = rgb.float()
    assert (lab_to_rgb(rgb_to_lab(single, primaries), primaries) - single).abs().max() <= 1e-4


def test_lab_agrees_with_scikit_image():
    """An independent implementation gives the same L*a*b*, up to its matrix and white of fewer digits."""
    color = pytest.importorskip("skimage.color")
    rgb = torch.rand(3, 5000, dtype=torch.float64)
    theirs = color.rgb2lab(rgb.T.numpy()[None])[0].T
    assert np.abs(rgb_to_lab(rgb).numpy() - theirs).max() < 0.02


def test_primaries_and_white():
    """BT.709: the luminance row of the matrix is the luma weights to four digits; white is Y = 1."""
    matrix = rgb_to_xyz("bt709")
    assert [round(float(v), 4) for v in matrix[1]] == [0.2126, 0.7152, 0.0722]
    for primaries in PRIMARIES:
        assert float(rgb_to_xyz(primaries)[1].sum()) == pytest.approx(1, abs=1e-12)


@given(st.floats(-0.5, 1.5))
def test_transfer_round_trip(value):
    """`oetf` undoes `eotf` from below black to above white, and both keep order at their joints."""
    v = torch.tensor(value, dtype=torch.float64)
    assert float(oetf(eotf(v))) == pytest.approx(value, abs=1e-6)


def test_neutral_chroma_leaves_a_gray_picture():
    """A* = b* = 0 shown at its L* is the gray it came from, within 1e-4."""
    luma = torch.linspace(0, 1, 1024)
    zero = torch.zeros_like(luma)
    shown = lab_to_rgb(torch.stack([lightness(luma), zero, zero]))
    assert (shown - luma).abs().max() <= 1e-4


# --- Coding


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


# --- chroma under a kept luma


def by_bisection(keeper, primaries, luma, a, b, steps=40):
    """Reference for `match`, float64: halve the lightness interval 40 times. Also returns the lightness."""
    luma, a, b = luma.double(), a.double(), b.double()
    low, high = torch.zeros_like(luma), torch.full_like(luma, 110.0)
    for _ in range(steps):
        middle = (low + high) / 2
        over = keeper.luma(lab_to_rgb(torch.stack([middle, a, b]), primaries)) > luma
        low, high = torch.where(over, low, middle), torch.where(over, middle, high)
    rgb = lab_to_rgb(torch.stack([(low + high) / 2, a, b]), primaries)
    y = keeper.luma(rgb)
    return (rgb[2] - y) / (2 * (1 - keeper.kb)), (rgb[0] - y) / (2 * (1 - keeper.kr))


@pytest.mark.parametrize(("matrix", "primaries"), SYSTEMS)
def test_match_agrees_with_bisection(matrix, primaries):
    """Nine steps of false position give the chroma of 40 bisections to 1e-5 for colors a display shows.

    That is under a three-hundredth of an 8-bit code. Colors out of gamut may differ; `solve` uses none.
    """
    keeper = KeptLuma(matrix, primaries)
    luma, a, b = wishes(8_000)
    cb, cr = keeper.match(luma, a, b)
    true_cb, true_cr = by_bisection(keeper, primaries, luma, a, b)
    shown = keeper.inside(luma, true_cb.float(), true_cr.float())
    assert 0.1 < float(shown.float().mean()) < 0.9
    assert (cb - true_cb)[shown].abs().max() <= 1e-5
    assert (cr - true_cr)[shown].abs().max() <= 1e-5
    assert torch.equal(keeper.inside(luma, cb, cr), shown)


@pytest.mark.parametrize(("matrix", "primaries"), SYSTEMS)
def test_solve_keeps_luma_hue_and_gamut(matrix, primaries):
    """Shown colors have the luma they must keep, fit the display, and keep their hue within 0.5 degrees."""
    keeper = KeptLuma(matrix, primaries)
    luma, a, b = wishes(8_000)
    cb, cr = keeper.solve(luma, a, b)
    shown = keeper.show(luma, cb, cr)
    assert (keeper.luma(shown) - luma).abs().max() <= 5e-7
    assert bool(keeper.inside(luma, cb, cr).all())
    lab = rgb_to_lab(shown.double(), primaries)
    chroma = torch.hypot(lab[1], lab[2])
    turn = torch.atan2(lab[2], lab[1]) - torch.atan2(b, a).double()
    turn = torch.remainder(turn + math.pi, 2 * math.pi) - math.pi
    visible = chroma > 0.5
    assert float(visible.float().mean()) > 0.9
    assert turn[visible].abs().max() <= math.radians(0.5)
    wanted = torch.hypot(a, b).double()
    assert bool((chroma <= wanted + 0.02).all())


@pytest.mark.parametrize(("matrix", "primaries"), SYSTEMS)
def test_solve_gives_up_no_chroma_needlessly(matrix, primaries):
    """A color that fits is left as it is; one that does not is stopped at the gamut's edge, not short
    of it.
    """
    keeper = KeptLuma(matrix, primaries)
    luma, a, b = wishes(5_000)
    matched, solved = keeper.match(luma, a, b), keeper.solve(luma, a, b)
    fits = keeper.inside(luma, *matched)
    assert torch.equal(matched[0][fits], solved[0][fits])
    got = torch.hypot(*rgb_to_lab(keeper.show(luma, *solved), primaries)[1:])
    further = got / torch.hypot(a, b) + 0.003  # ten halvings leave 0.001
    assert not bool(keeper.inside(luma, *keeper.match(luma, a * further, b * further))[~fits].any())


@given(st.floats(0, 1), st.floats(-110, 110), st.floats(-110, 110), st.sampled_from(SYSTEMS))
def test_solve_holds_at_any_single_color(luma, a, b, system):
    """Black, white and impossible wishes included: the result is finite, in gamut and of the same luma."""
    keeper = KeptLuma(*system)
    y, a, b = (torch.tensor([v], dtype=torch.float32) for v in (luma, a, b))
    cb, cr = keeper.solve(y, a, b)
    shown = keeper.show(y, cb, cr)
    assert bool(torch.isfinite(shown).all())
    assert bool((shown >= -1.1e-3).all())
    assert bool((shown <= 1 + 1.1e-3).all())
    assert float((keeper.luma(shown) - y).abs()) <= 5e-7


@pytest.mark.parametrize(("matrix", "primaries"), SYSTEMS)
def test_gray_wishes_give_gray(matrix, primaries):
    """a* = b* = 0 is Cb = Cr = 0, so a neutral pixel is stored as neutral at every bit depth."""
    luma = torch.linspace(0, 1, 1000)
    zero = torch.zeros_like(luma)
    cb, cr = KeptLuma(matrix, primaries).solve(luma, zero, zero)
    for coding in (Coding(8), Coding(10), Coding(12, full_range=True)):
        assert bool((coding.chroma_codes(cb) == coding.neutral).all())
        assert bool((coding.chroma_codes(cr) == coding.neutral).all())


@pytest.mark.parametrize(("matrix", "primaries"), SYSTEMS)
def test_fit_only_draws_toward_gray(matrix, primaries):
    """`fit` leaves what a display shows, scales Cb and Cr of the rest by one factor, and ends in gamut."""
    keeper = KeptLuma(matrix, primaries)
    luma = torch.cat([torch.rand(5_000), torch.zeros(50), torch.ones(50)])
    cb, cr = torch.rand(2, 5_100) - 0.5
    fit_cb, fit_cr = keeper.fit(luma, cb, cr)
    assert bool(keeper.inside(luma, fit_cb, fit_cr, 1e-5).all())
    fits = keeper.inside(luma, cb, cr, 0.0) & (luma > 1e-3) & (luma < 1 - 1e-3)
    torch.testing.assert_close(fit_cb[fits], cb[fits], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(fit_cb * cr, fit_cr * cb, rtol=0, atol=1e-6)
    assert bool((fit_cb.abs() <= cb.abs() + 1e-7).all())
    assert bool((fit_cb * cb >= 0).all())
