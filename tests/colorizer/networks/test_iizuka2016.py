"""The network is the published one: counted, folded and split without changing what it computes."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from colorizer.networks.iizuka2016 import Iizuka2016, Iizuka2016Config
from tests.networks import lively

# part -> (parameters without normalization, its affine parameters, its buffers)
PARTS = {
    "low": (2_287_488, 2_290_176, 2_688),
    "mid": (3_539_712, 3_541_248, 1_536),
    "wide": (9_439_232, 9_443_328, 4_096),
    "scene": (26_215_936, 26_219_008, 3_072),
    "vector": (131_328, 131_840, 512),
    "classifier": (184_013, 184_525, 512),
    "fusion": (131_328, 131_840, 512),
    "color": (424_802, 425_378, 576),
}
COLOR = ("decode8", "decode4", "decode2", "out")


def on_paper(**config: object) -> Iizuka2016:
    """A network without memory: shapes only."""
    with torch.device("meta"):
        return Iizuka2016(Iizuka2016Config(**config))


def count(net: Iizuka2016, part: str) -> tuple[int, int]:
    """Parameters and buffer elements (without the batch counters) of a part of the table."""
    modules = [getattr(net, name) for name in (COLOR if part == "color" else (part,))]
    numbers = sum(p.numel() for m in modules for p in m.parameters())
    buffers = sum(b.numel() for m in modules for k, b in m.named_buffers() if "running" in k)
    return numbers, buffers


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_the_published_number_of_parameters(part):
    """Row by row without normalization, with it, and its buffers."""
    plain, affine, buffers = PARTS[part]
    assert count(on_paper(norm=False), part) == (plain, 0)
    assert count(on_paper(norm=True), part) == (affine, buffers)


@pytest.mark.parametrize(("fusion", "plain", "affine"), [(1, 42_353_839, 42_367_343), (3, 43_402_415, 43_415_919)])
def test_whole_network_has_the_published_number_of_parameters(fusion, plain, affine):
    """Totals for both fusion kernels; the 3x3 fusion alone has 1,179,904."""
    without, with_norm = on_paper(fusion=fusion, norm=False), on_paper(fusion=fusion)
    assert sum(p.numel() for p in without.parameters()) == plain
    assert sum(p.numel() for p in with_norm.parameters()) == affine
    assert sum(b.numel() for k, b in with_norm.named_buffers() if "running" in k) == 13_504
    assert sum(p.numel() for p in without.fusion.parameters()) == {1: 131_328, 3: 1_179_904}[fusion]


def macs(net: Iizuka2016, size: int) -> dict[str, int]:
    """Multiply-accumulates of one square picture by part, the fusion as published (on the concatenation)."""
    look = torch.empty(1, 256, device="meta")
    counted = {}

    def tally(name, part, x):
        with FlopCounterMode(display=False) as counter:
            y = part(x)
        counted[name] = counter.get_total_flops() // 2
        return y

    with torch.no_grad():
        low = tally("low", net.low, torch.empty(1, 1, size, size, device="meta"))
        mid = tally("mid", net.mid, low)
        tiled = look[:, :, None, None].expand(1, -1, *mid.shape[2:])
        x = tally("fusion", net.fusion, torch.cat([tiled, mid], 1))
        twice = nn.Upsample(scale_factor=2)
        steps = nn.Sequential(net.decode8, twice, net.decode4, twice, net.decode2, net.out)
        out = tally("color", steps, x)
        assert out.shape == (1, 2, size // 2, size // 2)
        small = tally("global low", net.low, torch.empty(1, 1, 224, 224, device="meta"))
        wide = tally("global conv", net.wide, small)
        scene = tally("scene", net.scene, wide.flatten(1))
        tally("vector", net.vector, scene)
        tally("classifier", net.classifier, scene)
    counted["global fc"] = sum(counted.pop(k) for k in ("scene", "vector", "classifier"))
    return counted


GMACS = {  # low, mid, fusion, color, local sum, with global
    224: (3.707, 2.775, 0.103, 0.816, 7.400, 12.290),
    512: (19.365, 14.496, 0.537, 4.266, 38.663, 43.552),
    1024: (77.460, 57.982, 2.147, 17.062, 154.652, 159.542),
    2048: (309.842, 231.928, 8.590, 68.250, 618.610, 623.499),
}


@pytest.mark.parametrize("size", GMACS)
def test_work_is_the_published_number_of_multiply_accumulates(size):
    """To the last printed digit of the specification (its FC column holds the classifier too); linear in pixels."""
    found = macs(on_paper(norm=False), size)
    local = [found[k] for k in ("low", "mid", "fusion", "color")]
    globe = [found[k] for k in ("global low", "global conv", "global fc")]
    row = [*local, sum(local), sum(local) + sum(globe)]
    assert [f"{v / 1e9:.3f}" for v in row] == [f"{v:.3f}" for v in GMACS[size]]
    assert [f"{v / 1e9:.3f}" for v in (*globe, sum(globe))] == ["3.707", "1.156", "0.027", "4.889"]
    assert f"{sum(local) / size**2 / 1e3:.2f}" == "147.49"


def test_a_picture_of_the_looks_size_shares_its_low_features():
    """At 224 the low layers run once, 8.583 GMAC; a 3x3 fusion costs 163.87
    kMAC/px.
    """
    found = macs(on_paper(norm=False), 224)
    assert f"{(sum(found.values()) - found['global low']) / 1e9:.3f}" == "8.583"
    found = macs(on_paper(norm=False, fusion=3), 512)
    assert f"{sum(found[k] for k in ('low', 'mid', 'fusion', 'color')) / 512**2 / 1e3:.2f}" == "163.87"


@pytest.mark.parametrize("fusion", [1, 3])
@pytest.mark.parametrize("output", ["regression", "bins", "mixed"])
def test_folding_normalization_changes_nothing(fusion, output):
    """Look, scene logits and chroma of the folded network equal the original's, fp64 <=
    1e-12.
    """
    config = Iizuka2016Config(width=0.125, head="mean", classes=7, fusion=fusion, bins=11, output=output)
    net = lively(config)
    folded = net.folded()
    assert folded.config == replace(config, norm=False)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    whole = torch.rand(2, 1, 64, 64, dtype=torch.float64)
    (look, scene), (look2, scene2) = net.look(whole), folded.look(whole)
    torch.testing.assert_close(look2, look, rtol=0, atol=1e-12)
    logits = net.classify(scene)
    torch.testing.assert_close(folded.classify(scene2), logits, rtol=0, atol=1e-12)
    scale = 200  # chroma in the units of the sigmoid
    error = (net.paint(whole, look) - folded.paint(whole, look)).abs().max() / scale
    assert error <= 1e-12


def test_folding_the_flatten_head_keeps_the_order_of_positions():
    """The published head reads the last global map position by position, folded or not."""
    net = lively(Iizuka2016Config(width=0.0625, classes=3))
    whole = torch.rand(1, 1, 224, 224, dtype=torch.float64)
    torch.testing.assert_close(net.folded().look(whole)[0], net.look(whole)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", [False, True])
def test_the_look_as_a_bias_equals_the_look_tiled(norm):
    """For the 1x1 kernel W[g; m] = Wm·m + (b + Wg·g), fp64 <= 1e-14 on values of order 1."""
    net = lively(Iizuka2016Config(width=0.25, head="mean", classes=2, norm=norm))
    mid = torch.rand(2, 64, 9, 7, dtype=torch.float64) / 8
    look = torch.rand(2, 64, dtype=torch.float64) / 8
    tiled = look[:, :, None, None].expand(-1, -1, 9, 7)
    error = (net.fuse(mid, look) - net.fusion(torch.cat([tiled, mid], 1))).abs().max()
    assert error <= 1e-14


@pytest.mark.parametrize("fusion", [1, 3])
def test_one_look_serves_a_whole_batch(fusion):
    """A shot's frames under one look equal the frames one by one, each with that look."""
    net = lively(Iizuka2016Config(width=0.0625, head="mean", classes=2, fusion=fusion))
    frames, look = torch.rand(3, 1, 40, 56, dtype=torch.float64), torch.rand(1, 16, dtype=torch.float64)
    alone = torch.cat([net.paint(frame[None], look) for frame in frames])
    together = net.paint(frames, look)
    assert together.shape == (3, 2, 20, 28)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-11)


def test_a_half_is_neutral():
    """An output of p = 0.5 is a* = b* = 0 exactly."""
    net = lively(Iizuka2016Config(width=0.0625, head="mean", classes=2), torch.float32)
    nn.init.zeros_(net.out.weight)
    nn.init.zeros_(net.out.bias)
    ab = net.paint(torch.rand(1, 1, 32, 32), torch.rand(1, 16))
    assert torch.equal(ab, torch.zeros(1, 2, 16, 16))


def test_chroma_stays_in_the_published_range():
    """p in (0, 1) is a*b* in [-100, 100], however large the logits are."""
    net = lively(Iizuka2016Config(width=0.0625, head="mean", classes=2), torch.float32)
    nn.init.normal_(net.out.weight, std=1e4)
    ab = net.paint(torch.rand(1, 1, 32, 32), torch.rand(1, 16))
    assert ab.abs().max() == 100


def test_bins_paint_inside_their_hull_and_sharpen_with_temperature():
    """The annealed mean is a convex combination of centers: T = 1 the plain mean, a small T nearly the
    mode.
    """
    config = Iizuka2016Config(width=0.0625, head="mean", classes=2, bins=5, output="bins", temperature=1.0)
    net = lively(config)
    logits = torch.randn(1, 5, 3, 3, dtype=torch.float64)
    plain = torch.einsum("bqhw,qc->bchw", logits.softmax(1), net.centers)
    torch.testing.assert_close(net.annealed_mean(logits), plain, rtol=0, atol=1e-12)
    net.config = replace(config, temperature=1e-3)
    mode = net.centers[logits.argmax(1)].permute(0, 3, 1, 2)
    torch.testing.assert_close(net.annealed_mean(logits), mode, rtol=0, atol=1e-3)
    ab = net.paint(torch.rand(1, 1, 32, 32, dtype=torch.float64), torch.rand(1, 16, dtype=torch.float64))
    assert ab.shape == (1, 2, 16, 16)
    for channel in (0, 1):
        assert net.centers[:, channel].min() <= ab[:, channel].min()
        assert ab[:, channel].max() <= net.centers[:, channel].max()


@pytest.mark.parametrize(("width", "look"), [(1.0, 256), (0.5, 128), (0.25, 64), (0.1, 26)])
def test_width_scales_every_channel_count(width, look):
    """Narrower networks keep the topology: every channel count is the published one times the width,
    rounded.
    """
    net, full = on_paper(width=width, norm=False, head="mean"), on_paper(norm=False, head="mean")
    assert net.vector.linear.out_features == look
    for (name, mine), (_, theirs) in zip(net.named_modules(), full.named_modules(), strict=True):
        if isinstance(mine, nn.Conv2d) and name != "out":
            assert mine.out_channels == round(theirs.out_channels * width), name
            assert (mine.kernel_size, mine.stride) == (theirs.kernel_size, theirs.stride), name
    assert net.out.out_channels == 2
    assert net.classifier[-1].out_features == 205


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0.01},
        {"width": float("nan")},
        {"width": 3},
        {"head": "median"},
        {"fusion": 2},
        {"look_size": 160},
        {"head": "mean", "look_size": 4},
        {"classes": 0},
        {"bins": -1},
        {"output": "bins"},
        {"output": "rgb"},
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"mean": float("nan")},
        {"mean": float("inf")},
    ],
)
def test_an_impossible_configuration_is_refused(wrong):
    """A configuration that could not be built, or would paint NaN, never becomes a Iizuka2016Config."""
    with pytest.raises(ValueError):
        Iizuka2016Config(**wrong)


def test_mixed_output_lies_between_the_heads():
    """A mixed output is the weighted mean of the two heads, and each head alone at either end."""
    torch.manual_seed(3)
    config = Iizuka2016Config(width=0.0625, head="mean", classes=2, bins=5, output="mixed", mix=0.3)
    net = Iizuka2016(config).eval()
    net.centers.copy_(torch.tensor([[0.0, 0.0], [50.0, 0.0], [-50.0, 0.0], [0.0, 50.0], [0.0, -50.0]]))
    part, look = torch.rand(1, 1, 32, 40), torch.rand(1, config.channels(256))

    def painted(**changes):
        net.config = replace(config, **changes)
        return net.paint(part, look)

    with torch.no_grad():
        regression, bins = painted(output="regression"), painted(output="bins")
        assert torch.allclose(painted(), 0.7 * regression + 0.3 * bins, atol=1e-4)
        assert torch.allclose(painted(mix=0.0), regression, atol=1e-5)
        assert torch.allclose(painted(mix=1.0), bins, atol=1e-5)
