"""Decoding: frames in order, damage counted and never hidden.

FFmpeg's decoders stop at the first bad packet unless asked packet by packet, report FFV1 checksum errors only in
their log, and seek inexactly in a third of real files. This file knows all three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np

from colorizer.basis.errors import SourceError, UnsupportedSource
from pipeline.containers.planes import luma_plane
from pipeline.reels.account import Account
from pipeline.reels.beside import Aside, aside_of
from pipeline.reels.clock import Clock
from pipeline.reels.fields import FieldReader
from pipeline.reels.frames import Frame, luma_digest
from pipeline.reels.pictures import Pictures
from pipeline.reels.reel import Reel, open_source, packets_of, readable
from pipeline.reels.user_data import looker
from pipeline.values.words import counted, harm

SLICED = ("ffv1", "prores", "dnxhd", "cfhd", "jpeg2000", "dpx", "exr", "tiff", "png")
"""Codecs whose slice threads give the same samples as one thread. Others get one thread: with several, what a decoder
makes of damaged data depends on timing, and an output could not be reproduced."""

CHECKSUM = "CRC mismatch"

FEW = 5
"""Damaged frames that a sentence names."""


@dataclass(slots=True)
class Damage:
    """What was found wrong while decoding. frames: index -> what is wrong with it. packets: error name -> count.

    gone: times, in the reel's time base, of packets that cannot be decoded. account: of all packets that were read.
    jumps: of the file's clock, see Clock.
    """

    frames: dict[int, str] = field(default_factory=dict)
    packets: Counter[str] = field(default_factory=Counter)
    gone: list[int] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    jumps: list[Fraction] = field(default_factory=list)

    def any(self) -> bool:
        """Whether anything was wrong."""
        return bool(self.frames or self.packets)

    def __str__(self) -> str:
        """In words, such as `2 damaged frames (3: checksum, 9: truncated); 4 packets cannot be decoded`."""
        few = [f"{index}: {what}" for index, what in sorted(self.frames.items())[:FEW]]
        many = ", ..." if len(self.frames) > FEW else ""
        frames = f"{counted(len(self.frames), 'damaged frame')} ({', '.join(few)}{many})"
        packets = [harm(self.packets)] * bool(self.packets)
        return "; ".join([frames] * bool(self.frames) + packets) or "no damaged frame or packet"


class Reader:
    """Decodes a reel's picture from its beginning, frame by frame. Use as a context manager.

    `position` is the index of the next frame. Pictures that change size or format are refused by name: one output
    cannot hold both untouched.
    """

    def __init__(
        self, reel: Reel, damage: Damage | None = None, logs: list[Any] | None = None, inverted: bool = False,
        ours: bool = False,
    ) -> None:  # fmt: skip
        """damage: filled while decoding. logs: what `av.logging.Capture` collects; needed to see FFV1 checksums.

        inverted: the reel is a negative, and frames have the luma of its positive. ours: this program wrote it, so that
        two frames may be decoded at a time; what several threads make of damaged data depends on their timing.
        """
        self.reel = reel
        self.damage = damage
        self.inverted = inverted
        self._ours = ours
        self._logs = logs
        self.position = 0
        self._exact = True
        self._fields = FieldReader()
        self._looker = looker(reel)
        self._unseen: dict[int | None, frozenset[str]] = {}
        self.raw: av.VideoFrame | None = None
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._open()

    def _open(self, first: int = 0) -> None:
        self.close()
        self.position, self._exact = first, True
        if self.reel.is_sequence:
            self._frames = self._numbered(first)
            return
        with readable(self.reel.uri):
            self._container = open_source(self.reel.uri)
        stream: Any = self._container.streams[self.reel.stream]
        kind = "SLICE" if self.reel.codec in SLICED else "FRAME" if self._ours else "NONE"
        stream.codec_context.thread_type = kind
        stream.codec_context.thread_count = 1 if kind == "NONE" else 2
        self._frames = self._decode(self._container, stream)

    def _numbered(self, first: int) -> Iterator[av.VideoFrame]:
        reel = self.reel
        pictures = Pictures(reel.uri, reel.first, reel.count, reel.decoder, reel.span)
        for index, (raw, why) in enumerate(pictures.frames(first), first):
            if why and self.damage is not None:
                self.damage.frames[index] = why
            yield raw

    def _decode(self, container: av.container.InputContainer, stream: Any) -> Iterator[av.VideoFrame]:
        def stopped(error: av.FFmpegError) -> None:
            self._count(f"reading stopped: {type(error).__name__}")

        account, clock = (self.damage.account if self.damage is not None else Account()), Clock(container)
        if self.damage is not None:
            self.damage.jumps = clock.jumps
        for packet in packets_of(container, stream, stopped, clock):
            account.read(packet, self.reel.codec)
            if self._looker is not None and packet.size and (kinds := self._looker(bytes(packet))):
                self._unseen[packet.pts] = kinds
            try:
                decoded = packet.decode()
            except av.error.MemoryError:
                raise  # no fault of the packet
            except av.FFmpegError as error:
                self._count(type(error).__name__)
                account.refused(packet)
                if self.damage is not None and packet.pts is not None:
                    self.damage.gone.append(packet.pts)
                continue
            account.gave(decoded)
            if self._logs is not None:
                self._checksums(decoded)
            yield from decoded

    def _checksums(self, decoded: list[Any]) -> None:
        """Attribute new checksum complaints in FFmpeg's log to the frame just decoded."""
        assert self._logs is not None
        if self.damage is not None and any(CHECKSUM in line[2] for line in self._logs):
            self.damage.packets[CHECKSUM] += 1
            for offset in range(len(decoded)):
                self.damage.frames[self.position + offset] = "checksum wrong (FFV1 slice CRC)"
        self._logs.clear()

    def _count(self, name: str) -> None:
        if self.damage is not None:
            self.damage.packets[name] += 1

    def _fits(self, raw: av.VideoFrame) -> bool:
        """Whether a picture has the reel's size and format."""
        return (raw.width, raw.height, raw.format.name) == (self.reel.width, self.reel.height, self.reel.pix_fmt)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with readable(self.reel.uri):
            raw = next(self._frames)
        reel = self.reel
        if not self._fits(raw):
            raise UnsupportedSource(
                reel.uri,
                f"the picture changes from {reel.width} x {reel.height} {reel.pix_fmt} to {raw.width} x {raw.height} "
                f"{raw.format.name} at frame {self.position}; split the file there and color the parts",
            )
        frame = Frame(
            self.position, raw.pts, self._luma(raw), raw.duration or 0, self._fields.word(raw), self._aside(raw)
        )
        if self.damage is not None and raw.is_corrupt:
            self.damage.frames[self.position] = "flagged corrupt by the decoder"
        self.raw = raw
        self.position += 1
        return frame

    def _aside(self, raw: av.VideoFrame) -> Aside:
        aside = aside_of(raw)
        kinds = self._unseen.pop(raw.pts, None) if self._unseen else None
        return replace(aside, kinds=aside.kinds | kinds) if kinds else aside

    def _luma(self, raw: av.VideoFrame) -> np.ndarray:
        luma = luma_plane(raw, self.reel.coding.matrix)
        return self.reel.coding.inverted(luma) if self.inverted else luma

    def read(self, start: int, pts: Sequence[int], digests: Sequence[str], seekable: bool) -> Iterator[Frame]:
        """Frames start, start + 1, ... as a survey saw them: `digests` proves each one, `pts` finds the first.

        Goes on where the last read ended, else seeks, and decodes from the beginning when the seek lands wrong.
        Raises SourceError when the source no longer decodes to what was surveyed.
        """
        for index, (time, digest) in enumerate(zip(pts, digests, strict=True), start):
            yield self._at(index, time, digest, seekable)

    def _at(self, index: int, pts: int, digest: str, seekable: bool) -> Frame:
        if self.position != index:
            if self.reel.is_sequence:
                self._open(index)
            elif seekable and (found := self._seek(index, pts, digest)) is not None:
                return found
        if self.position == index:
            frame = next(self, None)
            if frame is not None and luma_digest(frame.luma) == digest:
                return frame
        if self.position > index or not self._exact:
            self._open()
        while self.position < index and next(self, None) is not None:
            pass
        frame = next(self, None)
        if frame is not None and luma_digest(frame.luma) == digest:
            return frame
        what = "is missing" if frame is None else "differs"
        raise SourceError(
            self.reel.uri,
            f"frame {index} {what} from what the survey saw; the source changed: start a new job",
        )

    def _seek(self, index: int, pts: int, digest: str) -> Frame | None:
        """The frame at `pts` if seeking finds it with the right content; the caller decodes from the start if not."""
        assert self._container is not None
        stream: Any = self._container.streams[self.reel.stream]
        try:
            self._container.seek(pts, stream=stream, backward=True)
        except av.FFmpegError:
            self._exact = False
            return None
        self._exact = False
        self._frames = self._decode(self._container, stream)
        for raw in self._frames:
            if raw.pts is None or raw.pts > pts:
                return None
            if raw.pts == pts:
                if not self._fits(raw):
                    return None
                luma = self._luma(raw)
                if luma_digest(luma) != digest:
                    return None
                self.raw, self.position = raw, index + 1
                return Frame(index, pts, luma, aside=aside_of(raw))
        return None

    def close(self) -> None:
        """Release the file."""
        if self._container is not None:
            self._container.close()
        self._container = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
