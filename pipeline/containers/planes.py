"""Pixel formats of FFmpeg: where luma is in each, and the samples of a frame's planes exactly as they are stored.

A plane is copied, never converted: FFmpeg's own path to gray stretches film levels. Formats without a luma plane (RGB)
get one by integer arithmetic that leaves neutral pixels exactly at their code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import av
import numpy as np
from numpy.lib.stride_tricks import as_strided

from colorizer.basis.light import luma_of_planes

RGB_DEPTHS = {8: "gbrp", 9: "gbrp9le", 10: "gbrp10le", 12: "gbrp12le", 14: "gbrp14le", 16: "gbrp16le"}
YUV_DEPTHS = {8: "", 9: "9le", 10: "10le", 12: "12le", 14: "14le", 16: "16le"}
UNPACKED_BY_NONE = (
    "uyyvyy411", "y210be", "y212be", "y216be", "xv30be", "v30xbe", "x2rgb10be", "x2bgr10be", "rgb4", "bgr4",
)  # fmt: skip
"""Packed formats that FFmpeg's converter does not read."""


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """Where the luma of a pixel format is.

    kind: "luma" (plane 0 is luma), "rgb" (luma is computed) or "convert" (first repacked, without loss, to `planar`).
    bits: of a luma sample. step_y, step_x: luma samples per chroma sample, 0 when there is no chroma. alpha: carries
    transparency, which no output keeps.
    """

    kind: str
    planar: str
    bits: int
    step_y: int
    step_x: int
    alpha: bool


@cache
def pixel_layout(pix_fmt: str) -> PixelLayout | None:
    """The layout of a pixel format, or None if it holds no picture this program reads (float, hardware, Bayer)."""
    pixels = av.VideoFormat(pix_fmt)
    bits = max((c.bits for c in pixels.components), default=0)
    # the palette of pal8 may hold transparency, but film formats that use it do not
    alpha = any(c.is_alpha for c in pixels.components) and pix_fmt != "pal8"
    if pixels.is_bayer or not pixels.components or "f16" in pix_fmt or "f32" in pix_fmt or bits > 16:
        return None
    if pix_fmt in UNPACKED_BY_NONE:
        return None
    if pixels.has_palette or pixels.is_bit_stream or (pixels.is_rgb and bits < 8) or "xyz" in pix_fmt:
        return PixelLayout("rgb", "gbrp" if bits <= 8 else "gbrp16le", 8 if bits <= 8 else 16, 0, 0, alpha)
    if pixels.is_rgb:
        depth = next(d for d in RGB_DEPTHS if d >= bits)
        return PixelLayout("rgb", RGB_DEPTHS[depth], depth, 0, 0, alpha)
    if pixels.components[0].bits < 8:
        return None
    chroma = [c for c in pixels.components[1:] if not c.is_alpha]  # PyAV's is_chroma is wrong beside alpha
    sub = pixels.chroma_width(64), pixels.chroma_height(64)
    step_x, step_y = (64 // sub[0], 64 // sub[1]) if chroma else (0, 0)
    if pix_fmt.startswith("ya"):
        return PixelLayout("convert", "gray" if bits == 8 else "gray16le", bits, 0, 0, True)
    shifted = pix_fmt.startswith(("p0", "p2", "p4")) or "msb" in pix_fmt  # codes in the high bits of a word
    if pixels.is_planar and pixels.components[0].plane == 0 and not shifted:
        return PixelLayout("luma", pix_fmt, bits, step_y, step_x, alpha)
    if pix_fmt.startswith("gray"):
        return PixelLayout("luma", pix_fmt, bits, 0, 0, False)
    name = {(2, 2): "yuv420p", (1, 2): "yuv422p", (1, 1): "yuv444p", (1, 4): "yuv411p"}.get((step_y, step_x))
    if name is None or bits not in YUV_DEPTHS:
        return None
    return PixelLayout("convert", name + YUV_DEPTHS[bits], bits, step_y, step_x, alpha)


def plane_view(frame: av.VideoFrame, index: int) -> np.ndarray:
    """A plane's samples without a copy, (rows, columns); shared with the decoder, so read only."""
    plane = frame.planes[index]
    bits = next(c.bits for c in frame.format.components if c.plane == index)
    kind = np.dtype("u1") if bits <= 8 else np.dtype(">u2" if frame.format.name.endswith("be") else "<u2")
    line = abs(plane.line_size)
    rows = as_strided(np.frombuffer(plane, "u1"), (plane.height, line), (line, 1))  # type: ignore[call-overload]
    samples: np.ndarray = rows[:, : plane.width * kind.itemsize].view(kind)
    return samples[::-1] if plane.line_size < 0 else samples


def owned_plane(frame: av.VideoFrame, index: int) -> np.ndarray:
    """A copy of a plane's samples: uint8, or uint16 in native order, contiguous."""
    view = plane_view(frame, index)
    return np.array(view, np.uint8 if view.dtype.itemsize == 1 else np.uint16, order="C")


def repacked(frame: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    """The frame's samples in another pixel format of the same size."""
    # libswscale's slice threads overwrite one another's samples now and then (8 in a row, seen with 9.5 on p010)
    return frame.reformat(format=pix_fmt, threads=1)


def luma_plane(frame: av.VideoFrame, matrix: str) -> np.ndarray:
    """The luma of a frame: uint8, or uint16 in native order, (H, W), contiguous and owned.

    matrix: which luma weights an RGB picture gets.
    """
    layout = pixel_layout(frame.format.name)
    if layout is None:
        raise ValueError(f"no luma in {frame.format.name}")
    if layout.kind == "rgb":
        if not frame.format.name.startswith(("gbrp", "gbrap")) or "msb" in frame.format.name:
            frame = repacked(frame, layout.planar)  # not for planar RGB: dropping alpha changes 16-bit codes
        g, b, r = (plane_view(frame, i) for i in range(3))
        return luma_of_planes(r, g, b, matrix)
    if layout.kind == "convert":
        frame = repacked(frame, layout.planar)
    return owned_plane(frame, 0)
