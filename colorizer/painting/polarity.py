"""Polarity: whether a picture looks like a negative, by how its look differs from that of the picture turned around,
and by its tones.

The probe is linear, a few hundred numbers for each of the shipped weights, which are the only ones that it knows: what
other weights make of a picture means something else.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from torch.nn import functional as F

from colorizer.painting.colorizer import Colorizer

SIDE = 64
"""Pictures are this small when their tones are looked at, so that neither grain nor a scan's resolution counts."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def looks_negative(colorizer: Colorizer, picture: np.ndarray) -> bool:
    """Whether a picture looks like a negative. picture: Y' as uint8, (look_size, look_size), as `Colorizer.whole` gives
    it. With weights that have no probe nothing does.
    """
    found = evidence(colorizer, picture[None])
    return found is not None and bool(found[0] > 0)


def evidence(colorizer: Colorizer, pictures: np.ndarray) -> np.ndarray | None:
    """How much pictures look like negatives, (n,): above 0 enough to say so; docs/models.md says how often it is right.

    pictures: Y' as uint8, (n, look_size, look_size), as `Colorizer.look` takes them. None for weights without a probe.
    """
    probe = _probes().get(colorizer.weights.digest)
    if probe is None:
        return None
    apart = colorizer.look(pictures)[0] - colorizer.look(255 - pictures)[0]
    found: np.ndarray = np.concatenate([apart, tones(pictures)], 1) @ probe[:-1] + probe[-1]
    return found


def tones(pictures: np.ndarray) -> np.ndarray:
    """What tones say of pictures, (n, 14): quantiles, spread and skewness; how much lighter the upper third is than the
    lower; whether detail is where it is light; and the skewness of detail, fine to coarse.

    pictures: uint8, (n, s, s).
    """
    x = F.adaptive_avg_pool2d(torch.from_numpy(pictures)[:, None].float() / 255, SIDE)[:, 0].numpy()
    flat = x.reshape(len(x), -1)
    spread = flat.std(1) + 1e-3
    third = SIDE // 3
    lean = (x[:, :third].mean((1, 2)) - x[:, -third:].mean((1, 2))) / spread
    blocks = x.reshape(len(x), 8, SIDE // 8, 8, SIDE // 8).transpose(0, 1, 3, 2, 4).reshape(len(x), 64, -1)
    light, detail = (part - part.mean(1, keepdims=True) for part in (blocks.mean(2), blocks.std(2)))
    together = (light * detail).mean(1) / (light.std(1) * detail.std(1) + 1e-4)
    edges = []
    for _ in range(3):
        edges.append(_skewness(_laplacian(x).reshape(len(x), -1)))
        x = (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
    columns = (*np.quantile(flat, QUANTILES, axis=1), spread, _skewness(flat), lean, together, *edges)
    return np.stack(columns, 1).astype(np.float32)


def _laplacian(x: np.ndarray) -> np.ndarray:
    inner: np.ndarray = 4 * x[:, 1:-1, 1:-1]
    return inner - x[:, :-2, 1:-1] - x[:, 2:, 1:-1] - x[:, 1:-1, :-2] - x[:, 1:-1, 2:]


def _skewness(values: np.ndarray) -> np.ndarray:
    """Of each row, bounded: a flat picture has none."""
    off = values - values.mean(1, keepdims=True)
    skewness: np.ndarray = ((off / (off.std(1, keepdims=True) + 1e-4)) ** 3).mean(1)
    return skewness.clip(-10, 10)


@cache
def _probes() -> dict[str, np.ndarray]:
    """By the digest of the weights whose looks they read: a factor for each number and, at the end, an offset."""
    return load_file(Path(str(resources.files("colorizer"))) / "probes" / "polarity.safetensors")
