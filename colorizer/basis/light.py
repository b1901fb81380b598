"""Light as numbers: luma weights, the one integer luma of R'G'B', the sRGB curve, L*, and what color tags mean.

The luma of a color is its weighted sum, rounded exactly, halves up: of Rec. 601 (299 R + 587 G + 114 B + 500) div
1000. It lies between the least and the most of R, G and B, and of R = G = B = n it is n. Whoever makes integer luma
out of color does it here: what reads a source, what solves for green, and what holds an output against its source.

So "the source's code" is, of a gray source, its code as stored; of YCbCr, its Y as stored; of R'G'B', this luma of its
codes as stored. What has no such codes gets them first: a palette's colors, CMYK, R'G'B' of a profile other than
sRGB's (through it), light (through the curve), and depths other than 8 and 16 bits of a scan (spread over the range).

Sources: ITU-T H.273 (code points), ITU-R BT.601/709/2020 (weights), IEC 61966-2-1 (sRGB), CIE 15 (L*).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np


class Matrix(IntEnum):
    """How luma and two more numbers were made of R'G'B' (H.273, table 4)."""

    IDENTITY = 0
    BT709 = 1
    UNSPECIFIED = 2
    RESERVED = 3
    FCC = 4
    BT470BG = 5
    SMPTE170M = 6
    SMPTE240M = 7
    YCGCO = 8
    BT2020 = 9
    BT2020_CONSTANT = 10
    YDZDX = 11
    DERIVED = 12
    DERIVED_CONSTANT = 13
    ICTCP = 14
    IPT_C2 = 15
    YCGCO_RE = 16
    YCGCO_RO = 17


class Primaries(IntEnum):
    """What red, green and blue are (H.273, table 2)."""

    BT709 = 1
    UNSPECIFIED = 2
    BT470BG = 5
    SMPTE170M = 6
    SMPTE240M = 7
    BT2020 = 9


class Transfer(IntEnum):
    """What light a code stands for (H.273, table 3)."""

    BT709 = 1
    UNSPECIFIED = 2
    SMPTE170M = 6
    SRGB = 13


class Range(IntEnum):
    """Which codes are black and white: 16 to 235 of 8 bits, or all. FFmpeg's numbers; H.273 has a flag."""

    UNSPECIFIED = 0
    LIMITED = 1
    FULL = 2


UNIT = 10_000
"""What luma weights are parts of."""

WEIGHTS = {
    "bt601": (2990, 5870, 1140), "bt709": (2126, 7152, 722), "bt2020": (2627, 6780, 593), "fcc": (3000, 5900, 1100),
    "smpte240m": (2120, 7010, 870),
}  # fmt: skip
"""Of R', G' and B' in luma, in parts of UNIT."""

MATRICES = {name: (red / UNIT, blue / UNIT) for name, (red, _, blue) in WEIGHTS.items()}
"""(Kr, Kb) of each luma matrix."""

LUMA_WEIGHTS = {name: tuple(weight / UNIT for weight in weights) for name, weights in WEIGHTS.items()}
"""The weights as numbers."""

MATRIX_NAMES: dict[int, str] = {
    Matrix.BT709: "bt709", Matrix.BT470BG: "bt601", Matrix.SMPTE170M: "bt601", Matrix.FCC: "fcc",
    Matrix.SMPTE240M: "smpte240m", Matrix.BT2020: "bt2020",
}  # fmt: skip
"""The weights that a tag stands for. Other tags are no Y'CbCr that is made of R'G'B' by weights alone; the luma of gray
is R' = G' = B' in all of them."""

MATRIX_WORDS: dict[int, str] = {
    Matrix.YCGCO: "YCgCo", Matrix.BT2020_CONSTANT: "BT.2020 at constant luminance", Matrix.YDZDX: "SMPTE ST 2085",
    Matrix.DERIVED: "a matrix derived from the primaries", Matrix.ICTCP: "ICtCp", Matrix.IPT_C2: "IPT-C2",
    Matrix.DERIVED_CONSTANT: "constant luminance derived from the primaries", Matrix.YCGCO_RE: "YCgCo-Re",
    Matrix.YCGCO_RO: "YCgCo-Ro",
}  # fmt: skip
"""What tags without weights here are called."""

MATRIX_TAGS = {
    "bt601": Matrix.SMPTE170M, "bt709": Matrix.BT709, "bt2020": Matrix.BT2020, "fcc": Matrix.FCC,
    "smpte240m": Matrix.SMPTE240M,
}  # fmt: skip
"""The tag that weights are written as."""

PRIMARIES_NAMES: dict[int, str] = {
    Primaries.BT709: "bt709", Primaries.BT470BG: "bt470bg", Primaries.SMPTE170M: "smpte170m",
    Primaries.SMPTE240M: "smpte170m", Primaries.BT2020: "bt2020",
}  # fmt: skip
"""The key of PRIMARIES that a tag stands for."""

PRIMARIES = {  # xy of red, green and blue; the white is D65 for all
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "smpte170m": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "bt470bg": ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
WHITE = (0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290)
"""XYZ of D65."""


def assumed_matrix(lines: int) -> str:
    """The weights of a picture that does not say them, by its height, as players guess: up to PAL's 576 Rec. 601."""
    return "bt601" if lines <= 576 else "bt709"


def matrix_words(tag: int) -> str:
    """A matrix by the name that people know it by, else by its number."""
    return MATRIX_WORDS.get(tag, str(int(tag)))


def luma_codes(rgb: np.ndarray, matrix: str = "bt601") -> np.ndarray:
    """R'G'B' codes (..., 3), uint8 or uint16, to luma codes (...) of the same type."""
    return luma_of_planes(rgb[..., 0], rgb[..., 1], rgb[..., 2], matrix)


def luma_of_planes(red: np.ndarray, green: np.ndarray, blue: np.ndarray, matrix: str = "bt601") -> np.ndarray:
    """`luma_codes` of three planes; any byte order in, native out."""
    wide = np.uint32  # holds UNIT times a 16-bit code
    kr, kg, kb = map(wide, WEIGHTS[matrix])
    total = red.astype(wide) * kr + green.astype(wide) * kg + blue.astype(wide) * kb + wide(UNIT // 2)
    return (total // wide(UNIT)).astype(red.dtype.newbyteorder("="))


def luma_light(rgb: np.ndarray, matrix: str = "bt601") -> np.ndarray:
    """R'G'B' numbers (..., 3) to Y', float64, that nothing rounds to a code."""
    return np.asarray(sum(rgb[..., i].astype(np.float64) * w for i, w in enumerate(WEIGHTS[matrix])) / UNIT)


def green_for(luma: np.ndarray, red: np.ndarray, blue: np.ndarray, matrix: str = "bt601") -> np.ndarray:
    """The green code that gives red and blue a luma: int32, of the inputs' shape, below 0 or above white where no color
    has all three. No other code brings the weighted sum nearer to the luma.
    """
    kr, kg, kb = WEIGHTS[matrix]
    wide = np.int32  # holds UNIT times a 16-bit code, and its negative
    missing = wide(UNIT) * luma.astype(wide) - wide(kr) * red.astype(wide) - wide(kb) * blue.astype(wide)
    return np.asarray((missing + wide(kg // 2)) // wide(kg))


def srgb_to_light(code: Any, library: Any = np) -> Any:
    """sRGB codes in [0, 1] to linear light. library: numpy, or torch for tensors."""
    return library.where(code <= 0.04045, code / 12.92, ((code.clip(0.04045) + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: Any, library: Any = np) -> Any:
    """Inverse of `srgb_to_light`; straight on below 0 and may pass 1, so that out-of-gamut colors stay comparable."""
    return library.where(light <= 0.0031308, light * 12.92, 1.055 * light.clip(0.0031308) ** (1 / 2.4) - 0.055)


KNEE = 6 / 29
"""Where L*'s cube root begins, on its own scale."""


def light_to_lightness(light: Any, library: Any = np) -> Any:
    """Light relative to white to (L* + 16) / 116: CIE 15's f."""
    knee = KNEE**3
    return library.where(light > knee, light.clip(knee) ** (1 / 3), light / (3 * KNEE**2) + 4 / 29)


def lightness_to_light(lightness: Any, library: Any = np) -> Any:
    """Inverse of `light_to_lightness`."""
    return library.where(lightness > KNEE, lightness**3, 3 * KNEE**2 * (lightness - 4 / 29))
