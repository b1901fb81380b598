"""PNG: gray or RGB of 8 and 16 bits, codes as stored."""

from __future__ import annotations

import imagecodecs

from pipeline.metadata.blocks import png_blocks
from pipeline.metadata.headers import Size, png_size
from pipeline.stills.format import Decoded, Format, plain, starts


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    return plain(imagecodecs.png_decode(data), 16)


PNG = Format("PNG", (".png",), starts(b"\x89PNG"), png_size, _decode, png_blocks, 1100)
