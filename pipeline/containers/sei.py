"""Messages beside a coded picture: closed captions and active format description put into H.264 and H.265 packets.

Owns their bytes (ITU-T H.264 and H.265, annex D; CTA-708-E, 4.4; ETSI TS 101 154, B.3), nothing of the encoder's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

CAPTIONS = "closed captions"
SECOND_FIELD = "closed captions of the second field"
DIGITAL = "closed captions of CEA-708"
FORMAT_DESCRIPTION = "active format description"
"""What frames carry beside their samples, by the names that people read."""

START = b"\0\0\0\1"
REGISTERED = 4
"""SEI payload: user data registered by ITU-T T.35."""
ATSC = b"\xb5\0\x31"
"""A message's country (United States) and provider."""
TRIPLET, MOST = 3, 31
"""Bytes of a caption's byte pair with its type, and how many of them a message holds."""


def with_h264(packet: bytes, held: Mapping[str, bytes]) -> bytes:
    """An H.264 picture with what it carries in front. held: bytes by name, as FFmpeg's frames have them."""
    return _with(packet, b"\x06", held)


def with_h265(packet: bytes, held: Mapping[str, bytes]) -> bytes:
    """The same of H.265."""
    return _with(packet, b"\x4e\x01", held)


PICTURE_TIMING = START[1:] + b"\x06\x01\x01"
"""A unit of one message about a picture's time, of one byte: how its fields are shown, without any clock's time."""
STRUCTURES = {"progressive": 0x04, "tff": 0x32, "bff": 0x42}
"""That byte: pic_struct, and of each clock's time that there is none (H.264, D.1.3)."""


def with_fields(packet: bytes, word: str) -> bytes:
    """An H.264 picture that says of its fields what `word` does, where x264 said that they are as everywhere.

    Raises ValueError where it said nothing.
    """
    at = packet.find(PICTURE_TIMING) + len(PICTURE_TIMING)
    if not len(PICTURE_TIMING) <= at < len(packet) or packet[at] not in STRUCTURES.values():
        raise ValueError("a packet with a message about the picture's fields is wanted")
    return packet[:at] + bytes([STRUCTURES[word]]) + packet[at + 1 :]


def _with(packet: bytes, head: bytes, held: Mapping[str, bytes]) -> bytes:
    if not packet.startswith((START, START[1:])):
        raise ValueError("a packet of units behind start codes is wanted")
    messages = b"".join(_message(content) for content in contents(held))
    return START + head + _escaped(messages + b"\x80") + packet


def contents(held: Mapping[str, bytes]) -> Iterator[bytes]:
    """User data registered by ITU-T T.35, country and all, that say what a frame carries."""
    pairs = held.get(CAPTIONS, b"")
    for at in range(0, len(pairs), TRIPLET * MOST):
        part = pairs[at : at + TRIPLET * MOST]
        yield ATSC + b"GA94\x03" + bytes([0x40 | len(part) // TRIPLET, 0xFF]) + part + b"\xff"
    if description := held.get(FORMAT_DESCRIPTION):
        yield ATSC + b"DTG1" + bytes([0x41, 0xF0 | description[0] & 0x0F])


def _message(content: bytes) -> bytes:
    return bytes([REGISTERED]) + b"\xff" * (len(content) // 255) + bytes([len(content) % 255]) + content


def _escaped(data: bytes) -> bytes:
    """Data in which nothing looks like a start code (H.264, 7.4.1)."""
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)
