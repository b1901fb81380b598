"""A plan on a terminal: its shots or pages as a table, and the frame that a person means by a number or a time."""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch
from typing import Any

from rich.table import Table
from rich.text import Text

from colorizer.basis.errors import ColorizeError
from pipeline.reels.piece import seconds
from pipeline.reels.plan import Plan
from pipeline.scans.plan import PagePlan, ScanPlan
from pipeline.values.look_source import LookSources, in_words
from pipeline.values.timecode import CODE, advance
from workflows.terminal.clock import clock


@singledispatch
def table_of(plan: Any, name: str) -> Table:
    """The shots of a reel or the pages of a scan, numbered as in the report."""
    raise TypeError(f"no plan: {type(plan).__name__}")


def _table(name: str, *columns: str) -> Table:
    table = Table(title=Text(name), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in ("shot", "page") else "left")
    return table


@table_of.register
def _shots(plan: Plan, name: str) -> Table:
    coded = bool(timecode(plan, 0))
    table = _table(name, "shot", "frames", "time", *(["time code"] if coded else []), "scene", "look")
    spans = [(shot.start, shot.stop) for shot in plan.shots]
    for number, shot in enumerate(plan.shots, 1):
        times = [clock(float(_time(plan, frame))) for frame in (shot.start, shot.stop)]
        codes = [Text(timecode(plan, shot.start))] if coded else []
        table.add_row(
            str(number), f"{shot.start} to {shot.stop - 1}", " to ".join(times), *codes, _scenes(shot.scenes),
            _look(shot.look_from, spans),
        )  # fmt: skip
    return table


@table_of.register
def _pages(plan: ScanPlan, name: str) -> Table:
    table = _table(name, "page", "pixels", "scene", "look")
    for page in plan.pages:
        size = f"{page.plate.width} x {page.plate.height}"
        table.add_row(str(page.number), size, _scenes(page.scenes), _page_look(page))
    return table


def _scenes(scenes: tuple[tuple[str, float], ...]) -> Text:
    """The likeliest one: a line is short."""
    return Text(", ".join(f"{tag.replace('_', ' ')} {share * 100:.0f} %" for tag, share in scenes[:1]))


def _look(sources: LookSources, spans: list[tuple[int, int]]) -> Text:
    return Text(f"of {in_words(sources, spans)}" if sources else "its own")


def _page_look(page: PagePlan) -> Text:
    told = _look(page.look_from, [])
    return told.append(", from the next run on") if page.pending else told


def timecode(plan: Plan, frame: int) -> str:
    """The reel's own time code at a frame of the plan; "" if it has none."""
    return advance(plan.reel.timecode, plan.skip + frame, plan.reel.rate) if plan.reel.timecode else ""


def frame_at(plan: Plan, number: int, text: str) -> int:
    """The frame inside a shot that `text` means, so that it can begin another: a number, a time, or a time code.

    A time counts from the first frame, as in the report, and means the frame that begins nearest to it. Raises
    ColorizeError.
    """
    shot = plan.shots[number]
    inside = range(shot.start + 1, shot.stop)
    if text.isdecimal() and text.isascii():
        frame = int(text[:18])
    elif CODE.fullmatch(text) and timecode(plan, 0):
        wanted = _digits(text)
        frame = next((i for i in range(shot.start, shot.stop) if _digits(timecode(plan, i)) == wanted), -1)
    else:
        try:
            at = seconds(text, plan.reel.rate)
        except ValueError as error:
            raise ColorizeError(f"--at {text}: neither a frame's number nor a time ({error})") from error
        frame = min(range(len(plan.pts) + 1), key=lambda i: abs(_time(plan, i) - at))
    if frame not in inside:
        message = f"from {inside[0]} to {inside[-1]}" if inside else "nowhere: it has one frame"
        span = f"frames {shot.start} to {shot.stop - 1}, {clock(float(_time(plan, shot.start)))} to "
        raise ColorizeError(
            f"--at {text} is not inside shot {number + 1} ({span}{clock(float(_time(plan, shot.stop)))}); it can be "
            f"split {message}"
        )
    return frame


def _time(plan: Plan, frame: int) -> Fraction:
    """Seconds after the first frame at which a frame is shown."""
    return (plan.next_pts(frame) - plan.pts[0]) * plan.reel.time_base


def _digits(code: str) -> tuple[int, ...]:
    """The numbers of a time code, whatever is between them."""
    found = CODE.fullmatch(code.strip())
    return tuple(int(found[i]) for i in (1, 2, 3, 5)) if found else ()
