"""CIE L*a*b* of R'G'B' and back, for tensors; planes first. The numbers of the standards are in `light`."""

from __future__ import annotations

import torch
from torch import Tensor

from colorizer.basis.light import (
    PRIMARIES,
    WHITE,
    light_to_lightness,
    light_to_srgb,
    lightness_to_light,
    srgb_to_light,
)


def eotf(v: Tensor) -> Tensor:
    """sRGB signal to linear light; training pictures are sRGB, so L* is measured with it."""
    light: Tensor = srgb_to_light(v, torch)
    return light


def oetf(v: Tensor) -> Tensor:
    """Inverse of `eotf`, for any number."""
    code: Tensor = light_to_srgb(v, torch)
    return code


def lightness(luma: Tensor) -> Tensor:
    """L* in [0, 100] of neutral pixels (R' = G' = B' = Y')."""
    code: Tensor = 116 * light_to_lightness(eotf(luma), torch) - 16
    return code


def rgb_to_xyz(primaries: str = "bt709") -> Tensor:
    """The 3 x 3 matrix from linear RGB to XYZ, float64."""
    rows = [[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES[primaries]]
    columns = torch.tensor(rows, dtype=torch.float64).T
    return columns * torch.linalg.solve(columns, torch.tensor(WHITE, dtype=torch.float64))


def rgb_to_lab(rgb: Tensor, primaries: str = "bt709") -> Tensor:
    """R'G'B' in [0, 1] to L*a*b*, planes first: (3, ...) to (3, ...)."""
    white = torch.tensor(WHITE, dtype=torch.float64)
    m = (rgb_to_xyz(primaries) / white[:, None]).to(rgb)
    fx, fy, fz = light_to_lightness(torch.tensordot(m, eotf(rgb), 1), torch)
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def lab_to_rgb(lab: Tensor, primaries: str = "bt709") -> Tensor:
    """L*a*b* to R'G'B', unclamped, planes first: (3, ...) to (3, ...)."""
    inverse = torch.linalg.inv(rgb_to_xyz(primaries)).to(lab)
    return planes_to_rgb(lab[0], lab[1], lab[2], inverse)


def planes_to_rgb(L: Tensor, a: Tensor, b: Tensor, inverse: Tensor) -> Tensor:
    """`lab_to_rgb` of three planes of one shape. inverse: of `rgb_to_xyz`."""
    fy = (L + 16) / 116
    x, y, z = (lightness_to_light(f, torch) for f in (fy + a / 500, fy, fy - b / 200))
    return oetf(torch.tensordot(inverse, torch.stack([x * WHITE[0], y, z * WHITE[2]]), 1))
