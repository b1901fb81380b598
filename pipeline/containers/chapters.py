"""Chapters: the parts a film is divided into, as they are in a source, in a piece of it, and in an output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pipeline.containers.containers import Container
from pipeline.containers.holding import held
from pipeline.values.finding import Finding

TICK = Fraction(1, 1000)
"""Seconds: outputs count the times of chapters in milliseconds, QuickTime and MP4 the beginnings of tracks too."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part's times in seconds and its title."""

    start: Fraction
    stop: Fraction
    title: str

    def __str__(self) -> str:
        return f"{self.title!r} {float(self.start):.3f} to {float(self.stop):.3f} s"


def chapters_in(chapters: Sequence[Any]) -> list[Chapter]:
    """Chapters as FFmpeg tells them."""
    return [
        Chapter(c["start"] * Fraction(c["time_base"]), c["end"] * Fraction(c["time_base"]), title)
        for c in chapters
        for title in [c["metadata"].get("title", "")]
    ]


def clipped(chapters: Sequence[Any], begin: Fraction, end: Fraction, shift: Fraction) -> list[Any]:
    """Those that a piece touches, cut to it and moved with it."""
    kept = []
    for chapter in chapters:
        base = Fraction(chapter["time_base"])
        a, b = max(chapter["start"] * base, begin), min(chapter["end"] * base, end)
        if a < b:
            kept.append({**chapter, "start": round((a - shift) / base), "end": round((b - shift) / base)})
    return kept


def unheld(chapters: Sequence[Any], container: Container) -> str:
    """What becomes of chapters that an output of this kind cannot hold as they are, in words; "" if it can.

    QuickTime and MP4 know no gaps, no overlaps, no late first chapter and no chapter without a title.
    """
    if not chapters:
        return ""
    was, now = chapters_in(chapters), chapters_in(held(container, chapters=chapters).chapters)
    if len(was) != len(now):
        return f"{container.suffix} files hold {len(now)} of {len(was)} chapters"
    messages = [f"{a} becomes {b}" for a, b in zip(was, now, strict=True) if not _same(a, b, Fraction(0), TICK)]
    more = f" and {len(messages) - 3} more" if len(messages) > 3 else ""
    return f"{container.suffix} files hold them otherwise: {', '.join(messages[:3])}{more}" if messages else ""


def check_chapters(
    wanted: Sequence[Any], found: Sequence[Any], container: Container, declared: bool, moved: Fraction
) -> Finding:
    """Titles, starts and ends of an output's chapters.

    wanted: as the output should have them. declared: the sidecar says that the container cannot hold them so, and
    what it makes of them is wanted. moved: seconds by which a muxer moved the picture to begin sound at zero.
    """
    as_held = held(container, chapters=wanted).chapters if declared and wanted else wanted
    a, b = chapters_in(as_held), chapters_in(found)
    if len(a) != len(b):
        return Finding("chapters", False, f"{len(a)} in the source, {len(b)} in the output")
    clocks = [Fraction(0), moved]  # the container's and the picture's
    wrong = min(([f"{x} became {y}" for x, y in zip(a, b, strict=True) if not _same(x, y, c)] for c in clocks), key=len)
    return Finding("chapters", not wrong, "; ".join(wrong[:3]) or f"{len(a)}, with their times and titles")


def _same(a: Chapter, b: Chapter, moved: Fraction, slack: Fraction = 2 * TICK) -> bool:
    times = (b.start - a.start - moved, b.stop - a.stop - moved)
    return a.title == b.title and all(abs(t) <= slack for t in times)
