"""What the network is trained on: chroma by regression, chroma by bins, and the scene's class.

Regression and class terms: Iizuka 2016, Eq. 6. Bins: Zhang 2016, Eq. 2 to 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.networks.protocol import AB_RANGE


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Factors of the three terms; the paper's are 1 (on a summed error), 0 and 1/300.

    The defaults suit a mean-reduced regression term, about 0.004 for a trained network where the others are
    near 3.
    """

    regression: float = 100.0
    bins: float = 0.3
    scene: float = 0.5


def regression(half_logits: Tensor, ab: Tensor) -> Tensor:
    """Mean squared error of p = (ab/100 + 1)/2 at half size. half_logits and ab (CIE units): (B, 2, h, w)."""
    target = ((ab / AB_RANGE + 1) / 2).clamp(0, 1)
    return F.mse_loss(torch.sigmoid(half_logits.float()), target)


def bins(logits: Tensor, codes: Tensor, table: tuple[Tensor, Tensor], weight: Tensor) -> Tensor:
    """Rebalanced cross-entropy with the soft encoding of 8-bit chroma.

    logits: (B, Q, h, w). codes: int64 (B, h, w), (a*+128)·256 + (b*+128). table: `bins.soft_encoding`.
    weight: (Q,).
    """
    index, share = table[0][codes], table[1][codes]  # (B, h, w, 5)
    flat = logits.float()
    chosen = flat.permute(0, 2, 3, 1).gather(3, index)
    each = torch.logsumexp(flat, 1) - (chosen * share).sum(3)
    w = weight[index[..., 0]]
    return (each * w).sum() / w.sum()


def scene(logits: Tensor, labels: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy of the scene's class over labeled pictures; 0 when the batch has none.

    labels: (B,), -1 unlabeled.
    """
    total = F.cross_entropy(logits.float(), labels, ignore_index=-1, label_smoothing=smoothing, reduction="sum")
    return total / (labels >= 0).sum().clamp_min(1)  # asks the device for nothing, so it does not wait
