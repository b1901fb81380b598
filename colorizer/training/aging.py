"""Aging: clean gray pictures made to look like old film, so that the network learns from what it will be shown.

Every defect is drawn per picture and most pictures get a few of them. Only the gray input is worn; the colors to be
learnt stay the clean ones. Defects are those of the photochemical and the digital copy chain: an emulsion blind to
red, wrong gamma and contrast, density that drifts over the frame, stains, softness from duplication, fine and coarse
grain, tramline scratches, cracks and hairs that run any way, dust, and the 8 x 8 blocks of MPEG and JPEG.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.color.lab import eotf, oetf

ORTHOCHROMATIC = (0.05, 0.40, 0.55)
"""Response of an orthochromatic emulsion to linear R, G, B: nearly blind to red, most sensitive to blue."""
BLOCK = 8


def orthochromatic(rgb: Tensor) -> Tensor:
    """Gray of R'G'B' (3, ...) in [0, 1] as film before about 1925 saw it: skies white, lips and brick dark; [0, 1]."""
    return oetf(sum((w * plane for w, plane in zip(ORTHOCHROMATIC, eotf(rgb), strict=True)), rgb.new_zeros(())))


def age(luma: Tensor, ortho: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Wear a share of the batch.

    luma, ortho: (B, 1, H, W) in [0, 1], H and W multiples of 8; ortho is `orthochromatic` of the same pictures.
    generator: on luma's device; the same state gives the same wear. Returns (B, 1, H, W) in [0, 1].
    """
    n, _, h, w = luma.shape

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, 1, generator=generator, device=luma.device)

    def sometimes(chance: float, high: float) -> Tensor:
        """0 for most pictures; for a `chance` of them, uniform in [0, high]."""
        return uniform(high - high / chance, high).clamp_min(0)

    def noise(height: int, width: int) -> Tensor:
        field = torch.randn(n, 1, height, width, generator=generator, device=luma.device)
        return field if (height, width) == (h, w) else _resized(field, (h, w))

    worn = torch.lerp(luma, ortho, sometimes(0.55, 1.0))
    worn = worn.clamp(1e-4, 1) ** torch.exp(uniform(-0.35, 0.35))
    worn = (worn - 0.5) * uniform(0.65, 1.15) + 0.5 + uniform(-0.1, 0.1)
    worn = worn + noise(3, 3) * sometimes(0.5, 0.06)  # uneven development, fading
    stained = torch.sigmoid((noise(6, 6) - 0.8) * 8)  # with a rim, as water and old glue leave them
    worn = worn + stained * sometimes(0.3, 1.0) * uniform(-0.35, 0.45)
    soft = F.avg_pool2d(F.pad(worn, (1, 1, 1, 1), mode="replicate"), 3, 1)
    worn = torch.lerp(worn, soft, sometimes(0.85, 1.0))
    worn = torch.lerp(worn, _resized(F.avg_pool2d(worn, 2), (h, w)), sometimes(0.4, 1.0))
    worn = worn + noise(h, w) * sometimes(0.75, 0.06) + noise(h // 2, w // 2) * sometimes(0.45, 0.05)
    column = torch.arange(w, device=luma.device).view(1, 1, 1, w)
    for _ in range(2):
        tramline = (column - uniform(0, w)).abs() < sometimes(0.3, 1.0)
        worn = worn + tramline * uniform(-0.4, 0.5)
    row = torch.arange(h, device=luma.device).view(1, 1, h, 1)
    for _ in range(3):
        angle, bend = uniform(0, torch.pi), noise(4, 4) * uniform(0, 6)
        along = (column - uniform(0, w)) * torch.cos(angle) + (row - uniform(0, h)) * torch.sin(angle)
        worn = worn + ((along + bend).abs() < sometimes(0.25, 1.2)) * uniform(-0.5, 0.6)
    dust = noise(h // 2, w // 2) > 4 - sometimes(0.3, 2.0)
    worn = worn + dust * uniform(-0.5, 0.6)
    step = sometimes(1 / 3, 0.25)
    worn = torch.where(step > 0, _blocky(worn, step), worn)
    return torch.where(uniform(0, 1) < share, worn.clamp(0, 1), luma)


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _blocky(x: Tensor, step: Tensor) -> Tensor:
    """Quantize the DCT of 8 x 8 blocks, coarser for fine detail, as intra-coded video does (ISO/IEC 13818-2, 7.4).

    x: (B, 1, H, W); step: (B, 1, 1, 1), of the mean frequencies, in units of x; 0 is taken for nearly 0.
    """
    n, _, h, w = x.shape
    k = torch.arange(float(BLOCK), device=x.device)
    dct = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / (2 * BLOCK)) / 2
    dct[0] /= 2**0.5
    coarse = step.clamp_min(1e-3).view(n, 1, 1, 1, 1) * (0.15 + (k[:, None] + k[None]) / 7)
    blocks = x.reshape(n, h // BLOCK, BLOCK, w // BLOCK, BLOCK).permute(0, 1, 3, 2, 4)
    kept = (dct @ blocks @ dct.T / coarse).round() * coarse
    return (dct.T @ kept @ dct).permute(0, 1, 3, 2, 4).reshape(n, 1, h, w)
