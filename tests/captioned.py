"""A stamped film whose MPEG-2 pictures have closed captions and active format description in their user data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tests.synthetic import frame_of, stamped

SLICE = b"\0\0\1\x01"
USER_DATA = b"\0\0\1\xb2"
SIZE = (96, 64)


def write_captioned(
    path: Path, captions: Sequence[bytes], descriptions: Mapping[int, int] | None = None,
    rate: Fraction = Fraction(30000, 1001), more: Mapping[int, bytes] | None = None,
) -> Path:  # fmt: skip
    """Write it, a frame for each of `captions`: triplets as CTA-708-E has them. descriptions: codes by frame. more:
    other user data by frame."""
    with av.open(str(path), "w", format="vob" if path.suffix == ".vob" else "mpegts") as out:
        stream: Any = out.add_stream("mpeg2video", rate=rate, options={"g": "6", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE, "yuv420p", 2_000_000
        index = 0
        for number in range(len(captions) + 1):
            frame = None
            if number < len(captions):
                frame = frame_of(stamped(number, SIZE), "yuv420p", 8)
                frame.pts, frame.time_base = number, 1 / rate
            for packet in stream.encode(frame):
                user = USER_DATA + other if (other := (more or {}).get(index)) else b""
                if data := captions[index]:
                    user += USER_DATA + b"GA94\x03" + bytes([0x40 | len(data) // 3, 0xFF]) + data + b"\xff"
                if code := (descriptions or {}).get(index):
                    user += USER_DATA + b"DTG1" + bytes([0x41, 0xF0 | code])
                whole = bytes(packet)
                at = whole.index(SLICE)
                made = av.Packet(whole[:at] + user + whole[at:])
                made.stream, made.time_base, made.is_keyframe = stream, packet.time_base, packet.is_keyframe
                made.pts, made.dts = packet.pts, packet.dts
                out.mux(made)
                index += 1
    return path


def spoken(texts: Mapping[int, str], frames: int, second: bool = False) -> list[bytes]:
    """Captions of a film of so many frames: pop-on, each of `texts` begun at a frame. second: in that field too."""
    pairs: dict[int, bytes] = {}
    for start, text in texts.items():
        words = text.encode("ascii") + b"\x80" * (len(text) % 2)
        told = bytes.fromhex("9420 9420 94ae 94ae 9470 9470") + bytes(map(odd, words)) + bytes.fromhex("942f 942f")
        for i in range(0, len(told), 2):
            pairs[start + i // 2] = told[i : i + 2]
    null = b"\x80\x80"
    return [
        b"\xfc" + pairs.get(i, null) + b"\xfd" + (pairs.get(i, null) if second else null) + b"\xf8\0\0"
        for i in range(frames)
    ]  # fmt: skip


def odd(byte: int) -> int:
    """A letter with the parity that line 21 has."""
    byte &= 0x7F
    return byte if byte.bit_count() % 2 else byte | 0x80
