"""Chroma that leaves every luma code as it was.

Owns the one place where a color is decided: given the luma Y' of a pixel, which no one may change, and a wanted a*b*,
find Cb and Cr.
"""

from __future__ import annotations

import torch
from torch import Tensor

from colorizer.basis.light import MATRICES
from colorizer.color.blocks import by_blocks
from colorizer.color.lab import lightness, planes_to_rgb, rgb_to_xyz


class KeptLuma:
    """Chroma for luma that must not change.

    For a pixel of luma Y' and wanted a*b*, finds the lightness L' at which the color (L', a*, b*) has
    exactly the luma Y', and returns its Cb and Cr. a* and b* are then what a display shows; only L* moves (by
    +0.8 in the median, since at a fixed Y' any chroma adds luminance). Colors that would leave the display's
    gamut are drawn toward gray at constant hue.
    """

    def __init__(self, matrix: str = "bt709", primaries: str = "bt709") -> None:
        self.kr, self.kb = MATRICES[matrix]
        self.kg = 1 - self.kr - self.kb
        self.inverse = torch.linalg.inv(rgb_to_xyz(primaries)).float()

    def luma(self, rgb: Tensor) -> Tensor:
        """Y' of R'G'B', planes first."""
        return self.kr * rgb[0] + self.kg * rgb[1] + self.kb * rgb[2]

    def show(self, luma: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
        """What a display makes of Y'CbCr: R'G'B', unclamped, planes first."""
        r = luma + 2 * (1 - self.kr) * cr
        b = luma + 2 * (1 - self.kb) * cb
        return torch.stack([r, (luma - self.kr * r - self.kb * b) / self.kg, b])

    def match(self, luma: Tensor, a: Tensor, b: Tensor, steps: int = 8) -> tuple[Tensor, Tensor]:
        """Cb and Cr of the color with this luma and a*b*, whatever the gamut says.

        Luma grows with L' at fixed a*b*, so the root is bracketed, tightly below the neutral lightness where it nearly
        always lies, and false position (Illinois variant) finds it. Plain Newton diverges near black and white.
        """
        inverse = self.inverse.to(luma.device)

        def excess(L: Tensor) -> Tensor:
            return self.luma(planes_to_rgb(L, a, b, inverse)) - luma

        neutral = lightness(luma)
        low, high = (neutral - 25).clamp_min(0), neutral + 4
        at_low, at_high = excess(low), excess(high)
        if bool((at_low > 0).any()):  # very saturated
            low = torch.where(at_low > 0, 0.0, low)
            at_low = excess(low)
        if bool((at_high < 0).any()):  # far outside any gamut
            high = torch.where(at_high < 0, 110.0, high)
            at_high = excess(high)
        side = torch.zeros_like(luma)
        for _ in range(steps):
            middle = torch.clamp((low * at_high - high * at_low) / (at_high - at_low).clamp_min(1e-9), low, high)
            at = excess(middle)
            over = at > 0
            at_low = torch.where(over, torch.where(side > 0, at_low / 2, at_low), at)
            at_high = torch.where(over, at, torch.where(side < 0, at_high / 2, at_high))
            low, high = torch.where(over, low, middle), torch.where(over, middle, high)
            side = torch.where(over, 1.0, -1.0)
        rgb = planes_to_rgb(middle, a, b, inverse)
        y = self.luma(rgb)
        return (rgb[2] - y) / (2 * (1 - self.kb)), (rgb[0] - y) / (2 * (1 - self.kr))

    def inside(self, luma: Tensor, cb: Tensor, cr: Tensor, tolerance: float = 1e-3) -> Tensor:
        """True where a display can show the color."""
        rgb = self.show(luma, cb, cr)
        return ((rgb >= -tolerance) & (rgb <= 1 + tolerance)).all(0)

    def solve(self, luma: Tensor, a: Tensor, b: Tensor, steps: int = 10) -> tuple[Tensor, Tensor]:
        """`match`, with (a*, b*) scaled by the largest t in [0, 1] that a display can show: hue stays, chroma gives.

        The same numbers on any count of threads; see `by_blocks`.
        """
        cb, cr = by_blocks(lambda y, p, q: torch.stack(self._solve(y, p, q, steps)), luma, a, b)
        return cb, cr

    def _solve(self, luma: Tensor, a: Tensor, b: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        cb, cr = self.match(luma, a, b)
        bad = ~self.inside(luma, cb, cr)
        if not bool(bad.any()):
            return cb, cr
        y, a, b = luma[bad], a[bad], b[bad]
        low, high = torch.zeros_like(y), torch.ones_like(y)
        for _ in range(steps):
            t = (low + high) / 2
            fits = self.inside(y, *self.match(y, a * t, b * t))
            low, high = torch.where(fits, t, low), torch.where(fits, high, t)
        cb[bad], cr[bad] = self.match(y, a * low, b * low)
        return cb, cr

    def fit(self, luma: Tensor, cb: Tensor, cr: Tensor) -> tuple[Tensor, Tensor]:
        """Scale chroma toward gray until a display can show it; closed form, since R'G'B' is linear in CbCr.

        A safety net after interpolation, for chroma that was solved at other pixels than it is shown at.
        """
        r = 2 * (1 - self.kr) * cr
        b = 2 * (1 - self.kb) * cb
        g = -(self.kr * r + self.kb * b) / self.kg
        above = torch.maximum(torch.maximum(r, g), b) / (1 - luma).clamp_min(1e-6)
        below = torch.minimum(torch.minimum(r, g), b) / -luma.clamp_min(1e-6)
        t = 1 / torch.maximum(above, below).clamp_min(1.0)
        return cb * t, cr * t
