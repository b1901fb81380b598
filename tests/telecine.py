"""A stamped film on a DVD: MPEG-2 pictures of which every other one is shown for three fields instead of two."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tests.synthetic import frame_of, stamped

FIELD = Fraction(1001, 60000)
TICK = Fraction(1, 90000)
EXTENSION = b"\0\0\1\xb5"


def write_telecined(
    path: Path, frames: int, size: tuple[int, int] = (96, 64), film: tuple[int, int] | None = None
) -> list[Fraction]:
    """Write it; seconds from the first picture at which each one is shown, and the end of the last.

    film: frames [start, stop) that have repeat flags at all, default all; the others come 29.97 times a second.
    """
    start, stop = film or (0, frames)
    context: Any = av.CodecContext.create("mpeg2video", "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base, context.framerate = Fraction(1001, 30000), Fraction(30000, 1001)
    context.flags |= 0x20040000  # a sequence that is not said to be progressive: else a flag means whole frames
    context.options, context.bit_rate = {"g": "12", "bf": "0"}, 2_000_000
    times, at = [], Fraction(0)
    with av.open(str(path), "w", format="vob") as out:
        stream: Any = out.add_stream("mpeg2video", rate=Fraction(30000, 1001))
        stream.codec_context.width, stream.codec_context.height = size
        stream.codec_context.pix_fmt, stream.time_base = "yuv420p", TICK
        for index, packet in enumerate(_coded(context, frames, size)):
            repeated = start <= index < stop and index % 2 == 0
            made = av.Packet(_flagged(bytes(packet), repeated))
            made.stream, made.time_base, made.is_keyframe = stream, TICK, packet.is_keyframe
            made.pts = made.dts = round((at + 1) / TICK)
            out.mux(made)
            times.append(at)
            at += FIELD * (3 if repeated else 2)
    return [*times, at]


def _coded(context: Any, frames: int, size: tuple[int, int]) -> Iterator[Any]:
    for index in range(frames):
        frame = frame_of(stamped(index, size), "yuv420p", 8)
        frame.pts, frame.time_base = index, context.time_base
        yield from context.encode(frame)
    yield from context.encode(None)


def _flagged(data: bytes, repeated: bool) -> bytes:
    """A packet as of a progressive picture, with or without repeat_first_field (H.262, 6.2.3.1)."""
    at, made = data.find(EXTENSION), bytearray(data)
    while at >= 0:
        if made[at + 4] >> 4 == 8:
            made[at + 7] = made[at + 7] | 0x82 if repeated else (made[at + 7] | 0x80) & ~2
            made[at + 8] |= 0x80
        at = data.find(EXTENSION, at + 4)
    return bytes(made)
