"""Survey: one decode of a whole reel that turns it into a plan: times, digests, shots, looks, damage."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np

from colorizer.basis.errors import DamagedSource, SourceError
from colorizer.basis.light import matrix_words
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.geometry import Geometry
from colorizer.painting.polarity import looks_negative
from colorizer.painting.scenes import likely
from pipeline.census.riff import empty_chunks
from pipeline.reels.account import of_pictures
from pipeline.reels.beside import Beside
from pipeline.reels.cleaned import Cleaner
from pipeline.reels.decode import Damage, Reader
from pipeline.reels.dissolves import REACH, Dissolve, DissolveDetector
from pipeline.reels.fields import runs_of, told
from pipeline.reels.frame_codes import beside_in
from pipeline.reels.frames import Frame, luma_digest
from pipeline.reels.own_colors import Answers, Asker, Colors
from pipeline.reels.piece import Piece
from pipeline.reels.plan import Plan, Settings, Shot, rising
from pipeline.reels.pulldown import film_rate
from pipeline.reels.reel import Reel
from pipeline.reels.shots import CutDetector, areas, signs
from pipeline.spread.ahead import ahead
from pipeline.values.remarks import NEGATIVE, TWICE, assumed
from pipeline.values.words import counted

LOOK_FRAMES = 8
"""Frames of a shot whose looks are averaged: one frame's grain, flash or passer-by should not decide."""

CANDIDATES = 48

RECENT = 2 * REACH
"""Frames after a dissolve until it is known, nearly always."""

EACH = 8
FEW_PICTURES = 3

CORRUPT_SHARE = 0.4
"""Of a reel's frames: where more are flagged as corrupt, it is refused. A sound file may have 0.29 (a recording that
began between key frames), an encrypted one has half."""

HELD_SHARE = 0.25
"""Of a sequence's pictures: where more are bad, and the ones before are held in their places, it is refused."""

REPEATED = (
    "{} have repeat flags (2:3 pulldown): times and durations are as they ask, the rate is {}; the flags are not kept"
)
FOREIGN = "its own colors are stored as {}, which is not read: they are painted too"
GONE = "no frame could be decoded at {} s; the one before is shown longer"
JUMPS = "the file's clock begins anew at {} s of the film; what follows is put behind what came before, with its sound"
FEW_TIMES = 12
"""Times that a note names."""


Picture = tuple[int, np.ndarray]
"""A frame's number and a small copy of it."""


class Candidates:
    """Small copies of the current shot's frames, thinned as the shot grows: bounded memory whatever its length."""

    def __init__(self) -> None:
        self.held: list[Picture] = []
        self.stride = 2
        self._recent: deque[Picture] = deque(maxlen=RECENT // EACH + 1)

    def offer(self, index: int, make: Callable[[], np.ndarray]) -> None:
        """Keep frame `index` if it falls on the stride; for a while, every EACH-th in any case.

        A dissolve is found late: the shot that it begins is then to have pictures, however long the one before it was.
        """
        due = not self.held or index - self.held[-1][0] >= self.stride
        if not due and index % EACH:
            return
        picture = index, make()
        if index % EACH == 0:
            self._recent.append(picture)
        if due:
            self.held.append(picture)
        if len(self.held) > CANDIDATES:
            self.held, self.stride = self.held[::2], self.stride * 2

    def take(self, stop: int, resume: int) -> Pictures:
        """The pictures of the shot that ended before frame `stop`; those from `resume` on are the next one's."""
        mine = Pictures(tuple(p for p in self.held if p[0] < stop), tuple(p for p in self._recent if p[0] < stop))
        rest = {p[0]: p for p in (*self.held, *self._recent) if p[0] >= resume}
        self.held, self.stride = sorted(rest.values(), key=lambda p: p[0]), 2
        self._recent = deque((p for p in self._recent if p[0] >= resume), self._recent.maxlen)
        return mine


@dataclass(frozen=True, slots=True)
class Pictures:
    """Of a shot: some of all its frames, and some of its last ones."""

    all: tuple[Picture, ...]
    last: tuple[Picture, ...]

    def between(self, start: int, stop: int) -> Pictures:
        """Those of frames [start, stop)."""
        return Pictures(*(tuple(p for p in some if start <= p[0] < stop) for some in (self.all, self.last)))

    def chosen(self) -> list[np.ndarray]:
        """A few, away from the shot's ends; as many of its last frames as there are where the others are too few."""
        mine = [p for _, p in (self.all if len(self.all) >= FEW_PICTURES else self.last or self.all)]
        inner = mine[len(mine) // 10 : len(mine) - len(mine) // 10] or mine
        contrast = np.array([float(p.std()) for p in inner])
        messages = [
            p for p, c in zip(inner, contrast, strict=True) if c >= 0.3 * np.median(contrast)
        ]  # not a fade's black
        chosen = np.linspace(0, len(messages) - 1, min(LOOK_FRAMES, len(messages))).round().astype(int)
        return [messages[i] for i in chosen]


@dataclass(frozen=True, slots=True)
class _Span:
    """A shot of which it is not known yet whether a dissolve parts it."""

    start: int
    stop: int
    dissolve: int
    pictures: Pictures

    def parted(self, found: Dissolve) -> tuple[_Span, _Span]:
        before, after = self.pictures.between(0, found.start), self.pictures.between(found.stop, self.stop)
        return (
            _Span(self.start, found.start, self.dissolve, before),
            _Span(found.start, self.stop, found.stop - found.start, after),
        )


def survey(
    reel: Reel, source: dict[str, Any], settings: Settings, colorizer: Colorizer,
    report: Callable[[int], None] = lambda _: None,
) -> Plan:  # fmt: skip
    """Decode a reel once and plan it. report: told the number of frames read so far.

    Raises DamagedSource when most frames are corrupt, SourceError when nothing is left to color.
    """
    damage, logs = Damage(), []
    previous = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=False) as logs, Reader(reel, damage, logs, settings.invert) as reader:
            work = _Survey(reel, settings, colorizer)
            with closing(ahead(_seen_whole(reader), 8)) as frames:
                for frame, colored in frames:
                    if not work.add(frame, colored):
                        break
                    report(frame.index + 1)
    finally:
        av.logging.set_level(previous)
    return work.plan(source, damage)


def _seen_whole(reader: Reader) -> Iterator[tuple[Frame, dict[int, Colors]]]:
    """Frames, and what colors some of them are found to have."""
    asker = Asker()
    for frame in reader:
        assert reader.raw is not None
        aside = beside_in(reader.reel, frame.index, reader.raw, frame.aside)
        yield replace(frame, aside=aside), asker.ask(frame.index, reader.raw)


def survey_shots(
    plan: Plan, numbers: Collection[int], colorizer: Colorizer, report: Callable[[int], None] = lambda _: None
) -> Plan:
    """The plan with looks and scene tags of their own for some shots, each from its frames alone.

    report: told how many frames were read. Raises SourceError if the reel is gone or no longer what was surveyed.
    """
    shots, done = list(plan.shots), 0
    with Reader(plan.reel, inverted=plan.settings.invert) as reader:
        for number in sorted(numbers):
            shot, candidates = shots[number], Candidates()
            span = slice(shot.start, shot.stop)
            read = reader.read(plan.skip + shot.start, plan.pts[span], plan.digests[span], plan.seekable)
            with closing(ahead(read, 8)) as frames:
                for frame in frames:
                    candidates.offer(
                        frame.index - plan.skip,
                        partial(colorizer.whole, frame.luma, plan.reel.coding, plan.reel.geometry),
                    )
                    done += 1
                    report(done)
            pictures = candidates.take(shot.stop, shot.stop).between(shot.start + shot.dissolve, shot.stop)
            look, scenes = _seen(colorizer, pictures.chosen())
            shots[number] = replace(shot, look=look, scenes=scenes, look_from=())
    return replace(plan, shots=tuple(shots))


def _listed(times: list[str]) -> str:
    """A note's times: a few, and how many more there are."""
    return ", ".join(times[:FEW_TIMES]) + f" and {len(times) - FEW_TIMES} more" * (len(times) > FEW_TIMES)


def _seen(colorizer: Colorizer, pictures: list[np.ndarray]) -> tuple[np.ndarray, tuple[tuple[str, float], ...]]:
    """Look and scene tags that pictures of a shot have on average."""
    looks, odds = colorizer.look(np.stack(pictures))
    mean = odds.mean(0)
    return looks.mean(0).astype(np.float32), likely(mean, colorizer.weights.classes)


class _Survey:
    """The running state of a survey."""

    def __init__(self, reel: Reel, settings: Settings, colorizer: Colorizer) -> None:
        self.reel, self.settings, self.colorizer = reel, settings, colorizer
        self.geometry: Geometry = reel.geometry
        self.piece = Piece(reel, settings.start, settings.stop)
        self.pts: list[int | None] = []
        self.digests: list[str] = []
        self.shots: list[Shot] = []
        self.skip = 0
        self.after: int | None = None
        self.colors = Answers()
        self.beside = Beside(reel.hdr)
        self.duration, self.fields = 0, list[str]()
        self.negative = 0
        self.candidates, self.cleaner = Candidates(), Cleaner()
        self.cuts, self.dissolves = CutDetector(), DissolveDetector()
        self._open, self._open_dissolve = 0, 0
        self._waiting: list[_Span] = []

    def add(self, frame: Frame, colors: dict[int, Colors]) -> bool:
        """Take a frame in; False when the piece ends before it."""
        place = self.piece.place(frame)
        if place != "inside":
            self.skip += place == "before"
            self.after = frame.pts if place == "after" else None
            return place == "before"
        index = len(self.pts)
        self.pts.append(frame.pts)
        self.digests.append(luma_digest(frame.luma))
        self.colors.add({i - self.skip: answer for i, answer in colors.items() if i >= self.skip})
        self.beside.add(frame.aside)
        self.duration = frame.duration
        self.fields.append(frame.fields)
        self.candidates.offer(index, lambda: self.colorizer.whole(frame.luma, self.reel.coding, self.geometry))
        self._part_by(self.cleaner.push(areas(frame.luma)))
        self._settle(self.dissolves.settled)
        return True

    def _part_by(self, planes: list[np.ndarray]) -> None:
        """Take in what the next frames show."""
        for plane in planes:
            turned = signs(plane)
            self._cut(self.cuts.push(turned, plane))
            self._part(self.dissolves.push(plane, turned))

    def _cut(self, cuts: list[int]) -> None:
        for cut in cuts:
            self.dissolves.cut(cut)
            self._close(cut, cut)

    def _close(self, stop: int, resume: int) -> None:
        """The open shot ends before frame `stop`; the next one shows itself alone from `resume` on."""
        self._waiting.append(_Span(self._open, stop, self._open_dissolve, self.candidates.take(stop, resume)))
        self._open, self._open_dissolve = stop, resume - stop

    def _part(self, found: list[Dissolve]) -> None:
        """Shots that dissolves were found in are two each."""
        for dissolve in found:
            if self._open + self._open_dissolve < dissolve.start:
                self._close(dissolve.start, dissolve.stop)
                continue
            for number, span in enumerate(self._waiting):
                if span.start + span.dissolve < dissolve.start and dissolve.stop < span.stop:
                    self._waiting[number : number + 1] = span.parted(dissolve)
                    break

    def _settle(self, frame: int) -> None:
        """Look at the shots that end before this frame."""
        while self._waiting and self._waiting[0].stop <= frame:
            span = self._waiting.pop(0)
            pictures = span.pictures.chosen()
            if not pictures and self.shots:  # a shot of a frame or two between candidates
                self.shots[-1] = replace(self.shots[-1], stop=span.stop)
                continue
            look, scenes = _seen(self.colorizer, pictures)
            self.negative += looks_negative(np.stack(pictures)) * (span.stop - span.start)
            self.shots.append(Shot(span.start, span.stop, look, scenes, dissolve=span.dissolve))

    def plan(self, source: dict[str, Any], damage: Damage) -> Plan:
        """The finished plan."""
        reel, count = self.reel, len(self.pts)
        if not count:
            piece = f" between {self.settings.start or 'the start'} and {self.settings.stop or 'the end'}"
            raise SourceError(
                reel.uri,
                f"no frame{piece if self.settings.start or self.settings.stop else ' can be decoded'}",
            )
        inside = {i - self.skip: why for i, why in damage.frames.items() if 0 <= i - self.skip < count}
        if len(inside) > (HELD_SHARE if reel.is_sequence else CORRUPT_SHARE) * count:
            what = "pictures cannot be read" if reel.is_sequence else "frames are corrupt"
            why = (
                f"such as {inside[min(inside)]}"
                if reel.is_sequence
                else "what decodes is no picture (encrypted? wrong codec?)"
            )
            raise DamagedSource(reel.uri, f"{len(inside)} of {count} {what}: {why}; coloring it would hide that")
        self._part_by(self.cleaner.flush())
        self._cut(self.cuts.flush())
        self._part(self.dissolves.flush())
        self._close(count, count)
        self._settle(count)
        pts, retimed = rising(self.pts, reel.step)
        account, repeated = self._account(damage, len(inside)), damage.account.repeated
        seekable = not retimed and not damage.jumps
        notes = (*self._notes(pts, account), *self._gone(pts, damage.gone), *self._jumps(pts, damage.jumps))
        if repeated:
            reel = replace(reel, rate=film_rate(pts, reel.time_base, reel.rate))
            notes = (*notes, REPEATED.format(counted(repeated, "frame"), f"{float(reel.rate):.3f}"))
        if self.colors.colored and reel.foreign_matrix:
            notes = (*notes, FOREIGN.format(matrix_words(reel.tags[3])))
        if 2 * self.negative > count:  # in shots that look like one
            notes = (*notes, TWICE if self.settings.invert else NEGATIVE)
        return Plan(
            reel, source, self.settings, self.skip, pts, tuple(self.digests), self._kept(), seekable, retimed,
            self.colors.colored, inside, dict(damage.packets), notes, dict(self.beside.counts), account,
            self._last(pts, repeated), runs_of(self.fields), self.beside.digest,
            tuple(self.beside.captions),
        )  # fmt: skip

    def _kept(self) -> tuple[Shot, ...]:
        """The shots; in a reel that is partly in color, those that are keep their colors unless a person said not to.

        A reel that is in color all through was handed in to be painted.
        """
        shots = [part for shot in self.shots for part in self._by_color(shot)]
        own = [self.colors.in_color(shot.start, shot.stop) for shot in shots]
        if self.settings.color_shots != "keep" or all(own) or self.reel.foreign_matrix:
            return tuple(self.shots)
        return tuple(replace(shot, kept=kept) for shot, kept in zip(shots, own, strict=True))

    def _by_color(self, shot: Shot) -> list[Shot]:
        """A shot in which color begins or ends as several; they share its look."""
        edges = [shot.start, *self.colors.turns(shot.start, shot.stop), shot.stop]
        return [
            replace(shot, start=a, stop=b, dissolve=min(shot.dissolve, b - a - 1) if a == shot.start else 0)
            for a, b in pairwise(edges)
        ]

    def _gone(self, pts: tuple[int, ...], gone: list[int]) -> tuple[str, ...]:
        """Where packets gave no frame, in seconds from the first one, within the piece."""
        times = [f"{float((t - pts[0]) * self.reel.time_base):.3f}" for t in sorted(gone) if pts[0] <= t <= pts[-1]]
        return (GONE.format(_listed(times)),) if times else ()

    def _jumps(self, pts: tuple[int, ...], jumps: list[Fraction]) -> tuple[str, ...]:
        """Where the file's clock begins anew, within the piece."""
        begin, end = pts[0] * self.reel.time_base, pts[-1] * self.reel.time_base
        times = [f"{float(time - begin):.3f}" for time in jumps if begin < time <= end]
        return (JUMPS.format(_listed(times)),) if times else ()

    def _account(self, damage: Damage, bad: int) -> dict[str, int]:
        """What became of the packets of the picture. Empty chunks of an AVI never become packets."""
        if self.reel.is_sequence:
            return of_pictures(len(self.pts), bad)
        damage.account.since = self.pts[0] if self.settings.start else None
        damage.account.until = self.after
        counts = damage.account.counts()
        short = self.reel.format == "avi" and self.reel.header_frames > counts.get("packets", 0)
        whole = not (self.settings.start or self.settings.stop)
        empty = empty_chunks(Path(self.reel.uri), self.reel.stream) if short and whole else 0
        return {**counts, "empty": empty} if empty else counts

    def _notes(self, pts: tuple[int, ...], account: dict[str, int]) -> tuple[str, ...]:
        notes = [*self.reel.remarks, *(assumed(what) for what in self.reel.guessed)]
        if runs_of(self.fields):
            notes.append(f"frames of several kinds are in it: {told(self.fields)}")
        if self.settings.start or self.settings.stop:
            return tuple(notes)
        if hidden := account.get("hidden"):
            these = "it is" if hidden == 1 else "they are"
            of = counted(account["packets"], "picture")
            notes.append(f"an edit list hides {hidden} of {of}; {these} not in the output")
        if empty := account.get("empty"):
            notes.append(f"{counted(empty, 'empty chunk')}: there the picture before is shown longer")
        promised, have = self.reel.header_frames, account.get("packets", len(pts)) + account.get("empty", 0)
        if promised > have:
            notes.append(f"the header promises {counted(promised, 'frame')}, the file has packets of {have}")
        return (*notes, *self._short(pts))

    def _last(self, pts: tuple[int, ...], repeated: int = 0) -> int:
        """Ticks that the last frame is shown, where it says more than a nominal frame and the header bears it out, and
        where some frames ask for a field more."""
        reel = self.reel
        if repeated and self.duration and not self.settings.stop:
            return self.duration
        until = (pts[-1] + self.duration - min(0, pts[0])) * reel.time_base
        believed = self.duration > reel.step and until <= reel.header_seconds + reel.time_base
        return self.duration if believed and not (reel.is_sequence or self.settings.stop) else 0

    def _short(self, pts: tuple[int, ...]) -> tuple[str, ...]:
        """Whether a picture ends well before its header says. What the header of a file counts begins with its first
        track, which may be sound."""
        end = (pts[-1] + (self._last(pts) or self.reel.step) - min(0, pts[0])) * self.reel.time_base
        if self.reel.header_seconds <= end * Fraction(102, 100) + 1:
            return ()
        return (f"the header says {float(self.reel.header_seconds):.1f} s, the picture ends at {float(end):.1f} s",)
