"""A convolution and its rectifier in one pass: the bits of two passes, and only where nothing is learnt."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from colorizer.networks import fused
from colorizer.networks.fused import rectified
from colorizer.networks.shipped import names
from colorizer.networks.weights_file import load

in_one = pytest.mark.skipif(not fused.AVAILABLE, reason="this processor or this torch has no bfloat16 in oneDNN")


def two_passes(conv, x, most):
    """What the operators of every torch give."""
    y = F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)
    return y.clamp_min(0) if most is None else y.clamp(0, most)


@in_one
@settings(deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 40), st.sampled_from([(1, 1), (3, 1), (3, 2), (5, 1), (5, 2)]), st.booleans(),
    st.integers(5, 40), st.integers(5, 40), st.sampled_from([None, 6.0]), st.booleans(), st.integers(0, 1000),
)  # fmt: skip
def test_the_bits_are_those_of_two_passes(count, channels, shape, depthwise, high, wide, most, last, seed):
    """Of any kernel, stride and groups that the networks have, in either layout, of pictures of any size."""
    torch.manual_seed(seed)
    kernel, stride = shape
    out, groups = (channels, channels) if depthwise else (8 * (seed % 4 + 1), 1)
    conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups).to(torch.bfloat16).requires_grad_(False)
    x = 4 * torch.randn(count, channels, high, wide).to(torch.bfloat16)
    if last:
        conv, x = conv.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert fused._is_fusible(conv, x)
        assert torch.equal(rectified(conv, x, most), two_passes(conv, x, most))


@in_one
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("threads", [1, 2])
def test_networks_paint_the_same(monkeypatch, name, threads):
    """Look and chroma of what is shipped, bit for bit."""
    network = load(name).network().to(torch.bfloat16).to(memory_format=torch.channels_last)
    torch.manual_seed(0)
    part = torch.rand(2, 1, 192, 256).to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
    whole = torch.rand(2, 1, *(network.config.look_size,) * 2).to(torch.bfloat16)
    before, found = torch.get_num_threads(), []
    torch.set_num_threads(threads)
    try:
        for there in (True, False):
            monkeypatch.setattr(fused, "AVAILABLE", there)
            with torch.inference_mode():
                look, scene = network.look(whole)
                found.append((look, scene, network.paint(part, look)))
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_what_learns_has_gradients(kind):
    """Outside of inference both passes are torch's own."""
    conv = nn.Conv2d(3, 8, 3, padding=1).to(kind)
    rectified(conv, torch.rand(1, 3, 8, 8).to(kind), 6.0).sum().backward()
    assert conv.weight.grad is not None
    assert bool(conv.weight.grad.any())
