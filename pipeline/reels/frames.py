"""Frames as the pipeline sees them: an index, a time and the luma plane exactly as it is stored; and their colors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import av
import numpy as np

from pipeline.containers.planes import pixel_layout, plane_view, repacked
from pipeline.reels.beside import NOTHING, Aside


def luma_digest(luma: np.ndarray) -> str:
    """MD5 of a luma plane's samples, little endian, no padding: as `ffmpeg -vf extractplanes=y -f framemd5` prints."""
    data = np.ascontiguousarray(luma, np.uint8 if luma.dtype == np.uint8 else "<u2")  # no copy, as planes mostly are
    return hashlib.md5(data.data, usedforsecurity=False).hexdigest()


def has_color(frame: av.VideoFrame) -> bool:
    """Whether a frame's own chroma says more than gray or noise around it: over 2 % of samples 6 codes from neutral."""
    layout = pixel_layout(frame.format.name)
    if layout is None:
        return False
    if layout.kind == "rgb":
        rgb = repacked(frame, "gbrp")
        g, b, r = (plane_view(rgb, i)[::4, ::4].astype(np.int16) for i in range(3))
        off = np.maximum(abs(r - g), abs(b - g)) > 12
    elif layout.step_x:
        planar = repacked(frame, layout.planar) if layout.kind == "convert" else frame
        bits = layout.bits
        if len(planar.planes) < 3:  # Cb and Cr interleaved, as capture cards store them
            planar, bits = repacked(planar, "yuv444p"), 8
        half, far = 1 << (bits - 1), 6 << (bits - 8)
        off = np.zeros((), bool)
        for i in (1, 2):
            off = off | (abs(plane_view(planar, i)[::2, ::2].astype(np.int32) - half) > far)
    else:
        return False
    return bool(off.mean() > 0.02)


def has_hues(frame: av.VideoFrame) -> bool:
    """Whether a frame in color has more than one: over 2 % of samples are colored more than 30 degrees away from the
    mean hue. A tinted or toned print has one (1.3 % at most on a tinted film, 2.8 % at least on most color footage).
    """
    every = _chroma(frame)
    chroma = every[abs(every) > 6]
    away = abs(np.angle(chroma * np.conj(chroma.sum()))) > np.pi / 6
    return bool(np.count_nonzero(away) > 0.02 * every.size)


def color_amount(frame: av.VideoFrame) -> float:
    """Mean distance from gray, in 8-bit codes of chroma."""
    return float(abs(_chroma(frame)).mean())


def _chroma(frame: av.VideoFrame) -> np.ndarray:
    """Some samples' chroma as complex numbers, in 8-bit codes around 0."""
    yuv = repacked(frame, "yuv444p")
    cb, cr = (plane_view(yuv, i)[::4, ::4].astype(np.float32) - 128 for i in (1, 2))
    return cb + 1j * cr


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: index in the reel (from 0), pts in the reel's time base as the file says, luma as stored.

    duration: in the same ticks, 0 where the file does not say. fields: which its decoder says is shown first, "tff" or
    "bff"; "progressive" where there are none. aside: what it carries beside its samples.
    """

    index: int
    pts: int | None
    luma: np.ndarray = field(repr=False)
    duration: int = 0
    fields: str = "progressive"
    aside: Aside = field(default=NOTHING, repr=False)
