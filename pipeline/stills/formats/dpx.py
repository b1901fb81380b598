"""DPX: a film frame, decoded by FFmpeg; of YCbCr the stored Y is the luma."""

from __future__ import annotations

import numpy as np

from colorizer.basis.errors import UnsupportedSource
from pipeline.metadata.headers import Size, dpx_size
from pipeline.reels.frames import luma_plane, pixel_layout, repacked
from pipeline.stills.ffmpeg import frame_of, samples_of
from pipeline.stills.format import Decoded, Format, no_blocks, starts
from pipeline.stills.layout import CONVERT
from pipeline.stills.tones import Tone


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    frame = frame_of(path, "dpx_pipe")
    layout = pixel_layout(frame.format.name)
    if layout is None:
        raise UnsupportedSource(path, f"DPX of {frame.format.name} is not read; {CONVERT}")
    if layout.kind != "rgb":
        model = "gray" if not layout.step_x else "YCbCr"
        return Decoded(luma_plane(frame, "bt601")[..., None], Tone(model, layout.bits))
    if not frame.format.name.startswith(("gbrp", "gbrap")):
        frame = repacked(frame, layout.planar)
    kind = np.dtype(np.uint8 if layout.bits == 8 else np.uint16)
    return Decoded(samples_of(frame, kind), Tone("RGB", layout.bits))


DPX = Format("DPX", (".dpx",), starts(b"SDPX", b"XPDS"), dpx_size, _decode, no_blocks, 100)
