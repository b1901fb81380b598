"""Join: packets of all segments and the source's other tracks become one file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from errno import EPERM
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from colorizer.basis.atomic import claim, synced
from colorizer.basis.errors import JoinError
from pipeline.containers import language_tags
from pipeline.containers.chapters import clipped
from pipeline.containers.containers import Container, container_of
from pipeline.containers.covers import put_covers
from pipeline.containers.film_tags import is_stream_tag
from pipeline.containers.labels import BESIDE, language_in, title_of
from pipeline.containers.profiles import PROFILES, Profile
from pipeline.reels.covers import COVER, covers_of
from pipeline.reels.encode import configure
from pipeline.reels.heard import places
from pipeline.reels.packets import shown
from pipeline.reels.plan import Plan
from pipeline.reels.reel import open_source, packets_of, readable
from pipeline.reels.scheduling import ordinary
from pipeline.reels.sidecar import marked
from pipeline.reels.target import target_for
from pipeline.reels.tracks import Carried, Sound, decide
from pipeline.reels.whole import chapters_for, language_tags_of, stream_tags_for, tags_for, write_whole
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.values.file_url import local
from pipeline.values.timecode import mended
from pipeline.values.words import counted

EMPTY = "not one packet is in it, and {} files hold no empty track"
LEAD = Fraction(1)
"""Seconds before a piece from which its sound is decoded."""
BROADCAST = ("mpegts", "mpeg")
"""Formats whose clock starts anywhere; their times are moved to begin at zero, all tracks alike."""


def shift_of(plan: Plan, container: Any, timed: bool = True) -> Fraction:
    """Seconds taken off every time. timed: tracks have times of their own; where not, the picture begins at zero."""
    if plan.skip or plan.settings.start or not timed:
        return Fraction(plan.pts[0] * plan.reel.time_base)
    if plan.reel.format in BROADCAST and container is not None and container.start_time:
        return min(Fraction(container.start_time, 1_000_000), Fraction(plan.pts[0] * plan.reel.time_base))
    return Fraction(0)


def join(plan: Plan, receipts: list[Receipt], ledger: Ledger, scratch: Path) -> list[Carried]:
    """Write the output to `scratch`; returns what became of the tracks. Raises JoinError, or OSError from the disk.

    Receipts whose packets cannot be used are taken out of the ledger, so that the next run paints them.
    """
    profile, reel, container = PROFILES[plan.settings.profile], plan.reel, container_of(scratch)
    options = {"fflags": "bitexact", **dict(container.options), **dict(container.finish)}
    with ExitStack() as stack:
        source: Any = None
        if not reel.is_sequence:
            with readable(reel.uri):
                source = stack.enter_context(open_source(reel.uri))
        stack.enter_context(_muxing(reel.uri, container))
        claim(scratch)
        stack.enter_context(synced(scratch))
        out: Any = stack.enter_context(av.open(local(scratch), "w", format=container.muxer, container_options=options))
        writer = _Writer(plan, (profile, container), source, out, ledger)
        writer.header(receipts)
        writer.packets(receipts)
        out.close()
        writer.boxes(scratch)
        carried = writer.carried()
        if writer.languages:
            language_tags.put(scratch)
        if source is not None and container.whole:
            write_whole(source, reel.uri, scratch, writer.pairs(), writer.tags, _piece(plan, writer.shift))
    if container.set_picture is not None and writer.unsaid:
        container.set_picture(scratch, writer.video.index, reel.aspect, reel.hdr)
    return carried


@contextmanager
def _muxing(uri: str, container: Container) -> Iterator[None]:
    """What a muxer refuses is a JoinError; what the disk refuses stays an OSError."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise JoinError(f"{uri}: the {container.suffix} file cannot be written: {error}") from error


class _Writer:
    """The open output: its streams and what becomes of each track."""

    def __init__(self, plan: Plan, how: tuple[Profile, Container], source: Any, out: Any, ledger: Ledger) -> None:
        self.plan, (self.profile, self.container) = plan, how
        self.unsaid = plan.reel.aspect != 1 or bool(plan.reel.hdr)  # by the muxer: see Container.set_picture
        self.source, self.out, self.ledger = source, out, ledger
        self.shift = shift_of(plan, source, self.container.timed)
        parts = chapters_of(plan, source, self.shift, self.container) if source is not None else []
        self.fates = {c.index: c for c in decide(source, plan.reel, self.container)} if source is not None else {}
        self.copies: dict[int, Any] = {}
        self.sounds: dict[int, Sound] = {}
        self.rejected: dict[int, int] = {}
        self.written: set[int] = set()
        self.last: dict[int, tuple[int, int, int]] = {}  # of a copied track's last packet: time, as stated, and length
        self.languages = language_tags_of(source, plan.reel.uri, self.container) if source is not None else {}
        tags = tags_for(source, plan.reel.uri, self.container) if source is not None else {}
        prefix = self.container.tag_prefix  # the source's own file may have had it
        self.tags = {prefix + k.removeprefix(prefix): v for k, v in marked(tags, plan).items()}
        out.metadata.update(self.tags)
        order = [s.index for s in source.streams] if source is not None else [plan.reel.stream]
        for index in order:
            if index == plan.reel.stream:
                self.video = self._picture(source.streams[index] if source is not None else None)
            elif self.fates[index].how != "lost" and self.fates[index].kind != COVER:
                self._track(source.streams[index])
        mine = [f.index for f in self.fates.values() if f.kind == COVER and f.how != "lost"]
        self.covers = covers_of(plan.reel.uri, mine) if mine else []
        for cover in self.covers if self.container.attachments else ():
            out.add_attachment(cover.name, cover.kind, cover.data)
        if parts:
            out.set_chapters(parts)

    def _picture(self, like: Any) -> Any:
        reel = self.plan.reel
        stream = self.out.add_stream(self.profile.codec.encoder, rate=self.container.rate_for(reel.rate))
        configure(
            stream.codec_context, self.plan.coded_reel, self.profile, target_for(reel, self.profile), self.container,
            mixed=self.profile.codec.marks and bool(self.plan.fields),
        )  # fmt: skip
        stream.time_base = reel.time_base
        tags = self._stream_tags(like) if like is not None else {}
        if self.container.reserve is not None and self.unsaid:
            tags["title"] = self.container.reserve(tags.get("title"), bool(reel.hdr))
        stream.metadata.update(tags)
        if code := mended(reel.timecode, reel.rate) if self.container.counts else reel.timecode:
            stream.metadata["timecode"] = code
        if reel.rotation or reel.tilt or reel.mirrored:
            degrees = (reel.rotation + reel.tilt + 179) % 360 - 179
            stream.set_display_rotation(degrees, hflip=reel.mirrored)
        if like is not None:
            stream.disposition = like.disposition
        return stream

    def _track(self, like: Any) -> None:
        fate = self.fates[like.index]
        if fate.kind == "data":
            return
        if fate.how == "converted":
            sound = Sound(
                like, self.out, self.container.sound_for(fate.codec),
                None if self.container.timed else seconds_of(self.plan), fate,
            )  # fmt: skip
            self.sounds[like.index], stream = sound, sound.stream
        else:
            stream = self.out.add_stream_from_template(like)
            if like.type == "audio" and not fate.unheard and places(like.codec_context):
                stream.codec_context.layout = places(like.codec_context)
            self.copies[like.index] = stream
        stream.metadata.update(self._stream_tags(like))
        stream.disposition = like.disposition
        self.fates[like.index] = replace(fate, out=stream.index)

    def _again(self, receipts: list[Receipt], why: str) -> JoinError:
        for receipt in receipts:
            self.ledger.forget(receipt.unit)
        return JoinError(f"{why}; run the same command again to paint them anew")

    def header(self, receipts: list[Receipt]) -> None:
        """Start the file; refuses segments whose encoder differs from this one's."""
        try:
            with ordinary():
                self.out.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError) and error.errno != EPERM:  # some muxers say that of what they do not take
                raise
            message = f"{self.plan.reel.uri}: the {self.container.suffix} file cannot be started: {error}"
            raise JoinError(message) from error
        mine = bytes(self.video.codec_context.extradata or b"")
        if others := [r for r in receipts if r.extradata != mine.hex()]:
            raise self._again(others, f"another version of the encoder made {counted(len(others), 'segment')}")

    def packets(self, receipts: list[Receipt]) -> None:
        """Write all packets, picture and tracks merged by time."""
        picture, others = self._picture_packets(receipts), self._other_packets()
        a, b = next(picture, None), next(others, None)
        while a is not None or b is not None:
            if b is None or (a is not None and a[0] <= b[0]):
                assert a is not None
                self.out.mux(a[1])
                a = next(picture, None)
            else:
                self._mux_other(b[1])
                b = next(others, None)

    def _mux_other(self, packet: Any) -> None:
        index = packet.stream_index
        try:
            self.out.mux(packet)
            self.written.add(index)
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError):
                raise
            if packet.size:  # an encoder's last one may be empty, and only say what it made
                self.rejected[index] = self.rejected.get(index, 0) + 1

    def _picture_packets(self, receipts: list[Receipt]) -> Iterator[tuple[Fraction, Any]]:
        base = self.plan.reel.time_base
        shift, last = round(self.shift / base), None
        for receipt in receipts:
            digest = hashlib.sha256()
            path = self.ledger.job / receipt.file
            with path.open("rb") as file:
                for pts, dts, duration, key, size in receipt.pieces:
                    data = file.read(size)
                    digest.update(data)
                    packet = av.Packet(data)
                    if last is not None and dts <= last:
                        raise self._again(receipts, f"segment {receipt.unit} begins before its predecessor ends")
                    packet.time_base, packet.stream = base, self.video
                    packet.pts, packet.dts, packet.duration = pts - shift, dts - shift, duration
                    packet.is_keyframe, last = bool(key), dts
                    yield Fraction(pts * base), packet
            if digest.hexdigest() != receipt.sha256:
                raise self._again([receipt], f"{path}: packets damaged since they were written")

    def _other_packets(self) -> Iterator[tuple[Fraction, Any]]:
        streams = [self.source.streams[i] for i in (*self.copies, *self.sounds)] if self.source is not None else []
        if not streams:
            return
        plan, time = self.plan, Fraction(plan_begin(self.plan))
        end = Fraction(plan.next_pts(len(plan.pts)) * plan.reel.time_base) if plan.settings.stop else None
        every = packets_of(self.source, streams)
        for packet in every if self.container.edits else shown(every):
            if packet.size == 0:
                continue
            stamp = packet.dts if packet.dts is not None else packet.pts
            time = Fraction(stamp * packet.time_base) if stamp is not None else time
            index = packet.stream.index
            early = 0 if index not in self.sounds or self.container.timed else LEAD  # laid out by the sample
            if (plan.settings.start and time < self.shift - early) or (end is not None and time >= end):
                continue
            if index in self.sounds:
                for made in self.sounds[index].convert(packet, self.shift):
                    yield time, made
                continue
            offset = round(self.shift / packet.time_base)
            if packet.pts is not None:
                packet.pts -= offset
            if packet.dts is not None:
                packet.dts -= offset
            if self.container.rising and packet.stream.type == "audio":
                self._part(index, packet)
            packet.stream = self.copies[index]
            yield time, packet
        for sound in self.sounds.values():
            for made in sound.flush():
                yield time, made

    def _part(self, index: int, packet: Any) -> None:
        """Move a packet of sound with the time of the one before, as broadcasts have some, to where that one ends."""
        if packet.dts is None:
            return
        stated = packet.dts
        last, before, duration = self.last.get(index, (stated - 1, stated - 1, 1))
        if stated in (before, last):
            packet.dts = last + duration
            packet.pts = packet.pts + packet.dts - stated if packet.pts is not None else None
        self.last[index] = packet.dts, stated, max(1, packet.duration or 0)

    def _stream_tags(self, like: Any) -> dict[str, str]:
        tags = _stream_tags(stream_tags_for(like, self.plan.reel.uri, self.container), self.container)
        if tag := self.languages.get(like.index, ""):
            tags["language"] = language_tags.reserve(tags.get("language", "und"), tag)
        return tags

    def boxes(self, path: Path) -> None:
        """Put covers into the finished file, where its kind has boxes for them; one that cannot be is lost."""
        if not self.covers or not self.container.cover_kinds:
            return
        try:
            put_covers(path, [(cover.codec, cover.data) for cover in self.covers])
        except ValueError as error:
            for cover in self.covers:
                fate = self.fates[cover.index]
                self.fates[cover.index] = replace(fate, how="lost", why=f"it cannot be put in: {error}")

    def pairs(self) -> list[tuple[int, int]]:
        """Streams of the source and where they are in the output."""
        tracks = [(i, f.out) for i, f in self.fates.items() if f.out >= 0 and i >= 0]
        return [(self.plan.reel.stream, self.video.index), *tracks]

    def carried(self) -> list[Carried]:
        """What became of each track."""
        return [self._carried(index, fate) for index, fate in self.fates.items()]

    def _carried(self, index: int, fate: Carried) -> Carried:
        """A track's fate, now that all packets are written."""
        hollow = fate.out >= 0 and fate.kind != "attachment" and fate.out not in self.written
        if hollow and not self.container.empty:
            why = EMPTY.format(self.container.suffix)
            return replace(fate, how="lost", why=why, out=-1, rejected=self.rejected.get(fate.out, 0))
        return replace(fate, rejected=self.rejected.get(fate.out, 0), why=self._why(index, fate))

    def _why(self, index: int, fate: Carried) -> str:
        piece = self.plan.settings.start or self.plan.settings.stop
        cut = self.sounds[index].cut if index in self.sounds and not piece else Fraction(0)
        return f"{fate.why}; {BESIDE.format(f'{float(cut):.3f}')}" if cut else fate.why


def chapters_of(plan: Plan, source: Any, shift: Fraction, container: Container) -> list[Any]:
    """The source's chapters as its muxer is to write them; of a piece those that it touches, moved with it."""
    parts, piece = chapters_for(source, plan.reel.uri, container), _piece(plan, shift)
    return clipped(parts, *piece) if piece is not None else parts


def _piece(plan: Plan, shift: Fraction) -> tuple[Fraction, Fraction, Fraction] | None:
    """Seconds at which a piece begins and ends, and by which it moves; None for a whole reel."""
    if not (plan.settings.start or plan.settings.stop):
        return None
    return plan_begin(plan), Fraction(plan.next_pts(len(plan.pts)) * plan.reel.time_base), shift


def seconds_of(plan: Plan) -> Fraction:
    """Length of the picture."""
    return Fraction(plan.next_pts(len(plan.pts)) * plan.reel.time_base) - plan_begin(plan)


def plan_begin(plan: Plan) -> Fraction:
    """Time of the first frame, seconds."""
    return Fraction(plan.pts[0] * plan.reel.time_base)


def _stream_tags(tags: Any, container: Container) -> dict[str, str]:
    kept = {k: v for k, v in tags.items() if is_stream_tag(k)}
    if kept.get("language", "und") != "und":
        kept["language"] = language_in(container, kept["language"]) or "und"
    if title := title_of(kept):
        kept.pop("name", None)
        kept["title"] = title
    return kept
