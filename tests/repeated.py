"""The same frames encoded as H.264 by a process of its own, whose memory may hold other numbers.

`python -m tests.repeated` prints a digest of what came of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction

import numpy as np

from colorizer.color.coding import Coding
from pipeline.containers.profiles import PROFILES
from pipeline.reels.encode import Encoder, Painted
from pipeline.reels.target import target_for
from tests.plans import REEL

WIDTH, HEIGHT, FRAMES = 320, 240, 12


def digest() -> str:
    """Of the packets of twelve gray frames with grain."""
    reel = replace(REEL, width=WIDTH, height=HEIGHT, pix_fmt="gray", coding=Coding(8, False), aspect=Fraction(1))
    profile = PROFILES["access"]
    x, y = np.meshgrid(np.arange(WIDTH) / HEIGHT, np.arange(HEIGHT) / HEIGHT)
    random, gray = np.random.default_rng(5), np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    encoder = Encoder(reel, profile, target_for(reel, profile))
    found = hashlib.md5(usedforsecurity=False)
    for number in range(FRAMES):
        shade = 120 + 60 * np.sin(7 * x + number / 9) * np.cos(5 * y) + random.normal(0, 3, x.shape)
        frame = Painted(number * 42, 42, shade.clip(16, 235).astype(np.uint8), gray, gray)
        for packet in encoder.encode(frame):
            found.update(packet.data)
    for packet in encoder.flush():
        found.update(packet.data)
    return found.hexdigest()


if __name__ == "__main__":
    print(digest())
