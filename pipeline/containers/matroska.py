"""Gives the video track of a finished Matroska file its display size, which PyAV 18 cannot write.

Owns the few EBML elements that takes (RFC 8794 for EBML, RFC 9559 for Matroska), nothing else of the format.
FFmpeg's muxer reads the sample aspect ratio from a place PyAV never fills, so without this a PAL reel in FFV1
or ProRes comes out squashed.

    stream.metadata["title"] = matroska.reserve(title)   # before the first packet
    ...                                                  # mux, close
    matroska.set_display_size(path, Fraction(16, 15))
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from colorizer.basis.errors import JoinError

# RFC 8794: elements every EBML document may hold
EBML = 0x1A45DFA3
CRC_32 = 0xBF
VOID = 0xEC
# RFC 9559: Matroska's own, \Segment\Tracks\TrackEntry and below
SEGMENT = 0x18538067
TRACKS = 0x1654AE6B
TRACK_ENTRY = 0xAE
NAME = 0x536E
VIDEO = 0xE0
PIXEL_WIDTH = 0xB0
PIXEL_HEIGHT = 0xBA
DISPLAY_WIDTH = 0x54B0
DISPLAY_HEIGHT = 0x54BA
DISPLAY_UNIT = 0x54B2
UNIT_PIXELS = 0
UNIT_ASPECT_RATIO = 3

PLACEHOLDER = "~chromatheque keeps room for display size"  # more than the 28 bytes it makes way for
MAX_TRACKS = 1 << 26  # bytes; a size beyond this is damage, not a header


@dataclass(frozen=True, slots=True)
class Element:
    """Where one EBML element lies: its header at `start`, its data from `body` to `stop` (exclusive)."""

    kind: int
    start: int
    body: int
    stop: int


def reserve(title: str | None) -> str:
    """The title to give the video stream before muxing, with room for what `set_display_size` writes."""
    return PLACEHOLDER + (title or "")


def set_display_size(path: Path, sar: Fraction) -> None:
    """Write the display size of the video track that was muxed with `reserve`; its own title comes back.

    Only the Tracks element changes, in place, at its old length. Readers get `sar` exactly. Raises JoinError,
    with the file untouched, where the file is not laid out as a muxer writes it.
    """
    if sar <= 0:
        raise ValueError(f"a sample aspect ratio is positive, not {sar}")
    try:
        with path.open("r+b") as file:
            tracks = _find_tracks(file)
            old = _read(file, tracks.body, tracks.stop)
            new = _with_display_size(old, sar)
            file.seek(tracks.body)
            file.write(new)
    except (ValueError, OSError) as error:
        raise JoinError(f"{path}: cannot write aspect ratio {sar}: {error}; mux it again") from error


def display_size(width: int, height: int, sar: Fraction) -> tuple[int, int, int]:
    """DisplayWidth, DisplayHeight and DisplayUnit that mean exactly `sar`.

    Pixels where one side can stay as it is; otherwise the display aspect ratio in lowest terms, because whole
    pixels would round it (853 × 480 at 16:15 is 909.87 pixels wide). FFmpeg reads both alike, as
    height·DisplayWidth / (width·DisplayHeight).
    """
    wide, high = width * sar, height / sar
    if sar >= 1 and wide.denominator == 1:
        return int(wide), height, UNIT_PIXELS
    if sar <= 1 and high.denominator == 1:
        return width, int(high), UNIT_PIXELS
    ratio = wide / height
    return ratio.numerator, ratio.denominator, UNIT_ASPECT_RATIO


def _find_tracks(file: BinaryIO) -> Element:
    """The Tracks element, wherever it lies in the first Segment; only element headers are read on the way."""
    end = file.seek(0, io.SEEK_END)
    head, segment = _first_two(_elements(file, 0, end))
    if head.kind != EBML or segment.kind != SEGMENT:
        raise ValueError("not a Matroska file")
    tracks = next((e for e in _elements(file, segment.body, segment.stop) if e.kind == TRACKS), None)
    if tracks is None:
        raise ValueError("it has no Tracks element")
    if tracks.stop - tracks.body > MAX_TRACKS:
        raise ValueError(f"its Tracks element claims {tracks.stop - tracks.body} bytes")
    return tracks


def _first_two(elements: Iterator[Element]) -> tuple[Element, Element]:
    first, second = next(elements, None), next(elements, None)
    if first is None or second is None:
        raise ValueError("not a Matroska file")
    return first, second


def _with_display_size(tracks: bytes, sar: Fraction) -> bytes:
    """The data of Tracks with the reserved entry rewritten: as long as before, its checksum right."""
    children = [(e, tracks[e.start : e.stop]) for e in _parse(tracks)]
    reserved = [e for e, _ in children if e.kind == TRACK_ENTRY and _is_reserved(tracks[e.body : e.stop])]
    if len(reserved) != 1:
        raise ValueError(f"{len(reserved)} tracks keep room for a display size, expected 1")
    entry = reserved[0]
    header = tracks[entry.start : entry.body]
    rewritten = header + _entry_with_display_size(tracks[entry.body : entry.stop], sar)
    out = b"".join(rewritten if e is entry else raw for e, raw in children if e.kind != CRC_32)
    if any(e.kind == CRC_32 for e, _ in children):  # first child, over all that follow it (RFC 8794, 11.3.1)
        out = _element(CRC_32, zlib.crc32(out).to_bytes(4, "little")) + out
    if len(out) != len(tracks):
        raise ValueError("its Tracks element would change length")
    return out


def _is_reserved(entry: bytes) -> bool:
    names = [entry[e.body : e.stop] for e in _parse(entry) if e.kind == NAME]
    return any(name.startswith(PLACEHOLDER.encode()) for name in names)


def _entry_with_display_size(entry: bytes, sar: Fraction) -> bytes:
    """The data of a TrackEntry with display size and its own name; Void fills what is left of the room."""
    out = b""
    seen = False
    for e in _parse(entry):
        data = entry[e.body : e.stop]
        if e.kind == NAME:
            title = data.removeprefix(PLACEHOLDER.encode())
            out += _element(NAME, title) if title else b""
        elif e.kind == VIDEO:
            out += _element(VIDEO, _video_with_display_size(data, sar))
            seen = True
        elif e.kind != CRC_32:
            out += entry[e.start : e.stop]
    if not seen:
        raise ValueError("the track that keeps room for a display size is not a video track")
    return out + _void(len(entry) - len(out))


def _video_with_display_size(video: bytes, sar: Fraction) -> bytes:
    pixels = {e.kind: int.from_bytes(video[e.body : e.stop], "big") for e in _parse(video)}
    width, height = pixels.get(PIXEL_WIDTH, 0), pixels.get(PIXEL_HEIGHT, 0)
    if not width or not height:
        raise ValueError("its video track has no size in pixels")
    replaced = (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT, CRC_32)
    kept = b"".join(video[e.start : e.stop] for e in _parse(video) if e.kind not in replaced)
    shown = display_size(width, height, sar)
    return kept + b"".join(map(_unsigned, (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT), shown))


def _parse(data: bytes) -> list[Element]:
    return list(_elements(io.BytesIO(data), 0, len(data)))


def _elements(file: BinaryIO, start: int, stop: int) -> Iterator[Element]:
    """The elements side by side between two offsets. Raises ValueError where they do not fit."""
    while start < stop:
        head = _read(file, start, min(start + 12, stop))  # an ID has at most 4 bytes, a size 8
        kind, n = _vint(head, 0)
        size, k = _vint(head, n)
        size -= 1 << 7 * k  # the length marker belongs to an ID's value, not to a size's
        body = start + n + k
        unknown = size == (1 << 7 * k) - 1  # a live recording's Segment; its end is the end of the file
        end = stop if unknown and kind == SEGMENT else body + size
        if end > stop:
            raise ValueError(f"the element {kind:X} at byte {start} reaches beyond its parent")
        yield Element(kind, start, body, end)
        start = end


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-size integer (RFC 8794, section 4) with its length marker, and its length in bytes."""
    if at >= len(data) or not data[at]:
        raise ValueError("an element header is damaged")
    n = 9 - data[at].bit_length()
    if at + n > len(data):
        raise ValueError("an element header is cut off")
    return int.from_bytes(data[at : at + n], "big"), n


def _read(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start)
    data = file.read(stop - start)
    if len(data) != stop - start:
        raise ValueError(f"it ends at byte {start + len(data)}")
    return data


def _size(n: int, width: int = 0) -> bytes:
    """A size as a variable-size integer of `width` bytes, or as few as hold it (all ones means unknown)."""
    width = width or next(w for w in range(1, 9) if n < (1 << 7 * w) - 1)
    return (n | 1 << 7 * width).to_bytes(width, "big")


def _element(kind: int, data: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + _size(len(data)) + data


def _unsigned(kind: int, value: int) -> bytes:
    return _element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _void(length: int) -> bytes:
    """A Void element of exactly `length` bytes, header included; nothing for 0."""
    if length == 0:
        return b""
    if length < 2:
        raise ValueError("its header has no room for the display size")
    width = 1 if length < 128 else 8
    return bytes([VOID]) + _size(length - 1 - width, width) + bytes(length - 1 - width)
