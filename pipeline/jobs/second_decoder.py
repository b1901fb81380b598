"""Second decoder: TIFF pictures of a reel are FFmpeg's, and the reader of scans must see the same in the first of them.

FFmpeg makes another picture of some TIFF without an error: it reads half floats as integers, and 12-bit samples whose
white is 0 as codes beyond their range.
"""

from __future__ import annotations

import numpy as np

from colorizer.basis.errors import ColorizeError, UnsupportedSource
from pipeline.reels.decode import Reader
from pipeline.reels.pictures import Pictures
from pipeline.reels.reel import Reel
from pipeline.stills.opening import open_scan

APART = 0.02
"""Mean distance, of the range, from which two decoders see different pictures; other luma weights of RGB are nearer."""


def check_decoders(reel: Reel) -> None:
    """Raises UnsupportedSource where the two disagree about the first picture of a TIFF sequence that both read."""
    if not reel.is_sequence or reel.codec != "tiff":
        return
    pictures = Pictures(reel.uri, reel.first, reel.count)
    path = pictures.path(pictures.first_good())
    with Reader(reel) as frames:
        seen = next(frames).luma / (2**reel.coding.bits - 1)
    try:
        with open_scan(str(path)) as scan:
            size, bits = (scan.scan.height, scan.scan.width), scan.scan.bits
            other = scan.read(0, 0, *size) / (2**bits - 1)
    except ColorizeError:  # a kind that only FFmpeg reads
        return
    if seen.shape != other.shape or float(np.abs(seen - other).mean()) > APART:
        raise UnsupportedSource(
            str(path), "FFmpeg and the reader of scans see different pictures in it; convert the sequence to 16-bit DPX"
        )
