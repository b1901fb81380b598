"""Chroma bins: the color classes of Zhang, Isola and Efros, "Colorful Image Colorization" (ECCV 2016).

Owns where the bins are, the soft encoding of a color over them, and the weights that keep gray from drowning
the rare colors. All tables are over 8-bit a*b* (a* + 128, b* + 128), the form in which training pictures are
cached.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from colorizer.color.lab import rgb_to_lab

EXTRA = ((40, 90), (100, -90), (100, -10), (100, 0))
"""Published bins that the rule in `bin_centers` does not give."""


def bin_centers() -> Tensor:
    """The 313 bin centers (a*, b*), a ascending then b ascending, float32 (313, 2).

    Rule: every 10 x 10 cell of the a*b* plane that holds at least one sRGB color contributes its four
    corners; four more published points are added.
    """
    found: set[tuple[int, int]] = set(EXTRA)
    axis = torch.arange(256, dtype=torch.float32) / 255
    cells = torch.zeros(40, 40, dtype=torch.bool)
    for r in axis:
        g, b = torch.meshgrid(axis, axis, indexing="ij")
        lab = rgb_to_lab(torch.stack([r.expand_as(g), g, b]))
        i = torch.floor(lab[1:] / 10).long().flatten(1) + 20
        cells[i[0], i[1]] = True
    for i, j in (cells.nonzero() - 20).tolist():
        found |= {(10 * (i + u), 10 * (j + v)) for u in (0, 1) for v in (0, 1)}
    return torch.tensor(sorted(found), dtype=torch.float32)


def soft_encoding(centers: Tensor, neighbors: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """For each 8-bit (a*, b*): its nearest bins and their weights exp(-d²/2σ²), normalized.

    Returns int64 and float32 tables, both (65536, neighbors), row index (a + 128) * 256 + (b + 128).
    """
    axis = torch.arange(-128, 128, dtype=torch.float32)
    colors = torch.cartesian_prod(axis, axis)
    distance, index = torch.cdist(colors, centers).topk(neighbors, largest=False)
    weight = torch.exp(-(distance**2 - distance[:, :1] ** 2) / (2 * sigma**2))
    return index, weight / weight.sum(1, keepdim=True)


def rebalancing(histogram: np.ndarray, centers: Tensor, uniform: float, sigma: float = 5.0) -> Tensor:
    """Weight of each bin, float32 (bins,), the larger the rarer; its mean under p is 1.

    Proportional to 1 / ((1 - uniform)·p + uniform / bins), where p is the histogram's distribution over
    nearest bins, smoothed by a Gaussian. histogram: counts over 8-bit a*b*, (65536,).
    """
    index, _ = soft_encoding(centers, neighbors=1)
    p = np.bincount(index[:, 0].numpy(), weights=histogram.astype(np.float64), minlength=len(centers))
    kernel = torch.exp(-(torch.cdist(centers, centers) ** 2) / (2 * sigma**2)).double().numpy()
    p = (kernel / kernel.sum(0)) @ p
    p /= p.sum()
    w = 1 / ((1 - uniform) * p + uniform / len(p))
    return torch.from_numpy(w / (p * w).sum()).float()
