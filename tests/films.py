"""Frames of films that never were, and of those beside the checkout, as luma planes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

MEDIA = Path(__file__).parents[1].parent / "shared" / "media"
SIZE = (120, 160)

needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason="no test media beside the checkout")


def scene(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture with the spectrum of photographs, mean 80 to 140, deviation 28 to 42."""
    f = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None])
    f[0, 0] = 1
    x = np.fft.ifft2(np.fft.fft2(rng.standard_normal(size)) / f**1.5).real
    x -= x.mean()
    return x / x.std() * rng.uniform(28, 42) + rng.uniform(80, 140)


def codes(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def luma(name: str) -> Iterator[np.ndarray]:
    """Plane 0 of every frame that decodes, as stored; damaged packets are passed over."""
    with av.open(str(MEDIA / name), metadata_errors="replace") as container:
        for packet in container.demux(video=0):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                plane = frame.planes[0]
                rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
                yield rows[:, : plane.width]
