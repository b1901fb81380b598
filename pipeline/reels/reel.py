"""Reel: a moving-image file or an image sequence, and the facts a plan is made from.

`probe` opens the source, decodes its first picture and writes down what the output must keep. It changes nothing.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cache
from math import atan2, hypot, pi
from pathlib import Path
from typing import Any, cast

import av
import av.error

from colorizer.basis.errors import SourceError, UnreadableSource, UnsupportedSource
from colorizer.basis.light import (
    MATRIX_NAMES,
    MATRIX_WORDS,
    PRIMARIES_NAMES,
    Matrix,
    Primaries,
    Range,
    Transfer,
    assumed_matrix,
)
from colorizer.color.coding import Coding
from colorizer.painting.geometry import ORIENTATIONS, Geometry
from pipeline.containers.planes import PixelLayout, pixel_layout
from pipeline.containers.side_data import Type
from pipeline.reels.beside import aside_of
from pipeline.reels.clock import Clock
from pipeline.reels.decoders import Choice, choose
from pipeline.reels.dpx import dpx_sequence
from pipeline.reels.fields import PROGRESSIVE, contradicted, fields_of
from pipeline.reels.parts import Joined, parts_of
from pipeline.reels.pictures import CODECS, FFMPEG, MAX_PIXELS, STILLS, numbered, picture
from pipeline.stills.frame import Span
from pipeline.storage.atomic import legible
from pipeline.values.file_url import local
from pipeline.values.hdr import NO_HDR, Hdr
from pipeline.values.sequence import SUFFIXES

UNSAID = (Range.UNSPECIFIED, Primaries.UNSPECIFIED, Transfer.UNSPECIFIED, Matrix.UNSPECIFIED)
"""Range, primaries, transfer and matrix of a picture that does not say them."""

FASTEST = 50_000
"""Pictures a second that a file is believed: of cameras for what is too fast to see. Above are clocks, as of 90,000."""

MATRIX_OF = {"bt709": "bt709", "smpte170m": "bt601", "bt470bg": "bt601", "bt2020": "bt2020"}
"""The matrix that goes with primaries, where a picture's own has no weights."""

ASSUMED_RATE = "24 pictures a second"
"""What is assumed where nothing is said, which a person should know: it decides how long the film is."""
BARE_RATE = "25 pictures a second"
"""What FFmpeg assumes of a bare stream of pictures that says nothing."""
NO_TIMES = 0x80
"""Of FFmpeg's formats: a file of this kind has no times (AVFMT_NOTIMESTAMPS)."""
MOST_SAID = 240
"""Pictures a second up to which what a bare stream says is a rate; above, in MPEG-4, it is a clock."""

GUESSES_MATRIX = ("dnxhd",)
"""Codecs whose decoder in FFmpeg says BT.709 where the picture leaves its matrix to the container."""

Tags = tuple[int, int, int, int]
"""Color range, primaries, transfer and matrix: the numbers of `light`'s enums, and others that files have."""

_FRACTIONS = ("aspect", "rate", "time_base", "header_seconds")


@dataclass(frozen=True, slots=True)
class Reel:
    """Facts of a moving image. Fractions are kept as such; times count in `time_base`.

    stream: index of the picture's stream. tags: the file's own, copied to the output; coding: what they mean for the
    arithmetic, with `guessed` naming what the file left open.
    rotation: counter-clockwise degrees, whole quarters, that turn the stored picture upright; tilt: those beyond the
    quarters. mirrored: after that, left and right change places. first, count: of a sequence's numbers.
    header_frames, header_seconds: what the header promises, 0 if it says nothing. decoder: of a sequence's pictures,
    FFMPEG or STILLS. span: of pictures of floats, what becomes black and white. remarks: on the two, or on its fields.
    hdr: of its first picture.
    """

    uri: str
    format: str
    stream: int
    codec: str
    width: int
    height: int
    pix_fmt: str
    coding: Coding
    guessed: tuple[str, ...]
    tags: Tags
    aspect: Fraction
    rate: Fraction
    time_base: Fraction
    fields: str
    rotation: int
    timecode: str
    header_frames: int
    header_seconds: Fraction
    first: int = 0
    count: int = 0
    mirrored: bool = False
    tilt: int = 0
    decoder: str = FFMPEG
    span: Span | None = None
    remarks: tuple[str, ...] = ()
    hdr: Hdr = NO_HDR

    @property
    def turn(self) -> str:
        """How the stored picture is to be shown, in words: degrees, and whether it is mirrored."""
        return f"{(self.rotation + self.tilt) % 360}{', mirrored' * self.mirrored}"

    @property
    def layout(self) -> PixelLayout:
        """How luma is stored."""
        found = pixel_layout(self.pix_fmt)
        assert found is not None, "probe refuses formats without luma"
        return found

    @property
    def is_sequence(self) -> bool:
        """Whether the reel is numbered pictures."""
        return self.count > 0

    @property
    def foreign_matrix(self) -> bool:
        """Whether its chroma is of a kind that is neither read nor made here; its luma is that of gray in any case."""
        return self.tags[3] in MATRIX_WORDS and self.layout.kind != "rgb"

    @property
    def step(self) -> int:
        """Ticks of the time base from one frame to the next at the reel's rate, at least 1."""
        return max(1, round(1 / (self.rate * self.time_base)))

    @property
    def geometry(self) -> Geometry:
        """How the stored plane is to be seen; chroma steps are those of the output (see profiles)."""
        return Geometry(float(self.aspect), self.rotation)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        values = asdict(self)
        for name in _FRACTIONS:
            values[name] = str(values[name])
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Reel:
        """Inverse of `to_json`."""
        return cls(
            **{
                **values,
                "coding": Coding(**values["coding"]),
                "guessed": tuple(values["guessed"]),
                "tags": tuple(values["tags"]),
                "span": tuple(values["span"]) if values["span"] else None,
                "remarks": tuple(values["remarks"]),
                "hdr": Hdr(**{name: tuple(units) for name, units in values["hdr"].items()}),
                **{name: Fraction(values[name]) for name in _FRACTIONS},
            }
        )


@contextmanager
def readable(uri: str) -> Iterator[None]:
    """Maps what PyAV raises about a source to SourceError: the one seam between FFmpeg's errors and ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(uri, "no such file") from error
    except IsADirectoryError as error:
        raise SourceError(uri, "a folder; for an image sequence give its pattern, as in frames/%06d.dpx") from error
    except MemoryError as error:  # FFmpeg's too
        raise SourceError(uri, f"it takes more memory than there is; {SMALLER}") from error
    except av.FFmpegError as error:
        raise _what_it_is(uri, error) from error
    except PermissionError as error:
        raise SourceError(uri, NOT_PERMITTED) from error
    except OSError as error:
        raise UnreadableSource(uri, f"cannot be read: {error.strerror or error}") from error


NOT_PERMITTED = "may not be read; check its permissions"
SMALLER = "give a machine with more, or smaller pictures"


def _what_it_is(uri: str, error: av.FFmpegError) -> SourceError:
    """What FFmpeg's error means. It says "Input/output error", "Operation not permitted" or "End of file" of files
    that are cut short too, so the file itself is asked. Raises UnreadableSource where the disk fails."""
    if Path(uri).exists() and not os.access(uri, os.R_OK):
        return SourceError(uri, NOT_PERMITTED)
    _read_ends(uri)
    known = isinstance(error, av.error.InvalidDataError | OSError | EOFError | ValueError)
    why = "" if known else f"; FFmpeg says: {error.strerror or error}"
    return SourceError(uri, f"not a video file FFmpeg can read (cut short, damaged, encrypted, or something else{why})")


ENDS = 1 << 26
"""Bytes at both ends of a file in which its format says what it is."""


def _read_ends(uri: str) -> None:
    """FFmpeg calls a file invalid whose index it could not read. Raises UnreadableSource if that is so."""
    path = Path(uri)
    if path.is_file():
        with legible(uri), path.open("rb") as file:
            for start in (0, max(0, path.stat().st_size - ENDS)):
                file.seek(start)
                for _ in range(0, ENDS, 1 << 16):
                    file.read(1 << 16)


OPENS_OTHERS = frozenset(
    [
        "avisynth", "bluray", "concat", "dash", "dvdvideo", "hls", "imf", "mlv", "rtp", "rtsp", "sap", "sdp",
        "vapoursynth", "vobsub", "webm_dash_manifest",
        "alsa", "fbdev", "jack", "kmsgrab", "lavfi", "oss", "pulse", "sndio", "video4linux2,v4l2", "x11grab", "xcbgrab",
    ]
)  # fmt: skip
"""Formats of FFmpeg that read other files than the one they are given, a network or a device."""
LISTS = {b"ffconcat version": "a list of files for ffmpeg", b"#EXTM3U": "a playlist (HLS)", b"v=0": "a stream (SDP)"}
"""How files begin by which others would be read."""


@cache
def _of_one_file() -> str:
    """FFmpeg's formats that read the very file they are given, so that its digest is the film's."""
    return ",".join(sorted(av.formats_available - OPENS_OTHERS))


def open_source(uri: str, first: int = 0, rate: Fraction | None = None) -> av.container.InputContainer:
    """Open a file, or of a sequence the picture of a number, `first`. Raises UnsupportedSource, FFmpeg's own errors."""
    if is_pattern(uri):
        options = {"framerate": str(rate or 24), "pattern_type": "none"}
        return av.open(local(picture(uri, first)), format="image2", options=options)
    try:
        options = {"format_whitelist": _of_one_file(), "pattern_type": "none"}  # of stills: a name is no pattern
        parts = parts_of(uri)
        file: Any = Joined(parts) if len(parts) > 1 else local(uri)
        return av.open(file, metadata_errors="replace", options=options)
    except (av.error.ArgumentError, av.error.InvalidDataError) as error:
        with legible(uri), Path(uri).open("rb") as file:
            head = file.read(64)
        for mark, what in LISTS.items():
            if head.lstrip(b"\xef\xbb\xbf").startswith(mark):
                raise UnsupportedSource(uri, f"{what}, which names other files; color those, or join them") from error
        raise


def packets_of(
    container: av.container.InputContainer, streams: Any, failed: Callable[[av.FFmpegError], None] = lambda _: None,
    clock: Clock | None = None,
) -> Iterator[Any]:  # fmt: skip
    """Packets up to the end, or to where a damaged file cannot be read on: then `failed` is told.

    Their times are those of one clock: see Clock. Raises UnreadableSource where not the file fails but what it lies on:
    a reel must not end there.
    """
    clock = clock or Clock(container)
    try:
        yield from _of_one_clock(container, streams, clock) if clock.may_jump else container.demux(streams)
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            uri = container.name.removeprefix("file:")
            raise UnreadableSource(uri, f"cannot be read: {error.strerror or error}") from error
        failed(error)


def _of_one_clock(container: av.container.InputContainer, streams: Any, clock: Clock) -> Iterator[Any]:
    """All tracks are read, whichever are asked for: each may be the first whose time begins anew."""
    wanted = {stream.index for stream in (streams if isinstance(streams, list | tuple) else [streams])}
    for packet in container.demux():
        clock.set(packet)
        if packet.stream.index in wanted:
            yield packet


def frames_of(
    container: av.container.InputContainer, stream: Any, failed: Callable[[av.FFmpegError], None] = lambda _: None
) -> Iterator[Any]:
    """Frames of all packets that decode; `failed` is told of the others."""
    for packet in packets_of(container, stream, failed):
        try:
            frames = packet.decode()
        except av.error.MemoryError:
            raise  # no fault of the file
        except av.FFmpegError as error:
            failed(error)
            continue
        yield from frames


def is_pattern(uri: str) -> bool:
    """Whether a name stands for numbered pictures. A file may be called 100%.mp4."""
    return "%" in Path(uri).name and not Path(uri).is_file()


def sequence_numbers(pattern: str) -> tuple[int, int]:
    """First number and count of an image sequence. Raises SourceError naming the holes."""
    path, found = Path(pattern), numbered(pattern)
    if path.suffix.lower() not in SUFFIXES:
        raise UnsupportedSource(pattern, f"sequences are {', '.join(SUFFIXES)}; convert the pictures first")
    with readable(str(path.parent)):
        numbers = sorted(n for p in path.parent.iterdir() if (n := found.number(p.name)) is not None)
    if not numbers:
        raise SourceError(pattern, "no picture has such a name")
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if missing:
        named = ", ".join(map(str, missing[:12])) + (f" and {len(missing) - 12} more" if len(missing) > 12 else "")
        raise SourceError(
            pattern, f"the sequence has holes; missing: {named}. Add them, or color the parts on their own"
        )
    return numbers[0], len(numbers)


def _tags(of: Any) -> Tags:
    """The color tags of a frame or a codec context."""
    return of.color_range, of.color_primaries, of.color_trc, of.colorspace


def _coding(frame: av.VideoFrame, layout: PixelLayout, tags: Tags) -> tuple[Coding, tuple[str, ...]]:
    guessed = []
    matrix, primaries = MATRIX_NAMES.get(tags[3]), PRIMARIES_NAMES.get(tags[1])
    if matrix is None:
        foreign = tags[3] in MATRIX_WORDS  # of these nobody guesses: the output says what its chroma is made for
        matrix = MATRIX_OF.get(primaries or "") if foreign else None
        matrix = matrix or assumed_matrix(frame.height)
        guessed += [f"matrix {matrix}"] * (not foreign)
    if primaries is None:
        primaries = matrix if matrix in ("bt709", "bt2020") else "smpte170m"
        guessed.append(f"primaries {primaries}")
    rgb, gray = layout.kind == "rgb", layout.step_x == 0
    declared = tags[0]
    full = rgb or (gray and declared != Range.LIMITED) or frame.format.name.startswith("yuvj") or declared == Range.FULL
    if not full and declared == Range.UNSPECIFIED:
        guessed.append("limited range")
    return Coding(layout.bits, full, matrix, primaries), tuple(guessed)


def pictures_in(container: av.container.InputContainer) -> list[Any]:
    """The moving pictures of a file: its video streams but for cover pictures and those of unknown codecs."""
    covers = av.stream.Disposition.attached_pic
    return [s for s in container.streams.video if not s.disposition & covers and s.codec_context is not None]


def picture_stream(container: av.container.InputContainer) -> Any:
    """The stream to color: the first moving picture that the file plays if nothing else is asked for, or None.

    That is Matroska's default track, and QuickTime's enabled one. Of a file that says it of none it is the first.
    """
    found = pictures_in(container)
    return next((s for s in found if s.disposition & av.stream.Disposition.default), next(iter(found), None))


def probe(uri: str, rate: Fraction | None = None) -> Reel:
    """Facts of a reel. `rate`: of an image sequence, default what its pictures say, else 24.

    Raises SourceError or UnsupportedSource.
    """
    if is_pattern(uri):
        return _sequence(uri, *sequence_numbers(uri), rate)
    path = Path(uri)
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(uri, "the file is empty")
    return _opened(uri, (0, 0), None)


def _sequence(uri: str, first: int, count: int, rate: Fraction | None) -> Reel:
    words = dpx_sequence([picture(uri, n) for n in range(first, first + min(count, 2))])
    choice = choose(uri, first, count)
    read = _opened if choice.decoder == FFMPEG else _still
    reel = read(uri, (first, count), rate or words.rate, choice)
    return replace(reel, timecode=reel.timecode or words.timecode, remarks=choice.remarks)


def _opened(uri: str, numbers: tuple[int, int], rate: Fraction | None, choice: Choice | None = None) -> Reel:
    """Facts of what FFmpeg opens: a file, or a sequence by the picture that was chosen."""
    start = numbers[0] + (choice.index if choice else 0)
    with readable(uri), open_source(uri, start, rate) as container:
        stream = picture_stream(container)
        if stream is None:
            raise UnsupportedSource(uri, "no moving picture in it (sound only?)")
        if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
            size = f"{stream.codec_context.width} x {stream.codec_context.height}"
            raise UnsupportedSource(uri, f"claims pictures of {size}; refused as damaged or hostile")
        outer = _tags(stream.codec_context)  # before decoding: ProRes' decoder puts its own silence in their place
        frame = _first_frame(uri, container, stream)
        tags = tuple(b if a == unsaid else a for a, b, unsaid in zip(_tags(frame), outer, UNSAID, strict=True))
        if stream.codec_context.name in GUESSES_MATRIX and outer[3] != UNSAID[3]:
            tags = (*tags[:3], outer[3])
        return _facts(uri, stream, frame, cast(Tags, tags), numbers, rate)


def _still(uri: str, numbers: tuple[int, int], rate: Fraction | None, choice: Choice) -> Reel:
    """Facts of pictures that the reader of stills reads."""
    still, found = choice.still, rate or Fraction(24)
    assert still is not None, "it was chosen for what it reads"
    frame, page = still.frame, still.page
    layout = _layout(uri, frame)
    shown = Transfer.UNSPECIFIED if still.exact else Transfer.SRGB
    full = Range.UNSPECIFIED if layout.kind == "rgb" or not layout.step_x else Range.FULL
    matrix = Matrix.BT470BG if layout.step_x else Matrix.UNSPECIFIED
    tags = int(full), int(Primaries.UNSPECIFIED), int(shown), int(matrix)
    coding, guessed = _coding(frame, layout, tags)
    across, down, _ = page.resolution or (1, 1, 0)
    aspect, square = _believed(Fraction(down) / Fraction(across) if across and down else Fraction(1))
    guessed = (*guessed, *[ASSUMED_RATE] * (rate is None), *[square] * bool(square))
    quarters, mirrored = ORIENTATIONS[page.orientation]
    return Reel(
        uri, "image2", 0, CODECS[Path(uri).suffix.lower()], frame.width, frame.height, frame.format.name, coding,
        guessed, tags, aspect, found, 1 / found, PROGRESSIVE, 90 * quarters, "", numbers[1],
        numbers[1] / found, *numbers, mirrored, 0, STILLS, choice.span,
    )  # fmt: skip


def _first_frame(uri: str, container: av.container.InputContainer, stream: Any) -> av.VideoFrame:
    errors: list[av.FFmpegError] = []
    for frame in frames_of(container, stream, errors.append):
        return frame
    why = "it holds no picture data"
    if errors:
        fail = "fails" if len(errors) == 1 else "fail"
        why = f"{len(errors)} of its packets {fail} to decode; it may be cut short, encrypted or damaged"
    raise SourceError(uri, f"not one frame can be decoded: {why}")


def _facts(
    uri: str, stream: Any, frame: av.VideoFrame, tags: Tags, numbers: tuple[int, int], rate: Fraction | None
) -> Reel:
    container, context, (first, count) = stream.container, stream.codec_context, numbers
    coding, guessed = _coding(frame, _layout(uri, frame), tags)
    fields, unflagged = fields_of(uri, stream, frame)
    guessed = (*guessed, *filter(None, [unflagged]))
    found, rated = (rate, "") if count else _rate(stream)
    if found is None:
        found, rated = Fraction(24), ASSUMED_RATE
    guessed = (*guessed, *filter(None, [rated]))
    degrees, mirrored = turn_of(frame)
    rotation = round(degrees / 90) * 90
    aspect, square = _believed(Fraction(stream.sample_aspect_ratio or 1))
    guessed = (*guessed, *[square] * bool(square))
    return Reel(
        uri, container.format.name, stream.index, context.name, frame.width, frame.height, frame.format.name, coding,
        guessed, tags, aspect, Fraction(found), Fraction(stream.time_base), fields, rotation % 360,
        _timecode(stream.metadata) or _timecode(container.metadata), count or stream.frames,
        count / Fraction(found) if count else _promised(container, stream), first, count, mirrored, degrees - rotation,
        remarks=contradicted(stream, fields), hdr=aside_of(frame).hdr,
    )  # fmt: skip


def _rate(stream: Any) -> tuple[Fraction | None, str]:
    """Pictures a second, as far as they are known, and what of that is assumed.

    Of a bare stream of pictures FFmpeg calls 25 the average, whatever the pictures say of themselves.
    """
    asked = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    bare, assumed = is_bare(stream.container), ""
    if bare:
        said = stream.codec_context.framerate
        assumed = "" if said else BARE_RATE
        asked = [said if said and said <= MOST_SAID else None, *asked[1:]]
    return next((r for r in asked if r is not None and 0 < r <= FASTEST), None), assumed


def is_bare(container: Any) -> bool:
    """Whether a file is pictures without a container, which have no times: as .h264, .m2v and .mjpeg are."""
    return bool(container.format.flags & NO_TIMES) or container.format.name.endswith("_pipe")


def _layout(uri: str, frame: av.VideoFrame) -> PixelLayout:
    """How a picture's samples are stored. Raises UnsupportedSource."""
    layout = pixel_layout(frame.format.name)
    if layout is None:
        raise UnsupportedSource(
            uri, f"pixel format {frame.format.name} is not read; convert it to 8- to 16-bit integer first"
        )
    if min(frame.width, frame.height) < 8:
        raise UnsupportedSource(uri, f"pictures of {frame.width} x {frame.height} are too small to color")
    return layout


def _believed(aspect: Fraction) -> tuple[Fraction, str]:
    """The shape of a sample, and what is assumed where a file's word makes no sense."""
    return (aspect, "") if Fraction(1, 20) <= aspect <= 20 else (Fraction(1), "square samples")


def turn_of(frame: av.VideoFrame) -> tuple[int, bool]:
    """Counter-clockwise degrees, over -180 and up to 180, and whether left and right change places after that.

    A display matrix is rows of a, b, u; c, d, v; x, y, w (ISO 14496-12, 6.2.2). Mirrored ones have a negative
    determinant, which FFmpeg's own rotation does not look at.
    """
    held: Any = frame.side_data
    if (stored := held.get(Type.DISPLAYMATRIX)) is None:
        return 0, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(stored))
    mirrored = a * d - b * c < 0
    a, c = (-a, -c) if mirrored else (a, c)
    degrees = -round(atan2(b * hypot(a, c), a * hypot(b, d)) * 180 / pi)
    return (180 if degrees == -180 else degrees), mirrored


def _timecode(tags: Any) -> str:
    return str(next((v for k, v in tags.items() if k.lower() == "timecode"), ""))


def _promised(container: av.container.InputContainer, stream: Any) -> Fraction:
    if stream.duration:
        return Fraction(stream.duration * stream.time_base)
    return Fraction(container.duration, 1_000_000) if container.duration and container.duration > 0 else Fraction(0)
