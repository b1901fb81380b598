"""A plan on a terminal: its shots or pages as a table, and the frame that a person means by a number or a time."""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch
from typing import Any

from rich.table import Table
from rich.text import Text

from colorizer.basis.errors import ColorizeError
from colorizer.painting.scenes import said
from pipeline.reels.plan import Plan, Shot
from pipeline.scans.plan import PagePlan, ScanPlan
from pipeline.values.choices import seconds
from pipeline.values.look_source import LookSources, in_words
from pipeline.values.timecode import CODE, advance
from pipeline.values.words import counted
from workflows.terminal.clock import clock


@singledispatch
def parts_of(plan: Any) -> list[dict[str, Any]]:
    """The shots of a reel or the pages of a scan, numbered as in the report, as plain values."""
    raise TypeError(f"no plan: {type(plan).__name__}")


@parts_of.register
def _shots(plan: Plan) -> list[dict[str, Any]]:
    coded = bool(timecode(plan, 0))
    spans = [(shot.start, shot.stop) for shot in plan.shots]
    return [
        {
            "shot": number, "start": shot.start, "stop": shot.stop,
            "seconds": [round(float(_time(plan, frame)), 3) for frame in (shot.start, shot.stop)],
            **({"timecode": timecode(plan, shot.start)} if coded else {}), "scenes": [list(s) for s in shot.scenes],
            "look": _colors(shot, spans),
        }
        for number, shot in enumerate(plan.shots, 1)
    ]  # fmt: skip


@parts_of.register
def _pages(plan: ScanPlan) -> list[dict[str, Any]]:
    return [
        {
            "page": page.number, "width": page.plate.width, "height": page.plate.height,
            "scenes": [list(scene) for scene in page.scenes], "look": _page_look(page),
        }
        for page in plan.pages
    ]  # fmt: skip


def rows_of(plan: Any) -> list[tuple[str, ...]]:
    """The same as cells of a table, its heading first."""
    rows = [_cells(part) for part in parts_of(plan)]
    return [tuple(rows[0]), *(tuple(row.values()) for row in rows)] if rows else []


def _cells(part: dict[str, Any]) -> dict[str, str]:
    size = {"pixels": f"{part['width']} x {part['height']}"} if "page" in part else {}
    span = {"frames": f"{part['start']} to {part['stop'] - 1}"} if "shot" in part else {}
    times = {"time": " to ".join(map(clock, part["seconds"]))} if "shot" in part else {}
    code = {"time code": part["timecode"]} if "timecode" in part else {}
    first = "page" if "page" in part else "shot"
    number = {first: str(part[first])}
    return {**number, **size, **span, **times, **code, "scene": _scenes(part["scenes"]), "look": part["look"]}


def table_of(plan: Any, name: str) -> Table:
    """The same for a terminal."""
    table = Table(title=Text(name), title_justify="left")
    heading, *rows = rows_of(plan) or [()]
    for column in heading:
        table.add_column(column, overflow="fold", justify="right" if column in ("shot", "page") else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def text_of(plan: Any, name: str) -> str:
    """The same for a file or another program: aligned, without lines."""
    rows = rows_of(plan)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([name, *lines])


def _scenes(scenes: list[list[Any]]) -> str:
    """What may be said of them."""
    tags = tuple((str(tag), float(share)) for tag, share in scenes)
    return ", ".join(f"{tag.replace('_', ' ')} {share * 100:.0f} %" for tag, share in said(tags))


def _look(sources: LookSources, spans: list[tuple[int, int]]) -> str:
    return f"of {in_words(sources, spans)}" if sources else "its own"


def _colors(shot: Shot, spans: list[tuple[int, int]]) -> str:
    text = "its own colors" if shot.kept else _look(shot.look_from, spans)
    return text + (f", after a dissolve of {counted(shot.dissolve, 'frame')}" if shot.dissolve else "")


def _page_look(page: PagePlan) -> str:
    return _look(page.look_from, []) + (", from the next run on" if page.pending else "")


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
