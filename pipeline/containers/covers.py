"""Covers: pictures that stand for a film on a shelf, as MOV and MP4 files hold them: moov/udta/meta/ilst/covr.

FFmpeg's muxer leaves them out of files whose tags have names of any kind, as those of outputs have. So they are put in
afterwards.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from pipeline.containers.movie import box, boxes, change_movie

KINDS = {"mjpeg": 13, "png": 14, "bmp": 27}
"""Numbers of `covr` by FFmpeg's names of the codecs (QuickTime File Format, well-known types)."""


def put_covers(path: Path, covers: Sequence[tuple[str, bytes]]) -> None:
    """Write covers into a MOV or MP4 file. covers: FFmpeg's name of the codec, one of KINDS, and the picture.

    Raises ValueError where the file is not as muxers of this program write it; it is as it was then.
    """
    change_movie(path, lambda movie: _with_covers(movie, covers))


def _with_covers(movie: bytes, covers: Sequence[tuple[str, bytes]]) -> bytes:
    """A movie box with covers in its user data, where shops have put them. Tags of any name, which FFmpeg puts there,
    go beside it, where QuickTime has them. Raises ValueError."""
    every = list(boxes(movie, 8, len(movie)))
    others = [movie[a:b] for kind, a, b in every if kind != b"udta"]
    user = [
        (k, movie[a:b]) for kind, start, stop in every if kind == b"udta" for k, a, b in boxes(movie, start + 8, stop)
    ]
    tags = [raw for kind, raw in user if kind == b"meta"]
    if any(b"mdta" not in raw[:40] for raw in tags):
        raise ValueError("its user data has tags already")
    udta = box(b"udta", b"".join([*(raw for kind, raw in user if kind != b"meta"), _tags(covers)]))
    return box(b"moov", b"".join([*others, udta, *tags]))


def _tags(covers: Sequence[tuple[str, bytes]]) -> bytes:
    data = b"".join(box(b"data", struct.pack(">II", KINDS[codec], 0) + picture) for codec, picture in covers)
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    return box(b"meta", bytes(4) + handler + box(b"ilst", box(b"covr", data)))
