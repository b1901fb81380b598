"""Measures of colored pictures: how far from a reference, how colorful, how alike the histograms of a clip.

numpy only; every function names the range it expects and computes in float64. None of them is a judge of
beauty: a plausible color that differs from the reference is an error here, and gray is perfectly steady.
Report a measure with its ground truth's value beside it. What follows motion is in `steadiness`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

AB_PEAK = 255.0
"""Peak of `psnr_ab`: the 8-bit coding a* + 128. No range is agreed on; say which one a figure uses."""
AUC_REACH = 150
"""Largest a*b* distance at which `auc` counts pixels."""
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
CDC_STEPS = (1, 2, 4)
"""Frame distances that the color distribution consistency averages over."""


def psnr(first: ArrayLike, second: ArrayLike, peak: float) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(peak² / mean squared error); inf for equal arrays."""
    x, y = _pair(first, second)
    error = float(np.mean((x - y) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def psnr_rgb(first: ArrayLike, second: ArrayLike) -> float:
    """PSNR of R'G'B' in [0, 1], clamped to it first; dB. High by itself where both share their luma."""
    x, y = _pair(first, second)
    return psnr(x.clip(0, 1), y.clip(0, 1), 1.0)


def psnr_ab(first: ArrayLike, second: ArrayLike) -> float:
    """PSNR of a*b* in CIE units (about -110 to 110) against AB_PEAK; dB."""
    return psnr(first, second, AB_PEAK)


def ssim(first: ArrayLike, second: ArrayLike, peak: float = 1.0) -> float:
    """Structural similarity, (H, W, C) with sides of 11 or more (else ValueError), in [-1, 1]; 1 for equal pictures.

    Mean over channels and over the pixels whose window lies inside. Nearly blind to chroma where both pictures share
    their luma. Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Trans. Image Processing 13 (2004): Gaussian window of 11, sigma 1.5, K1 = 0.01, K2 = 0.03.
    """
    x, y = _pair(first, second)
    if x.ndim != 3 or min(x.shape[:2]) < SSIM_WINDOW:
        raise ValueError(f"pictures are (H, W, C) of {SSIM_WINDOW} x {SSIM_WINDOW} or more, not {x.shape}")
    mx, my, xx, yy, xy = _blurred(np.stack([x, y, x * x, y * y, x * y]))
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    means = (2 * mx * my + c1) / (mx * mx + my * my + c1)
    spreads = (2 * (xy - mx * my) + c2) / ((xx - mx * mx) + (yy - my * my) + c2)
    return float(np.mean(means * spreads))


def _blurred(planes: Floats) -> Floats:
    """Gaussian means over the windows that lie inside, (N, H, W, C) to (N, H - 10, W - 10, C)."""
    tap = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    kernel = np.exp(-(tap**2) / (2 * SSIM_SIGMA**2))
    kernel /= kernel.sum()
    high, wide = (side - SSIM_WINDOW + 1 for side in planes.shape[1:3])
    down = sum(k * planes[:, i : i + high] for i, k in enumerate(kernel))
    return np.asarray(sum(k * down[:, :, i : i + wide] for i, k in enumerate(kernel)))


def distance_counts(first: ArrayLike, second: ArrayLike, kinds: ArrayLike, number: int) -> NDArray[np.int64]:
    """How many pixels of each kind lie how far from their reference: what `auc` is made of, to be summed over pictures.

    first, second: a*b*, (..., 2), CIE units. kinds: of each pixel, integers in [0, number), (...). Returns counts
    (number, AUC_REACH + 2); column t holds distances in (t - 1, t], the last column those beyond AUC_REACH.
    """
    x, y = _pair(first, second)
    steps = np.ceil(np.hypot(*np.moveaxis(x - y, -1, 0))).clip(max=AUC_REACH + 1).astype(np.int64)
    cells = np.asarray(kinds, np.int64) * (AUC_REACH + 2) + steps
    return np.bincount(cells.ravel(), minlength=number * (AUC_REACH + 2)).reshape(number, -1)


def auc(counts: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area under the curve of pixels within an a*b* distance of 0, 1, ... 150 of their reference, percent; 100 at best.

    counts: of `distance_counts`. weights: of a pixel of each kind, (kinds,), finite; by default all weigh the same.
    ValueError without a pixel.
    Zhang, Isola and Efros, "Colorful Image Colorization" (ECCV 2016), who give it raw and rebalanced: kinds are the
    chroma bins of the reference and weigh the more the rarer they are, so that gray and brown do not drown the rest.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim != 2 or table.shape[1] != AUC_REACH + 2 or not table.sum() > 0:
        raise ValueError(f"counts are (kinds, {AUC_REACH + 2}) and not all zero, not {table.shape}")
    if weights is not None:
        table = table * np.asarray(weights, np.float64)[:, None]
    share = table.sum(0) / table.sum()
    return float(100 * share[:-1].cumsum().mean())


def colorfulness(rgb: ArrayLike) -> float:
    """Colorfulness of R'G'B' in [0, 255], channels last; 0 for gray, about 109 for "extremely colorful".

    Hasler and Suesstrunk, "Measuring colorfulness in natural images", SPIE 5007 (2003), the metric M3.
    """
    planes = _rgb(rgb)
    rg = planes[..., 0] - planes[..., 1]
    yb = (planes[..., 0] + planes[..., 1]) / 2 - planes[..., 2]
    return float(np.sqrt(rg.var() + yb.var()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def ciede2000(first: ArrayLike, second: ArrayLike) -> Floats:
    """Color difference ΔE00 of L*a*b* colors, channels last, (..., 3) and (..., 3) to (...).

    About 1 is the smallest difference a viewer sees; kL = kC = kH = 1. Sharma, Wu and Dalal, "The CIEDE2000
    color-difference formula: implementation notes, supplementary test data, and mathematical observations",
    Color Research and Application 30 (2005); the equation numbers below are theirs.
    """
    x, y = _pair(first, second)
    if x.shape[-1:] != (3,):
        raise ValueError(f"L*a*b* has 3 channels last, not shape {x.shape}")
    L1, a1, b1 = np.moveaxis(x, -1, 0)
    L2, a2, b2 = np.moveaxis(y, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = (1 - np.sqrt(mean7 / (mean7 + 25.0**7))) / 2  # (4)
    a1, a2 = (1 + g) * a1, (1 + g) * a2  # (5)
    C1, C2 = np.hypot(a1, b1), np.hypot(a2, b2)  # (6)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))  # (7)
    gray = C1 * C2 == 0
    turn = h2 - h1
    turn = np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn))
    turn = np.where(gray, 0.0, turn)  # (10)
    dL, dC = L2 - L1, C2 - C1  # (8), (9)
    dH = 2 * np.sqrt(C1 * C2) * np.sin(np.radians(turn / 2))  # (11)
    L, C = (L1 + L2) / 2, (C1 + C2) / 2  # (12), (13)
    far = np.abs(h1 - h2) > 180
    h = np.where(far, (h1 + h2 + np.where(h1 + h2 < 360, 360.0, -360.0)) / 2, (h1 + h2) / 2)
    h = np.where(gray, h1 + h2, h)  # (14)
    T = (  # (15)
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    theta = 30 * np.exp(-(((h - 275) / 25) ** 2))  # (16)
    rc = 2 * np.sqrt(C**7 / (C**7 + 25.0**7))  # (17)
    sl = 1 + 0.015 * (L - 50) ** 2 / np.sqrt(20 + (L - 50) ** 2)  # (18)
    sc, sh = 1 + 0.045 * C, 1 + 0.015 * C * T  # (19), (20)
    rt = -np.sin(np.radians(2 * theta)) * rc  # (21)
    square = (dL / sl) ** 2 + (dC / sc) ** 2 + (dH / sh) ** 2 + rt * (dC / sc) * (dH / sh)  # (22)
    return np.sqrt(np.maximum(square, 0.0))


def js_divergence(first: ArrayLike, second: ArrayLike) -> float:
    """Jensen-Shannon divergence of two distributions, in nats: 0 for equal ones, ln 2 = 0.6931 for disjoint
    ones.

    Non-negative numbers of one shape, each set normalized to sum 1 here (counts will do); ValueError for none
    at all.
    Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37 (1991).
    """
    p, q = _pair(first, second)
    if p.min(initial=0) < 0 or q.min(initial=0) < 0 or not (p.sum() > 0 and q.sum() > 0):
        raise ValueError("a distribution is non-negative and not all zero")
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2

    def to_middle(part: Floats) -> float:
        some = part > 0
        return float(np.sum(part[some] * np.log(part[some] / middle[some])))

    return max(0.0, (to_middle(p) + to_middle(q)) / 2)


def color_consistency(frames: Iterable[ArrayLike]) -> float:
    """Color distribution consistency (CDC) of a clip: lower is steadier, 0 for identical frames; nats.

    frames: R'G'B' uint8, (H, W, 3), five or more (else ValueError); read once, only histograms are kept. The
    mean over channels and frame pairs of the Jensen-Shannon divergence between 256-bin histograms 1, 2 and 4
    frames apart, averaged. Measure of Liu et al., "Temporally Consistent Video Colorization with Deep Feature
    Propagation and Self-regularization Learning" (TCVC).
    """
    histograms = [_histograms(frame) for frame in frames]
    if len(histograms) <= max(CDC_STEPS):
        raise ValueError(f"a clip needs {max(CDC_STEPS) + 1} frames or more, not {len(histograms)}")
    means = []
    for step in CDC_STEPS:
        pairs = zip(histograms, histograms[step:], strict=False)
        means.append(np.mean([js_divergence(p[c], q[c]) for p, q in pairs for c in range(3)]))
    return float(np.mean(means))


def _histograms(frame: ArrayLike) -> NDArray[np.int64]:
    """Counts of the 256 codes of each channel, (3, 256)."""
    array = np.asarray(frame)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"a frame is uint8 (H, W, 3), not {array.dtype} {array.shape}")
    return np.stack([np.bincount(array[..., c].ravel(), minlength=256) for c in range(3)])


def _rgb(rgb: ArrayLike) -> Floats:
    array = np.asarray(rgb, np.float64)
    if array.ndim < 2 or array.shape[-1] != 3:
        raise ValueError(f"R'G'B' has 3 channels last, not shape {array.shape}")
    return array


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if x.shape != y.shape or not x.size:
        raise ValueError(f"two arrays of one shape are compared, not {x.shape} and {y.shape}")
    return x, y


LIT = 40.0
"""8-bit luma codes from which a pixel shows a color on a screen."""
COLORED = 6.0
"""8-bit codes of chroma from which a pixel has a hue."""
HUES = 72
NEAR = 9
"""Of HUES steps around the circle those that count as one hue: 45 degrees."""


def one_hue(luma: np.ndarray, cb: np.ndarray, cr: np.ndarray) -> tuple[float, float]:
    """How far a picture is of one hue: the share of its lit pixels that have the commonest, and their mean chroma.

    luma, cb, cr: 8-bit codes (H, W), chroma from neutral. Where less than a quarter is lit it says 0 and 0: a night
    scene has few colors by nature.
    """
    lit = np.asarray(luma) > LIT
    if lit.mean() < 0.25:
        return 0.0, 0.0
    chroma = np.hypot(cb, cr)
    hues = np.arctan2(cr, cb)[lit & (chroma > COLORED)]
    counts, _ = np.histogram(hues, HUES, (-np.pi, np.pi))
    around = np.cumsum(np.concatenate([[0], counts, counts[: NEAR - 1]]))
    most = int((around[NEAR:] - around[:-NEAR]).max())
    return most / int(lit.sum()), float(chroma[lit].mean())
