"""CIE L*a*b* of R'G'B', and back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.light import PRIMARIES
from colorizer.color.lab import eotf, lab_to_rgb, lightness, oetf, rgb_to_lab, rgb_to_xyz


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
