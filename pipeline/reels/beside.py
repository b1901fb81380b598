"""What a frame carries beside its samples, such as captions: counted by name, since no output holds it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import av

from pipeline.reels.dpx import dpx_words
from pipeline.reels.pictures import picture
from pipeline.reels.reel import Reel
from pipeline.storage.atomic import legible
from pipeline.values.finding import Finding
from pipeline.values.timecode import advance
from pipeline.values.words import counted

CODES = "S12M_TIMECODE"

KINDS = {
    "A53_CC": "closed captions", "AFD": "active format description", CODES: "time code of each frame",
    "GOP_TIMECODE": "time code of each group of pictures", "MASTERING_DISPLAY_METADATA": "HDR mastering display",
    "CONTENT_LIGHT_LEVEL": "HDR light level", "DYNAMIC_HDR_PLUS": "HDR10+", "DOVI_RPU_BUFFER": "Dolby Vision",
    "DOVI_METADATA": "Dolby Vision", "DYNAMIC_HDR_VIVID": "HDR Vivid", "AMBIENT_VIEWING_ENVIRONMENT": "ambient light",
    "FILM_GRAIN_PARAMS": "parameters of film grain", "SPHERICAL": "spherical projection", "ICC_PROFILE": "ICC profile",
}  # fmt: skip
"""FFmpeg's kinds of side data that say something of the film, in words. Left out: what decoders say of their work, what
is carried (display matrix, stereo mode), and what encoders say of themselves."""


def beside(frame: av.VideoFrame) -> set[str]:
    """What a frame carries beside its samples, by name."""
    return {KINDS[name] for name in _held(frame)}


def beside_in(reel: Reel, index: int, frame: av.VideoFrame, since: int = 0) -> set[str]:
    """The same of a frame of a reel: a time code that the reel's own counts to is in the output, and is not named.

    index: in the source. since: of the frame that has the reel's time code.
    """
    found = beside(frame) - {KINDS[CODES]}
    own = _code(reel, index, frame).replace(";", ":")
    counts = advance(reel.timecode, index - since, reel.rate).replace(";", ":")
    return found | ({KINDS[CODES]} if own not in ("", counts) else set())


def _held(frame: av.VideoFrame) -> dict[str, bytes]:
    try:
        held: Any = frame.side_data
        return {data.type.name: bytes(data) for data in held if data.type.name in KINDS}
    except ValueError:  # a kind that PyAV has no name for, such as Exif's of a picture
        return {}


def _code(reel: Reel, index: int, frame: av.VideoFrame) -> str:
    """A frame's own time code, "" where it has none. A DPX's header is asked itself: FFmpeg takes all zeros for one."""
    if reel.is_sequence and reel.codec == "dpx":
        path = picture(reel.uri, reel.first + index)
        with legible(str(path)):
            return dpx_words(path).timecode
    stored = _held(frame).get(CODES, b"")
    if len(stored) < 8:
        return ""
    code = struct.unpack_from("=2I", stored)[1]  # SMPTE ST 12-1: tens and units of frames, seconds, minutes, hours
    frames, seconds, minutes, hours = (f"{code >> at & bits:02x}" for at, bits in FIELDS)
    return f"{hours}:{minutes}:{seconds}:{frames}"


FIELDS = ((24, 0x3F), (16, 0x7F), (8, 0x7F), (0, 0x3F))
"""Places and bits of a time code's numbers, each of four bits a digit."""


def check_beside(found: Mapping[str, int]) -> list[Finding]:
    """A finding for each kind that a source's frames carry, with how many do."""
    return [
        Finding(name, False, f"in {counted(count, 'frame')}{ANOTHER * (name == KINDS[CODES])}; no output holds it")
        for name, count in sorted(found.items())
    ]


ANOTHER = " another than the reel's counts to"
