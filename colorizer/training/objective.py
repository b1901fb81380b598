"""The objective: a network and what it is wrong by, as one module, which is what gradients are averaged over."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.networks import bins as chroma_bins
from colorizer.networks.protocol import Network
from colorizer.training import losses
from colorizer.training.aging import age
from colorizer.training.recipe import Recipe


class Objective(nn.Module):
    """Cached planes in, the three loss terms out; the network computes in bfloat16, the losses in float32.

    ab_histogram: `Pictures.ab_histogram`, for the rebalancing of a network with bins.
    """

    def __init__(self, network: Network, recipe: Recipe, ab_histogram: np.ndarray) -> None:
        super().__init__()
        self.network, self.recipe = network, recipe
        if network.config.bins:
            index, share = chroma_bins.soft_encoding(network.centers)
            weight = chroma_bins.rebalancing(ab_histogram, network.centers, recipe.uniform)
            for name, table in (("index", index), ("share", share), ("weight", weight)):
                self.register_buffer(name, table, persistent=False)

    def forward(self, planes: Tensor, labels: Tensor, seed: int, gists: Tensor | None = None) -> Tensor:
        """Terms (3,): regression, bins, scene, unweighted.

        planes: uint8 (B, 4, side, side). labels: int64 (B,). seed: of the wear and the dropout. gists: (B or more,
        gist_length) of a network that has them; labels then are as many.
        """
        network, recipe = self.network, self.recipe
        generator = torch.Generator(planes.device).manual_seed(seed)
        luma = age(planes[:, :1].float() / 255, planes[:, 3:].float() / 255, self.recipe.aged, generator)
        ab = planes[:, 1:3].float() - 128
        with torch.autocast(planes.device.type, torch.bfloat16):
            gists = None if gists is None else _dropped(gists, recipe.gist_dropout, generator)
            guess = network.guess(luma, gists)
            class_logits = network.classify(_dropped(guess.scene, recipe.dropout, generator))
            bin_logits = network.bins(_thinned(guess.quarter, recipe, seed)) if network.config.bins else None
        first = losses.regression(guess.half, F.avg_pool2d(ab, 2))
        second = first.new_zeros(())
        if bin_logits is not None:
            codes = _thinned((F.avg_pool2d(ab, 4) + 128).round().clamp(0, 255).long(), recipe, seed)
            table = (self.index, self.share)
            second = losses.bins(bin_logits, codes[:, 0] * 256 + codes[:, 1], table, self.weight)  # type: ignore[arg-type]
        return torch.stack([first, second, losses.scene(class_logits, labels, self.recipe.smoothing)])


def _dropped(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the numbers set to 0, the rest raised so that the mean stays."""
    kept = torch.rand(x.shape, generator=generator, device=x.device) >= share
    return x * kept / (1 - share)


def _thinned(x: Tensor, recipe: Recipe, seed: int) -> Tensor:
    """Every n-th row and column, from another one at each step: neighbors at H/4 have nearly the same color."""
    n = recipe.thinning
    if n == 1:
        return x
    return x[:, :, seed // n % n :: n, seed % n :: n].contiguous(memory_format=torch.channels_last)
