"""How a TIFF page stores its samples, as a value: size, depth, color model, compression, and where every segment is.

Sources: TIFF 6.0, sections 8 and 15; the supplements for BigTIFF and for JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.metadata.directory import Order

CONVERT = "convert it to uncompressed TIFF first"
TOO_LITTLE_MEMORY = "this machine has too little memory to decode it; store it in smaller tiles"

MAX_BYTES = 1 << 31
"""Decoded bytes that are held at a time unless a caller says otherwise: of a strip, a tile, a picture of one piece."""

MODELS = {
    0: ("gray", 1), 1: ("gray", 1), 2: ("RGB", 3), 3: ("palette", 1), 5: ("CMYK", 4), 6: ("YCbCr", 3), 8: ("Lab", 3),
    9: ("ICC Lab", 3), 10: ("ITU Lab", 3), 32844: ("LogL", 1), 32845: ("LogLuv", 3),
}  # fmt: skip
"""PhotometricInterpretation: its name and how many samples make a color."""

CODECS = {
    1: ("uncompressed", 1), 2: ("CCITT RLE", 1000), 3: ("CCITT G3", 10_000), 4: ("CCITT G4", 100_000), 5: ("LZW", 4100),
    6: ("old-style JPEG", 5000), 7: ("JPEG", 5000), 8: ("Deflate", 1100), 32946: ("Deflate", 1100),
    32773: ("PackBits", 65), 32809: ("ThunderScan", 32), 33003: ("JPEG 2000", 100_000), 33005: ("JPEG 2000", 100_000),
    34712: ("JPEG 2000", 100_000), 34676: ("SGI Log", 65), 34677: ("SGI Log 24", 2), 34925: ("LZMA", 100_000),
    34926: ("Zstandard", 100_000), 50000: ("Zstandard", 100_000), 50001: ("WebP", 100_000),
}  # fmt: skip
"""Compression: its name, and more decoded bytes than one compressed byte can stand for."""

CARRIES_OWN_HEADER = (6, 7, 33003, 33005, 34712, 50001)
PREDICTED = (5, 8, 32946, 34925, 34926, 50000)
"""Compressions that predictors go with; libtiff ignores the tag with others."""


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
        if self.model == "YCbCr" and across * down > 1 and self.compression not in CARRIES_OWN_HEADER:
            return -(-rows // down) * -(-self.tile_width // across) * (across * down + 2)
        return rows * self.row_bytes(self.tile_width)
