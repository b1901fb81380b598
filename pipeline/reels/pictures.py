"""Numbered pictures of a sequence, decoded one by one: a bad one costs no other its place or its time.

FFmpeg's own reader of sequences ends at an empty file and passes over one that fails. Each file is read here, by one of
two decoders (see `decoders`), and what stands in a bad one's place is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av

from colorizer.basis.errors import SourceError, UnreadableSource
from pipeline.metadata.headers import jpeg_end
from pipeline.stills.frame import Span, read_still
from pipeline.storage.atomic import legible
from pipeline.values.sequence import ONE, Pattern, pattern_of

CODECS = {
    ".dpx": "dpx", ".tif": "tiff", ".tiff": "tiff", ".png": "png", ".jpg": "mjpeg", ".jpeg": "mjpeg",
    ".jp2": "jpeg2000", ".j2k": "jpeg2000", ".exr": "exr",
}  # fmt: skip
"""FFmpeg's decoders by suffix."""
FFMPEG, STILLS = "FFmpeg", "stills"
"""Who decodes a sequence's pictures: FFmpeg, or the reader of stills."""
MAX_PIXELS = 16384 * 16384
"""A picture larger than this is refused before anything is allocated for it."""
SOUND = (".wav", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".flac")
"""Of files of sound that go with a sequence."""


def numbered(pattern: str) -> Pattern:
    """How a sequence's pictures are named. Raises SourceError."""
    found = pattern_of(Path(pattern).name)
    if found is None:
        raise SourceError(pattern, f"a sequence is {ONE}")
    return found


def picture(pattern: str, number: int) -> Path:
    """Where a picture of a sequence lies. A % in the name of a folder is one."""
    return Path(pattern).with_name(numbered(pattern).name(number))


def sound_beside(pattern: str) -> list[Path]:
    """Files of sound that go with a sequence by their names: as its pictures without their numbers, or as its folder,
    in it or beside it. Raises UnreadableSource."""
    folder, name = Path(pattern).parent.absolute(), numbered(pattern)
    stems = {name.before.rstrip(".-_ ").casefold(), folder.name.casefold()} - {""}
    found: list[Path] = []
    with legible(str(folder)):
        for place, wanted in ((folder, stems), (folder.parent, {folder.name.casefold()})):
            found += [p for p in place.iterdir() if p.suffix.lower() in SOUND and p.stem.casefold() in wanted]
    return sorted(found)


class Pictures:
    """The pictures of a sequence by their index, from 0. pattern: as in frames/%06d.dpx; first: the first number.

    decoder: FFMPEG or STILLS. span: of floats, what is black and white.
    """

    def __init__(
        self, pattern: str, first: int, count: int, decoder: str = FFMPEG, span: Span | None = None
    ) -> None:  # fmt: skip
        self.pattern, self.first, self.count, self.decoder, self.span = pattern, first, count, decoder, span
        context = av.CodecContext.create(CODECS[Path(pattern).suffix.lower()], "r")
        context.thread_type, context.thread_count = "SLICE", 2
        self._context: av.VideoCodecContext = context  # type: ignore[assignment]

    def path(self, index: int) -> Path:
        """Where a picture lies."""
        return picture(self.pattern, self.first + index)

    def frames(self, start: int = 0) -> Iterator[tuple[av.VideoFrame, str]]:
        """Every picture from `start` on, and "" or, where a neighbor stands in its place, why and which.

        Raises UnsupportedSource, UnreadableSource, and SourceError where not one can be read.
        """
        held: tuple[av.VideoFrame, int] | None = None
        for index in range(start, self.count):
            frame, why = self.frame(index)
            if frame is None:
                held = held or self._neighbor(index)
                frame, why = held[0], f"{self.path(index).name}: {why}; {self.path(held[1]).name} stands in its place"
            else:
                held = frame, index
            frame.pts = index
            yield frame, why

    def frame(self, index: int) -> tuple[av.VideoFrame | None, str]:
        """A picture, or None and why there is none. Raises UnreadableSource, WorkerDied."""
        path = self.path(index)
        if self.decoder == FFMPEG:
            return self._by_ffmpeg(path)
        try:
            return read_still(path, MAX_PIXELS, self.span).frame, ""
        except UnreadableSource:
            raise
        except SourceError as error:
            return None, error.what.removeprefix("the file is ")

    def _by_ffmpeg(self, path: Path) -> tuple[av.VideoFrame | None, str]:
        with legible(str(path)):
            data = path.read_bytes()
        if not data:
            return None, "empty"
        if self._context.name == "mjpeg" and jpeg_end(data) is None:  # of which FFmpeg makes the rest gray
            return None, "cut off"
        packet = av.Packet(data)
        packet.is_keyframe = True  # or the decoder of PNG adds the picture to the one before
        try:
            frames = self._context.decode(packet)
        except av.error.MemoryError:
            raise  # no fault of the file
        except av.FFmpegError:
            return None, "cut off or damaged"
        return (frames[0], "") if frames else (None, "no picture in it")

    def _neighbor(self, index: int) -> tuple[av.VideoFrame, int]:
        """The good picture before, else the one after."""
        near: Iterable[int] = (*range(index - 1, -1, -1), *range(index + 1, self.count))
        for other in near:
            frame, _ = self.frame(other)
            if frame is not None:
                return frame, other
        raise SourceError(self.pattern, "not one frame can be decoded: all pictures are empty or damaged")
