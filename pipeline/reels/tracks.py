"""Tracks: what becomes of a source's sound, subtitles, attachments and data in an output.

Copied packet for packet where the container takes the codec; sound is converted where it does not; what cannot go
through is named.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import chain
from math import ceil
from typing import Any

import av
import numpy as np

from pipeline.containers import chapters, labels
from pipeline.containers.codecs import SoundCodec
from pipeline.containers.containers import CONTAINERS, Container
from pipeline.reels import covers
from pipeline.reels.covers import COVER, is_cover
from pipeline.reels.heard import heard, places
from pipeline.reels.reel import Reel, frames_of
from pipeline.reels.sound_kinds import CHANGING
from pipeline.reels.whole import chapters_for
from pipeline.values.claims import claim, why_not

TRACKS = ("audio", "subtitle", "attachment", "video")
"""Kinds of tracks that an output can hold beside its picture."""

PICTURE, CHAPTERS = "picture", "chapters"
"""Kinds of fates that are told only where something of the picture's labels or of the chapters cannot be held."""

GAP = Fraction(1, 50)
"""Seconds that a source's sound may be beside its own time before silence is put in, or samples are left out."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One track's fate. how: "copied", "converted" or "lost" ("painted": the picture).

    why: what stood in the way; out: stream in the output; rejected: packets that the container refused. rate, layout:
    what sound becomes that changes on its way; 0 and "" where it is as its header says.
    """

    index: int
    kind: str
    codec: str
    how: str
    why: str = ""
    out: int = -1
    rejected: int = 0
    rate: int = 0
    layout: str = ""

    @property
    def name(self) -> str:
        """What findings call it."""
        return f"{self.kind} {self.index}{f' ({self.codec})' * bool(self.codec)}"

    @property
    def unheard(self) -> bool:
        """Whether it is sound of which only the packets may be touched."""
        return labels.UNHEARD in self.why

    @property
    def loss(self) -> str:
        """What of the track is not in the output and why, for a person; "" if all of it is there or as good."""
        if self.kind == CHAPTERS:
            return f"{self.kind}: {self.why}"
        why = self.why if self.how == "lost" else labels.losses_in(self.why)
        what = f"{self.kind} {self.index} {self.codec}".rstrip()  # attachments have no codec
        return f"{what}: {why}" if self.how == "lost" or why else ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def accepts(stream: Any, container: Container) -> str:
    """Why an output of this kind does not take a stream as it is, or an empty string. Tried, not looked up."""
    suffix = container.suffix
    if not container.pcm and stream.type == "audio" and stream.codec_context.name.startswith("pcm"):
        return f"few players read {stream.codec_context.name} in {suffix} files"
    try:
        with av.open(io.BytesIO(), "w", format=container.muxer) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (ValueError, av.FFmpegError, NotImplementedError, TypeError) as error:
        reason = str(error).split("\n")[0]
        name = stream.codec_context.name if stream.codec_context else stream.type
        return f"{suffix} files do not take {name} ({reason})"
    return ""


def decide(source: Any, reel: Reel, container: Container) -> list[Carried]:
    """The fate of every track beside the picture, and what of the picture's labels and the chapters is not held."""
    fates = []
    for stream in source.streams:
        if stream.index == reel.stream:
            if unheld := labels.unheld(stream, container):
                fates.append(Carried(stream.index, PICTURE, reel.codec, "painted", unheld))
            continue
        codec = stream.codec_context.name if stream.codec_context else ""
        if is_cover(stream):
            why = covers.unheld(codec, container)
            fates.append(Carried(stream.index, COVER, codec, "lost" if why else "copied", why))
            continue
        fate = _fate(stream, reel, container, codec)
        if fate.kind in TRACKS and fate.how != "lost" and (unheld := labels.unheld(stream, container)):
            fate = replace(fate, why=f"{fate.why}; {unheld}" if fate.why else unheld)
        fates.append(fate)
    if unheld := chapters.unheld(chapters_for(source, reel.uri, container), container):
        fates.append(Carried(-1, CHAPTERS, "", "converted", unheld))
    return fates


def _fate(stream: Any, reel: Reel, container: Container, codec: str) -> Carried:
    if stream.type == "data":
        if "timecode" in stream.metadata and reel.timecode:
            return Carried(stream.index, "data", codec, "copied", "time code, written anew by the container")
        if stream.discard == av.stream.Discard.all and stream.container.chapters():  # QuickTime's chapter titles
            return Carried(stream.index, "data", codec, "copied", "chapters, written anew by the container")
        return Carried(stream.index, "data", codec, "lost", "a data track; no container of ours takes it")
    if stream.type == "attachment" and (claimed := claim(f"{stream.name} {stream.mimetype}")):
        return Carried(stream.index, "attachment", codec, "lost", f"{stream.name!r}: {why_not(claimed)}")
    if stream.type == "attachment" and not container.attachments:
        those = ", ".join(c.suffix for c in CONTAINERS.values() if c.attachments)
        why = f"{stream.name!r}: only {those} files hold attachments"
        return Carried(stream.index, "attachment", codec, "lost", why)
    if stream.type not in ("audio", "subtitle", "attachment", "video"):
        return Carried(stream.index, stream.type, codec, "lost", f"a track of kind {stream.type}")
    if stream.type == "audio" and not codec:
        return Carried(stream.index, "audio", codec, "lost", "its codec is unknown to FFmpeg")
    laid = f"{container.suffix} files lay sound out beside the picture" if not container.timed else ""
    why = laid if laid and stream.type == "audio" else accepts(stream, container)
    if stream.type == "audio":
        return _sound_fate(stream, reel, container, why)
    return Carried(stream.index, stream.type, codec, "lost" if why else "copied", why)


def _sound_fate(stream: Any, reel: Reel, container: Container, why: str) -> Carried:
    """Of sound whose packets are taken, or are not and why: copied, converted if it can be, else lost."""
    codec = stream.codec_context.name
    found = heard(reel.uri, stream.index, decode=bool(why) or reel.format in CHANGING)
    if found is None:
        reasons = f"{why}; {labels.UNHEARD}" if why else labels.UNHEARD
        return Carried(stream.index, "audio", codec, "lost" if why else "copied", reasons)
    change = found.kinds.change if found.kinds is not None and reel.format in CHANGING else ""
    if not why and not change:
        return Carried(stream.index, "audio", codec, "copied")
    why = "; ".join(filter(None, (why, change)))
    sound = container.sound_for(codec)
    if not found.rate or (sound.placed and not found.layout):
        return Carried(stream.index, "audio", codec, "lost", why)
    now = f"now {sound.encoder}"
    if 0 < sound.bits < found.bits:
        now = f"{now}; {labels.ROUNDED.format(sound.bits)}"
    if sound.bit_rate:
        now = f"{now}; {labels.COMPRESSED.format(sound.name)}"
    rate, layout = found.kinds.widest if change and found.kinds is not None else (0, "")
    if (wanted := sound.rate_for(was := rate or found.rate)) != was:
        now = f"{now}; {labels.RESAMPLED.format(wanted, was)}"
    if sound.numbered and (placed := layout or found.layout) not in sound.numbered:
        now = f"{now}; {labels.UNNUMBERED.format(placed, sound.name)}"
    return Carried(stream.index, "audio", codec, "converted", f"{why}; {now}", rate=rate, layout=layout)


class Sound:
    """Converts a sound track: decoded samples in, packets of the output's codec out.

    seconds: where a container has no times, the picture's length, which the sound is laid out along. fate: what is
    known of sound that changes on its way.
    """

    def __init__(
        self, source: Any, out: Any, codec: SoundCodec, seconds: Fraction | None = None, fate: Carried | None = None
    ) -> None:
        context = source.codec_context
        rate = codec.rate_for((fate.rate if fate is not None else 0) or context.sample_rate)
        self.stream = out.add_stream(codec.encoder, rate=rate)
        layout = (fate.layout if fate is not None else "") or places(context) or context.layout.name
        made = self.stream.codec_context
        made.layout, made.format, made.options = layout, codec.wave, codec.options_for(layout)
        if codec.bit_rate:
            made.bit_rate = codec.bits_per_second(rate, av.AudioLayout(layout).nb_channels)
        self.stream.time_base = made.time_base = Fraction(1, rate)
        self._resampler = Resampler(codec.wave, layout, rate)
        self._lay = Lay(codec.wave, layout, rate, ceil(seconds * rate)) if seconds is not None else None
        self._until = 0

    @property
    def cut(self) -> Fraction:
        """Seconds of sound that lie beside no picture and are left out."""
        return Fraction(self._lay.cut, self.stream.rate) if self._lay is not None else Fraction(0)

    def convert(self, packet: Any, shift: Fraction) -> Iterator[Any]:
        """Packets of the new codec for one packet of the old."""
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= round(shift / frame.time_base)
            yield from self._encoded(self._resampler.push(frame))

    def flush(self) -> Iterator[Any]:
        """What is still inside."""
        yield from self._encoded(self._resampler.push(None))
        if self._lay is not None and (rest := self._lay.rest()) is not None:
            yield from self.stream.encode(rest)
        yield from self.stream.encode(None)

    def _encoded(self, parts: list[Any]) -> Iterator[Any]:
        for part in parts:
            for laid in self._lay.put(part) if self._lay is not None else [self._behind(part)]:
                yield from self.stream.encode(laid)

    def _behind(self, part: Any) -> Any:
        """A frame in the encoder's own time, not begun before the last one's end.

        Where films were joined, sound may lie upon sound, and a resampler's clock is another where the source's rate
        changes: the encoder would give every later packet a time that no container takes.
        """
        rate = int(self.stream.rate)
        place = self._until if part.pts is None else max(self._until, round(part.pts * part.time_base * rate))
        part.pts, part.time_base = place, Fraction(1, rate)
        self._until = place + int(part.samples)
        return part


class Lay:
    """Lays sound out from 0 to a length in samples: silence where there is none, and what lies outside is cut off."""

    def __init__(self, wave: str, layout: str, rate: int, length: int) -> None:
        self._wave, self._layout, self._rate, self._length = wave, layout, rate, length
        self._channels = av.AudioLayout(layout).nb_channels
        self.at = self.cut = 0

    def put(self, part: Any) -> Iterator[Any]:
        """Frames that follow on the last for a frame with its time."""
        samples = part.to_ndarray().reshape(-1, self._channels)
        place = round(part.pts * part.time_base * self._rate) if part.pts is not None else self.at
        if self.at and abs(place - self.at) <= self._rate * GAP:
            place = self.at  # a codec's or a container's rounding
        if place > self.at:
            yield from self._frames(np.zeros((min(place, self._length) - self.at, self._channels), samples.dtype))
        early = max(0, self.at - place)
        kept = samples[early : early + self._length - self.at]
        self.cut += len(samples) - len(kept)
        yield from self._frames(kept)

    def rest(self) -> Any:
        """Silence up to the end, or None."""
        return next(self._frames(np.zeros((self._length - self.at, self._channels), np.int32)), None)

    def _frames(self, samples: np.ndarray) -> Iterator[Any]:
        if len(samples) <= 0:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), self._wave, self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self.at, Fraction(1, self._rate)
        self.at += len(samples)
        yield frame


class Resampler:
    """Sound in one format, layout and rate, also where the source changes its own on the way (broadcast does)."""

    def __init__(self, wave: str, layout: str, rate: int) -> None:
        self._target = wave, layout, rate
        self._kind: tuple[str, str, int] | None = None
        self._inner: Any = None

    def push(self, frame: Any) -> list[Any]:
        """Frames that came out when this one went in; None for what is still inside."""
        parts: list[Any] = []
        kind = (frame.format.name, frame.layout.name, frame.sample_rate) if frame is not None else None
        if self._inner is not None and kind != self._kind:
            parts, self._inner = self._inner.resample(None), None
        if frame is not None:
            self._inner, self._kind = self._inner or av.AudioResampler(*self._target), kind
            parts += self._inner.resample(frame)
        return parts


def samples_digest(
    container: Any, stream: Any, rate: int, skip: int = 0, failed: Callable[[av.FFmpegError], None] = lambda _: None,
    layout: str = "",
) -> tuple[np.ndarray, int]:  # fmt: skip
    """Decoded sound at a rate as mean levels of 100 ms blocks (for comparing tracks whose packets differ), and its
    length in samples. skip: samples left out at the beginning, where an encoder put silence of its own. failed: told
    of packets that do not decode. layout: where it was converted to more channels, as what begins with two and goes on
    with six is, those.
    """
    resampler = Resampler("flt", layout or places(stream.codec_context) or stream.codec_context.layout.name, rate)
    block = max(1, rate // 10)
    levels: list[np.ndarray] = []
    rest, length = np.zeros(0, np.float32), 0
    for part in _heard(container, stream, resampler, failed):
        length += len(part)
        rest = np.concatenate([rest, np.abs(part[max(0, len(part) - (length - skip)) :])]) if length > skip else rest
        whole = len(rest) // block * block
        levels.append(rest[:whole].reshape(-1, block).mean(1))
        rest = rest[whole:]
    return (np.concatenate(levels) if levels else rest[:0]), length


def _heard(
    container: Any, stream: Any, resampler: Resampler, failed: Callable[[av.FFmpegError], None]
) -> Iterator[np.ndarray]:
    """First channel of a sound track, damaged packets left out.

    The resampler's samples must be interleaved: of planes PyAV 18.1 takes more than there are from eight channels on,
    and reads where nothing is.
    """
    for frame in chain(frames_of(container, stream, failed), [None]):
        for part in resampler.push(frame):
            yield part.to_ndarray().reshape(part.samples, -1)[:, 0]
