"""Survey: one decode of a whole reel that turns it into a plan: times, digests, shots, looks, damage."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import av
import av.logging
import numpy as np

from colorizer.basis.errors import DamagedSource, SourceError
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.geometry import Geometry
from pipeline.reels.decode import Damage, Reader
from pipeline.reels.frames import Frame, has_color, luma_digest
from pipeline.reels.piece import Piece
from pipeline.reels.plan import Plan, Settings, Shot, rising
from pipeline.reels.reel import Reel
from pipeline.reels.shots import CutDetector, signature
from pipeline.spread.ahead import ahead
from pipeline.values.remarks import assumed

LOOK_FRAMES = 8
"""Frames of a shot whose looks are averaged: one frame's grain, flash or passer-by should not decide."""

CANDIDATES = 48
CORRUPT_SHARE = 0.5
SCENES = 3


class Candidates:
    """Small copies of the current shot's frames, thinned as the shot grows: bounded memory whatever its length."""

    def __init__(self) -> None:
        self.held: list[tuple[int, np.ndarray]] = []
        self.stride = 2

    def offer(self, index: int, make: Callable[[], np.ndarray]) -> None:
        """Keep frame `index` if it falls on the stride."""
        if self.held and index - self.held[-1][0] < self.stride:
            return
        self.held.append((index, make()))
        if len(self.held) > CANDIDATES:
            self.held, self.stride = self.held[::2], self.stride * 2

    def take(self, stop: int) -> list[np.ndarray]:
        """The pictures of the shot that ended before frame `stop`, away from its ends; the rest stays."""
        mine = [p for i, p in self.held if i < stop]
        self.held = [(i, p) for i, p in self.held if i >= stop]
        self.stride = 2
        inner = mine[len(mine) // 10 : len(mine) - len(mine) // 10] or mine
        contrast = np.array([float(p.std()) for p in inner])
        messages = [
            p for p, c in zip(inner, contrast, strict=True) if c >= 0.3 * np.median(contrast)
        ]  # not a fade's black
        chosen = np.linspace(0, len(messages) - 1, min(LOOK_FRAMES, len(messages))).round().astype(int)
        return [messages[i] for i in chosen]


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
        with av.logging.Capture(local=False) as logs, Reader(reel, damage, logs) as reader:
            work = _Survey(reel, settings, colorizer)
            with closing(ahead(_with_color(reader), 8)) as frames:
                for frame, colored in frames:
                    if not work.add(frame, colored):
                        break
                    report(frame.index + 1)
    finally:
        av.logging.set_level(previous)
    return work.plan(source, damage)


def _with_color(reader: Reader) -> Any:
    for frame in reader:
        assert reader.raw is not None
        yield frame, frame.index % 24 == 0 and has_color(reader.raw)


def survey_shots(
    plan: Plan, numbers: Collection[int], colorizer: Colorizer, report: Callable[[int], None] = lambda _: None
) -> Plan:
    """The plan with looks and scene tags of their own for some shots, each from its frames alone.

    report: told how many frames were read. Raises SourceError if the reel is gone or no longer what was surveyed.
    """
    shots, done = list(plan.shots), 0
    with Reader(plan.reel) as reader:
        for number in sorted(numbers):
            shot, candidates = shots[number], Candidates()
            span = slice(shot.start, shot.stop)
            read = reader.read(plan.skip + shot.start, plan.pts[span], plan.digests[span], plan.seekable)
            with closing(ahead(read, 8)) as frames:
                for frame in frames:
                    candidates.offer(
                        frame.index,
                        partial(colorizer.whole, frame.luma, plan.reel.coding, plan.reel.geometry),
                    )
                    done += 1
                    report(done)
            pictures = candidates.take(plan.skip + shot.stop)
            shots[number] = Shot(shot.start, shot.stop, *_seen(colorizer, pictures))
    return replace(plan, shots=tuple(shots))


def _seen(colorizer: Colorizer, pictures: list[np.ndarray]) -> tuple[np.ndarray, tuple[tuple[str, float], ...]]:
    """Look and scene tags that pictures of a shot have on average."""
    looks, odds = colorizer.look(np.stack(pictures))
    mean = odds.mean(0)
    names = colorizer.weights.classes
    best: list[int] = np.argsort(-mean, kind="stable")[:SCENES].tolist() if names else []
    return looks.mean(0).astype(np.float32), tuple((names[i], round(float(mean[i]), 3)) for i in best)


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
        self.sampled = self.colored = 0
        self.candidates, self.cuts = Candidates(), CutDetector()

    def add(self, frame: Frame, colored: bool) -> bool:
        """Take a frame in; False when the piece ends before it."""
        place = self.piece.place(frame)
        if place != "inside":
            self.skip += place == "before"
            return place == "before"
        index = len(self.pts)
        self.pts.append(frame.pts)
        self.digests.append(luma_digest(frame.luma))
        self.sampled += frame.index % 24 == 0
        self.colored += colored
        self.candidates.offer(index, lambda: self.colorizer.whole(frame.luma, self.reel.coding, self.geometry))
        for cut in self.cuts.push(signature(frame.luma)):
            self._close(cut)
        return True

    def _close(self, stop: int) -> None:
        start = self.shots[-1].stop if self.shots else 0
        pictures = self.candidates.take(stop)
        if not pictures and self.shots:  # a shot of a frame or two between candidates
            self.shots[-1] = Shot(self.shots[-1].start, stop, self.shots[-1].look, self.shots[-1].scenes)
            return
        self.shots.append(Shot(start, stop, *_seen(self.colorizer, pictures)))

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
        if len(inside) > CORRUPT_SHARE * count:
            raise DamagedSource(
                reel.uri,
                f"{len(inside)} of {count} frames are corrupt: what decodes is no picture (encrypted? wrong codec?);"
                " coloring it would hide that",
            )
        for cut in self.cuts.flush():
            self._close(cut)
        self._close(count)
        pts, retimed = rising(self.pts, reel.step)
        return Plan(
            reel, source, self.settings, self.skip, pts, tuple(self.digests), tuple(self.shots), retimed == 0, retimed,
            self.colored > self.sampled / 4, inside, dict(damage.packets), self._notes(pts),
        )  # fmt: skip

    def _notes(self, pts: tuple[int, ...]) -> tuple[str, ...]:
        notes = [assumed(what) for what in self.reel.guessed]
        if self.settings.start or self.settings.stop:
            return tuple(notes)
        promised, have = self.reel.header_frames, len(pts)
        if promised > have:
            notes.append(f"the header promises {promised} frames, {have} could be decoded")
        shown = (pts[-1] + self.reel.step - pts[0]) * self.reel.time_base
        if self.reel.header_seconds > shown * Fraction(102, 100) + 1:
            notes.append(
                f"the header promises {float(self.reel.header_seconds):.1f} s, the picture lasts {float(shown):.1f} s"
            )
        return tuple(notes)
