"""Gists: what a frozen encoder says of every training picture as a whole, found once and kept beside the pictures.

A look is taken at the size at which it is used, which costs more than all else of a step; the encoder that takes it
does not learn, so once is enough. A share of the pictures is worn, as the painted ones are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.basis.atomic import publish, scratch_of
from colorizer.networks.protocol import Network
from colorizer.training.aging import age
from colorizer.training.dataset import Pictures

AT_ONCE = 16
WORN = 0.3
"""Share of the pictures that are looked at worn."""


@torch.inference_mode()
def find(
    network: Network, pictures: Pictures, home: Path, report: Callable[[int], None] = lambda done: None
) -> np.ndarray:
    """Gists of all pictures, float16 (n, gist_length), a map of a file in `home`.

    Found on first use; stopped, the next call goes on. report: is told how many are there, now and then.
    """
    home.mkdir(parents=True, exist_ok=True)
    size = network.config.look_size
    kept = home / f"gists-{_digest(network, pictures, size)}.f16"
    part, shape = scratch_of(kept, ""), (len(pictures), network.gist_length)
    if not kept.exists():
        with part.open("ab") as file:
            done = file.tell() // (2 * network.gist_length * AT_ONCE) * AT_ONCE  # whole batches
            file.truncate(done * 2 * network.gist_length)
            for start in range(done, len(pictures), AT_ONCE):
                whole = worn(pictures.planes[start : start + AT_ONCE], size, start)
                file.write(network.gist(whole).half().numpy().tobytes())
                if start // AT_ONCE % 50 == 0:
                    report(start)
        publish(part, kept)
    return np.memmap(kept, np.float16, "r", shape=shape)


def worn(planes: np.ndarray, size: int, seed: int) -> Tensor:
    """Whole pictures as they are looked at in training, Y' (B, 1, size, size); planes as `Pictures.planes`."""
    x = torch.from_numpy(np.asarray(planes)[:, [0, 3]]).float() / 255
    luma = age(x[:, :1], x[:, 1:], WORN, torch.Generator().manual_seed(seed))
    luma = F.interpolate(luma, (size, size), mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
    return luma.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def _digest(network: Network, pictures: Pictures, size: int) -> str:
    """Of what decides the gists: the pictures, the encoder (by what it says of four of them) and the size."""
    step = max(1, len(pictures) // 4)
    answers = network.gist(worn(pictures.planes[::step][:4], size, 0)).half().numpy().tobytes()
    sampled = np.ascontiguousarray(pictures.planes[:: max(1, len(pictures) // 500), 0, ::8, ::8]).tobytes()
    facts = f"{len(pictures)} {size} {WORN}".encode()
    return hashlib.sha256(answers + sampled + facts).hexdigest()[:16]
