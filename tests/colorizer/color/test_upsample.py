"""Guided upsampling: colors stop at the picture's edges."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from colorizer.color.lab import rgb_to_lab
from colorizer.color.upsample import box_mean, fit_shape, guided_upsample


def half_and_half(height, width, edge):
    """A dark left and a bright right part, met at column `edge`, with film grain."""
    guide = torch.full((1, 1, height, width), 0.25)
    guide[..., edge:] = 0.7
    return guide + 0.01 * torch.randn(guide.shape, generator=torch.Generator().manual_seed(1))


def bleeding(result, edge, left=20.0, right=-20.0):
    """Mean distance from the true chroma within 12 columns of the edge."""
    truth = torch.full_like(result, left)
    truth[..., edge:] = right
    return float((result - truth).abs()[..., edge - 12 : edge + 12].mean())


def test_less_bleeding_than_nearest_and_bilinear():
    """Across a luma edge that lies inside a working-size sample, guided upsampling bleeds a third as much."""
    edge = 203
    guide = half_and_half(240, 400, edge)
    truth = torch.full((1, 1, 240, 400), 20.0)
    truth[..., edge:] = -20.0
    small = F.adaptive_avg_pool2d(truth, (15, 25))
    guided = bleeding(guided_upsample(small, guide), edge)
    nearest = bleeding(F.interpolate(small, (240, 400), mode="nearest"), edge)
    bilinear = bleeding(F.interpolate(small, (240, 400), mode="bilinear", align_corners=False), edge)
    assert guided < 0.34 * bilinear, (guided, bilinear)
    assert guided < 0.34 * nearest, (guided, nearest)


def test_closer_to_the_truth_than_plain_enlargement():
    """On photographs the true a*b*, reduced and brought back, is nearer to the truth than bilinear makes it."""
    data = pytest.importorskip("skimage.data")
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        rgb = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
        luma = (rgb * torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(1, keepdim=True)
        truth = rgb_to_lab(rgb[0])[None, 1:]
        small = F.adaptive_avg_pool2d(truth, (96, 96 * rgb.shape[3] // rgb.shape[2]))
        bilinear = F.interpolate(small, rgb.shape[2:], mode="bilinear", align_corners=False)
        ours = float((guided_upsample(small, luma) - truth).abs().mean())
        assert ours < 0.93 * float((bilinear - truth).abs().mean()), name


def test_grain_does_not_become_color():
    """On a flat, grainy field chroma stays flat: luma noise of 2.5 codes moves chroma by less than half a unit."""
    guide = 0.5 + 0.01 * torch.randn(1, 1, 200, 300, generator=torch.Generator().manual_seed(2))
    small = torch.full((1, 2, 20, 30), 25.0) + torch.linspace(-5, 5, 30)
    smooth = F.interpolate(small, (200, 300), mode="bilinear", align_corners=False)
    assert float((guided_upsample(small, guide) - smooth).abs()[..., 20:-20].mean()) < 0.5


@given(st.integers(8, 90), st.integers(8, 90), st.integers(2, 12), st.integers(2, 12), st.floats(-40, 40))
def test_constant_stays_constant(height, width, h, w, value):
    """Whatever the sizes and the picture, one color in is the same color out."""
    guide = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(3))
    result = guided_upsample(torch.full((1, 2, h, w), value), guide)
    assert result.shape == (1, 2, height, width)
    assert torch.allclose(result, torch.full_like(result, value), atol=2e-3)


def test_box_mean_is_the_mean_of_what_is_there():
    """At the border the mean is over the part of the window inside the picture."""
    x = torch.rand(1, 1, 7, 9)
    assert torch.isclose(box_mean(x, 2)[0, 0, 0, 0], x[0, 0, :3, :3].mean())
    assert torch.isclose(box_mean(x, 2)[0, 0, 3, 4], x[0, 0, 1:6, 2:7].mean())


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_box_mean_is_a_pooled_mean(height, width, radius):
    """Any size and radius, also a window larger than the picture: torch's pooling without what it pads."""
    x = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(radius))
    pooled = F.avg_pool2d(x.double(), 2 * radius + 1, 1, radius, count_include_pad=False)
    assert (box_mean(x, radius) - pooled).abs().max() < 1e-6


def test_fit_grid_is_bounded():
    """A gigantic picture does not enlarge the grid of the fit."""
    assert min(fit_shape(60_000, 80_000)) == min(fit_shape(2_000, 3_000))
