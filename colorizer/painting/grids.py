"""Grids: luma as the network sees it, and at the places of chroma samples."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.painting.geometry import Geometry


def working_grid(y: Tensor, geometry: Geometry, size: int, multiple: int) -> Tensor:
    """Y' as the network sees it, as it is stored: (n, 1, H, W) to (n, 1, h, w), see `Geometry.working_shape`."""
    shape = geometry.working_shape(y.shape[2], y.shape[3], size, multiple)
    return shrink(y, shape[::-1] if geometry.rotation % 180 else shape)


def shrink(y: Tensor, shape: tuple[int, int]) -> Tensor:
    """Y' to another grid, area-averaged first where that is an exact whole factor. (n, 1, H, W) to (n, 1, *shape)."""
    factor = min(y.shape[2] // shape[0], y.shape[3] // shape[1]) // 2
    if factor > 1:  # the antialiased resize is the dearest step on a large frame; most of it is plain averaging
        height, width = (side // factor * factor for side in y.shape[2:])
        y = cell_means(y[:, :, :height, :width], factor, factor)
    return F.interpolate(y, shape, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def chroma_grid(y: Tensor, geometry: Geometry) -> Tensor:
    """Y' at the chroma samples' positions: (n, 1, H, W) to (n, 1, *chroma_shape)."""
    sy, sx = geometry.step_y, geometry.step_x
    height, width = y.shape[2:]
    bottom, right = -height % sy, -width % sx
    if bottom or right:
        y = F.pad(y, (0, right, 0, bottom), mode="replicate")
    y = cell_means(y, sy, 1)
    if sx == 2 and geometry.cosited:
        even, odd = y[..., ::2], y[..., 1::2]
        before = torch.cat([even[..., :1], odd[..., :-1]], 3)
        return (before + 2 * even + odd) / 4
    return cell_means(y, 1, sx)


def cell_means(y: Tensor, down: int, across: int) -> Tensor:
    """Means over cells of down x across samples; sides are multiples of them. (n, 1, H, W) to (n, 1, H/down, W/across).

    What avg_pool2d gives, in a fifth of its time on a CPU (27 ms a frame of 1080 lines): whole rows are added first.
    """
    if down > 1:
        y = sum((y[:, :, i::down] for i in range(1, down)), y[:, :, ::down])
    if across > 1:
        y = sum((y[..., j::across] for j in range(1, across)), y[..., ::across])
    return y / (down * across) if down * across > 1 else y
