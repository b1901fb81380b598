"""The primary picture of a HEIF file, which AVIF and HEIC are, by FFmpeg: of YCbCr the stored Y is the luma.

A picture may be a grid of tiles, each an item of its own; their planes are put side by side. Range and matrix are what
the file's `colr` says, else what the bitstream says. Source: ISO 23008-12, 6.6; ISO 23091-2 (code points).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.containers.planes import PixelLayout, pixel_layout, plane_view
from pipeline.metadata.directory import COPY
from pipeline.metadata.headers import Size
from pipeline.metadata.heif import Heif, Item, has_alpha, heif_of
from pipeline.stills.format import Decoded
from pipeline.stills.layout import CONVERT
from pipeline.stills.tones import Tone, spread

IDENTITY, MATRICES = 0, (0, 1, 2, 4, 5, 6, 7, 8, 9)
"""Code points whose first plane is green, or a luma."""
SDR, HDR = (1, 2, 4, 5, 6, 13, 14, 15), {16: "PQ", 18: "HLG"}
"""Transfer code points that are taken for sRGB's, and those that cannot be."""
SLACK = 128
"""Pixels by which a bitstream may be larger than its picture: codecs code whole blocks."""
MAX_TILES = 65_536


@dataclass(frozen=True, slots=True)
class Coded:
    """How pictures of one item type are decoded. setup: of a property's bytes, what FFmpeg wants beforehand."""

    item: bytes
    decoder: str
    property: bytes
    setup: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Color:
    """Code points; 2 stands for not said. full: range, None where nothing is said."""

    transfer: int = 2
    matrix: int = 2
    full: bool | None = None


def heif_size(data: bytes) -> Size | None:
    """Height, width, samples per pixel and their bits, as a file's properties say."""
    file = heif_of(data)
    if file is None:
        return None
    item = file.items[file.primary]
    depths = _property(file, item, b"pixi") or b""
    samples, bits = (depths[4], depths[5]) if len(depths) > 5 else (3, 10)  # more than it may have
    height, width = item.size
    return (height, width, max(1, samples), max(1, bits)) if height and width else None


def decode_heif(data: bytes, path: str, coded: Coded) -> Decoded:
    """The primary picture's samples. Raises UnsupportedSource, DamagedSource, FFmpeg's errors and ValueError."""
    file = heif_of(data)
    assert file is not None, "its size was read from it"
    if file.moving:
        raise UnsupportedSource(path, "a moving picture, not a still; color it as a reel, or export one picture of it")
    item = file.items[file.primary]
    frames, across = _frames(file, item, path, coded)
    color = _color(file, item, frames[0])
    _refuse(path, frames[0], color)
    layout = pixel_layout(frames[0].format.name)
    assert layout is not None, "it was refused"
    planes = [_stitched([_plane(f, layout, n) for f in frames], across, item.size) for n in range(_count(frames[0]))]
    notes = ("the crop that it asks for was not made",) if item.box(b"clap") else ()
    return _toned(planes, layout.bits, color, has_alpha(file), notes)


def _property(file: Heif, item: Item, kind: bytes) -> bytes | None:
    """A property of a picture, or of its first tile."""
    return next(filter(None, (each.box(kind) for each in (item, *file.tiles(file.primary)[:1]))), None)


def _frames(file: Heif, item: Item, path: str, coded: Coded) -> tuple[list[av.VideoFrame], int]:
    """The picture's frames, row by row, and how many lie side by side."""
    if item.kind == coded.item:
        return [_frame(file, item, path, coded)], 1
    if item.kind != b"grid":
        kind = item.kind.decode("latin-1")
        raise UnsupportedSource(path, f"a picture of items of kind {kind!r} is not read; {CONVERT}")
    head = file.bytes_of(item)
    rows, columns = head[2] + 1, head[3] + 1
    tiles = file.tiles(file.primary)
    size = struct.unpack_from(">II" if head[1] & 1 else ">HH", head, 4)
    alike = {(tile.kind, tile.size) for tile in tiles} == {(coded.item, tiles[0].size if tiles else (0, 0))}
    if len(tiles) != rows * columns or not alike or size != item.size[::-1] or len(tiles) > MAX_TILES:
        raise DamagedSource(path, f"its {rows} x {columns} tiles make no picture; {COPY}")
    return [_frame(file, tile, path, coded) for tile in tiles], columns


def _frame(file: Heif, item: Item, path: str, coded: Coded) -> av.VideoFrame:
    """One coded picture, of the size that its item says."""
    height, width = item.size
    decoder: Any = av.CodecContext.create(coded.decoder, "r")
    decoder.thread_count = 1
    decoder.options = {"max_pixels": str((height + SLACK) * (width + SLACK))}
    decoder.extradata = coded.setup(item.box(coded.property) or b"")
    content = file.bytes_of(item)
    if len(content) < sum(length for _, _, length in item.places):
        raise DamagedSource(path, f"it ends within the picture; {COPY}")
    frames = [*decoder.decode(av.Packet(content)), *decoder.decode(None)]
    if not frames or (frames[-1].height, frames[-1].width) != (height, width):
        raise ValueError("no picture of the size that is told")
    found: av.VideoFrame = frames[-1]  # of several layers the last is the finest
    return found


def _color(file: Heif, item: Item, frame: av.VideoFrame) -> _Color:
    """What code points hold: those of the item, or of its first tile, before those of the bitstream."""
    stream = _Color(int(frame.color_trc), int(frame.colorspace), {1: False, 2: True}.get(int(frame.color_range)))
    for each in (item, *file.tiles(file.primary)[:1]):
        for kind, content in each.properties:
            if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 11:
                _, transfer, matrix = struct.unpack_from(">HHH", content, 4)
                return _Color(transfer, matrix, bool(content[10] & 128))
    return stream


def _refuse(path: str, frame: av.VideoFrame, color: _Color) -> None:
    layout = pixel_layout(frame.format.name)
    if layout is None or layout.kind == "convert":
        raise UnsupportedSource(path, f"{frame.format.name} is not read; {CONVERT}")
    if color.transfer not in SDR:
        kind = HDR.get(color.transfer, f"transfer {color.transfer}")
        raise UnsupportedSource(path, f"high dynamic range or other light ({kind}); convert it to sRGB first")
    if color.matrix not in MATRICES:
        raise UnsupportedSource(path, f"matrix coefficients {color.matrix} are not read; {CONVERT}")


def _count(frame: av.VideoFrame) -> int:
    """How many planes are colors."""
    return min(3, len(frame.planes))


def _plane(frame: av.VideoFrame, layout: PixelLayout, number: int) -> np.ndarray:
    """A plane at the luma's size; fewer chroma samples are repeated."""
    samples = plane_view(frame, number).astype(np.uint8 if layout.bits == 8 else np.uint16)
    if number and layout.step_x:
        samples = samples.repeat(layout.step_y, 0).repeat(layout.step_x, 1)
    return samples[: frame.height, : frame.width]


def _stitched(tiles: list[np.ndarray], across: int, size: tuple[int, int]) -> np.ndarray:
    """Tiles side by side, cut to the picture's size."""
    rows = [np.hstack(tiles[start : start + across]) for start in range(0, len(tiles), across)]
    whole = rows[0] if len(rows) == 1 else np.vstack(rows)
    return whole[: size[0], : size[1]]


def _toned(planes: list[np.ndarray], bits: int, color: _Color, alpha: bool, notes: tuple[str, ...]) -> Decoded:
    model = "gray" if len(planes) == 1 else "RGB" if color.matrix == IDENTITY else "YCbCr"
    if model == "RGB":
        planes = [planes[2], planes[0], planes[1]]
    tone, words = Tone(model, bits), ""
    if color.full is False:
        planes = [_spread(plane, bits, chroma=bool(n) and model == "YCbCr") for n, plane in enumerate(planes)]
        words = f"Y of {16 << bits - 8} to {235 << bits - 8} as black to white"
        words += "" if bits == 8 else f", {spread(tone)}"
    return Decoded(np.stack(planes, -1), tone, words, notes, alpha)


def _spread(plane: np.ndarray, bits: int, chroma: bool) -> np.ndarray:
    """Codes of the narrow range (ITU-R BT.601) over all of theirs; what is below black or above white is cut off."""
    top, step = 2**bits - 1, 1 << bits - 8
    codes = np.arange(top + 1)
    low, span, middle = (128 * step, 224 * step, (top + 1) / 2) if chroma else (16 * step, 219 * step, 0)
    table = np.rint((codes - low) * (top / span) + middle).clip(0, top).astype(plane.dtype)
    return table[np.minimum(plane, top)]
