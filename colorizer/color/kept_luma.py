"""Chroma that leaves every luma code as it was.

Owns the one place where a color is decided: given the luma Y' of a pixel, which no one may change, and a wanted a*b*,
find Cb and Cr.
"""

from __future__ import annotations

import torch
from torch import Tensor

from colorizer.basis.light import KNEE, MATRICES, WHITE, light_to_lightness
from colorizer.color.blocks import by_blocks
from colorizer.color.lab import eotf, lightness, planes_to_rgb, rgb_to_xyz

SETTLED = 2e-6
"""Y' that a found color may miss; single precision tells hardly less apart."""

LINE = 3 * KNEE**2
"""Slope of light below the knee, see `light.lightness_to_light`."""


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

    def match(self, luma: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Cb and Cr of the color with this luma and a*b*, whatever the gamut says.

        Two steps of Newton's method from the neutral lightness settle all but about one sample in a hundred; what is
        left, near black and white and far out of gamut, where it may diverge, is bracketed.
        """
        cb, cr, missed = self._near(luma, a, b)
        rest = ~(missed.abs() <= SETTLED)  # also where it is no number
        if bool(rest.any()):
            cb[rest], cr[rest] = self._bracketed(luma[rest], a[rest], b[rest])
        return cb, cr

    def _near(self, luma: Tensor, a: Tensor, b: Tensor, evaluations: int = 3) -> tuple[Tensor, Tensor, Tensor]:
        """`match` by Newton's method: Cb, Cr, and by how much the found color's luma misses.

        Works on f = (L* + 16) / 116, in which light is a cube (a line below the knee) with a derivative in closed form.
        """
        inverse = (self.inverse * torch.tensor(WHITE)).to(luma)
        kept = torch.tensor([self.kr, self.kg, self.kb]).to(luma)
        beside = torch.stack([a / 500, torch.zeros_like(a), b / -200])
        lightest = light_to_lightness(eotf(luma), torch)
        for left in reversed(range(evaluations)):
            f = beside + lightest
            line, square = f <= KNEE, f * f
            light = torch.tensordot(inverse, torch.where(line, LINE * (f - 4 / 29), square * f), 1)
            dark, power = light <= 0.0031308, light.clamp_min(0.0031308).pow_(1 / 2.4).mul_(1.055)
            rgb = torch.where(dark, light * 12.92, power - 0.055)
            missed = torch.tensordot(kept, rgb, 1) - luma
            if left:
                rise = torch.tensordot(inverse, torch.where(line, LINE, square.mul_(3)), 1)
                rise *= torch.where(dark, 12.92, power.div_(light.mul_(2.4)))
                lightest = lightest - missed / torch.tensordot(kept, rise, 1)
        return *self._chroma(rgb), missed

    def _bracketed(self, luma: Tensor, a: Tensor, b: Tensor, steps: int = 8) -> tuple[Tensor, Tensor]:
        """`match` by false position (Illinois variant).

        Luma grows with L' at fixed a*b*, so the root is bracketed, tightly below the neutral lightness where it nearly
        always lies.
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
        return self._chroma(planes_to_rgb(middle, a, b, inverse))

    def _chroma(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Cb and Cr of R'G'B', planes first."""
        y = self.luma(rgb)
        return (rgb[2] - y) / (2 * (1 - self.kb)), (rgb[0] - y) / (2 * (1 - self.kr))

    def inside(self, luma: Tensor, cb: Tensor, cr: Tensor, tolerance: float = 1e-3) -> Tensor:
        """True where a display can show the color."""
        rgb = self.show(luma, cb, cr)
        return ((rgb >= -tolerance) & (rgb <= 1 + tolerance)).all(0)

    def solve(self, luma: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """`match`, with (a*, b*) scaled by the largest t in [0, 1] that a display can show: hue stays, chroma gives.

        The same numbers on any count of threads; see `by_blocks`. What is out of gamut is searched for together: a
        search costs in fifty samples about what it costs in thousands.
        """
        cb, cr = by_blocks(lambda *planes: torch.stack(self.match(*planes)), luma, a, b)
        out = ~self.inside(luma, cb, cr)
        if bool(out.any()):
            cb[out], cr[out] = by_blocks(lambda *planes: torch.stack(self._drawn(*planes)), luma[out], a[out], b[out])
        return cb, cr

    def _drawn(self, luma: Tensor, a: Tensor, b: Tensor, steps: int = 10) -> tuple[Tensor, Tensor]:
        """`solve` of samples out of gamut, by bisection."""
        low, high = torch.zeros_like(luma), torch.ones_like(luma)
        for _ in range(steps):
            t = (low + high) / 2
            fits = self.inside(luma, *self.match(luma, a * t, b * t))
            low, high = torch.where(fits, t, low), torch.where(fits, high, t)
        return self.match(luma, a * low, b * low)

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
