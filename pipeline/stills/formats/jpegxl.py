"""JPEG XL: gray or RGB of up to 16 bits and floats, codes as stored; of a JPEG in it the coded Y.

Its codestream tells orientation, depth and color encoding; its container carries Exif and XMP. An ICC profile is coded
inside the codestream, where nothing here reads it. Source: ISO 18181-1, annexes D and E; 18181-2, clause 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import imagecodecs
import numpy as np

from colorizer.basis.errors import UnsupportedSource
from pipeline.metadata.blocks import Blocks
from pipeline.metadata.boxes import boxes
from pipeline.metadata.headers import Size, jpeg_size
from pipeline.stills.format import Decoded, Format, plain, starts
from pipeline.stills.formats.jpeg import decode_jpeg
from pipeline.stills.layout import CONVERT
from pipeline.stills.tones import Tone
from pipeline.values.loss import Loss

CONTAINER, BARE = b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"
MAX_WORDS = 1 << 24
"""Bytes of Exif or XMP once they are no longer compressed."""
HEADER = 1 << 16
"""Bytes of the codestream in which its header lies; names of channels may be long."""
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
"""Width to height, where the header gives it as a number."""
ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
ALPHA, BLACK = 0, 4
GRAY = 1
SRGB, LINEAR, USUAL = 13, 8, (1, 2, 13)
"""Transfer functions; BT.709's and unknown ones are taken for sRGB's."""
PRIMARIES = {1: "sRGB", 2: "custom", 9: "BT.2100", 11: "P3"}
SLIGHT = 1 / 8
"""How far floats of a lossy file may pass 0 and 1 without meaning it."""


@dataclass(slots=True)
class _Header:
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


def _codestream(data: bytes) -> bytes:
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
def _header(stream: bytes) -> _Header | None:
    """The header of a codestream, or None if it makes no sense."""
    bits = _Bits(stream)
    try:
        return _read(bits) if bits.take(16) == 0x0AFF else None
    except (EOFError, KeyError):
        return None


def _read(bits: _Bits) -> _Header:
    header = _Header(*bits.size())
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


def _read_extras(bits: _Bits, header: _Header) -> None:
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


def _read_color(bits: _Bits, header: _Header) -> None:
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


def _size(data: bytes) -> Size | None:
    header = _header(_codestream(data))
    if header is None:
        return None
    return header.height, header.width, (1 if header.gray else 3) + len(header.extra), header.bits


def _decode(data: bytes, path: str, size: Size) -> Decoded:
    header = _header(_codestream(data))
    assert header is not None, "its size was read from it"
    _refuse(path, header)
    if not header.gray and any(kind == b"jbrd" for kind, _ in _contents(data)):
        stream = bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1))
        return decode_jpeg(stream, path, jpeg_size(stream) or size)
    samples = np.asarray(imagecodecs.jpegxl_decode(data, keeporientation=True, numthreads=1))
    return _toned(samples[..., None] if samples.ndim == 2 else samples, header)


def _refuse(path: str, header: _Header) -> None:
    what = ""
    if header.animation:
        what = "an animation, not a picture; export one picture of it"
    elif any(kind != ALPHA for kind in header.extra) or len(header.extra) > 1:
        inks = "ink" if BLACK in header.extra else "channels of other kinds"
        what = f"{inks} beside its colors; {CONVERT}"
    elif header.transfer in (16, 18):
        what = f"high dynamic range ({'PQ' if header.transfer == 16 else 'HLG'}); convert it to standard range first"
    elif header.bits > (32 if header.floats else 16):
        what = f"{header.bits}-bit samples; {CONVERT}"
    if what:
        raise UnsupportedSource(path, f"JPEG XL with {what}" if not header.animation else what)


def _toned(samples: np.ndarray, header: _Header) -> Decoded:
    notes = tuple(_notes(header))
    linear = header.transfer == LINEAR
    if not header.floats:
        tone = plain(samples, header.bits).tone
        if samples.dtype == np.uint8 and header.bits < 8:
            tone = Tone(tone.model, header.bits)
        if linear:  # light from 0 to the highest code
            tone = Tone(tone.model, header.bits, high=2.0**header.bits - 1, linear=True)
        return Decoded(samples, tone, "linear light" if linear else "", notes)
    if samples.min() > -SLIGHT and samples.max() < 1 + SLIGHT:
        samples = samples.clip(0, 1)
    model = "RGB" if samples.shape[2] >= 3 else "gray"
    return Decoded(samples, Tone(model, 8 * samples.itemsize, "float", linear=linear), "", notes)


def _notes(header: _Header) -> list[str]:
    """What is passed over of the color encoding."""
    if header.icc:
        return ["its ICC profile lies within the JPEG XL codestream and was not applied"]
    notes = []
    if header.transfer not in (*USUAL, LINEAR):
        notes.append("its tone curve is taken for sRGB's")
    if not header.gray and header.primaries != 1:
        primaries = PRIMARIES.get(header.primaries, "other")
        notes.append(f"its {primaries} primaries are taken for sRGB's; Rec. 601 luma of codes as stored")
    return notes


def _contents(data: bytes) -> list[tuple[bytes, memoryview]]:
    """The boxes of a container; none of a bare codestream."""
    return list(boxes(data, len(CONTAINER))) if data.startswith(CONTAINER) else []


def _blocks(data: bytes) -> Blocks:
    header = _header(_codestream(data))
    found: dict[bytes, bytes] = {}
    lost = [Loss("its ICC profile")] if header is not None and header.icc else []
    for kind, content in _contents(data):
        if kind == b"brob":
            kind, content = bytes(content[:4]), _unpacked(content[4:])
        if kind in (b"Exif", b"xml "):
            found.setdefault(kind, bytes(content[:MAX_WORDS]))
        elif kind == b"jumb":
            lost.append(Loss("a JUMBF box"))
    exif = found.get(b"Exif")
    after = exif[4 + int.from_bytes(exif[:4], "big") :] if exif else None
    orientation = header.orientation if header is not None else 1
    return Blocks(after or None, found.get(b"xml "), lost=tuple(lost), orientation=orientation)


def _unpacked(content: memoryview) -> memoryview:
    """A box that is compressed with Brotli; nothing where that fails."""
    try:
        return memoryview(imagecodecs.brotli_decode(bytes(content), out=MAX_WORDS))
    except Exception:  # the codec's own; an empty Exif block is told as a damaged one
        return memoryview(b"\0\0\0\0?")


JPEGXL = Format(
    "JPEG XL", (".jxl",), starts(CONTAINER, BARE), _size, _decode, _blocks, 10_000_000, overhead=12
)  # fmt: skip
