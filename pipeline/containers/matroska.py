"""Gives the video track of a finished Matroska file its display size and HDR metadata, which PyAV 18 cannot write.

Owns the few EBML elements that takes (RFC 8794 for EBML, RFC 9559 for Matroska), nothing else of the format.
FFmpeg's muxer reads the sample aspect ratio from a place PyAV never fills, so without this a PAL reel in FFV1
or ProRes comes out squashed. It reads the mastering display from another such place.

    stream.metadata["title"] = matroska.reserve(title)   # before the first packet
    ...                                                  # mux, close
    matroska.set_display_size(path, Fraction(16, 15))
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from colorizer.basis.errors import JoinError
from pipeline.containers.ebml import Element, element, elements, first_two, parse, read, unsigned, void
from pipeline.storage.atomic import writable
from pipeline.values.ebml import CHROMATICITIES, CRC_32, EBML, LUMINANCE_MAX, LUMINANCE_MIN, SEGMENT
from pipeline.values.hdr import CHROMATICITY, LUMINANCE, Hdr

# RFC 9559, \Segment\Tracks\TrackEntry and below
TRACKS = 0x1654AE6B
TRACK_ENTRY = 0xAE
NAME = 0x536E
VIDEO = 0xE0
PIXEL_WIDTH = 0xB0
PIXEL_HEIGHT = 0xBA
DISPLAY_WIDTH = 0x54B0
DISPLAY_HEIGHT = 0x54BA
DISPLAY_UNIT = 0x54B2
STEREO_MODE = 0x53B8
COLOUR = 0x55B0
MAX_CLL, MAX_FALL = 0x55BC, 0x55BD
MASTERING = 0x55D0
PIXEL_CROPS = (0x54CC, 0x54DD, 0x54BB, 0x54AA)  # left, right, top, bottom
FLAG_INTERLACED = 0x9A
FIELD_ORDER = 0x9D
UNDETERMINED = 2
FIRST_FIELDS = {1: "tff", 6: "bff", 9: "tff", 14: "bff"}
"""FieldOrder's numbers of interlaced pictures, by the field that is shown first."""
UNIT_PIXELS = 0
UNIT_ASPECT_RATIO = 3

TWO_WIDE, TWO_HIGH = (1, 8, 9, 11), (2, 3, 6, 7)
"""Stereo modes whose two pictures lie side by side, and one above the other: the display size is that of one."""

PLACEHOLDER = "~chromatheque keeps room for display size"  # more than the 28 bytes it makes way for
HDR_ROOM = "~" * 160  # more than the 138 bytes of all that is said of HDR
MAX_TRACKS = 1 << 26  # bytes; a size beyond this is damage, not a header


def reserve(title: str | None, hdr: bool = False) -> str:
    """The title to give the video stream before muxing, with room for what `set_picture` writes. hdr: of that too."""
    return _placeholder(hdr) + (title or "")


def set_display_size(path: Path, sar: Fraction) -> None:
    """`set_picture` of a track that says nothing of HDR."""
    set_picture(path, 0, sar, Hdr())


def set_picture(path: Path, _track: int, sar: Fraction, hdr: Hdr) -> None:
    """Write display size and HDR metadata of the video track that was muxed with `reserve`; its own title comes back.

    Only the Tracks element changes, in place, at its old length. Readers get `sar` exactly, and of HDR all that is
    known. Raises JoinError, with the file untouched, where the file is not laid out as a muxer writes it, and
    StorageError.
    """
    if sar <= 0:
        raise ValueError(f"a sample aspect ratio is positive, not {sar}")
    change_tracks(path, f"aspect ratio {sar}", lambda tracks: _with_picture(tracks, sar, hdr))


def change_tracks(path: Path, what: str, changed: Callable[[bytes], bytes]) -> None:
    """Write a finished file's Tracks element anew, in place. changed: its data, by `whole_tracks`.

    Raises JoinError, which says that `what` cannot be written, with the file untouched, where the file is not laid out
    as a muxer writes it; and StorageError.
    """
    try:
        with writable(path), path.open("r+b") as file:
            tracks = find_tracks(file)
            old = read(file, tracks.body, tracks.stop)
            new = changed(old)
            file.seek(tracks.body)
            file.write(new)
    except ValueError as error:
        raise JoinError(f"{path}: cannot write {what}: {error}; mux it again") from error


def _placeholder(hdr: bool) -> str:
    return PLACEHOLDER + HDR_ROOM * hdr


def pixel_crop(file: BinaryIO) -> tuple[int, ...]:
    """Pixels of the first picture track that are not to be shown: left, right, top, bottom; zeros for another file.

    Raises ValueError for a Matroska file that is damaged.
    """
    file.seek(0)
    if file.read(4) != EBML.to_bytes(4, "big"):
        return (0, 0, 0, 0)
    video = next(_pictures(file), {})
    return tuple(video.get(kind, 0) for kind in PIXEL_CROPS)


def unflagged_fields(file: BinaryIO, place: int) -> str:
    """Which field of a picture's track is shown first, "tff" or "bff", where it gives an order of fields and leaves
    open whether it has any; else "". place: of the track among those of pictures, from 0.

    mkvmerge copies FieldOrder and drops FlagInterlaced, without which RFC 9559 has the order ignored, as FFmpeg does.
    Raises ValueError for a file that is damaged, or no Matroska file.
    """
    file.seek(0)
    found = next(islice(_pictures(file), place, None), {})
    return "" if found.get(FLAG_INTERLACED, 0) else FIRST_FIELDS.get(found.get(FIELD_ORDER, UNDETERMINED), "")


def own_fields(file: BinaryIO, place: int) -> str:
    """What a picture's track says of its fields, "" where it says nothing, or the file is no Matroska file.

    place: as of `unflagged_fields`. Raises ValueError for a file that is damaged.
    """
    file.seek(0)
    if file.read(4) != EBML.to_bytes(4, "big"):
        return ""
    found = next(islice(_pictures(file), place, None), {})
    flag = found.get(FLAG_INTERLACED, 0)
    return "progressive" if flag == 2 else FIRST_FIELDS.get(found.get(FIELD_ORDER, UNDETERMINED), "") if flag else ""


def _pictures(file: BinaryIO) -> Iterator[dict[int, int]]:
    """Of each picture's track the elements of its Video, as unsigned integers."""
    found = find_tracks(file)
    tracks = read(file, found.body, found.stop)
    for entry in (tracks[e.body : e.stop] for e in parse(tracks) if e.kind == TRACK_ENTRY):
        for video in (entry[e.body : e.stop] for e in parse(entry) if e.kind == VIDEO):
            yield {e.kind: int.from_bytes(video[e.body : e.stop], "big") for e in parse(video)}


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


def find_tracks(file: BinaryIO) -> Element:
    """The Tracks element, wherever it lies in the first Segment; only element headers are read on the way."""
    end = file.seek(0, io.SEEK_END)
    head, segment = first_two(elements(file, 0, end))
    if head.kind != EBML or segment.kind != SEGMENT:
        raise ValueError("not a Matroska file")
    tracks = next((e for e in elements(file, segment.body, segment.stop) if e.kind == TRACKS), None)
    if tracks is None:
        raise ValueError("it has no Tracks element")
    if tracks.stop - tracks.body > MAX_TRACKS:
        raise ValueError(f"its Tracks element claims {tracks.stop - tracks.body} bytes")
    return tracks


def _with_picture(tracks: bytes, sar: Fraction, hdr: Hdr) -> bytes:
    """The data of Tracks with the reserved entry rewritten."""
    children = [(e, tracks[e.start : e.stop]) for e in parse(tracks)]
    reserved = [e for e, _ in children if e.kind == TRACK_ENTRY and _is_reserved(tracks[e.body : e.stop], bool(hdr))]
    if len(reserved) != 1:
        raise ValueError(f"{len(reserved)} tracks keep room for a display size, expected 1")
    entry = reserved[0]
    header = tracks[entry.start : entry.body]
    rewritten = header + _entry_with_picture(tracks[entry.body : entry.stop], sar, hdr)
    return whole_tracks([rewritten if e is entry else raw for e, raw in children if e.kind != CRC_32], tracks)


def whole_tracks(inside: list[bytes], old: bytes) -> bytes:
    """The data of Tracks, of elements that are to be in it: as long as before, its checksum right.

    Raises ValueError where the length would be another.
    """
    new = b"".join(inside)
    if any(e.kind == CRC_32 for e in parse(old)):  # first child, over all that follow it (RFC 8794, 11.3.1)
        new = element(CRC_32, zlib.crc32(new).to_bytes(4, "little")) + new
    if len(new) != len(old):
        raise ValueError("its Tracks element would change length")
    return new


def _is_reserved(entry: bytes, hdr: bool) -> bool:
    names = [entry[e.body : e.stop] for e in parse(entry) if e.kind == NAME]
    return any(name.startswith(_placeholder(hdr).encode()) for name in names)


def _entry_with_picture(entry: bytes, sar: Fraction, hdr: Hdr) -> bytes:
    """The data of a TrackEntry with display size, HDR and its own name; Void fills what is left of the room."""
    out = b""
    seen = False
    for e in parse(entry):
        data = entry[e.body : e.stop]
        if e.kind == NAME:
            title = data.removeprefix(_placeholder(bool(hdr)).encode())
            out += element(NAME, title) if title else b""
        elif e.kind == VIDEO:
            out += element(VIDEO, _video_with_picture(data, sar, hdr))
            seen = True
        elif e.kind != CRC_32:
            out += entry[e.start : e.stop]
    if not seen:
        raise ValueError("the track that keeps room for a display size is not a video track")
    return out + void(len(entry) - len(out))


def _video_with_picture(video: bytes, sar: Fraction, hdr: Hdr) -> bytes:
    pixels = {e.kind: int.from_bytes(video[e.body : e.stop], "big") for e in parse(video)}
    width, height = pixels.get(PIXEL_WIDTH, 0), pixels.get(PIXEL_HEIGHT, 0)
    if not width or not height:
        raise ValueError("its video track has no size in pixels")
    replaced = (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT, CRC_32, *([COLOUR] if hdr else []))
    kept = b"".join(video[e.start : e.stop] for e in parse(video) if e.kind not in replaced)
    if hdr:
        colour = b"".join(video[e.body : e.stop] for e in parse(video) if e.kind == COLOUR)
        kept += element(COLOUR, _colour_with_hdr(colour, hdr))
    stereo = pixels.get(STEREO_MODE, 0)
    shown = display_size(width, height, sar * (1 + (stereo in TWO_HIGH)) / (1 + (stereo in TWO_WIDE)))
    return kept + b"".join(map(unsigned, (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT), shown))


def _colour_with_hdr(colour: bytes, hdr: Hdr) -> bytes:
    """The data of a Colour with light levels and a mastering display, as numbers of floating point."""
    replaced = (MAX_CLL, MAX_FALL, MASTERING, CRC_32)
    out = b"".join(colour[e.start : e.stop] for e in parse(colour) if e.kind not in replaced)
    out += b"".join(map(unsigned, (MAX_CLL, MAX_FALL), hdr.light))
    numbers = [(kind, n * CHROMATICITY) for kind, n in zip(CHROMATICITIES, hdr.primaries, strict=False)]
    numbers += [(kind, n * LUMINANCE) for kind, n in zip((LUMINANCE_MIN, LUMINANCE_MAX), hdr.luminance, strict=False)]
    if numbers:
        out += element(MASTERING, b"".join(element(kind, struct.pack(">d", value)) for kind, value in numbers))
    return out
