"""Picture files that are decoded whole: PNG, JPEG, JPEG 2000, WebP, DPX and OpenEXR.

The codec is chosen by the first bytes, and it is called only after the header's size was held against the limits and
against the length of the file. (imagecodecs.imread tries every codec; on some bytes one takes the process with it.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import av
import imagecodecs
import numpy as np

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.metadata.blocks import Blocks, from_blocks, jpeg_blocks, png_blocks, webp_blocks
from pipeline.metadata.directory import COPY
from pipeline.metadata.headers import (
    Size,
    dpx_size,
    exr_is_cut,
    exr_size,
    jpeg2000_size,
    jpeg_segments,
    jpeg_size,
    png_size,
    webp_size,
)  # fmt: skip
from pipeline.reels.frames import layout_of, luma_plane, repacked
from pipeline.reels.reel import local
from pipeline.stills.layout import CONVERT
from pipeline.stills.places import UNBACKED
from pipeline.stills.reader import Scan, ScanReader
from pipeline.stills.tones import COLORED, Tone, range_of, spread, thinned, with_profile
from pipeline.values.loss import Loss

TILED = "allow more memory, or store it as tiled TIFF, which is read by region"


@dataclass(frozen=True, slots=True)
class Picture:
    """A kind of picture file. starts: its first bytes. decode: of the file's bytes and path to samples and their tone.

    ratio: more decoded bytes than one byte of the file can stand for.
    """

    name: str
    starts: tuple[bytes, ...]
    size: Callable[[bytes], Size | None]
    decode: Callable[[bytes, str, Size], tuple[np.ndarray, Tone]]
    blocks: Callable[[bytes], Blocks]
    ratio: int


def open_picture(file: BinaryIO, path: str, max_pixels: int, max_bytes: int) -> ScanReader:
    """A reader of a picture file, which is decoded here. Raises UnsupportedSource or DamagedSource."""
    length = file.seek(0, 2)
    file.seek(0)
    head = file.read(16)
    picture = next((p for p in PICTURES if head.startswith(p.starts)), None)
    if picture is None or (picture.name == "WebP" and head[8:12] != b"WEBP"):
        kinds = ", ".join(p.name for p in PICTURES)
        raise UnsupportedSource(path, f"not a scan: none of TIFF, {kinds}; a moving picture is a reel")
    if length > max_bytes:
        raise UnsupportedSource(
            path, f"a {picture.name} of {length} bytes is more than the {max_bytes} that may be held; {TILED}"
        )
    file.seek(0)
    data = file.read()
    size = picture.size(data)
    if size is None:
        raise DamagedSource(path, f"its {picture.name} header makes no sense; {COPY}")
    _check_size(path, picture, size, length, max_pixels, max_bytes)
    try:
        samples, tone = picture.decode(data, path, size)
    except (UnsupportedSource, DamagedSource, MemoryError):
        raise
    except Exception as error:  # every codec has errors of its own; all mean that the bytes are no picture
        raise DamagedSource(
            path, f"cannot be decoded ({picture.name}: {str(error) or type(error).__name__}); {COPY}"
        ) from error
    if not samples.size:
        raise UnsupportedSource(path, f"a kind of {picture.name} that the codec does not read; {CONVERT}")
    if samples.shape[:2] != size[:2]:
        raise DamagedSource(
            path, f"{samples.shape[1]} x {samples.shape[0]} pixels came out of {size[1]} x {size[0]}; {COPY}"
        )
    return _reader(path, picture, samples, tone, picture.blocks(data))


def _check_size(
    path: str, picture: Picture, size: Size, length: int, max_pixels: int, max_bytes: int
) -> None:  # fmt: skip
    height, width, samples, bits = size
    if height * width > max_pixels:
        raise UnsupportedSource(
            path, f"says it is {width} x {height} pixels, more than the {max_pixels} that are allowed; "
            "allow more if that is true"
        )  # fmt: skip
    decoded = height * width * samples * (1 if bits <= 8 else 2)
    if decoded > max_bytes:
        raise UnsupportedSource(
            path,
            f"{width} x {height} pixels decode to {decoded} bytes, more than the {max_bytes} that may be held; {TILED}",
        )
    if decoded > UNBACKED and decoded // picture.ratio > length:
        raise DamagedSource(path, f"{length} bytes cannot be {width} x {height} pixels of {picture.name}; {COPY}")


def _reader(path: str, picture: Picture, samples: np.ndarray, tone: Tone, blocks: Blocks) -> ScanReader:
    words, notes = "", tuple[str, ...]()
    if tone.needs_range:
        low, high = range_of([thinned(samples)], tone)
        tone = replace(tone, low=low, high=high)
        words = f"{low:.6g} to {high:.6g} as black to white" + (", linear light" if tone.linear else "")
    elif tone.bits not in (8, 16):
        words = spread(tone)
    if blocks.icc:
        try:
            tone, said = with_profile(tone, blocks.icc)
            words = ", ".join(filter(None, (words, said)))
        except Exception as error:  # lcms' own: the picture is whole, its profile is not
            notes = (f"its ICC profile cannot be used ({error}); not applied",)
    metadata, orientation, resolution = from_blocks(blocks, path)
    channels = {"RGB": 3, "YCbCr": 3, "CMYK": 4}.get(tone.model, 1)
    few = thinned(samples)
    luma = tone.luma(samples)
    number = {"uint": "", "float": "float "}[tone.format]
    scan = Scan(
        path, picture.name, 0, 1, luma.shape[0], luma.shape[1], orientation, tone.luma_bits, tone.model,
        f"{tone.bits}-bit {number}{tone.model}, {picture.name}", tone.colored(few) > COLORED,
        samples.shape[2] > channels, resolution, blocks.icc, words, metadata, notes,
    )  # fmt: skip
    return ScanReader(scan, lambda y, x, h, w: luma[y : y + h, x : x + w].copy(), lambda: None, luma.nbytes)


def _as_tone(samples: Any, bits: int) -> tuple[np.ndarray, Tone]:
    """Samples (h, w) or (h, w, n) as (h, w, n), gray or RGB by their number."""
    array = np.asarray(samples)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise ValueError(f"samples of {array.shape} of {array.dtype}")
    return array, Tone("RGB" if array.shape[2] >= 3 else "gray", bits if array.dtype.itemsize == 2 else 8)


def _png(data: bytes, path: str, size: Size) -> tuple[np.ndarray, Tone]:
    return _as_tone(imagecodecs.png_decode(data), 16)


def _webp(data: bytes, path: str, size: Size) -> tuple[np.ndarray, Tone]:
    return _as_tone(imagecodecs.webp_decode(data), 8)


def _jpeg(data: bytes, path: str, size: Size) -> tuple[np.ndarray, Tone]:
    """YCbCr stays YCbCr: its Y is the luma, and as coded."""
    if b"\xff\xd9" not in data[-4096:] and data.rfind(b"\xff\xd9") < len(data) // 2:
        raise DamagedSource(path, f"it ends within the picture; {COPY}")  # libjpeg would fill the rest with gray
    adobe = next((c[11] for m, c in jpeg_segments(data) if m == 0xEE and c[:5] == b"Adobe" and len(c) > 11), None)
    _, _, count, bits = size
    depth = bits if bits > 8 else None
    if count == 3 and adobe != 0:
        samples = np.asarray(imagecodecs.jpeg_decode(data, outcolorspace="YCBCR", bitspersample=depth))
        return samples, Tone("YCbCr", bits)
    if count == 4:
        samples = np.asarray(imagecodecs.jpeg_decode(data, outcolorspace="CMYK", bitspersample=depth))
        return (~samples if adobe is not None else samples), Tone("CMYK", 8)  # Adobe stores ink inverted
    return _as_tone(imagecodecs.jpeg_decode(data, bitspersample=depth), bits)


def _jpeg2000(data: bytes, path: str, size: Size) -> tuple[np.ndarray, Tone]:
    samples, tone = _as_tone(imagecodecs.jpeg2k_decode(data), size[3])
    if size[3] < 8:
        raise UnsupportedSource(path, f"{size[3]}-bit JPEG 2000 is not read; {CONVERT}")
    return samples, tone


def _frame(path: str, kind: str) -> av.VideoFrame:
    with av.open(local(path), format=kind) as container:
        return next(container.decode(video=0))


def _dpx(data: bytes, path: str, size: Size) -> tuple[np.ndarray, Tone]:
    frame = _frame(path, "dpx_pipe")
    layout = layout_of(frame.format.name)
    if layout is None:
        raise UnsupportedSource(path, f"DPX of {frame.format.name} is not read; {CONVERT}")
    if layout.kind != "rgb":
        return luma_plane(frame, "bt601")[..., None], Tone("gray" if not layout.step_x else "YCbCr", layout.bits)
    if not frame.format.name.startswith(("gbrp", "gbrap")):
        frame = repacked(frame, layout.planar)
    return _planes(frame, np.dtype(np.uint8 if layout.bits == 8 else np.uint16)), Tone("RGB", layout.bits)


def _exr(data: bytes, path: str, size: Size) -> tuple[np.ndarray, Tone]:
    """Linear light by definition (OpenEXR, technical introduction)."""
    if exr_is_cut(data):
        raise DamagedSource(path, f"it ends within the picture; {COPY}")  # FFmpeg would make the rest black
    frame = _frame(path, "exr_pipe")
    wide = "f32" in frame.format.name
    samples = _planes(frame, np.dtype(np.float32 if wide else np.float16))
    return samples, Tone("RGB" if samples.shape[2] >= 3 else "gray", 32 if wide else 16, "float", linear=True)


def _planes(frame: av.VideoFrame, kind: np.dtype) -> np.ndarray:
    """A frame's planes as (h, w, n); those of "gbr" formats as R, G, B. Big-endian ones are turned."""
    stored = kind.newbyteorder(">" if frame.format.name.endswith("be") else "<")
    rows = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
            :, : plane.width * kind.itemsize
        ]
        for plane in frame.planes
    ]
    planes = [np.ascontiguousarray(row).view(stored).astype(kind) for row in rows]
    if frame.format.name.startswith("gb"):
        planes = [planes[2], planes[0], planes[1], *planes[3:]]
    return np.stack(planes, -1)


def _no_blocks(data: bytes) -> Blocks:
    return Blocks(lost=(Loss("what its header says in words"),))


PICTURES = (
    Picture("PNG", (b"\x89PNG",), png_size, _png, png_blocks, 1100),
    Picture("JPEG", (b"\xff\xd8\xff",), jpeg_size, _jpeg, jpeg_blocks, 5000),
    Picture("JPEG 2000", (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), jpeg2000_size, _jpeg2000, _no_blocks, 100_000),
    Picture("WebP", (b"RIFF",), webp_size, _webp, webp_blocks, 100_000),
    Picture("DPX", (b"SDPX", b"XPDS"), dpx_size, _dpx, _no_blocks, 100),
    Picture("OpenEXR", (b"\x76\x2f\x31\x01",), exr_size, _exr, _no_blocks, 1100),
)
"""The kinds that are read, by their first bytes."""
