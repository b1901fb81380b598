"""Polarity: whether a picture looks like a negative, told by a small network of its own.

It is independent of the weights that color. `colorizer.training.polarity` taught it; docs/models.md says how often it
is right.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.painting.colorizer import one_thread

SIDE = 64
"""Pictures are this small when they are looked at, so that neither grain nor a scan's resolution counts."""

DETECTOR = Path(str(resources.files("colorizer"))) / "detectors" / "polarity.safetensors"
CHANNELS = (20, 40, 56, 64)
STRIPS, HIDDEN = SIDE // 2 ** len(CHANNELS), 24
ENOUGH = 2.7
"""Evidence from which a picture is said to look like a negative."""


class Detector(nn.Module):
    """Four strided convolutions, the means of four strips of rows and the maxima, and two linear layers, shown a
    picture and its opposite: what it says of a picture is minus what it says of the picture turned around.

    Strips are kept apart because skies are above: upright pictures are asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.last = nn.Sequential(nn.Linear((STRIPS + 1) * CHANNELS[-1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Evidence, (n,), as logits before `ENOUGH` is asked for. pictures: (n, 1, SIDE, SIDE) in [0, 1]."""
        both = self.features(torch.cat([pictures, 1 - pictures]) * 4 - 2)
        said = self.last(torch.cat([both.mean(3).flatten(1), both.amax((2, 3))], 1))[:, 0]
        one, other = said.chunk(2)
        return one - other


def looks_negative(pictures: np.ndarray) -> bool:
    """Whether pictures of one scene look like a negative, on average.

    pictures: Y' as uint8, upright and square, (n, s, s), as `Colorizer.whole` gives them.
    """
    return bool(evidence(pictures).mean() > ENOUGH)


@torch.inference_mode()
def evidence(pictures: np.ndarray) -> np.ndarray:
    """How much pictures look like negatives, float32 (n,). pictures: Y' as uint8, (n, s, s)."""
    x = torch.from_numpy(np.ascontiguousarray(pictures))[:, None].float() / 255
    if x.shape[-1] != SIDE:
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
    with one_thread():
        found: np.ndarray = either_way(detector(), x).numpy()
    return found


def either_way(detector: Detector, pictures: Tensor) -> Tensor:
    """What it says of pictures and of them mirrored, on average: it errs less. As of `Detector.forward`."""
    mean: Tensor = (detector(pictures) + detector(pictures.flip(3))) / 2
    return mean


@cache
def detector() -> Detector:
    """The one that ships."""
    made = Detector()
    state = load_file(DETECTOR)
    made.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in state.items()})
    return made.eval()
