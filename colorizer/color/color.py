"""Color arithmetic: stored luma codes, CIE L*a*b*, and chroma that leaves every luma code as it was.

Owns the one place where a color is decided: given the luma Y' of a pixel, which no one may change, and a
wanted a*b*, find Cb and Cr. The numbers of the standards are in `light`; L*a*b* is CIE 15's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from colorizer.basis.light import (
    MATRICES,
    PRIMARIES,
    WHITE,
    light_to_lightness,
    light_to_srgb,
    lightness_to_light,
    srgb_to_light,
)


@dataclass(frozen=True, slots=True)
class Coding:
    """How luma and chroma are stored: bits per sample, range, and what the numbers mean.

    bits: 8 to 16. full_range: black at code 0 and white at the highest code, else 16..235 scaled to `bits`.
    matrix: a key of MATRICES. primaries: a key of PRIMARIES.
    """

    bits: int = 8
    full_range: bool = False
    matrix: str = "bt709"
    primaries: str = "bt709"

    def __post_init__(self) -> None:
        if not 8 <= self.bits <= 16 or self.matrix not in MATRICES or self.primaries not in PRIMARIES:
            raise ValueError(f"not a coding: {self}")

    @property
    def luma_range(self) -> tuple[int, int]:
        """Codes of black and white."""
        return (0, 2**self.bits - 1) if self.full_range else (16 << (self.bits - 8), 235 << (self.bits - 8))

    @property
    def chroma_span(self) -> float:
        """Codes between Cb = -0.5 and Cb = 0.5."""
        return float(2**self.bits - 1) if self.full_range else float(224 << (self.bits - 8))

    @property
    def neutral(self) -> int:
        """The chroma code of gray."""
        return 1 << (self.bits - 1)

    def luma(self, codes: Tensor) -> Tensor:
        """Y' in [0, 1] of stored codes; foot- and headroom are clamped here, never in the stored plane."""
        black, white = self.luma_range
        return ((codes.float() - black) / (white - black)).clamp(0, 1)

    def chroma_codes(self, chroma: Tensor) -> Tensor:
        """Stored codes (rounded, still float) of Cb or Cr in [-0.5, 0.5]."""
        return (chroma * self.chroma_span + self.neutral).round().clamp(0, 2**self.bits - 1)


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
    return _lab_to_rgb(lab[0], lab[1], lab[2], inverse)


def _lab_to_rgb(L: Tensor, a: Tensor, b: Tensor, inverse: Tensor) -> Tensor:
    fy = (L + 16) / 116
    x, y, z = (lightness_to_light(f, torch) for f in (fy + a / 500, fy, fy - b / 200))
    return oetf(torch.tensordot(inverse, torch.stack([x * WHITE[0], y, z * WHITE[2]]), 1))


BLOCK = 8192
"""Samples worked on at once: torch splits nothing shorter than 32768 numbers between threads, and three planes of
this many are."""


def by_blocks(work: Callable[..., Tensor], *planes: Tensor) -> Tensor:
    """`work` on planes of one shape, block by block on a CPU.

    Torch's pow and exp round differently in the last few numbers of the share a thread gets, so a result would depend
    on how many threads there are; in blocks of fixed size it does not. work: (n,) planes to (..., n).
    """
    if planes[0].device.type != "cpu":
        return work(*planes)
    flat = [plane.reshape(-1) for plane in planes]
    parts = [work(*(p[i : i + BLOCK] for p in flat)) for i in range(0, len(flat[0]), BLOCK)]
    whole = torch.cat(parts, -1)
    return whole.reshape(*whole.shape[:-1], *planes[0].shape)


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
            return self.luma(_lab_to_rgb(L, a, b, inverse)) - luma

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
        rgb = _lab_to_rgb(middle, a, b, inverse)
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
