"""The header of a JPEG XL codestream, bare or in its container: size, depth, channels, colors.

Source: ISO 18181-1, annexes D and E; 18181-2, clause 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pipeline.metadata.boxes import boxes
from pipeline.metadata.headers import Size

CONTAINER, BARE = b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"
HEADER = 1 << 16
"""Bytes of the codestream in which its header lies; names of channels may be long."""
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
"""Width to height, where the header gives it as a number."""
ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
ALPHA, BLACK = 0, 4
GRAY = 1
SRGB, LINEAR = 13, 8
"""Transfer functions."""


@dataclass(slots=True)
class JpegXlHeader:
    """What a codestream says before its first frame. transfer: None where there is an ICC profile or a gamma."""

    height: int
    width: int
    orientation: int = 1
    animation: bool = False
    floats: bool = False
    bits: int = 8
    extra: tuple[int, ...] = ()
    gray: bool = False
    icc: bool = False
    primaries: int = 1
    transfer: int | None = SRGB


class _Bits:
    """Bits of a codestream, least first. Raises EOFError at its end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> int:
        """A number of so many bits."""
        if self.at + count > 8 * len(self.data):
            raise EOFError
        first, last = self.at // 8, (self.at + count + 7) // 8
        found = int.from_bytes(self.data[first:last], "little") >> (self.at % 8) & ((1 << count) - 1)
        self.at += count
        return found

    def flag(self) -> bool:
        """One bit."""
        return bool(self.take(1))

    def pick(self, *ways: tuple[int, int]) -> int:
        """Two bits choose how many follow and what is added to them (U32 of the standard)."""
        count, offset = ways[self.take(2)]
        return self.take(count) + offset

    def side(self, eighths: bool) -> int:
        """Height or width."""
        return 8 * (self.take(5) + 1) if eighths else self.pick((9, 1), (13, 1), (18, 1), (30, 1))

    def size(self) -> tuple[int, int]:
        """Height and width."""
        eighths = self.flag()
        height = self.side(eighths)
        ratio = self.take(3)
        return height, height * RATIOS[ratio][0] // RATIOS[ratio][1] if ratio else self.side(eighths)

    def depth(self) -> tuple[bool, int]:
        """Whether samples are floats, and their bits."""
        if not self.flag():
            return False, self.pick((0, 8), (0, 10), (0, 12), (6, 1))
        bits = self.pick((0, 32), (0, 16), (0, 24), (6, 1))
        self.take(4)
        return True, bits


def codestream_of(data: bytes) -> bytes:
    """The first bytes of the codestream, bare or in a container."""
    if not data.startswith(CONTAINER):
        return data[:HEADER]
    found = b""
    for kind, content in boxes(data, len(CONTAINER)):
        if kind in (b"jxlc", b"jxlp"):
            found += bytes(content[4 if kind == b"jxlp" else 0 :][:HEADER])
        if len(found) >= HEADER:
            break
    return found[:HEADER]


@lru_cache(maxsize=2)
def header_of(stream: bytes) -> JpegXlHeader | None:
    """The header of a codestream, or None if it makes no sense."""
    bits = _Bits(stream)
    try:
        return _read(bits) if bits.take(16) == 0x0AFF else None
    except (EOFError, KeyError):
        return None


def _read(bits: _Bits) -> JpegXlHeader:
    header = JpegXlHeader(*bits.size())
    if bits.flag():  # all as usual: 8-bit sRGB
        return header
    if bits.flag():
        _read_extras(bits, header)
    header.floats, header.bits = bits.depth()
    bits.flag()
    count = bits.pick((0, 0), (0, 1), (4, 2), (12, 1))
    header.extra = tuple(_channel(bits) for _ in range(count))
    bits.flag()
    if not bits.flag():
        _read_color(bits, header)
    return header


def _read_extras(bits: _Bits, header: JpegXlHeader) -> None:
    header.orientation = 1 + bits.take(3)
    if bits.flag():
        bits.size()
    if bits.flag():  # a preview, whose size is told in another way
        ways = ((0, 16), (0, 32), (5, 1), (9, 33)) if bits.flag() else ((6, 1), (8, 65), (10, 321), (12, 1345))
        bits.pick(*ways)
        if not bits.take(3):
            bits.pick(*ways)
    header.animation = bits.flag()
    if header.animation:
        bits.pick((0, 100), (0, 1000), (10, 1), (30, 1))
        bits.pick((0, 1), (0, 1001), (8, 1), (10, 1))
        bits.pick((0, 0), (3, 0), (16, 0), (32, 0))
        bits.flag()


def _channel(bits: _Bits) -> int:
    """The kind of a channel beside the colors."""
    if bits.flag():
        return ALPHA
    kind = bits.pick(*ENUM)
    bits.depth()
    bits.pick((0, 0), (0, 3), (0, 4), (3, 1))
    bits.take(8 * bits.pick((0, 0), (4, 0), (5, 16), (10, 48)))
    if kind == ALPHA:
        bits.flag()
    elif kind == 2:
        bits.take(64)
    elif kind == 5:
        bits.pick((0, 1), (2, 0), (4, 3), (8, 19))
    return kind


def _read_color(bits: _Bits, header: JpegXlHeader) -> None:
    header.icc = bits.flag()
    space = bits.pick(*ENUM)
    header.gray = space == GRAY
    header.transfer = None
    if header.icc or space == 2:
        return
    if bits.pick(*ENUM) == 2:
        _skip_points(bits, 1)
    if not header.gray:
        header.primaries = bits.pick(*ENUM)
        if header.primaries == 2:
            _skip_points(bits, 3)
    header.transfer = None if bits.flag() else bits.pick(*ENUM)


def _skip_points(bits: _Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.pick((19, 0), (19, 524288), (20, 1048576), (21, 2097152))


def jpegxl_size(data: bytes) -> Size | None:
    """Height, width, samples and their bits, as a codestream's header says."""
    header = header_of(codestream_of(data))
    if header is None:
        return None
    return header.height, header.width, (1 if header.gray else 3) + len(header.extra), header.bits
