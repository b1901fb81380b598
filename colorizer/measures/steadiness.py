"""Steadiness of a clip along its motion: does a thing keep its color while it moves?

Owns what follows the motion (warp error) and what a viewer sees as flicker. Motion comes from outside, as optical flow
of the gray clip, so that every coloring of the clip is held against the same one. A clip without color wins by
itself: give colorfulness and the truth's own values beside these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Motion:
    """Where the pixels of a frame are in the next one.

    flow: rows and columns to go, pixels, (2, H, W). visible: bool (H, W), False where a pixel has no counterpart.
    """

    flow: Floats = field(repr=False)
    visible: NDArray[np.bool_] = field(repr=False)


def motion(forward: ArrayLike, backward: ArrayLike) -> Motion:
    """Motion from one frame to the next, given the flow there and the flow back, (2, H, W) each.

    A pixel is not visible where the two flows disagree, where the flow has an edge, or where it leaves the picture.
    Thresholds: Sundaram, Brox and Keutzer, "Dense point trajectories by GPU-accelerated large displacement optical
    flow" (ECCV 2010), as used by Lai et al. (see `warp_error`).
    """
    there, back = np.asarray(forward, np.float64), np.asarray(backward, np.float64)
    if there.shape != back.shape or there.ndim != 3 or there.shape[0] != 2:
        raise ValueError(f"two flows are (2, H, W) each, not {there.shape} and {back.shape}")
    returned = np.moveaxis(warp(np.moveaxis(back, 0, 2), there), 2, 0)
    length = (there**2).sum(0)
    astray = ((returned + there) ** 2).sum(0) > 0.01 * ((returned**2).sum(0) + length) + 0.5
    down = np.diff(there, axis=1, append=there[:, -1:])
    right = np.diff(there, axis=2, append=there[:, :, -1:])
    edge = (down**2 + right**2).sum(0) > 0.01 * length + 0.002
    row, column = _targets(there)
    high, wide = length.shape
    inside = (row >= 0) & (row <= high - 1) & (column >= 0) & (column <= wide - 1)
    return Motion(there, ~astray & ~edge & inside)


def _targets(flow: Floats) -> Floats:
    """Rows and columns that the flow points to, (2, H, W)."""
    return np.asarray(np.indices(flow.shape[1:]) + flow)


def warp(picture: ArrayLike, flow: ArrayLike) -> Floats:
    """The picture seen from where the flow begins: bilinear, its border repeated outside. (H, W, C), (2, H, W)."""
    source, way = np.asarray(picture, np.float64), np.asarray(flow, np.float64)
    high, wide = way.shape[1:]
    if source.shape[:2] != (high, wide):
        raise ValueError(f"a picture of {source.shape} does not move by a flow of {way.shape}")
    row, column = _targets(way)
    row, column = row.clip(0, high - 1), column.clip(0, wide - 1)
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    bottom, right = np.minimum(top + 1, high - 1), np.minimum(left + 1, wide - 1)
    y, x = (row - top)[..., None], (column - left)[..., None]
    upper = source[top, left] * (1 - x) + source[top, right] * x
    lower = source[bottom, left] * (1 - x) + source[bottom, right] * x
    return np.asarray(upper * (1 - y) + lower * y)


def warp_error(frames: Sequence[ArrayLike], motions: Sequence[Motion]) -> float:
    """Mean squared change of a color along the motion, summed over channels; 0 is perfectly steady.

    frames: (H, W, C), R'G'B' in [0, 1] or a*b* / 110, two or more of one shot; motions: one less. Per step the mean is
    over visible pixels; a step without any counts 0, as in the authors' program.
    Lai, Huang, Wang, Shechtman, Yumer and Yang, "Learning Blind Video Temporal Consistency" (ECCV 2018).
    """
    if len(frames) < 2 or len(motions) != len(frames) - 1:
        raise ValueError(f"{len(frames)} frames have one motion less between them, not {len(motions)}")
    errors = []
    for first, second, move in zip(frames, frames[1:], motions, strict=False):
        change = ((np.asarray(first, np.float64) - warp(second, move.flow)) ** 2).sum(2)
        errors.append(float(change[move.visible].mean()) if move.visible.any() else 0.0)
    return float(np.mean(errors))


def flicker(frames: Sequence[ArrayLike]) -> float:
    """How far a picture's mean color is from the middle of its two neighbors', a*b* units, mean over a shot.

    frames: a*b* in CIE units, (H, W, 2), three or more (else ValueError). A color that drifts evenly, as in a pan,
    scores 0; one that jumps to and fro by d scores d.
    """
    if len(frames) < 3:
        raise ValueError(f"flicker shows in three frames or more, not {len(frames)}")
    means = np.stack([np.asarray(frame, np.float64).mean((0, 1)) for frame in frames])
    jumps = means[1:-1] - (means[:-2] + means[2:]) / 2
    return float(np.hypot(jumps[:, 0], jumps[:, 1]).mean())
