"""Encoder: luma and chroma planes in, packets with absolute times out.

Every segment gets an encoder of its own with the same settings, so segments made anywhere join into one stream.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.filter
import numpy as np

from colorizer.basis.errors import EncodeError
from colorizer.basis.light import MATRIX_NAMES, MATRIX_TAGS, Matrix, Range
from pipeline.containers.codecs import with_words
from pipeline.containers.containers import Container
from pipeline.containers.planes import plane_view
from pipeline.containers.profiles import Profile
from pipeline.reels.beside import NOTHING, Aside
from pipeline.reels.fields import PROGRESSIVE
from pipeline.reels.reel import Reel
from pipeline.reels.scheduling import ordinary
from pipeline.reels.target import Target

GLOBAL_HEADER = 0x00400000
INTERLACED = 0x00040000 | 0x20000000
"""AV_CODEC_FLAG_INTERLACED_DCT and AV_CODEC_FLAG_INTERLACED_ME."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A frame ready to encode: planes in the output's format, time in the reel's time base, and what it carries.

    sums: of its luma, taken when its source was read; "" where nobody asks.
    """

    pts: int
    duration: int
    luma: np.ndarray = field(repr=False)
    cb: np.ndarray = field(repr=False)
    cr: np.ndarray = field(repr=False)
    aside: Aside = field(default=NOTHING, repr=False)
    sums: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Coded:
    """An encoded packet; times in the reel's time base."""

    pts: int
    dts: int
    duration: int
    key: bool
    data: bytes = field(repr=False)


def configure(
    context: Any, reel: Reel, profile: Profile, target: Target, container: Container | None = None, mixed: bool = False
) -> None:  # fmt: skip
    """Set up a codec context for a reel. The joiner uses it too, so that headers agree to the byte.

    container: what is written; packets do not depend on it. mixed: frames differ in their fields, and each
    says its own.
    """
    codec, container = profile.codec, container or profile.containers[0]
    for name, value in codec.environment:
        os.environ.setdefault(name, value)
    context.width, context.height, context.pix_fmt = reel.width, reel.height, target.pix_fmt
    context.time_base = reel.time_base
    context.framerate = reel.rate
    context.sample_aspect_ratio = reel.aspect
    _, primaries, transfer, matrix = reel.tags
    # RGB and gray sources are full range and have no matrix of their own, and of some its chroma is not made here: say
    # what was used
    context.color_range = Range.FULL if target.coding.full_range else Range.LIMITED
    context.color_primaries, context.color_trc = primaries, transfer
    own = matrix in (*MATRIX_NAMES, Matrix.UNSPECIFIED) and reel.layout.kind != "rgb"
    context.colorspace = matrix if own else MATRIX_TAGS[target.coding.matrix]
    context.flags |= GLOBAL_HEADER
    context.thread_count = codec.threads
    options = codec.options_for(reel.width, reel.height, target.coding.bits, reel.fields, reel.hdr)
    context.options = with_words(options, codec.field_options, codec.here())
    if reel.fields != PROGRESSIVE and (not mixed or codec.mark is not None):
        context.flags |= INTERLACED if codec.fields == "coded" else 0
        if not mixed:  # a file has one word for all frames, and says none
            context.field_order = container.field_order(reel.fields, codec)
    if tag := container.codec_tag(codec):
        context.codec_tag = tag


class Encoder:
    """Encodes the frames of one segment."""

    def __init__(
        self, reel: Reel, profile: Profile, target: Target, fields: Mapping[int, str] | None = None
    ) -> None:  # fmt: skip
        """fields: of each frame, by its time, where those of the reel differ and the codec marks each."""
        self.reel, self.target, self.codec = reel, target, profile.codec
        self.context: Any = av.CodecContext.create(profile.codec.encoder, "w")
        configure(self.context, reel, profile, target, mixed=bool(fields))
        coded = reel.fields != PROGRESSIVE and profile.codec.fields == "coded"
        self._word = reel.fields if coded else ""
        self._fields, self._marks = dict(fields or {}), dict(fields or {})
        if self.codec.mark is not None:  # it is coded as all others, and its packet says what it is
            self._fields = {}
        self._setters: dict[str, Any] = {}
        self._durations: dict[int, int] = {}  # by time: encoders do not pass them on
        self._held: dict[int, dict[str, bytes]] = {}

    @property
    def extradata(self) -> bytes:
        """The codec's global header; known after the first frame."""
        return bytes(self.context.extradata or b"")

    def encode(self, frame: Painted) -> Iterator[Coded]:
        """Packets that came out when this frame went in."""
        picture = av.VideoFrame(self.reel.width, self.reel.height, self.target.pix_fmt)
        for i, plane in enumerate((frame.luma, frame.cb, frame.cr)):
            np.copyto(plane_view(picture, i), plane, casting="no")
        picture.pts, picture.time_base, picture.duration = frame.pts, self.reel.time_base, frame.duration
        picture.color_range = self.context.color_range
        picture.colorspace = self.context.colorspace
        picture.color_primaries, picture.color_trc = self.context.color_primaries, self.context.color_trc
        if word := self._fields.get(frame.pts, self._word):
            if word not in self._setters:
                self._setters[word] = _field_setter(word, self.reel, self.target)
            self._setters[word].push(picture)
            picture = self._setters[word].pull()
            picture.pts, picture.time_base, picture.duration = frame.pts, self.reel.time_base, frame.duration
        self._durations[frame.pts] = frame.duration
        self._held[frame.pts] = dict(frame.aside.only(self.codec.carries))
        yield from self._packets(picture)

    def flush(self) -> Iterator[Coded]:
        """The packets still inside."""
        yield from self._packets(None)

    def _packets(self, picture: av.VideoFrame | None) -> Iterator[Coded]:
        try:
            with nullcontext() if self.context.is_open else ordinary():
                packets = self.context.encode(picture)
        except av.FFmpegError as error:
            raise EncodeError(f"{self.reel.uri}: {self.context.name} refuses {self.target.pix_fmt}: {error}") from error
        for packet in packets:
            if packet.size:
                dts = packet.dts if packet.dts is not None else packet.pts
                data = bytes(packet)
                if self.codec.mend is not None:
                    data = self.codec.mend(data, self.context.colorspace)
                if self.codec.mark is not None and packet.pts in self._marks:
                    data = self.codec.mark(data, self._marks[packet.pts])
                held = self._held.pop(packet.pts)
                if self.codec.carry is not None and held:
                    data = self.codec.carry(data, held)
                yield Coded(packet.pts, dts, self._durations.pop(packet.pts), packet.is_keyframe, data)


def _field_setter(word: str, reel: Reel, target: Target) -> Any:
    """A filter graph that marks frames as interlaced, or as not; PyAV's frame flags are read-only."""
    graph = av.filter.Graph()
    base = Fraction(reel.time_base)
    source = graph.add_buffer(
        width=reel.width, height=reel.height, format=av.VideoFormat(target.pix_fmt), time_base=base
    )
    setter, sink = graph.add("setfield", "prog" if word == PROGRESSIVE else word), graph.add("buffersink")
    source.link_to(setter)
    setter.link_to(sink)
    graph.configure()
    return graph
