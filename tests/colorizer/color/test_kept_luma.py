"""Chroma under a luma that no one may change."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorizer.color.coding import Coding
from colorizer.color.kept_luma import KeptLuma
from colorizer.color.lab import lab_to_rgb, rgb_to_lab

SYSTEMS = [
    ("bt709", "bt709"),
    ("bt601", "smpte170m"),
    ("bt601", "bt470bg"),
    ("bt601", "bt709"),
    ("bt2020", "bt2020"),
]


def wishes(count: int, reach: float = 100.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random luma with wanted a*b*, most of them out of the display's gamut."""
    ab = (torch.rand(2, count) * 2 - 1) * reach
    return torch.rand(count), ab[0], ab[1]


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
