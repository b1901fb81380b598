"""A network for training can begin as the function that finished weights are."""

from dataclasses import replace

import pytest
import torch

from colorizer.errors import TrainingError
from colorizer.network import Layer, Network, NetworkConfig
from colorizer.starting import NOISE, start_from

CONFIG = NetworkConfig(width=0.125, head="mean", look_size=64, bins=313, classes=7)


def finished(config=CONFIG):
    """A folded network whose layers carry signal, as training leaves them."""
    torch.manual_seed(5)
    network = Network(config).train()
    for module in network.modules():
        if isinstance(module, Layer) and module.norm is not None:
            torch.nn.init.uniform_(module.norm.weight, 0.6, 1.4)
            torch.nn.init.uniform_(module.norm.bias, -0.2, 0.6)
    luma = pictures(32)
    for _ in range(40):
        network.classify(network.look(luma)[1])
        low = network.low(luma - config.mean)
        network.bins(network.decode(low, network.look_of(low)[0])[0])
    return network.folded()


def outputs(network, luma):
    """Everything a network says about pictures."""
    with torch.no_grad():
        low = network.low(luma - network.config.mean)
        look, scene = network.look_of(low)
        quarter, half = network.decode(low, look)
        return network.classify(scene), half, network.bins(quarter)


def pictures(count):
    """Pictures of several brightnesses and textures, (count, 1, 64, 64)."""
    coarse = torch.nn.functional.interpolate(torch.rand(count, 1, 4, 4), (64, 64), mode="bilinear")
    return (coarse * torch.rand(count, 1, 1, 1) + 0.2 * torch.rand(count, 1, 64, 64)).clamp(0, 1)


def apart(first, second):
    """Root mean square difference relative to the spread of the first; the worst of all outputs."""
    return max(float((a - b).square().mean().sqrt() / a.std()) for a, b in zip(first, second, strict=True))


def test_a_network_starts_as_the_finished_one():
    """In training mode on the same pictures, and in evaluation mode, it says what the finished weights say."""
    source, luma = finished(), pictures(48)
    network = Network(replace(CONFIG, norm=True))
    start_from(network, source, luma)
    said = outputs(source, luma)
    assert apart(said, outputs(network.train(), luma)) < 0.02
    assert apart(said, outputs(network.eval(), luma)) < 0.15  # running variances are the unbiased ones
    assert apart(said, outputs(network.folded(), luma)) < 0.15


@pytest.mark.parametrize("times", [2, 3])
def test_a_wider_network_starts_as_the_narrow_one(times, monkeypatch):
    """Without noise the wider network is the same function; with it, nearly; and its channels are not copies."""
    source, luma = finished(), pictures(48)
    wide = replace(CONFIG, norm=True, width=CONFIG.width * times)
    near = Network(wide)
    start_from(near, source, luma)
    assert apart(outputs(source, luma), outputs(near.train(), luma)) < 0.5
    rows = near.low[2].linear.weight.flatten(1)
    assert not torch.allclose(rows[0], rows[1])
    assert torch.nn.functional.cosine_similarity(rows[0], rows[1], 0) > 1 - 10 * NOISE**2
    monkeypatch.setattr("colorizer.starting.NOISE", 0.0)
    exact = Network(wide)
    start_from(exact, source, luma)
    assert apart(outputs(source, luma), outputs(exact.train(), luma)) < 0.02


@pytest.mark.parametrize(
    ("change", "why"),
    [({"width": 0.1875}, "0.125 wide"), ({"classes": 8}, "classes"), ({"bins": 0}, "bins"), ({"fusion": 3}, "fusion")],
)
def test_weights_that_do_not_fit_are_refused(change, why):
    """Another kind of network, or a width that is no multiple, raises and says which."""
    network = Network(replace(CONFIG, norm=True, **change))
    with pytest.raises(TrainingError, match=why):
        start_from(network, finished(), torch.rand(8, 1, 64, 64))
