"""DPX: a film frame, decoded by FFmpeg; of YCbCr the stored Y is the luma.

Ten bits that are packed without filling are read here, since FFmpeg does not (SMPTE 268M, packing 0).
"""

from __future__ import annotations

import struct

import numpy as np

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.containers.planes import luma_plane, pixel_layout, repacked
from pipeline.metadata.directory import COPY
from pipeline.metadata.frame_blocks import dpx_blocks
from pipeline.metadata.headers import Size, dpx_size
from pipeline.stills.ffmpeg import frame_of, samples_of
from pipeline.stills.format import Decoded, Format, starts
from pipeline.stills.layout import CONVERT
from pipeline.stills.tones import Tone

MODELS = {6: ("gray", 1), 50: ("RGB", 3)}
"""Color model and samples of a pixel by an element's descriptor."""
UNSAID = 0xFFFFFFFF
READ = {
    6: (1, 8, 10, 12, 16, 32),
    **dict.fromkeys((50, 51, 52), (8, 10, 12, 16, 32)),
    **dict.fromkeys((100, 102, 103), (8, 10)),
}
"""Bits of samples that FFmpeg decodes, by an element's descriptor, of one element that is not run-length encoded."""


def _is_packed(data: bytes) -> bool:
    """Whether the picture is one element of ten bits, packed, not run-length encoded."""
    order = ">" if data.startswith(b"SDPX") else "<"
    elements, packing, encoding = (struct.unpack_from(f"{order}H", data, at)[0] for at in (770, 804, 806))
    return data[803] == 10 and data[800] in MODELS and (elements, packing, encoding) == (1, 0, 0)


def _is_read(data: bytes) -> bool:
    elements, encoding = (
        int.from_bytes(data[at : at + 2], "big" if data[0:1] == b"S" else "little") for at in (770, 806)
    )
    return (elements, encoding) == (1, 0) and data[803] in READ.get(data[800], ())


def _packed(data: bytes, path: str, size: Size) -> Decoded:
    """Samples that follow on one another from a word's lowest bit on, each line from a word of 32 bits on."""
    order, (height, width, *_) = ">" if data.startswith(b"SDPX") else "<", size
    model, samples = MODELS[data[800]]
    first, start, end = (struct.unpack_from(f"{order}I", data, at)[0] for at in (4, 808, 812))
    start = start if start not in (0, UNSAID) else first
    words = -(-width * samples * 10 // 32)
    line = 4 * words + (end if end != UNSAID else 0)
    if len(data) < start + line * (height - 1) + 4 * words:
        raise DamagedSource(path, f"it ends within the picture; {COPY}")
    out = np.empty((height, width * samples), np.uint16)
    for y in range(height):
        row = np.frombuffer(data, f"{order}u4", words, start + y * line).astype("<u4").view(np.uint8)
        bits = np.unpackbits(row, bitorder="little")[: width * samples * 10].reshape(-1, 10)
        out[y] = bits @ (1 << np.arange(10, dtype=np.uint16))
    return Decoded(out.reshape(height, width, samples), Tone(model, 10))


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    if _is_packed(data):
        return _packed(data, path, size)
    if not _is_read(data):
        raise UnsupportedSource(path, f"a kind of DPX that is not read; {CONVERT}")
    frame = frame_of(path, "dpx_pipe", "DPX")
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


DPX = Format("DPX", (".dpx",), starts(b"SDPX", b"XPDS"), dpx_size, _decode, dpx_blocks, 100)
