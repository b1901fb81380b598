"""Tiles of RGB as a TIFF stores them: cut from a band, differenced, compressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from tifffile import COMPRESSION, DATATYPE, PHOTOMETRIC, PLANARCONFIG, PREDICTOR, SAMPLEFORMAT

from colorizer.basis.errors import EncodeError
from pipeline.metadata.tags import Tag
from pipeline.pages.tiff_tags import TagTable, TagValue, longs, shorts, tag_value

JPEG_QUALITY = 95
DEFLATE = {1: 4, 2: 1}
"""Level by bytes of a sample. Grain fills the low byte of 16 bits, where no level finds anything: a photograph came to
0.915 of its size at level 1 and to 0.907 at 6, in three fifths of the time; with 8 bits to 0.58, 0.54 (4) and 0.53."""


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

    def entries(self) -> dict[int, TagValue]:
        """What the directory says of the compression and of the colors that it stores."""
        if self.lossless:
            rgb: dict[int, TagValue] = {Tag.COMPRESSION: shorts(self.code), Tag.PHOTOMETRIC_INTERPRETATION: shorts(2)}
            return rgb | {Tag.PREDICTOR: shorts(PREDICTOR.HORIZONTAL)} if self.predictor else rgb
        # full-size chroma, since the chroma is what this program adds; the range is the one that JPEG uses (section 20)
        return {
            Tag.COMPRESSION: shorts(self.code), Tag.PHOTOMETRIC_INTERPRETATION: shorts(PHOTOMETRIC.YCBCR),
            Tag.YCBCR_SUB_SAMPLING: shorts(1, 1),
            Tag.REFERENCE_BLACK_WHITE: tag_value(DATATYPE.RATIONAL, [(n, 1) for n in (0, 255, 128, 255, 128, 255)]),
        }  # fmt: skip


CODECS = {
    codec.name: codec
    for codec in (
        TileCodec("zstd", COMPRESSION.ZSTD, True, True, lambda tile: imagecodecs.zstd_encode(tile.tobytes(), 3)),
        TileCodec(
            "deflate", COMPRESSION.ADOBE_DEFLATE, True, True,
            lambda tile: imagecodecs.deflate_encode(tile.tobytes(), DEFLATE[tile.itemsize])
        ),
        TileCodec("lzw", COMPRESSION.LZW, True, True, lambda tile: imagecodecs.lzw_encode(tile.tobytes())),
        TileCodec(
            "jpeg", COMPRESSION.JPEG, False, False,
            lambda tile: imagecodecs.jpeg8_encode(
                tile, JPEG_QUALITY, colorspace="RGB", outcolorspace="YCBCR", subsampling=(1, 1)
            ),
        ),
        TileCodec("none", COMPRESSION.NONE, False, True, lambda tile: tile.tobytes()),
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

    def directory(self, bits: int) -> TagTable:
        """What the directory says of size and tiles; where the tiles are is still empty."""
        entries: dict[int, TagValue] = {
            Tag.IMAGE_WIDTH: longs(self.width), Tag.IMAGE_LENGTH: longs(self.height),
            Tag.BITS_PER_SAMPLE: shorts(bits, bits, bits), Tag.SAMPLES_PER_PIXEL: shorts(3),
            Tag.PLANAR_CONFIGURATION: shorts(PLANARCONFIG.CONTIG), Tag.TILE_WIDTH: longs(self.tile_width),
            Tag.TILE_LENGTH: longs(self.tile_height), Tag.SAMPLE_FORMAT: shorts(*[SAMPLEFORMAT.UINT] * 3),
        }  # fmt: skip
        return TagTable(entries, {Tag.TILE_OFFSETS: [], Tag.TILE_BYTE_COUNTS: []})
