"""How a TIFF page stores its samples, as a value: size, depth, color model, compression, and where every segment is.

Sources: TIFF 6.0, sections 8 and 15; the supplements for BigTIFF and for JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from tifffile import COMPRESSION, PHOTOMETRIC

from pipeline.metadata.directory import Order

CONVERT = "convert it to uncompressed TIFF first"
TOO_LITTLE_MEMORY = "this machine has too little memory to decode it; store it in smaller tiles"

MAX_BYTES = 1 << 31
"""Decoded bytes that are held at a time unless a caller says otherwise: of a strip, a tile, a picture of one piece."""

MODELS: dict[int, tuple[str, int]] = {
    PHOTOMETRIC.MINISWHITE: ("gray", 1), PHOTOMETRIC.MINISBLACK: ("gray", 1), PHOTOMETRIC.RGB: ("RGB", 3),
    PHOTOMETRIC.PALETTE: ("palette", 1), PHOTOMETRIC.SEPARATED: ("CMYK", 4), PHOTOMETRIC.YCBCR: ("YCbCr", 3),
    PHOTOMETRIC.CIELAB: ("Lab", 3), PHOTOMETRIC.ICCLAB: ("ICC Lab", 3), PHOTOMETRIC.ITULAB: ("ITU Lab", 3),
    PHOTOMETRIC.LOGL: ("LogL", 1), PHOTOMETRIC.LOGLUV: ("LogLuv", 3),
}  # fmt: skip
"""PhotometricInterpretation: its name and how many samples make a color."""

CODECS: dict[int, tuple[str, int]] = {
    COMPRESSION.NONE: ("uncompressed", 1), COMPRESSION.CCITTRLE: ("CCITT RLE", 1000),
    COMPRESSION.CCITT_T4: ("CCITT G3", 10_000), COMPRESSION.CCITT_T6: ("CCITT G4", 100_000),
    COMPRESSION.LZW: ("LZW", 4100), COMPRESSION.OJPEG: ("old-style JPEG", 5000), COMPRESSION.JPEG: ("JPEG", 5000),
    COMPRESSION.ADOBE_DEFLATE: ("Deflate", 1100), COMPRESSION.DEFLATE: ("Deflate", 1100),
    COMPRESSION.PACKBITS: ("PackBits", 65), COMPRESSION.THUNDERSCAN: ("ThunderScan", 32),
    COMPRESSION.APERIO_JP2000_YCBC: ("JPEG 2000", 100_000), COMPRESSION.APERIO_JP2000_RGB: ("JPEG 2000", 100_000),
    COMPRESSION.JPEG2000: ("JPEG 2000", 100_000), COMPRESSION.SGILOG: ("SGI Log", 65),
    COMPRESSION.SGILOG24: ("SGI Log 24", 2), COMPRESSION.LZMA: ("LZMA", 100_000),
    COMPRESSION.ZSTD_DEPRECATED: ("Zstandard", 100_000), COMPRESSION.ZSTD: ("Zstandard", 100_000),
    COMPRESSION.WEBP: ("WebP", 100_000), COMPRESSION.JPEGXL: ("JPEG XL", 100_000),
    COMPRESSION.JPEGXL_DNG: ("JPEG XL", 100_000),
}  # fmt: skip
"""Compression: its name, and more decoded bytes than one compressed byte can stand for."""

JPEG_2000 = (COMPRESSION.APERIO_JP2000_YCBC, COMPRESSION.APERIO_JP2000_RGB, COMPRESSION.JPEG2000)
JPEG_XL = (COMPRESSION.JPEGXL, COMPRESSION.JPEGXL_DNG)
CARRIES_OWN_HEADER = (COMPRESSION.OJPEG, COMPRESSION.JPEG, *JPEG_2000, COMPRESSION.WEBP, *JPEG_XL)
FACSIMILE = (COMPRESSION.CCITTRLE, COMPRESSION.CCITT_T4, COMPRESSION.CCITT_T6)
SGI_LOGS = (COMPRESSION.SGILOG, COMPRESSION.SGILOG24)
PREDICTED = (
    COMPRESSION.LZW, COMPRESSION.ADOBE_DEFLATE, COMPRESSION.DEFLATE, COMPRESSION.LZMA, COMPRESSION.ZSTD_DEPRECATED,
    COMPRESSION.ZSTD,
)  # fmt: skip
"""Compressions that predictors go with; libtiff ignores the tag with others."""


SIDES = ("height", "width", "tile_height", "tile_width")


@dataclass(frozen=True, slots=True)
class PageLayout:
    """A page's samples. Sizes in pixels; a strip is a tile as wide as the page.

    samples: per pixel in the file. bits: of a sample. format: "uint", "int" or "float". planes: each sample has tiles
    of its own. tile_height, tile_width: of one segment. offsets, counts: bytes of the segments, row by row and, where
    there are planes, plane by plane; a count of 0 means there is none: its samples are 0.
    """

    path: str
    order: Order
    height: int
    width: int
    model: str
    photometric: int
    channels: int
    samples: int
    bits: int
    format: str
    compression: int
    predictor: int
    planes: bool
    reversed_bits: bool
    subsampling: tuple[int, int]
    tiled: bool
    tile_height: int
    tile_width: int
    offsets: np.ndarray = field(repr=False)
    counts: np.ndarray = field(repr=False)
    options: int = 0

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of segments."""
        return -(-self.height // self.tile_height), -(-self.width // self.tile_width)

    @property
    def step(self) -> int:
        """Samples per pixel within one segment."""
        return 1 if self.planes else self.samples

    @property
    def units(self) -> bool:
        """Whether Cb and Cr lie among several Y."""
        return self.model == "YCbCr" and self.subsampling != (1, 1) and not self.planes

    def plane(self, number: int) -> PageLayout:
        """How one plane is stored; of YCbCr with fewer Cb and Cr than Y those are smaller (TIFF 6.0, section 21)."""
        across, down = self.subsampling if number else (1, 1)
        sides = {name: -(-getattr(self, name) // by) for name, by in zip(SIDES, (down, across) * 2, strict=True)}
        return replace(self, subsampling=(1, 1), **sides)

    @property
    def words(self) -> str:
        """The storage in words, as a report gives it."""
        number = {"uint": "", "int": "signed ", "float": "float "}[self.format]
        return f"{self.bits}-bit {number}{self.model}, {CODECS[self.compression][0]}"

    def row_bytes(self, width: int) -> int:
        """Bytes of a row of one segment, which ends at a whole byte."""
        return (width * self.step * self.bits + 7) // 8

    @property
    def held_bytes(self) -> int:
        """Bytes of a whole segment in memory, where a sample takes at least one."""
        return self.tile_height * self.tile_width * self.step * max(8, self.bits) // 8

    def segment_bytes(self, rows: int) -> int:
        """Bytes of `rows` rows of a segment, decoded."""
        across, down = self.subsampling
        if self.units and self.compression not in CARRIES_OWN_HEADER:
            return -(-rows // down) * -(-self.tile_width // across) * (across * down + 2)
        return rows * self.row_bytes(self.tile_width)
