"""Tiles of RGB as a TIFF stores them: cut from a band, differenced, compressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np

from colorizer.basis.errors import EncodeError
from pipeline.pages.tiff_tags import Directory, Entry, entry, longs, shorts

JPEG_QUALITY = 95
DEFLATE = {1: 4, 2: 1}
"""Level by bytes of a sample. Grain fills the low byte of 16 bits, where no level finds anything: a photograph came to
0.915 of its size at level 1 and to 0.907 at 6, in three fifths of the time; with 8 bits to 0.58, 0.54 (4) and 0.53."""
TILE_OFFSETS, TILE_BYTE_COUNTS = 324, 325


@dataclass(frozen=True, slots=True)
class TileCodec:
    """A compression. code: of the Compression tag; predictor: tiles are differenced along rows first (TIFF 6.0,
    section 14), which about halves photographs; lossless: samples come back bit for bit."""

    name: str
    code: int
    predictor: bool
    lossless: bool
    squeeze: Callable[[np.ndarray], Any]

    def encode(self, tile: np.ndarray) -> bytes:
        """A tile (h, w, 3) of uint8 or uint16 as bytes; samples are little-endian."""
        tile = np.ascontiguousarray(tile, tile.dtype.newbyteorder("<"))
        if self.predictor:
            tile = imagecodecs.delta_encode(tile, axis=-2)
        return bytes(self.squeeze(tile))

    def entries(self) -> dict[int, Entry]:
        """What the directory says of the compression and of the colors that it stores."""
        if self.lossless:
            rgb = {259: shorts(self.code), 262: shorts(2)}
            return rgb | {317: shorts(2)} if self.predictor else rgb
        # full-size chroma, since the chroma is what this program adds; 532: the range that JPEG uses (section 20)
        return {
            259: shorts(self.code), 262: shorts(6), 530: shorts(1, 1),
            532: entry(5, [(0, 1), (255, 1), (128, 1), (255, 1), (128, 1), (255, 1)]),
        }  # fmt: skip


CODECS = {
    codec.name: codec
    for codec in (
        TileCodec("zstd", 50000, True, True, lambda tile: imagecodecs.zstd_encode(tile.tobytes(), 3)),
        TileCodec(
            "deflate", 8, True, True, lambda tile: imagecodecs.deflate_encode(tile.tobytes(), DEFLATE[tile.itemsize])
        ),
        TileCodec("lzw", 5, True, True, lambda tile: imagecodecs.lzw_encode(tile.tobytes())),
        TileCodec(
            "jpeg", 7, False, False,
            lambda tile: imagecodecs.jpeg8_encode(
                tile, JPEG_QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling=(1, 1)
            ),
        ),
        TileCodec("none", 1, False, True, lambda tile: tile.tobytes()),
    )
}  # fmt: skip
"""Compressions by name. Every JPEG tile is a whole JPEG with its own tables (TIFF Technical Note 2)."""


def codec_for(path: object, name: str, bits: int) -> TileCodec:
    """The compression named, where it can store samples of `bits`. Raises EncodeError naming what can."""
    lossless = ", ".join(codec.name for codec in CODECS.values() if codec.lossless)
    if name not in CODECS:
        raise EncodeError(f"{path}: no compression is called {name}; there are {', '.join(CODECS)}")
    if name == "jpeg" and bits != 8:
        raise EncodeError(f"{path}: JPEG stores 8 bits a sample and the scan has {bits}; choose {lossless}")
    return CODECS[name]


def pack_rows(rows: np.ndarray) -> bytes:
    """(n, w, 3) of uint8 or uint16 on its way from worker to join: differenced along rows, quickly compressed."""
    return bytes(imagecodecs.zstd_encode(imagecodecs.delta_encode(np.ascontiguousarray(rows), axis=-2).tobytes(), 1))


def unpack_rows(data: bytes, height: int, width: int, bits: int) -> np.ndarray:
    """Inverse of `pack_rows`."""
    kind = np.dtype(f"u{bits // 8}")
    raw = imagecodecs.zstd_decode(data, out=height * width * 3 * kind.itemsize)
    rows = np.frombuffer(raw, kind).reshape(height, width, 3)
    return np.asarray(imagecodecs.delta_decode(rows, axis=-2))


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of a level: its size and a tile's, in pixels; a tile's sides are multiples of 16 (section 15)."""

    height: int
    width: int
    tile_height: int
    tile_width: int

    @classmethod
    def of(cls, height: int, width: int, tile: int) -> Grid:
        """Tiles of side `tile`, or as much of it as the level needs."""
        return cls(height, width, min(tile, -(-height // 16) * 16), min(tile, -(-width // 16) * 16))

    @property
    def columns(self) -> int:
        """Tiles in a row of tiles."""
        return -(-self.width // self.tile_width)

    def cut(self, band: np.ndarray, column: int) -> np.ndarray:
        """A tile of a band (rows <= tile_height, width, 3); past the picture's edge its last pixels go on."""
        tile = band[:, column * self.tile_width : (column + 1) * self.tile_width]
        below, right = self.tile_height - tile.shape[0], self.tile_width - tile.shape[1]
        return np.pad(tile, ((0, below), (0, right), (0, 0)), "edge") if below or right else tile

    def directory(self, bits: int) -> Directory:
        """What the directory says of size and tiles; where the tiles are is still empty."""
        entries = {
            256: longs(self.width), 257: longs(self.height), 258: shorts(bits, bits, bits), 277: shorts(3),
            284: shorts(1), 322: longs(self.tile_width), 323: longs(self.tile_height), 339: shorts(1, 1, 1),
        }  # fmt: skip
        return Directory(entries, {TILE_OFFSETS: [], TILE_BYTE_COUNTS: []})
