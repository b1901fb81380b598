"""The objective: a network and what it is wrong by, as one module, which is what gradients are averaged over."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.networks import bins as chroma_bins
from colorizer.networks.iizuka2016 import Network
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

    def forward(self, planes: Tensor, labels: Tensor, seed: int) -> Tensor:
        """Terms (3,): regression, bins, scene, unweighted.

        planes: uint8 (B, 4, side, side). labels: int64 (B,). seed: of the wear and the dropout.
        """
        network = self.network
        generator = torch.Generator(planes.device).manual_seed(seed)
        luma = age(planes[:, :1].float() / 255, planes[:, 3:].float() / 255, self.recipe.aged, generator)
        ab = planes[:, 1:3].float() - 128
        with torch.autocast(planes.device.type, torch.bfloat16):
            x = (luma - network.config.mean).contiguous(memory_format=torch.channels_last)
            low = network.low(x)
            look, scene = network.look_of(low)
            quarter, half = network.decode(low, look)
            kept = torch.rand(scene.shape, generator=generator, device=scene.device) >= self.recipe.dropout
            class_logits = network.classify(scene * kept / (1 - self.recipe.dropout))
            bin_logits = network.bins(quarter) if network.config.bins else None
        assert half is not None
        first = losses.regression(half, F.avg_pool2d(ab, 2))
        second = first.new_zeros(())
        if bin_logits is not None:
            codes = (F.avg_pool2d(ab, 4) + 128).round().clamp(0, 255).long()
            table = (self.index, self.share)
            second = losses.bins(bin_logits, codes[:, 0] * 256 + codes[:, 1], table, self.weight)  # type: ignore[arg-type]
        return torch.stack([first, second, losses.scene(class_logits, labels, self.recipe.smoothing)])
