"""Coding: how luma and chroma are stored, and what the codes mean (ITU-R BT.601, 709 and 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from colorizer.basis.light import MATRICES, PRIMARIES

if TYPE_CHECKING:
    from torch import Tensor


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

    def inverted(self, codes: np.ndarray) -> np.ndarray:
        """Luma codes of a negative as those of its positive: black + white - code, of the same dtype, owned.

        At full range a code comes back when it is turned twice. At limited range codes above black + white, far in the
        headroom, would lie below 0 and become 0.
        """
        turned = np.int32(sum(self.luma_range)) - codes.astype(np.int32)
        return np.maximum(turned, 0).astype(codes.dtype)

    def luma(self, codes: Tensor) -> Tensor:
        """Y' in [0, 1] of stored codes; foot- and headroom are clamped here, never in the stored plane."""
        black, white = self.luma_range
        return codes.float().sub(black).div_(white - black).clamp_(0, 1)

    def chroma_codes(self, chroma: Tensor) -> Tensor:
        """Stored codes (rounded, still float) of Cb or Cr in [-0.5, 0.5]."""
        return (chroma * self.chroma_span + self.neutral).round().clamp(0, 2**self.bits - 1)
