"""JPEG XL: gray or RGB of up to 16 bits and floats, codes as stored; of a JPEG in it the coded Y.

Its codestream tells orientation, depth and color encoding; its container carries Exif and XMP. An ICC profile is coded
inside the codestream, where nothing here reads it. Source: ISO 18181-1, annexes D and E; 18181-2, clause 9.
"""

from __future__ import annotations

import imagecodecs
import numpy as np

from colorizer.basis.errors import UnsupportedSource
from pipeline.metadata.blocks import Blocks, elements
from pipeline.metadata.boxes import boxes
from pipeline.metadata.headers import Size, jpeg_size
from pipeline.metadata.jpegxl_header import (
    ALPHA,
    BARE,
    BLACK,
    CONTAINER,
    LINEAR,
    SRGB,
    JpegXlHeader,
    codestream_of,
    header_of,
    jpegxl_size,
)
from pipeline.stills.format import Decoded, Format, plain, starts
from pipeline.stills.formats.jpeg import decode_jpeg
from pipeline.stills.layout import CONVERT
from pipeline.stills.tones import Tone
from pipeline.values.loss import Loss

MAX_WORDS = 1 << 24
"""Bytes of Exif or XMP once they are no longer compressed."""
USUAL = (1, 2, SRGB)
"""Transfer functions of BT.709, and unknown ones, are taken for sRGB's."""
PRIMARIES = {1: "sRGB", 2: "custom", 9: "BT.2100", 11: "P3"}
SLIGHT = 1 / 8
"""How far floats of a lossy file may pass 0 and 1 without meaning it."""


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    header = header_of(codestream_of(data))
    assert header is not None, "its size was read from it"
    _refuse(path, header)
    if not header.gray and any(kind == b"jbrd" for kind, _ in _contents(data)):
        stream = bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1))
        return decode_jpeg(stream, path, jpeg_size(stream) or size)
    samples = np.asarray(imagecodecs.jpegxl_decode(data, keeporientation=True, numthreads=1))
    return _toned(samples[..., None] if samples.ndim == 2 else samples, header)


def _refuse(path: str, header: JpegXlHeader) -> None:
    what = ""
    if header.animation:
        what = "an animation, not a picture; export one picture of it"
    elif any(kind != ALPHA for kind in header.extra) or len(header.extra) > 1:
        inks = "ink" if BLACK in header.extra else "channels of other kinds"
        what = f"{inks} beside its colors; {CONVERT}"
    elif header.transfer in (16, 18):
        what = f"high dynamic range ({'PQ' if header.transfer == 16 else 'HLG'}); convert it to standard range first"
    elif header.bits > (32 if header.floats else 16):
        what = f"{header.bits}-bit samples; {CONVERT}"
    if what:
        raise UnsupportedSource(path, f"JPEG XL with {what}" if not header.animation else what)


def _toned(samples: np.ndarray, header: JpegXlHeader) -> Decoded:
    notes = tuple(_notes(header))
    linear = header.transfer == LINEAR
    if not header.floats:
        tone = plain(samples, header.bits).tone
        if samples.dtype == np.uint8 and header.bits < 8:
            tone = Tone(tone.model, header.bits)
        if linear:  # light from 0 to the highest code
            tone = Tone(tone.model, header.bits, high=2.0**header.bits - 1, linear=True)
        return Decoded(samples, tone, "linear light" if linear else "", notes)
    if samples.min() > -SLIGHT and samples.max() < 1 + SLIGHT:
        samples = samples.clip(0, 1)
    model = "RGB" if samples.shape[2] >= 3 else "gray"
    return Decoded(samples, Tone(model, 8 * samples.itemsize, "float", linear=linear), "", notes)


def _notes(header: JpegXlHeader) -> list[str]:
    """What is passed over of the color encoding."""
    if header.icc:
        return ["its ICC profile lies within the JPEG XL codestream and was not applied"]
    notes = []
    if header.transfer not in (*USUAL, LINEAR):
        notes.append("its tone curve is taken for sRGB's")
    if not header.gray and header.primaries != 1:
        primaries = PRIMARIES.get(header.primaries, "other")
        notes.append(f"its {primaries} primaries are taken for sRGB's; Rec. 601 luma of codes as stored")
    return notes


def _contents(data: bytes) -> list[tuple[bytes, memoryview]]:
    """The boxes of a container; none of a bare codestream."""
    return list(boxes(data, len(CONTAINER))) if data.startswith(CONTAINER) else []


PICTURE = (b"JXL ", b"ftyp", b"jxlc", b"jxlp", b"jxll", b"jxli", b"jbrd", b"free", b"skip")
"""Boxes of the codestream, of its level and index, and what a JPEG is put together from again (ISO 18181-2, 9)."""


def _blocks(data: bytes) -> Blocks:
    header = header_of(codestream_of(data))
    found: dict[bytes, bytes] = {}
    lost = [Loss("its ICC profile")] if header is not None and header.icc else []
    others: list[tuple[bytes, bytes]] = []
    for kind, content in _contents(data):
        if kind == b"brob":
            kind, content = bytes(content[:4]), _unpacked(content[4:])
        if kind in (b"Exif", b"xml "):
            found.setdefault(kind, bytes(content[:MAX_WORDS]))
        elif kind == b"jumb":
            lost.append(Loss("a JUMBF box"))
        elif kind not in PICTURE:
            others.append((kind, bytes(content)))
    lost.extend(elements("JPEG XL box", others))
    exif = found.get(b"Exif")
    after = exif[4 + int.from_bytes(exif[:4], "big") :] if exif else None
    orientation = header.orientation if header is not None else 1
    return Blocks(after or None, found.get(b"xml "), lost=tuple(lost), orientation=orientation)


def _unpacked(content: memoryview) -> memoryview:
    """A box that is compressed with Brotli; nothing where that fails."""
    try:
        return memoryview(imagecodecs.brotli_decode(bytes(content), out=MAX_WORDS))
    except Exception:  # the codec's own; an empty Exif block is told as a damaged one
        return memoryview(b"\0\0\0\0?")


JPEGXL = Format(
    "JPEG XL", (".jxl",), starts(CONTAINER, BARE), jpegxl_size, _decode, _blocks, 10_000_000, overhead=12
)  # fmt: skip
