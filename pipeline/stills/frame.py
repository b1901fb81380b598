"""A still as a frame: luma, or R, G and B, in the pixel format that FFmpeg has for them, for reels made of stills.

Samples of 8 to 16 bits that need nothing but their place stay the codes that they are. All else, floats first, becomes
what the reader of stills shows of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np

from pipeline.containers.planes import RGB_DEPTHS, YUV_DEPTHS, plane_view
from pipeline.stills.opening import open_whole
from pipeline.stills.reader import ScanPage
from pipeline.stills.tones import Tone

GRAY_DEPTHS = {8: "gray", 9: "gray9le", 10: "gray10le", 12: "gray12le", 14: "gray14le", 16: "gray16le"}

Span = tuple[float, float]
"""What of floats becomes black and white."""


@dataclass(frozen=True, slots=True)
class Still:
    """A still, read. span: of floats; None where their codes say by themselves what is black and white.

    exact: the frame has the codes that are stored. linear: those were light, and the frame's are codes of sRGB's curve.
    """

    frame: av.VideoFrame
    page: ScanPage
    span: Span | None
    exact: bool
    linear: bool


def read_still(path: str | Path, max_pixels: int, span: Span | None = None) -> Still:
    """The first picture of a file. span: of floats, in place of its own. Raises SourceError, WorkerDied."""
    with open_whole(path, max_pixels) as reader:
        assert reader.whole is not None, "it was asked for"
        samples, tone = reader.whole()
        page = reader.scan
    own = (tone.low, tone.high) if tone.needs_range else None
    if own and span:
        tone, own = replace(tone, low=span[0], high=span[1]), span
    planes, bits = planes_of(samples, tone)
    full = {1: GRAY_DEPTHS[bits], 3: RGB_DEPTHS[bits]}
    name = f"yuv444p{YUV_DEPTHS[bits]}" if len(planes) == 3 and _is_ycc(tone) else full[len(planes)]
    frame = av.VideoFrame(page.width, page.height, name)
    for number, plane in enumerate(planes):
        np.copyto(plane_view(frame, number), plane, casting="same_kind")
    return Still(frame, page, own, tone.plain and tone.bits == bits, tone.linear)


def _is_ycc(tone: Tone) -> bool:
    return tone.model == "YCbCr" and tone.icc is None


def planes_of(samples: np.ndarray, tone: Tone) -> tuple[list[np.ndarray], int]:
    """(h, w, n) samples as planes, and their bits: of gray one, of colors G, B and R, of YCbCr as it is called."""
    if tone.plain and tone.bits in RGB_DEPTHS:
        codes = samples[..., : tone.colors]
        codes = 2**tone.bits - 1 - codes if tone.white_is_zero else codes
        order = (1, 2, 0) if tone.model == "RGB" else range(codes.shape[2] if _is_ycc(tone) else 1)
        return [codes[..., i] for i in order], tone.bits
    if tone.model in ("RGB", "palette", "CMYK") or tone.icc is not None:
        rgb = tone.rgb(samples)
        return [rgb[..., i] for i in (1, 2, 0)], tone.luma_bits
    luma = tone.luma(samples)
    if _is_ycc(tone) and samples.shape[2] >= 3 and tone.bits == tone.luma_bits:
        return [luma, samples[..., 1], samples[..., 2]], tone.luma_bits
    return [luma], tone.luma_bits
