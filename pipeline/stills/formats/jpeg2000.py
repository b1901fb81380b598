"""JPEG 2000: gray or RGB of 8 to 16 bits, bare or in a JP2 file."""

from __future__ import annotations

import imagecodecs

from colorizer.basis.errors import UnsupportedSource
from pipeline.metadata.headers import Size, jpeg2000_size
from pipeline.metadata.jp2_blocks import has_profile, jp2_blocks
from pipeline.stills.format import Decoded, Format, plain, starts
from pipeline.stills.layout import CONVERT


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    decoded = plain(imagecodecs.jpeg2k_decode(data), size[3])
    if size[3] < 8:
        raise UnsupportedSource(path, f"{size[3]}-bit JPEG 2000 is not read; {CONVERT}")
    return decoded._replace(words="ICC profile applied by the codec") if has_profile(data) else decoded


JPEG2000 = Format(
    "JPEG 2000", (".jp2", ".j2k", ".jpf"), starts(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), jpeg2000_size, _decode,
    jp2_blocks, 100_000,
)  # fmt: skip
