"""What a worker does with a segment: decode, color, encode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from colorizer.painting.colorizer import Colorizer
from pipeline.containers.profiles import PROFILES
from pipeline.reels.decode import Reader
from pipeline.reels.encode import Encoder, Painted
from pipeline.reels.frames import Frame
from pipeline.reels.plan import Segment
from pipeline.reels.projection import sums_of
from pipeline.reels.target import Target, target_for
from pipeline.spread.ahead import ahead
from pipeline.storage.job_folder import piece_name
from pipeline.storage.ledger import Receipt
from pipeline.storage.piece_file import piece_file
from pipeline.values.units import Report


class SegmentPainter:
    """Paints segments of one job: keeps the weights and the open reel between them."""

    def __init__(self, colorizer: Colorizer, job: Path) -> None:
        self.colorizer, self.job = colorizer, job
        self._reader: Reader | None = None

    def paint(self, segment: Segment, attempt: int, report: Report = lambda _: None) -> Receipt:
        """Decode, color and encode a segment; its packets are published under a name that carries the attempt.

        report: told of each frame when it is encoded.
        """
        self.colorizer.notes.clear()
        profile = PROFILES[segment.settings.profile]
        target = target_for(segment.reel, profile)
        fields = dict(zip(segment.pts, segment.fields, strict=True)) if segment.fields else {}
        encoder = Encoder(segment.reel, profile, target, fields)
        name, packets, chroma = piece_name(segment.id, attempt, "packets"), [], 0.0
        sums: list[str] = []
        painted = ahead(self._painted(segment, target), 4)
        # closed here and now, also on Ctrl-C: the decoder's thread must not outlive the file it reads
        with closing(painted), piece_file(self.job, name) as file:

            def write(coded: Iterator) -> None:
                for packet in coded:
                    file.write(packet.data)
                    packets.append((packet.pts, packet.dts, packet.duration, packet.key, len(packet.data)))

            neutral, scale = target.coding.neutral, 2 ** (target.coding.bits - 8)
            for frame in painted:
                write(encoder.encode(frame))
                off = abs(frame.cb[::4, ::4].astype(np.int32) - neutral) + abs(
                    frame.cr[::4, ::4].astype(np.int32) - neutral
                )
                chroma += float(off.mean()) / scale
                sums += [frame.sums] * bool(frame.sums)
                report(1)
            write(encoder.flush())
        return Receipt(
            segment.id, attempt, name, file.size, file.sha256, encoder.extradata.hex(),
            round(chroma / len(segment.pts), 3), tuple(packets), tuple(sorted(self.colorizer.notes)), tuple(sums),
        )  # fmt: skip

    def _painted(self, segment: Segment, target: Target) -> Iterator[Painted]:
        if segment.kept:
            yield from self._kept(segment, target)
            return
        times, done = iter(zip(segment.pts, segment.durations, strict=True)), 0
        for batch in _batches(ahead(self._frames(segment), segment.settings.batch), segment.settings.batch):
            luma = np.stack([frame.luma for frame in batch])
            made = [target.luma(frame.luma) for frame in batch]
            sums = [_sums(segment, y) for y in made]  # of what was read, before anything else is done to it
            look = segment.look if segment.look.ndim == 1 else segment.look[done : done + len(batch)]
            cb, cr = self._chroma(luma, look, segment, target)
            done += len(batch)
            for i, frame in enumerate(batch):
                pts, duration = next(times)
                yield Painted(pts, duration, made[i], cb[i], cr[i], frame.aside, sums[i])

    def _kept(self, segment: Segment, target: Target) -> Iterator[Painted]:
        """Frames with the colors that they have."""
        times = zip(segment.pts, segment.durations, strict=True)
        for frame, (pts, duration) in zip(self._frames(segment), times, strict=True):
            assert self._reader is not None
            assert self._reader.raw is not None
            luma = target.luma(frame.luma)
            sums = _sums(segment, luma)
            cb, cr = target.chroma(self._reader.raw)
            yield Painted(pts, duration, luma, cb, cr, frame.aside, sums)

    def _chroma(
        self, luma: np.ndarray, look: np.ndarray, segment: Segment, target: Target
    ) -> tuple[np.ndarray, np.ndarray]:
        settings, coding = segment.settings, segment.reel.coding
        geometry = replace(segment.reel.geometry, step_y=target.step_y, step_x=target.step_x)
        if settings.looks == "per-frame":
            look, _ = self.colorizer.look(np.stack([self.colorizer.whole(y, coding, geometry) for y in luma]))
        return self.colorizer.chroma(luma, coding, geometry, look, settings.working_size, target.coding)

    def _frames(self, segment: Segment) -> Iterator[Frame]:
        wanted = segment.reel, segment.settings.invert
        if self._reader is None or (self._reader.reel, self._reader.inverted) != wanted:
            self.close()
            self._reader = Reader(segment.reel, inverted=segment.settings.invert)
        return self._reader.read(segment.offset, segment.pts, segment.digests, segment.seekable)

    def close(self) -> None:
        """Release the reel."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None


def _sums(segment: Segment, luma: np.ndarray) -> str:
    """What the check holds the output's luma against; nothing where digests do that, or a source's own codes. luma: as
    the output is to have it."""
    if PROFILES[segment.settings.profile].lossless or segment.settings.invert:
        return ""
    return sums_of(luma)


def _batches(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    while batch := list(islice(frames, size)):
        yield batch
