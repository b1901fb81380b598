"""User data: what a packet holds beside its picture and FFmpeg tells nobody of, such as how wide black bars are.

MPEG-1 and MPEG-2 have it behind a start code of its own (ITU-T H.262, 6.2.2.2), H.264 and H.265 in messages registered
by ITU-T T.35; DV has packs. What FFmpeg does tell of, captions and format descriptions, is looked for in its frames.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.census.raw_dv import kinds_of
from pipeline.reels.reel import Reel

HEAD = 1 << 14
"""Bytes of a packet that are looked through: what is told stands before the picture's own data."""
START, FIRST_SLICE = b"\0\0\1\xb2", b"\0\0\1\x01"
BARS = "bar data"
"""How wide the black bars of a picture are (CTA-708-E, 4.4.2; ETSI TS 101 154, B.4)."""
TOLD = (b"GA94\x03", b"DTG1", b"CC\x01\xf8", b"\x03\x01", b"\x03\x81")
"""How user data begins that FFmpeg makes side data of: captions of broadcasts, DVDs, SCTE 20, format descriptions."""
NAME = re.compile(rb"[A-Za-z]{3,16}")
"""How it says what it is; what follows may be another in each picture."""


def looker(reel: Reel) -> Callable[[bytes], frozenset[str]] | None:
    """What says of a packet which kinds of such data are in it, by name; None where none is looked for."""
    if reel.codec == "dvvideo":
        return kinds_of if reel.format != "dv" else None  # of raw DV the census tells
    if reel.codec in ("mpeg1video", "mpeg2video"):
        return of_mpeg
    return of_messages if reel.codec in ("h264", "hevc") else None


def of_mpeg(packet: bytes) -> frozenset[str]:
    """Kinds of user data in front of a picture of MPEG-1 or MPEG-2.

    >>> sorted(of_mpeg(START + b"GA94\\x06\\xcf" + START + b"ACME labs" + FIRST_SLICE))
    ['bar data', "user data that begins with 'ACME'"]
    """
    head, found = packet[:HEAD], set[str]()
    stop = head.find(FIRST_SLICE)
    head = head if stop < 0 else head[:stop]
    at = head.find(START)
    while at >= 0:
        data = head[at + len(START) :]
        found.add(_name(data[: max(0, data.find(b"\0\0\1")) or len(data)]))
        at = head.find(START, at + len(START))
    return frozenset(found - {""})


def of_messages(packet: bytes) -> frozenset[str]:
    """Kinds of registered messages in front of a picture of H.264 or H.265.

    >>> of_messages(b"\\0\\0\\0\\1\\x06\\x04\\x0a\\xb5\\0\\x31GA94\\x06\\xcf")
    frozenset({'bar data'})
    """
    return frozenset({BARS} if b"\xb5\0\x31GA94\x06" in packet[:HEAD] else ())


def _name(data: bytes) -> str:
    """What one piece is, in words; "" where FFmpeg tells of it, or there is nothing in it."""
    if data.startswith(TOLD) or not data.strip(b"\0"):
        return ""
    if data.startswith(b"GA94\x06"):
        return BARS
    said = NAME.match(data)
    return f"user data that begins with {said[0].decode()!r}" if said else "user data of pictures"
