"""Time codes of frames: which of them the reel's own does not count to, and so are not in an output."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import av

from pipeline.containers.side_data import Type
from pipeline.reels.beside import TIME_CODES, Aside
from pipeline.reels.dpx import dpx_words
from pipeline.reels.pictures import picture
from pipeline.reels.reel import Reel
from pipeline.storage.atomic import legible
from pipeline.values.timecode import advance

FIELDS = ((24, 0x3F), (16, 0x7F), (8, 0x7F), (0, 0x3F))
"""Places and bits of a time code's numbers, each of four bits a digit."""


def beside_in(reel: Reel, index: int, frame: av.VideoFrame, aside: Aside, since: int = 0) -> Aside:
    """What a frame of a reel carries: a time code that the reel's own counts to is in the output, and is not named.

    index: in the source. since: of the frame that has the reel's time code.
    """
    own = _code(reel, index, frame).replace(";", ":")
    other = own and own != advance(reel.timecode, index - since, reel.rate).replace(";", ":")
    kinds = aside.kinds | {TIME_CODES} if other else aside.kinds - {TIME_CODES}
    return aside if kinds == aside.kinds else replace(aside, kinds=kinds)


def _code(reel: Reel, index: int, frame: av.VideoFrame) -> str:
    """A frame's own time code, "" where it has none. A DPX's header is asked itself: FFmpeg takes all zeros for one."""
    if reel.is_sequence and reel.codec == "dpx":
        path = picture(reel.uri, reel.first + index)
        with legible(str(path)):
            return dpx_words(path).timecode
    data: Any = frame.side_data
    stored = bytes(data.get(Type.S12M_TIMECODE) or b"")
    if len(stored) < 8:
        return ""
    code = struct.unpack_from("=2I", stored)[1]  # SMPTE ST 12-1: tens and units of frames, seconds, minutes, hours
    frames, seconds, minutes, hours = (f"{code >> at & bits:02x}" for at, bits in FIELDS)
    return f"{hours}:{minutes}:{seconds}:{frames}"
