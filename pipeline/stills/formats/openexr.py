"""OpenEXR: half and full floats of linear light (OpenEXR, technical introduction), decoded by FFmpeg."""

from __future__ import annotations

import numpy as np

from colorizer.basis.errors import DamagedSource
from pipeline.metadata.directory import COPY
from pipeline.metadata.headers import Size, exr_is_cut, exr_size
from pipeline.stills.ffmpeg import frame_of, samples_of
from pipeline.stills.format import Decoded, Format, no_blocks, starts
from pipeline.stills.tones import Tone


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    if exr_is_cut(data):
        raise DamagedSource(path, f"it ends within the picture; {COPY}")  # FFmpeg would make the rest black
    frame = frame_of(path, "exr_pipe")
    wide = "f32" in frame.format.name
    samples = samples_of(frame, np.dtype(np.float32 if wide else np.float16))
    model = "RGB" if samples.shape[2] >= 3 else "gray"
    return Decoded(samples, Tone(model, 32 if wide else 16, "float", linear=True))


OPENEXR = Format("OpenEXR", (".exr",), starts(b"\x76\x2f\x31\x01"), exr_size, _decode, no_blocks, 1100)
