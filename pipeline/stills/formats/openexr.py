"""OpenEXR: half and full floats of linear light (OpenEXR, technical introduction), decoded by FFmpeg."""

from __future__ import annotations

import numpy as np

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.metadata.directory import COPY
from pipeline.metadata.frame_blocks import exr_blocks
from pipeline.metadata.headers import Size, exr_attributes, exr_is_cut, exr_size, exr_sparse
from pipeline.stills.ffmpeg import frame_of, samples_of
from pipeline.stills.format import Decoded, Format, starts
from pipeline.stills.layout import CONVERT
from pipeline.stills.tones import Tone

KNOWN = 9
"""The last of OpenEXR's compressions that FFmpeg decodes; HTJ2K and Zstandard came after it."""


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    if (method := exr_attributes(data).get(b"compression", (b"", b"\0"))[1][0]) > KNOWN:
        raise UnsupportedSource(path, f"OpenEXR's compression {method} is not read; {CONVERT}")
    if sparse := exr_sparse(data):
        raise UnsupportedSource(
            path,
            f"a luminance/chroma OpenEXR (fewer samples of {' and '.join(sparse)} than pixels), which is not read; "
            "save it with R, G and B, or with Y alone, and color that",
        )
    if exr_is_cut(data):
        raise DamagedSource(path, f"it ends within the picture; {COPY}")  # FFmpeg would make the rest black
    frame = frame_of(path, "exr_pipe", "OpenEXR")
    wide = "f32" in frame.format.name
    samples = samples_of(frame, np.dtype(np.float32 if wide else np.float16))
    model = "RGB" if samples.shape[2] >= 3 else "gray"
    return Decoded(samples, Tone(model, 32 if wide else 16, "float", linear=True))


OPENEXR = Format("OpenEXR", (".exr",), starts(b"\x76\x2f\x31\x01"), exr_size, _decode, exr_blocks, 1100)
