"""Edits of a plan: shots merged or split, looks borrowed. Functions from plan to plan; numbers count from 0.

An edit touches the segments of the shots it names, and of one that such a shot passes into by a dissolve: all other
shots keep span and look, so the ids of their segments stay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np

from colorizer.basis.errors import ColorizeError
from colorizer.painting.scenes import is_kind
from pipeline.reels.plan import Plan, Shot
from pipeline.scans.plan import PagePlan, ScanPlan
from pipeline.values.look_source import LookSource, LookSources, united


def merged(plan: Plan, first: int, last: int) -> Plan:
    """Shots first to last as one.

    Its look is the mean of theirs, weighted by frames: a survey averages the looks of a shot's frames, so this is about
    what it would have found without the cuts. (The first shot's look would do as little as possible, but let a
    shot of a second decide about one of a minute.) Merging what was split gives back what there was, bit for bit.
    """
    parts = plan.shots[first : last + 1]
    lengths = [shot.stop - shot.start for shot in parts]
    looks = np.stack([shot.look for shot in parts]).astype(np.float64)
    look = (np.array(lengths) @ looks / sum(lengths)).astype(np.float32)
    start, stop = parts[0].start, parts[-1].stop
    sources = united(source for shot in parts for source in origin(shot))
    own = sources == (LookSource(frames=(start, stop)),)
    kept, dissolve = all(shot.kept for shot in parts), parts[0].dissolve
    whole = Shot(start, stop, look, _scenes(parts, lengths), () if own else sources, kept, dissolve)
    return replace(plan, shots=(*plan.shots[:first], whole, *plan.shots[last + 1 :]))


def _scenes(parts: tuple[Shot, ...], lengths: list[int]) -> tuple[tuple[str, float], ...]:
    """Scene tags of several shots, weighted by frames; as many as they had, and one kind."""
    if all(shot.scenes == parts[0].scenes for shot in parts):
        return parts[0].scenes
    total: dict[str, float] = {}
    for shot, length in zip(parts, lengths, strict=True):
        for name, share in shot.scenes:
            total[name] = total.get(name, 0.0) + share * length / sum(lengths)
    most = max(sum(not is_kind(name) for name, _ in shot.scenes) for shot in parts)
    best = sorted(total.items(), key=lambda tag: (-tag[1], tag[0]))
    scenes, kinds = ([tag for tag in best if is_kind(tag[0]) == kind] for kind in (False, True))
    return tuple((name, round(share, 3)) for name, share in (*scenes[:most], *kinds[:1]))


def split(plan: Plan, number: int, frame: int) -> Plan:
    """A shot as two, the second from `frame` on. Both keep its look and its scene tags."""
    shot = plan.shots[number]
    sources = origin(shot)
    dissolve = min(shot.dissolve, frame - shot.start - 1)
    parts = (
        replace(shot, stop=frame, look_from=sources, dissolve=dissolve),
        replace(shot, start=frame, look_from=sources, dissolve=0),
    )
    return replace(plan, shots=(*plan.shots[:number], *parts, *plan.shots[number + 1 :]))


@singledispatch
def numbers(plan: Any) -> list[int]:
    """How people count the parts of a plan: shots from 1, pages as they are numbered in the file."""
    raise TypeError(f"no plan: {type(plan).__name__}")


@singledispatch
def relooked(plan: Any, places: Collection[int], look: np.ndarray | None, sources: LookSources) -> Any:
    """Another look for some parts, by place in the plan. sources: where it comes from.

    Colors of a scan's pages are decided when the plan is used next; look: None for each page's own there.
    """
    raise TypeError(f"no plan: {type(plan).__name__}")


@singledispatch
def borrowed(plan: Any, places: Collection[int], lender: int) -> Any:
    """The look of one part for some others, with where it has it from. Raises ColorizeError if it has none yet."""
    raise TypeError(f"no plan: {type(plan).__name__}")


@singledispatch
def owned(plan: Any, places: Sequence[int], former: Callable[[Shot], Shot | None]) -> tuple[Any, list[int]]:
    """Looks of their own for some parts, and the places whose looks must be surveyed first.

    former: a shot as the survey left it, if that is known.
    """
    raise TypeError(f"no plan: {type(plan).__name__}")


@numbers.register
def _(plan: Plan) -> list[int]:
    return list(range(1, len(plan.shots) + 1))


@numbers.register
def _(plan: ScanPlan) -> list[int]:
    return [page.number for page in plan.pages]


@relooked.register
def _(plan: Plan, places: Collection[int], look: np.ndarray, sources: LookSources) -> Plan:
    shots = [
        replace(shot, look=look, look_from=_foreign(sources, shot)) if number in places else shot
        for number, shot in enumerate(plan.shots)
    ]
    return replace(plan, shots=tuple(shots))


@borrowed.register
def _(plan: Plan, places: Collection[int], lender: int) -> Plan:
    found: Plan = relooked(plan, places, plan.shots[lender].look, origin(plan.shots[lender]))
    return found


@owned.register
def _(plan: Plan, places: Sequence[int], former: Callable[[Shot], Shot | None]) -> tuple[Plan, list[int]]:
    shots, unseen = list(plan.shots), []
    for place in places:
        if shots[place].look_from:
            found = former(shots[place])
            shots[place] = found or shots[place]
            unseen += [place] if found is None else []
    return replace(plan, shots=tuple(shots)), unseen


def origin(shot: Shot) -> LookSources:
    """Where a shot's look comes from, its own frames included."""
    return shot.look_from or (LookSource(frames=(shot.start, shot.stop)),)


def _foreign(sources: LookSources, shot: Shot) -> LookSources:
    return () if sources == (LookSource(frames=(shot.start, shot.stop)),) else sources


@relooked.register
def _(plan: ScanPlan, places: Collection[int], look: np.ndarray | None, sources: LookSources) -> ScanPlan:
    pages = list(plan.pages)
    for place in places:
        page = pages[place]
        from_where = () if look is None or sources == _itself(page) else sources
        kept = page.look_from == () if look is None else page.plate.look.tobytes() == look.tobytes()
        if not (kept and page.look_from == from_where):  # pages that have the look already stay as they are
            pages[place] = page.awaiting(look, from_where)
    return replace(plan, pages=tuple(pages))


@borrowed.register
def _(plan: ScanPlan, places: Collection[int], lender: int) -> ScanPlan:
    page = plan.pages[lender]
    if not page.plate.look.size:
        raise ColorizeError(f"page {page.number} gets its look at the next run; run that first")
    found: ScanPlan = relooked(plan, places, page.plate.look, page.look_from or _itself(page))
    return found


@owned.register
def _(plan: ScanPlan, places: Sequence[int], former: Callable[[Shot], Shot | None]) -> tuple[ScanPlan, list[int]]:
    return relooked(plan, places, None, ()), []


def _itself(page: PagePlan) -> LookSources:
    return (LookSource(page=page.number),)
