"""Transfers: how codes stand for light where a picture says so by number (ITU-T H.273, table 3), as sRGB codes.

Light above the white of paper, which has 203 cd/m2 where white may be brighter (ITU-R BT.2408), becomes white only
where there is none: the brightest that a picture has does otherwise, as in pictures of floating-point samples.
"""

from __future__ import annotations

import numpy as np

from colorizer.basis.light import light_to_srgb

PAPER, PEAK_PQ, PEAK_HLG, SYSTEM_GAMMA = 203.0, 10_000.0, 1_000.0, 1.2
"""Light of white paper, of the highest PQ and HLG codes on the displays they are made for, cd/m2; BT.2100's gamma of
such a display of HLG."""
BRIGHTEST = 99.99
"""Percentile of a picture's light that becomes white at most: a handful of hot pixels must not make it dark."""
NAMES = {4: "gamma 2.2", 5: "gamma 2.8", 8: "linear light", 16: "PQ", 18: "HLG"}


def light_of(bits: int, transfer: int) -> np.ndarray:
    """Light of each code, (2**bits,), 1 for the white of paper; above 1 of PQ and HLG. transfer: one of NAMES."""
    at = np.arange(2**bits) / (2**bits - 1)
    if transfer == 16:
        power = at ** (4096 / 2523 / 128)
        part = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
        return np.asarray(part ** (16384 / 2610) * PEAK_PQ / PAPER)
    if transfer == 18:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(at <= 0.5, at**2 / 3, (np.exp((at - c) / a) + b) / 12)
        return np.asarray(scene**SYSTEM_GAMMA * PEAK_HLG / PAPER)
    return np.asarray(at ** {4: 2.2, 5: 2.8, 8: 1.0}[transfer])


def transfer_curve(bits: int, transfer: int, codes: np.ndarray) -> tuple[np.ndarray, str]:
    """sRGB codes of a picture's codes, (2**bits,), and what was done in words. codes: some of the picture's."""
    light = light_of(bits, transfer)
    white = max(1.0, float(np.percentile(light[codes], BRIGHTEST)))
    curve = np.rint(light_to_srgb((light / white).clip(0, 1)) * (2**bits - 1))
    bright = f", {white:.3g} times the light of paper as white" if white > 1 else ""
    return curve.astype(np.uint8 if bits == 8 else np.uint16), f"{NAMES[transfer]} applied{bright}"
