"""Chroma from the working grid to the picture's grid, guided by the luma's edges.

A guided filter (He, Sun and Tang, "Guided Image Filtering", TPAMI 2013; coefficients at reduced size as in He and Sun,
"Fast Guided Filter", 2015): around every pixel chroma is a linear function of luma, so color stops where the
picture's own edges are. By itself it also washes out color that luma does not predict, and is then worse than plain
bilinear enlargement on photographs; so what it lost is put back: the result, reduced to the working grid, must give
the chroma that came in (iterative back-projection, Irani and Peleg, 1991).

Measured on the true a*b* of six photographs, reduced to 96 lines and brought back to 540: mean absolute error 1.35
bilinear, 1.45 nearest, 2.01 guided alone, 1.07 guided with back-projection; within 12 columns of a synthetic edge
11.3, 11.5, 5.4 and 3.3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

FIT_SIDE = 256
"""The linear models are fitted on a grid whose shorter side is at most this; beyond it the picture's edges add cost
but no visible sharpness to colors that were found at a working size of 100 to 300."""

SMOOTHNESS = 6e-4
"""Variance of Y' below which a neighborhood counts as flat: (0.024)², about 6 codes of 255; film grain is below it."""


BACK_PROJECTIONS = 2


def box_mean(x: Tensor, radius: int) -> Tensor:
    """Mean over the (2·radius + 1)² window, cut off at the border. (B, C, H, W) to the same.

    What avg_pool2d gives, in a quarter of its time on a CPU (38 ms a frame of 1080 lines, where this takes 9).
    """
    x = F.pad(x, (radius,) * 4)
    for axis in (2, 3):
        x = _sums(x, axis, 2 * radius + 1)
    down, across = (_within(side, radius).to(x) for side in x.shape[2:])
    return x / (down[:, None] * across)


def _within(side: int, radius: int) -> Tensor:
    """How many samples of a window lie within an axis of `side` samples, for each place."""
    place = torch.arange(side)
    return place.clamp_max(radius) + place.flip(0).clamp_max(radius) + 1


def _sums(x: Tensor, axis: int, count: int) -> Tensor:
    """Sums of `count` neighbors along an axis, which gets shorter by count - 1.

    Whole planes are added, shifted: first to sums of 2, 4, 8 ..., of which those that make up `count` are put together.
    """
    length, start, power, total = x.shape[axis] - count + 1, 0, 1, None
    while power <= count:
        if count & power:
            part = x.narrow(axis, start, length)
            total, start = part if total is None else total + part, start + power
        if 2 * power <= count:
            rest = x.shape[axis] - power
            x = x.narrow(axis, 0, rest) + x.narrow(axis, power, rest)
        power *= 2
    assert total is not None
    return total


def fit_shape(height: int, width: int) -> tuple[int, int]:
    """The grid the linear models are fitted on, for an output grid."""
    scale = min(1.0, FIT_SIDE / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def guided_upsample(chroma: Tensor, guide: Tensor) -> Tensor:
    """Enlarge chroma to the guide's grid.

    chroma: (B, C, h, w), any units. guide: Y' in [0, 1], (B, 1, H, W). Returns (B, C, H, W).
    """
    height, width = guide.shape[2:]
    fit = fit_shape(height, width)
    lines = fit_lines(chroma, guide if fit == (height, width) else F.adaptive_avg_pool2d(guide, fit))
    if fit != (height, width):
        lines = F.interpolate(lines, (height, width), mode="bilinear", align_corners=False)
    slope, offset = lines.chunk(2, 1)
    return torch.addcmul(offset, slope, guide)


def fit_lines(chroma: Tensor, y: Tensor) -> Tensor:
    """Slopes and offsets of chroma over luma on the fit grid.

    chroma: (B, C, h, w). y: Y' in [0, 1] averaged on the fit grid, (B, 1, fh, fw). Returns (B, 2C, fh, fw): slopes,
    then offsets.
    """
    c = chroma.shape[1]
    fit = (y.shape[2], y.shape[3])
    lines = _lines(F.interpolate(chroma, fit, mode="bilinear", align_corners=False), y, _radius(fit, chroma))
    slope, offset = lines[:, :c], lines[:, c:]
    for _ in range(BACK_PROJECTIONS):
        lost = chroma - F.adaptive_avg_pool2d(torch.addcmul(offset, slope, y), (chroma.shape[2], chroma.shape[3]))
        offset = offset + F.interpolate(lost, fit, mode="bilinear", align_corners=False)
    return torch.cat([slope, offset], 1)


def _radius(fit: tuple[int, int], chroma: Tensor) -> int:
    """Window radius on the fit grid: two working-size samples, so that a window at an edge sees both sides."""
    return max(1, math.ceil(2 * max(fit[0] / chroma.shape[2], fit[1] / chroma.shape[3])))


def _lines(p: Tensor, y: Tensor, radius: int) -> Tensor:
    """Slopes and offsets of chroma over luma around every sample: (B, C, h, w) and (B, 1, h, w) to (B, 2C, h, w)."""
    c = p.shape[1]
    means = box_mean(torch.cat([y, y * y, p, p * y], 1), radius)
    mean_y, mean_yy, mean_p, mean_py = means[:, :1], means[:, 1:2], means[:, 2 : 2 + c], means[:, 2 + c :]
    slope = (mean_py - mean_p * mean_y) / (mean_yy - mean_y * mean_y + SMOOTHNESS)
    return box_mean(torch.cat([slope, mean_p - slope * mean_y], 1), radius)
