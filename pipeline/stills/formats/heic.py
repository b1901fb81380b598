"""HEIC: what phones and cameras write, gray or color of 8 to 12 bits, mostly in grids; the stored Y is the luma."""

from __future__ import annotations

from pipeline.metadata.boxes import brands
from pipeline.metadata.headers import Size
from pipeline.metadata.heif import heif_blocks
from pipeline.stills.format import Decoded, Format
from pipeline.stills.heif import Coded, decode_heif, heif_size

BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
HEVC = Coded(b"hvc1", "hevc", b"hvcC", lambda box: box)


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    return decode_heif(data, path, HEVC)


def _recognizes(head: bytes) -> bool:
    found = brands(head)
    return bool(found & BRANDS) and not found & {b"avif", b"avis"}


HEIC = Format("HEIC", (".heic", ".heif"), _recognizes, heif_size, _decode, heif_blocks, 100_000, overhead=12)
