"""Memory of a scan's job: what it takes, and the tile that fits into what is allowed."""

from __future__ import annotations

from colorizer.basis.errors import ColorizeError
from colorizer.painting.geometry import NATIVE
from pipeline.pages.still_formats import STILL_FORMATS

DEFAULT = 2 << 30
"""Bytes that a job takes at most unless a person says otherwise."""
BASE = 640 << 20
"""Bytes of the interpreter, its libraries, a full-width network, and of arithmetic on the portions worked on."""
NATIVE_MORE = 512 << 20
"""More where tiles of the picture go through the network's layers."""
TILES = (512, 256, 128, 64)


def limits(memory: int, max_pixels: int) -> dict[str, int]:
    """What `open_scan` may take: half of what is left beside the base."""
    return {"max_pixels": max_pixels, "max_bytes": max(1 << 20, (memory - BASE) // 2)}


def tile_for(
    allowed: int, held: int, height: int, width: int, bits: int, output: str, working_size: int, asked: int
) -> int:
    """Side of the output's tiles. Raises ColorizeError where nothing fits.

    allowed, held: bytes, of the job and of the source's reader. bits, output: of the output's samples, its format.
    asked: by a person, 0 for any.

    Beside the base and the reader, a row of tiles is held twice: where it is painted, and in the levels of a pyramid
    (or in the check of the output). Formats that are encoded in one piece take the picture three times.
    """
    fixed = BASE + held + (NATIVE_MORE if working_size == NATIVE else 0)
    row = 3 * width * (bits // 8)
    if not STILL_FORMATS[output].by_region:
        if (need := fixed + 3 * height * row) > allowed:
            raise ColorizeError(f"{output} is encoded in one piece: {_lack(need, allowed)}, or name the output .tif")
        return asked or TILES[0]
    for tile in (asked,) if asked else TILES:
        if (need := fixed + 2 * min(tile, height) * row) <= allowed:
            return tile
    raise ColorizeError(f"tiles of {tile} px: {_lack(need, allowed)}{', or smaller tiles by --tile' * (asked > 64)}")


def _lack(need: int, allowed: int) -> str:
    need_, allowed_ = (f"{count / (1 << 30):.2f}" for count in (need, allowed))
    return f"that takes {need_} GiB of memory and {allowed_} are allowed; allow more by --memory"
