"""Scores: the figures of one way to color, picture by picture, and the baseline that knows only a pixel's luma."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorizer.color.kept_luma import KeptLuma
from colorizer.color.lab import rgb_to_lab
from colorizer.measures import quality
from colorizer.measures.patches import Patches
from colorizer.networks import bins

Floats = NDArray[np.float64]

BLUE = -5.0
"""Mean b* below which a picture is blue as a whole."""

LUMA = KeptLuma("bt601")
"""Rec. 601 luma, as in training: evaluation pictures are stills."""

FIGURES = (
    "psnr_rgb", "psnr_ab", "ssim", "delta_e2000", "delta_e2000_p95", "colorfulness", "colorfulness_error", "mean_a",
    "mean_b",
)  # fmt: skip
"""Measured per picture and averaged, in the order of `Tally.add`."""


def lab_of(rgb: np.ndarray) -> Floats:
    """R'G'B' in [0, 1], (H, W, 3), to L*a*b*, (H, W, 3)."""
    planes = torch.from_numpy(np.asarray(np.moveaxis(rgb, 2, 0), np.float64))
    return np.moveaxis(rgb_to_lab(planes).numpy(), 0, 2)


@cache
def nearest_bins() -> tuple[Tensor, NDArray[np.int64]]:
    """Chroma bin centers, and the bin of every 8-bit a*b*, (65536,)."""
    centers = bins.bin_centers()
    return centers, bins.soft_encoding(centers, neighbors=1)[0][:, 0].numpy()


@dataclass(frozen=True, slots=True)
class Truth:
    """A picture as it was.

    rgb: R'G'B' in [0, 1], lab: L*a*b*, both (H, W, 3). codes: 8-bit a*b* of each pixel, (a + 128) * 256 + b + 128.
    luma: Y' in [0, 1], (H, W).
    """

    rgb: Floats = field(repr=False)
    lab: Floats = field(repr=False)
    codes: NDArray[np.int64] = field(repr=False)
    colorfulness: float
    luma: Floats = field(repr=False)

    @classmethod
    def of(cls, square: np.ndarray) -> Truth:
        """From 8-bit sRGB, (H, W, 3)."""
        rgb = square / 255.0
        lab = lab_of(rgb)
        ab = np.rint(lab[..., 1:]).astype(np.int64).clip(-128, 127) + 128
        luma = rgb @ (LUMA.kr, LUMA.kg, LUMA.kb)
        return cls(rgb, lab, ab[..., 0] * 256 + ab[..., 1], quality.colorfulness(square), luma)


class Tally:
    """The figures of one way to color, picture by picture."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self.patches = Patches()
        self.distances = np.zeros((len(nearest_bins()[0]), quality.AUC_REACH + 2), np.int64)

    def add(self, rgb: np.ndarray, truth: Truth) -> None:
        """One picture, R'G'B' in [0, 1], (H, W, 3)."""
        lab = lab_of(rgb)
        difference = quality.ciede2000(lab, truth.lab)
        colorful = quality.colorfulness(np.asarray(rgb, np.float64) * 255)
        self.rows.append(
            (
                quality.psnr_rgb(rgb, truth.rgb),
                quality.psnr_ab(lab[..., 1:], truth.lab[..., 1:]),
                quality.ssim(rgb, truth.rgb),
                float(difference.mean()),
                float(np.percentile(difference, 95)),
                colorful,
                abs(colorful - truth.colorfulness),
                *lab[..., 1:].mean((0, 1)).tolist(),
            )
        )
        self.patches.add(truth.luma, lab[..., 1:], truth.lab[..., 1:])
        kinds = nearest_bins()[1][truth.codes]
        self.distances += quality.distance_counts(lab[..., 1:], truth.lab[..., 1:], kinds, len(self.distances))

    def figures(self, weights: np.ndarray) -> dict[str, float]:
        """Means over pictures of FIGURES; AuC over all pixels, raw and with these weights of the bins, percent; how
        many pictures are blue as a whole; the figures of `patches`.
        """
        means = dict(zip(FIGURES, np.mean(self.rows, 0).tolist(), strict=True))
        areas = {"auc": quality.auc(self.distances), "auc_rebalanced": quality.auc(self.distances, weights)}
        blue = float((self.column("mean_b") < BLUE).sum())
        return {**means, **areas, "blue_pictures": blue, **self.patches.figures()}

    def column(self, figure: str) -> Floats:
        """One of FIGURES, picture by picture."""
        return np.array(self.rows)[:, FIGURES.index(figure)]


class LumaTable:
    """The mean color of every luma level: the best that can be said of a pixel without looking at its picture."""

    def __init__(self) -> None:
        self.sums = np.zeros((3, 256))

    def add(self, planes: np.ndarray) -> None:
        """Learn a picture: 8-bit Y', a* + 128, b* + 128 first, (3 or more, H, W)."""
        luma = planes[0].ravel()
        for row, values in zip(self.sums, (None, planes[1], planes[2]), strict=True):
            row += np.bincount(luma, None if values is None else values.ravel() - 128.0, 256)

    def colors(self) -> Floats:
        """Mean a*b* of each luma code, (256, 2); between the nearest known ones where none was seen, gray for none."""
        seen = np.flatnonzero(self.sums[0])
        if not seen.size:
            return np.zeros((256, 2))
        means = self.sums[1:, seen] / self.sums[0, seen]
        return np.stack([np.interp(np.arange(256), seen, plane) for plane in means], 1)

    def shown(self) -> Floats:
        """R'G'B' of each luma code at that code's luma, (256, 3), in [0, 1]."""
        luma = torch.arange(256) / 255
        a, b = torch.from_numpy(self.colors()).float().T
        rgb = LUMA.show(luma, *LUMA.solve(luma, a.contiguous(), b.contiguous()))
        return rgb.T.clamp(0, 1).double().numpy()
