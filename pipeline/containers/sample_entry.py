"""Gives the picture of a finished MOV or MP4 file its mastering display and light levels, which PyAV 18 cannot write.

Owns the two boxes of its sample entry that takes: `mdcv` and `clli` (ISO 14496-12, 12.1.6 and 12.1.7).
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

from colorizer.basis.errors import JoinError
from pipeline.containers.movie import PLACES, box, boxes, change_movie
from pipeline.storage.atomic import writable
from pipeline.values.hdr import Hdr

ENTRY = 86
"""Bytes of a picture's sample entry before the boxes in it, its own size and type among them."""


def set_picture(path: Path, track: int, _aspect: Fraction, hdr: Hdr) -> None:
    """Write what a picture's track is to say of HDR; its aspect ratio the muxer has written. track: counted from 0.

    Raises JoinError, with the file untouched, where it is not laid out as FFmpeg writes it, and StorageError.
    """
    if not hdr:
        return
    try:
        with writable(path):
            change_movie(path, lambda movie: _with_hdr(movie, track, hdr))
    except (ValueError, struct.error) as error:
        raise JoinError(f"{path}: cannot write its HDR metadata: {error}; mux it again") from error


def hdr_boxes(hdr: Hdr) -> bytes:
    """The boxes; none for a mastering display of which but half is known."""
    made = b""
    if hdr.whole:
        red, green, blue, white = (hdr.primaries[i : i + 2] for i in range(0, 8, 2))
        made += box(b"mdcv", struct.pack(">8H2I", *green, *blue, *red, *white, *reversed(hdr.luminance)))
    if hdr.light:
        made += box(b"clli", struct.pack(">2H", *hdr.light))
    return made


def _with_hdr(movie: bytes, track: int, hdr: Hdr) -> bytes:
    def within(start: int, stop: int, kinds: tuple[bytes, ...]) -> bytes:
        """The content of a box, with what is to be changed somewhere below it."""
        made, seen = b"", 0
        for kind, begin, end in boxes(movie, start, stop):
            mine = kind == kinds[0] and (kind != b"trak" or seen == track)
            seen += kind == b"trak"
            if not mine:
                made += movie[begin:end]
            elif len(kinds) > 1:
                made += box(kind, within(begin + 8, end, kinds[1:]))
            else:
                made += box(kind, movie[begin + 8 : begin + 16] + _entries(movie[begin + 16 : end], hdr))
        return made

    changed = within(0, len(movie), (*PLACES, b"stsd"))
    if changed == movie:
        raise ValueError(f"no picture is described in track {track}")
    return changed


def _entries(data: bytes, hdr: Hdr) -> bytes:
    """Sample entries, of which there is one, with the boxes before those that they have, which zeros may follow on."""
    made = b""
    for kind, start, stop in boxes(data, 0, len(data)):
        if stop - start < ENTRY:
            raise ValueError(f"{kind!r} is no picture")
        made += box(kind, data[start + 8 : start + ENTRY] + hdr_boxes(hdr) + data[start + ENTRY : stop])
    return made
