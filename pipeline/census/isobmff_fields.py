"""Fields of known boxes that no output holds where they say something else than usual (ISO 14496-12; QuickTime).

What else is in these boxes says how samples are laid out and timed, or is compared elsewhere: a turned or mirrored
picture, its size and shape, language, whether a track is played, edits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import hypot, isclose

Field = tuple[str, bytes, str]
"""A field's name, its bytes, and its value in words."""

MAX_EDITS = 1000
UNITY = 0x10000
"""One, in 16.16 bits."""
PLACE, MADE, CHANGED = "place", "creation time", "modification time"
EPOCH = datetime(1904, 1, 1, tzinfo=UTC)


def fields_of(kind: bytes, content: bytes) -> Iterator[Field]:
    """The fields of a known box that say something."""
    read = READERS.get(kind)
    if read is not None:
        yield from read(content)


def _movie(content: bytes) -> Iterator[Field]:
    """Of `mvhd`: times, rate, loudness, size; QuickTime's preview, poster, selection and current time."""
    at = 28 if content[:1] == b"\1" else 16
    yield from _times(content)
    yield from _number(content, at + 4, ">i", "rate", UNITY, UNITY)
    yield from _number(content, at + 8, ">h", "volume", 0x100, 0x100)
    yield from _scale(content[at + 20 : at + 56])
    names = ("preview time", "preview duration", "poster time", "selection time", "selection duration", "current time")
    for n, name in enumerate(names):
        yield from _number(content, at + 56 + 4 * n, ">I", name, 0)


def _track(content: bytes) -> Iterator[Field]:
    """Of `tkhd`: times, layer, loudness of sound, where the picture stands."""
    at = 36 if content[:1] == b"\1" else 24
    yield from _times(content)
    if len(content) >= 4 and content[3] & 1 and not content[3] & 2:
        yield "flags", content[1:4], "not in the movie"
    yield from _number(content, at + 8, ">h", "layer", 0)
    yield from _number(content, at + 12, ">h", "volume", 0x100, 0x100, also=(0,))
    matrix = content[at + 16 : at + 52]
    yield from _scale(matrix)
    if len(content) >= at + 60:
        x, y = place = struct.unpack_from(">2i", matrix, 24)
        if any(place) and place != _moves_back(matrix, content[at + 52 : at + 60]):
            yield PLACE, matrix[24:32], f"{x / UNITY:g} across, {y / UNITY:g} down"


def group_of(content: bytes) -> bytes:
    """The number in `tkhd` of a group of tracks of which one is played, in two bytes."""
    at = 46 if content[:1] == b"\1" else 34
    return content[at : at + 2]


def is_turned(content: bytes) -> bool:
    """Whether the matrix of `mvhd` is another than the usual; places of tracks then are others, too."""
    at = 48 if content[:1] == b"\1" else 36
    return _turn(content[at : at + 36]) not in ((UNITY, 0, 0, UNITY), (0, 0, 0, 0))


def _turn(matrix: bytes) -> tuple[int, int, int, int]:
    """Of a matrix what turns and enlarges; zeros for what is none."""
    if len(matrix) < 36:
        return 0, 0, 0, 0
    a, b, _, c, d = struct.unpack_from(">5i", matrix)
    return a, b, c, d


def _scale(matrix: bytes) -> Iterator[Field]:
    """By how much a matrix enlarges; where it does so in one direction, a pixel's shape says it."""
    a, b, c, d = _turn(matrix)
    across, down = hypot(a, b) / UNITY, hypot(c, d) / UNITY
    if across and isclose(across, down, rel_tol=1e-3) and not isclose(across, 1, rel_tol=1e-3):
        yield "scale", matrix[:20], f"{across:g}"


def _moves_back(matrix: bytes, size: bytes) -> tuple[int, int]:
    """By how much a picture that is turned around its corner is moved, so that it is in sight again."""
    a, b, c, d = _turn(matrix)
    wide, high = struct.unpack(">II", size)
    return wide * (a < 0) + high * (c < 0), wide * (b < 0) + high * (d < 0)


def _times(content: bytes) -> Iterator[Field]:
    """When it was made and last changed, in eight bytes each."""
    size = 8 if content[:1] == b"\1" else 4
    for n, name in enumerate((MADE, CHANGED)):
        value = int.from_bytes(content[4 + n * size : 4 + (n + 1) * size], "big")
        if value:
            yield name, value.to_bytes(8, "big"), _date(value)


def _date(seconds: int) -> str:
    try:
        return (EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")
    except OverflowError:
        return str(seconds)


def _number(
    content: bytes, at: int, form: str, name: str, usual: int, one: int = 1, also: tuple[int, ...] = ()
) -> Iterator[Field]:
    """A number that is not the usual one, nor one of others that say as little. one: what stands for 1."""
    size = struct.calcsize(form)
    if len(content) >= at + size:
        (value,) = struct.unpack_from(form, content, at)
        if value != usual and value not in also:
            yield name, content[at : at + size], f"{value / one:g}"


def _edits(content: bytes) -> Iterator[Field]:
    """Of `elst`: how fast an edit is played; 0 shows one picture."""
    form = ">QqhH" if content[:1] == b"\1" else ">IihH"
    count = min(MAX_EDITS, int.from_bytes(content[4:8], "big"), (len(content) - 8) // struct.calcsize(form))
    for number in range(max(0, count)):
        _, start, rate, part = struct.unpack_from(form, content, 8 + number * struct.calcsize(form))
        if (rate, part) != (1, 0) and start != -1:
            yield "rate", struct.pack(">hH", rate, part), f"edit {number + 1} is played at {rate + part / 65536:g}"


def _video(content: bytes) -> Iterator[Field]:
    """Of `vmhd`: how the picture is drawn over others."""
    mode = int.from_bytes(content[4:6], "big")
    if mode not in (0, 0x40):  # copied, with or without dithering
        yield "graphics mode", content[4:12], f"0x{mode:02X}"


def _sound(content: bytes) -> Iterator[Field]:
    """Of `smhd`: balance between left and right."""
    yield from _number(content, 4, ">h", "balance", 0, 0x100)


def _media(content: bytes) -> Iterator[Field]:
    """Of `mdhd`: when it changed, QuickTime's quality; when it was made is told with the words of its track."""
    yield from (field for field in _times(content) if field[0] != MADE)
    yield from _number(content, 34 if content[:1] == b"\1" else 22, ">h", "quality", 0)


def _color(content: bytes) -> Iterator[Field]:
    if content[:4] in (b"prof", b"rICC"):
        yield "ICC profile", content[4:], ""


_Reader = Callable[[bytes], Iterator[Field]]
READERS: dict[bytes, _Reader] = {
    b"mvhd": _movie, b"tkhd": _track, b"elst": _edits, b"vmhd": _video, b"smhd": _sound, b"mdhd": _media,
    b"colr": _color,
}  # fmt: skip
