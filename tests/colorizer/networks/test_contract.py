"""What every architecture of the registry keeps to: one look for all parts, exact tiles, folding, a file."""

from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from torch import nn

from colorizer.networks import weights_file
from colorizer.networks.iizuka2016 import Iizuka2016Config
from colorizer.networks.lite import LiteConfig
from colorizer.networks.protocol import Config, Halo, Layer
from colorizer.networks.registry import ARCHITECTURES
from colorizer.networks.tiling import paint_tiled
from tests.networks import lively

SMALL = {
    "iizuka2016": Iizuka2016Config(width=0.125, head="mean", look_size=64, classes=5, bins=9, output="mixed"),
    "lite": LiteConfig(look_size=64, classes=5, bins=9),
}
NAMES = ("abbey", "beach", "castle", "desert", "forest")


@pytest.fixture(params=sorted(ARCHITECTURES))
def config(request):
    """A small configuration of each architecture; a new one needs a line in SMALL."""
    return SMALL[request.param]


def of(config, kind=torch.float64, seed=0):
    """A lively network that paints as vividly as a trained one."""
    torch.manual_seed(seed)
    net = lively(config, kind)
    whole, look = torch.rand(2, 1, 64, 64, dtype=kind), torch.rand(2, config.look_length, dtype=kind)
    with torch.no_grad():
        net.bins[-1].bias.zero_()
        net.out.bias.zero_()
        guess = net.guess(whole)
        net.bins[-1].weight /= net.bins(guess.quarter).std()
        net.out.weight *= 0.2 / guess.half.std()
    return net, whole, look


def test_a_configuration_says_what_it_is_of(config):
    """The registry's name is the configuration's own, and all that the program asks of it is there and fits."""
    assert isinstance(config, Config)
    assert ARCHITECTURES[config.architecture] is type(config)
    assert config.grid % config.stride == 0
    assert config.halo.before % config.grid == config.halo.after % config.grid == 0
    assert 50 <= config.bytes_per_pixel <= 1000
    assert config.look_size % config.grid == 0


def test_shapes_are_what_the_configuration_says(config):
    """Looks, scenes and chroma have the promised sizes, also on parts that are a single cell."""
    net, _, _ = of(config)
    size = config.look_size
    look, scene = net.look(torch.rand(3, 1, size, size, dtype=torch.float64))
    assert look.shape == (3, config.look_length)
    assert net.classify(scene).shape == (3, config.classes)
    for height, width in ((config.grid, config.grid), (3 * config.grid, 5 * config.grid)):
        ab = net.paint(torch.rand(3, 1, height, width, dtype=torch.float64), look)
        assert ab.shape == (3, 2, height // config.stride, width // config.stride)


def test_one_look_serves_many_parts_and_matters(config):
    """A batch under one look is what its pictures are one by one under it; under another look it is something else."""
    net, whole, look = of(config)
    together = net.paint(whole, look[:1])
    alone = torch.cat([net.paint(part[None], look[:1]) for part in whole])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-10)
    assert (net.paint(whole, look[1:]) - together).abs().max() > 0.1


def test_what_is_learnt_from_is_what_is_painted(config):
    """The heads that training sees, mixed, are the chroma that `paint` gives under the same look."""
    net, whole, _ = of(config)
    guess = net.guess(whole)
    look, scene = net.look(whole)
    torch.testing.assert_close(guess.scene, scene, rtol=0, atol=1e-10)
    torch.testing.assert_close(net.chroma(guess.quarter, guess.half), net.paint(whole, look), rtol=0, atol=1e-9)


@pytest.mark.parametrize("output", ["regression", "bins", "mixed"])
def test_folding_changes_nothing(config, output):
    """Look, scene and chroma of the folded copy are the network's own, and no normalization is left in it."""
    net, whole, look = of(replace(config, output=output))
    folded = net.folded()
    assert folded.config == replace(net.config, norm=False)
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in folded.modules())
    for ours, theirs in zip(folded.look(whole), net.look(whole), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(folded.paint(whole, look), net.paint(whole, look), rtol=0, atol=1e-9)


@pytest.mark.parametrize("output", ["regression", "bins", "mixed"])
def test_a_file_brings_the_network_back(config, output, tmp_path):
    """What was saved is loaded as its architecture, without the tensors its output needs not, and paints alike."""
    net, whole, look = of(replace(config, output=output), torch.float32)
    path = tmp_path / "w.safetensors"
    weights_file.save(net, path, NAMES, {})
    loaded = weights_file.load(path)
    assert loaded.config == replace(config, output=output, norm=False, bins=0 if output == "regression" else 9)
    with safe_open(path, "pt") as file:
        assert bool(net.unused()) == (output == "bins")
        assert not any(k.startswith(net.unused()) for k in file.keys())  # noqa: SIM118 - not a dict
    with torch.no_grad():
        apart = (loaded.network().paint(whole, look) - net.paint(whole, look)).abs()
    assert apart.mean() < 0.5


SIDE = {"iizuka2016": 256, "lite": 512}
"""Of a picture that is larger than a cell and its halo."""


def picture(config):
    """A picture and a look, float64."""
    side = SIDE[config.architecture]
    return torch.rand(1, 1, side, side, dtype=torch.float64), torch.rand(1, config.look_length, dtype=torch.float64)


def test_tiled_equals_whole(config):
    """With the configuration's halo the error is rounding, at two sizes of tiles."""
    net, _, _ = of(config)
    whole, look = picture(config)
    painted = net.paint(whole, look)
    for size in (8 * config.grid, 13 * config.grid):
        assert (paint_tiled(net, whole, look, size) - painted).abs().max() <= 1e-9


@pytest.mark.parametrize("short", [(1, 0), (0, 1)], ids=["before", "after"])
def test_the_halo_is_needed(config, short):
    """A cell of the grid less on either side is wrong."""
    net, _, _ = of(config)
    whole, look = picture(config)
    halo = Halo(config.halo.before - short[0] * config.grid, config.halo.after - short[1] * config.grid)
    narrow = type(config.__class__.__name__, (), {"halo": halo, "grid": config.grid, "stride": config.stride})
    painted, own = net.paint(whole, look), net.config

    def paint(part, given):
        net.config = own
        try:
            return type(net).paint(net, part, given)
        finally:
            net.config = narrow

    net.config, net.paint = narrow, paint
    assert (paint_tiled(net, whole, look, 6 * config.grid) - painted).abs().max() > 1e-7


def test_reach_of_a_cell(config):
    """By gradient: an aligned cell sees as far as the halo, rounded up to the grid, and no further.

    Weights that average, halved since blocks add their input, keep every activation where it has a slope.
    """
    net = replace(config, norm=False, output="regression").build().double().eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data.abs_()
            module.weight.data /= 2 * module.weight.data.flatten(1).sum(1).view(-1, *(1,) * (module.weight.dim() - 1))
            if module.bias is not None:
                module.bias.data.zero_()
    side, grid = SIDE[config.architecture], config.grid
    luma = (0.8 + 0.2 * torch.rand(1, 1, side, side, dtype=torch.float64)).requires_grad_()
    ab = net.paint(luma, torch.rand(1, config.look_length, dtype=torch.float64))
    middle = side // 2 // grid * grid
    cell = slice(middle // config.stride, (middle + grid) // config.stride)
    ab[..., cell, cell].sum().backward()
    for axis in (0, 1):
        touched = luma.grad[0, 0].abs().sum(axis).nonzero()
        before, after = middle - int(touched.min()), int(touched.max()) - (middle + grid - 1)
        assert (-(-before // grid) * grid, -(-after // grid) * grid) == (config.halo.before, config.halo.after)


def test_layers_scale_by_their_normalization():
    """`Layer.scale` is gamma / sqrt(var + eps), and 1 where nothing is normalized."""
    layer = Layer(nn.Linear(3, 4), norm=True)
    layer.norm.running_var.fill_(3.0)
    assert torch.allclose(layer.scale(), torch.full((4,), 3.00001**-0.5))
    assert torch.equal(Layer(nn.Conv2d(3, 4, 3), norm=False).scale(), torch.ones(4))
