"""The pretrained encoder: only the known file is read, and folded into `lite` it says what it said before."""

import hashlib

import pytest
import torch
from torch.nn import functional as F

from colorizer.basis.errors import TrainingError
from colorizer.networks.lite import STAGES, LiteConfig
from colorizer.training import encoder


def normalized(state, name, width):
    """Statistics and scale of a normalization, none of them trivial."""
    state[name + ".weight"] = 0.5 + torch.rand(width)
    state[name + ".bias"] = 0.2 * torch.randn(width)
    state[name + ".running_mean"] = 0.2 * torch.randn(width)
    state[name + ".running_var"] = 0.5 + torch.rand(width)


def convolution(state, name, norm, out, into, kernel):
    """A convolution's weights and what normalizes it."""
    state[name + ".weight"] = torch.randn(out, into, kernel, kernel) * (2 / (into * kernel * kernel)) ** 0.5
    normalized(state, norm, out)


def blocks():
    """(channels in, wide, out, kernel, stride) of each block, in order."""
    for count, times, kernel, stride, i, o in STAGES:
        for place in range(count):
            into = o if place else i
            yield into, into * times, o, kernel, 1 if place else stride


@pytest.fixture
def state():
    """An encoder of the real one's names and shapes, with random numbers."""
    torch.manual_seed(3)
    made = {}
    convolution(made, "_conv_stem", "_bn0", 32, 3, 3)
    for number, (into, wide, out, kernel, _) in enumerate(blocks()):
        name = f"_blocks.{number}."
        if wide != into:
            convolution(made, name + "_expand_conv", name + "_bn0", wide, into, 1)
        convolution(made, name + "_depthwise_conv", name + "_bn1", wide, 1, kernel)
        convolution(made, name + "_project_conv", name + "_bn2", out, wide, 1)
    convolution(made, "_conv_head", "_bn1", 1280, 320, 1)
    return {k: v.double() for k, v in made.items()}


def reference(state, rgb):
    """The encoder as published, on 3 planes of codes 0 to 255: its 1280 means, and the maps after each stage."""

    def conv(x, name, norm, stride=1, groups=1):
        weight = state[name + ".weight"]
        k = weight.shape[2]
        x = F.pad(x, (k // 2 - 1, k // 2) * 2) if stride == 2 else F.pad(x, (k // 2,) * 4)
        values = (state[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(F.conv2d(x, weight, stride=stride, groups=groups), *values, eps=1e-3)

    x, maps = F.relu6(conv((rgb - 127) / 128, "_conv_stem", "_bn0", 2)), []
    for number, (into, wide, out, _, stride) in enumerate(blocks()):
        name, y = f"_blocks.{number}.", x
        if wide != into:
            y = F.relu6(conv(y, name + "_expand_conv", name + "_bn0"))
        y = F.relu6(conv(y, name + "_depthwise_conv", name + "_bn1", stride, wide))
        y = conv(y, name + "_project_conv", name + "_bn2")
        x = y + x if stride == 1 and into == out else y
        maps.append(x)
    return F.relu6(conv(x, "_conv_head", "_bn1")).mean((2, 3)), maps


def test_planted_it_says_what_it_said(state):
    """Gist, and what painting reads after S1, S2, S3 and S5, equal the published form on three equal planes."""
    network = LiteConfig(look_size=64).build().double().eval()
    encoder.plant(network, state)
    luma = torch.rand(2, 1, 64, 96, dtype=torch.float64)
    gist, maps = reference(state, 255 * luma.expand(-1, 3, -1, -1))
    torch.testing.assert_close(network.gist(luma), gist, rtol=1e-9, atol=1e-9)
    early = network.early(luma)
    for ours, theirs in zip((*early, network.deep(early[2])), (maps[0], maps[2], maps[4], maps[10]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_only_the_known_file_is_read(state, tmp_path, monkeypatch):
    """Another file, and none, are refused in one line; the known one, by its digest, comes as data."""
    path = tmp_path / "encoder.pth"
    torch.save(state, path)
    with pytest.raises(TrainingError, match=r"encoder\.pth: not the encoder \(sha256"):
        encoder.read_encoder(path)
    with pytest.raises(TrainingError, match="cannot be read"):
        encoder.read_encoder(tmp_path / "absent.pth")
    monkeypatch.setattr(encoder, "DIGEST", hashlib.sha256(path.read_bytes()).hexdigest())
    assert encoder.read_encoder(path).keys() == state.keys()


def test_the_package_is_found_or_asked_for(monkeypatch):
    """Without the package the message says how to get it."""
    monkeypatch.setattr(encoder, "PACKAGE", "no_such_package_here")
    with pytest.raises(TrainingError, match=r"is not installed: .*pip install .*\[train\]'"):
        encoder.packaged()


def test_the_packaged_encoder_is_the_known_one():
    """What extra `train` brings has the digest that is asked for, and fits."""
    pytest.importorskip(encoder.PACKAGE)
    network = LiteConfig(look_size=64).build()
    encoder.plant(network, encoder.read_encoder(encoder.packaged()))
    assert network.gist(torch.rand(1, 1, 64, 64)).max() <= 6
