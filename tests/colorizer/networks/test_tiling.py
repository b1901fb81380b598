"""Tiled equals whole, and the halo is not a pixel of the grid larger than it must be."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.networks.iizuka2016 import HALOS, Iizuka2016Config
from colorizer.networks.protocol import Halo
from colorizer.networks.tiling import paint_tiled, tiles
from tests.networks import lively

CONFIGS = [
    pytest.param({"fusion": 1}, id="regression-1x1"),
    pytest.param({"fusion": 3}, id="regression-3x3"),
    pytest.param({"fusion": 1, "bins": 9, "output": "bins"}, id="bins-1x1"),
    pytest.param({"fusion": 3, "bins": 9, "output": "bins"}, id="bins-3x3"),
    pytest.param({"fusion": 1, "bins": 9, "output": "mixed"}, id="mixed-1x1"),
]


def scene(config, width=0.125):
    """A lively float64 network, a picture and a look.

    The last layer is scaled until the network paints as vividly as a trained one (sigmoid logits of deviation
    0.2, bin logits of deviation 1): rounding errors grow with the logits.
    """
    net = lively(Iizuka2016Config(width=width, head="mean", classes=2, **config))
    whole = torch.rand(1, 1, 256, 224, dtype=torch.float64)
    look = torch.rand(1, net.config.channels(256), dtype=torch.float64)
    quarter, half = net.decode(net.low(whole - net.config.mean), look)
    last, logits, aim = (net.bins[-1], net.bins(quarter), 1.0) if net.config.bins else (net.out, half, 0.2)
    last.weight *= aim / logits.std()
    last.bias.zero_()
    return net, whole, look


def error(net, whole, look, size):
    """Largest difference of tiled and whole in units of the sigmoid output (a*b* / 200)."""
    return float((paint_tiled(net, whole, look, size) - net.paint(whole, look)).abs().max() / 200)


@pytest.mark.parametrize("config", CONFIGS)
def test_tiled_equals_whole(config):
    """With the published halos the error is rounding, fp64 <= 1e-14, at any tile size."""
    net, whole, look = scene(config)
    for size in (64, 136):
        assert error(net, whole, look, size) <= 1e-14


@pytest.mark.parametrize("config", CONFIGS)
def test_tiled_equals_whole_in_single_precision(config):
    """Fp32 <= 1e-6 at half width, where the library may pick another algorithm per size."""
    net, whole, look = scene(config, width=0.5)
    assert error(net.float(), whole.float(), look.float(), 128) <= 1e-6


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("short", [(Iizuka2016Config.grid, 0), (0, Iizuka2016Config.grid)], ids=["before", "after"])
def test_the_halo_is_needed(config, short, monkeypatch):
    """8 pixels less on either side is wrong by more than 1e-6."""
    net, whole, look = scene(config)
    exact = net.config.halo
    monkeypatch.setitem(HALOS, net.config.fusion, Halo(exact.before - short[0], exact.after - short[1]))
    assert error(net, whole, look, 64) > 1e-6


@pytest.mark.parametrize("config", CONFIGS)
def test_reach_of_a_cell(config):
    """An aligned cell depends on 61 pixels before it and 54 after (3x3 fusion: 69 and 62).

    Holds for the bins head too. Positive weights keep any dependence from canceling or being cut off.
    """
    net, _, look = scene(config)
    for parameter in net.parameters():
        parameter.abs_()
    luma = torch.rand(1, 1, 256, 256, dtype=torch.float64).requires_grad_()
    quarter, half = net.decode(net.low(luma), look)
    logits, scale = (net.bins(quarter), 2) if net.config.output == "bins" else (half, 4)
    logits[..., 16 * scale : 17 * scale, 16 * scale : 17 * scale].sum().backward()
    for axis in (0, 1):
        touched = luma.grad[0, 0].abs().sum(axis).nonzero()
        reach = 128 - int(touched.min()), int(touched.max()) - 135
        assert reach == {1: (61, 54), 3: (69, 62)}[net.config.fusion]
    halo = net.config.halo
    assert (halo.before, halo.after) == tuple(-(-r // Iizuka2016Config.grid) * Iizuka2016Config.grid for r in reach)


multiples = st.integers(1, 40).map(lambda n: n * Iizuka2016Config.grid)


@given(height=multiples, width=multiples, size=multiples, halo=st.sampled_from(list(HALOS.values())))
@settings(max_examples=60)
def test_tiles_cover_each_pixel_once(height, width, size, halo):
    """Cores partition the picture; padded rectangles hold core and halo, clipped to the picture, all on the
    grid.
    """
    seen = torch.zeros(height, width, dtype=torch.int32)
    for tile in tiles(height, width, size, halo):
        top, left, bottom, right = tile.core
        seen[top:bottom, left:right] += 1
        assert all(v % Iizuka2016Config.grid == 0 for v in (*tile.core, *tile.padded))
        assert bottom - top <= size
        assert right - left <= size
        assert tile.padded == (
            max(0, top - halo.before),
            max(0, left - halo.before),
            min(height, bottom + halo.after),
            min(width, right + halo.after),
        )
        inner = tile.within
        assert (inner[2] - inner[0], inner[3] - inner[1]) == (bottom - top, right - left)
        assert (inner[0] + tile.padded[0], inner[1] + tile.padded[1]) == (top, left)
    assert bool((seen == 1).all())


def test_small_pictures_and_batches():
    """A picture smaller than a tile is one tile; a batch under one look per picture is tiled like the
    whole.
    """
    assert [t.padded for t in tiles(64, 8, 512, HALOS[1])] == [(0, 0, 64, 8)]
    net, _, _ = scene({"fusion": 1})
    batch, looks = torch.rand(2, 1, 24, 200, dtype=torch.float64), torch.rand(2, 32, dtype=torch.float64)
    assert error(net, batch, looks, 72) <= 1e-14


@pytest.mark.parametrize(
    ("height", "width", "size"), [(100, 64, 64), (64, 60, 64), (64, 64, 20), (0, 64, 64), (64, 64, 0)]
)
def test_misaligned_tiles_are_refused(height, width, size):
    """Sides or a tile size off the grid would be silently wrong (0.005 to 0.15 of the range), so they
    raise.
    """
    with pytest.raises(ValueError, match="multiple of 8"):
        list(tiles(height, width, size, HALOS[1]))


def test_other_misuse_is_refused():
    """A halo off the grid and a network in training mode raise too."""
    with pytest.raises(ValueError, match="halo"):
        list(tiles(64, 64, 64, Halo(61, 54)))
    net, whole, look = scene({"fusion": 1})
    with pytest.raises(ValueError, match="evaluation"):
        paint_tiled(net.train(), whole, look, 64)
    with pytest.raises(ValueError, match="multiple of 8"):
        paint_tiled(net.eval(), whole[..., :100], look, 64)
