"""A network for training can begin as the function that finished weights are."""

from dataclasses import replace

import pytest
import torch

from colorizer.basis.errors import TrainingError
from colorizer.networks.iizuka2016 import Iizuka2016, Iizuka2016Config
from colorizer.networks.protocol import Layer
from colorizer.training.starting import start_from

CONFIG = Iizuka2016Config(width=0.125, head="mean", look_size=64, bins=313, classes=7)


def finished(config=CONFIG):
    """A folded network whose layers carry signal, as training leaves them."""
    torch.manual_seed(5)
    network = Iizuka2016(config).train()
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
    network = Iizuka2016(replace(CONFIG, norm=True))
    start_from(network, source, (luma, None))
    said = outputs(source, luma)
    assert apart(said, outputs(network.train(), luma)) < 0.02
    assert apart(said, outputs(network.eval(), luma)) < 0.15  # running variances are the unbiased ones
    assert apart(said, outputs(network.folded(), luma)) < 0.15


@pytest.mark.parametrize("times", [2, 3])
def test_a_wider_network_starts_as_the_narrow_one(times):
    """It is the same function, and copies of a channel part at the first step: their gradients point elsewhere."""
    source, luma = finished(), pictures(48)
    network = Iizuka2016(replace(CONFIG, norm=True, width=CONFIG.width * times))
    start_from(network, source, (luma, None))
    assert apart(outputs(source, luma), outputs(network.train(), luma)) < 0.02
    low = network.low(luma - CONFIG.mean)
    look, scene = network.look_of(low)
    quarter, half = network.decode(low, look)
    (network.classify(scene).square().mean() + half.square().mean() + network.bins(quarter).square().mean()).backward()
    for layer in (network.low[2], network.mid[0], network.wide[1], network.fusion):
        gradient = layer.linear.weight.grad.flatten(1)
        copies = torch.nn.functional.cosine_similarity(gradient[::times], gradient[1::times], 1)
        assert float(copies.median()) < 0.9


@pytest.mark.parametrize(
    ("change", "why"),
    [({"width": 0.1875}, "0.125 wide"), ({"classes": 8}, "classes"), ({"bins": 0}, "bins"), ({"fusion": 3}, "fusion")],
)
def test_weights_that_do_not_fit_are_refused(change, why):
    """Another kind of network, or a width that is no multiple, raises and says which."""
    network = Iizuka2016(replace(CONFIG, norm=True, **change))
    with pytest.raises(TrainingError, match=why):
        start_from(network, finished(), (torch.rand(8, 1, 64, 64), None))
