"""WebP: RGB of 8 bits."""

from __future__ import annotations

import imagecodecs

from pipeline.metadata.blocks import webp_blocks
from pipeline.metadata.headers import Size, webp_size
from pipeline.stills.format import Decoded, Format, plain


def _recognizes(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    return plain(imagecodecs.webp_decode(data), 8)


WEBP = Format("WebP", (".webp",), _recognizes, webp_size, _decode, webp_blocks, 100_000)
