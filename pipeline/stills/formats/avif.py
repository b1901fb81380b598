"""AVIF: gray or color of 8, 10 and 12 bits, also in grids; of YCbCr the stored Y is the luma."""

from __future__ import annotations

from pipeline.metadata.boxes import brands
from pipeline.metadata.headers import Size
from pipeline.metadata.heif import heif_blocks
from pipeline.stills.format import Decoded, Format
from pipeline.stills.heif import Coded, decode_heif, heif_size

AV1 = Coded(b"av01", "libdav1d", b"av1C", lambda box: b"")  # its sequence header is in the picture too


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    return decode_heif(data, path, AV1)


def _recognizes(head: bytes) -> bool:
    return bool(brands(head) & {b"avif", b"avis"})


AVIF = Format("AVIF", (".avif",), _recognizes, heif_size, _decode, heif_blocks, 100_000, overhead=12)
