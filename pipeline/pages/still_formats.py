"""Formats of colored scans as values: what each kind of file holds, and how it is written and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from pipeline.metadata.blocks import jpeg_blocks, png_blocks
from pipeline.pages.page import Description, Page
from pipeline.pages.pieces import jpeg_pieces, png_pieces
from pipeline.values.loss import Loss
from pipeline.values.suffixes import SCANS, scan_format

Pieces = Callable[[np.ndarray, Page, Description, list[Loss]], Iterator[bytes | memoryview]]
"""(H, W, 3) and what describes it to the bytes of a file; what cannot be carried is added to the list."""


@dataclass(frozen=True, slots=True)
class StillFormat:
    """A format of outputs. suffixes: in lower case, the usual one first. bits: of a sample, at most. lossless: every
    code comes back, whatever the compression. side: pixels of a side at most, 0 for any.

    pieces: writes a file in one piece; None for TIFF, which holds pages and levels and is written by region. decode:
    such a file's samples; blocks: what it says of itself.
    """

    name: str
    suffixes: tuple[str, ...]
    bits: int
    lossless: bool = False
    side: int = 0
    pieces: Pieces | None = None
    decode: Callable[[bytes], Any] | None = None
    blocks: Callable[[bytes], Any] | None = None

    @property
    def by_region(self) -> bool:
        """Whether it is written in tiles, has pages, levels and compressions to choose from."""
        return self.pieces is None

    def bits_for(self, bits: int) -> int:
        """Of a sample of the output, for a source's 8 or 16."""
        return min(bits, self.bits)


TIFF = StillFormat("TIFF", SCANS["TIFF"], 16)
PNG = StillFormat("PNG", SCANS["PNG"], 16, True, pieces=png_pieces, decode=imagecodecs.png_decode, blocks=png_blocks)
JPEG = StillFormat(  # 65500: libjpeg's limit
    "JPEG", SCANS["JPEG"], 8, side=65500, pieces=jpeg_pieces, decode=imagecodecs.jpeg8_decode, blocks=jpeg_blocks,
)  # fmt: skip

STILL_FORMATS = {f.name: f for f in (TIFF, PNG, JPEG)}
"""Every format that scans are written in, by its name."""

STILL_SUFFIXES = {suffix: f for f in STILL_FORMATS.values() for suffix in f.suffixes}


def format_of(path: Path) -> StillFormat:
    """The format that an output's suffix picks. Raises EncodeError naming the choices."""
    return STILL_FORMATS[scan_format(path)]
