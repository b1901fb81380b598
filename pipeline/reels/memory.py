"""Memory of a reel's job: how many frames are painted at once so that what is in flight fits into what is allowed."""

from __future__ import annotations

from colorizer.basis.errors import ColorizeError
from pipeline.reels.reel import Reel
from pipeline.reels.target import Target

BASE = 640 << 20
"""Bytes of the interpreter, its libraries, a full-width network and what a decoder and an encoder hold of their own."""
QUEUED = 20, 55
EACH = 4, 9
"""Bytes of a pixel: of frames that wait for the encoder, and of each that is painted at once; both with so many more
for each byte that the output's picture has of a pixel. Upper bounds of what was measured: of 3840 x 2160 gray in 8 bits
85, 153 and 198 with 1, 3 and 8 at once, of 4:4:4 in 16 bits 670 with 8."""


def batch_for(allowed: int, reel: Reel, target: Target, network: int, most: int) -> int:
    """Frames that are painted at once, `most` if they fit. allowed: bytes, 0 for any. network: bytes of its layers for
    a frame. Raises ColorizeError where not even one fits."""
    if not allowed:
        return most
    for batch in range(most, 0, -1):
        if (need := _need(reel, target, network, batch)) <= allowed:
            return batch
    need_, allowed_ = (f"{count / (1 << 30):.2f}" for count in (need, allowed))
    raise ColorizeError(
        f"{reel.uri}: pictures of {reel.width} x {reel.height} take {need_} GiB of memory and {allowed_} are allowed; "
        "allow more by --memory"
    )


def _need(reel: Reel, target: Target, network: int, batch: int) -> int:
    share = (1 + 2 / (target.step_y * target.step_x)) * (1 if target.coding.bits <= 8 else 2)
    held = QUEUED[0] + QUEUED[1] * share + batch * (EACH[0] + EACH[1] * share)
    return BASE + round(held * reel.width * reel.height) + batch * network
