"""Editions: the chapters of a Matroska file, which may be nested, hidden, and titled in several languages.

Cut to a piece as they are, or made flat for containers that know only parts one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from pipeline.containers.ebml import Node
from pipeline.containers.words import ATOM, EDITION

START, STOP, UID, EDITION_UID = 0x91, 0x92, 0x73C4, 0x45BC
DISPLAY, STRING, LANGUAGE, BCP47 = 0x80, 0x85, 0x437C, 0x437D
EDITION_HIDDEN, EDITION_DEFAULT, EDITION_ORDERED, HIDDEN, ENABLED = 0x45BD, 0x45DB, 0x45DD, 0x98, 0x4598
ELSEWHERE = (0x6E67, 0x6EBC)
"""Segment and edition of another file that a chapter is a part of."""
NANO = Fraction(1, 10**9)
LAST = 1 << 62
"""Nanoseconds, 146 years: FFmpeg counts times in 64 bits with a sign, Matroska without one."""


def cut(chapters: Node | None, begin: Fraction, end: Fraction, shift: Fraction) -> Node | None:
    """Those that a piece touches, cut to it and moved with it, nested as they are; None where none does. Seconds."""
    if chapters is None:
        return None

    def edition(node: Node) -> Node | None:
        kept = _cut_inside(node, end, (begin, end, shift)) if node.kind == EDITION else node
        return kept if node.kind != EDITION or kept.of(ATOM) else None

    kept = chapters.each(edition)
    return kept if kept.of(EDITION) else None


def _cut_inside(parent: Node, last: Fraction, piece: tuple[Fraction, Fraction, Fraction]) -> Node:
    """An edition or a chapter with its chapters cut. last: where its last one ends if it does not say so."""
    begin, end, shift = piece
    kept = {id(a): _cut_atom(a, stop, (begin, end, shift)) for a, stop in _with_stops(parent, last)}
    return parent.each(lambda n: kept[id(n)] if n.kind == ATOM else n)


def _cut_atom(atom: Node, stop: Fraction, piece: tuple[Fraction, Fraction, Fraction]) -> Node | None:
    begin, end, shift = piece
    start = atom.number(START) * NANO
    a, b = max(start, begin), min(stop, end)
    if a > b or (a == b and start < stop) or a == end:
        return None
    moved = _cut_inside(atom, stop, piece).having(START, int((a - shift) / NANO))
    return moved.having(STOP, int((b - shift) / NANO)) if atom.of(STOP) else moved


def _with_stops(parent: Node, last: Fraction) -> Iterator[tuple[Node, Fraction]]:
    """The chapters inside, with where each ends: as it says, or where the next begins, or the last one at `last`."""
    atoms = parent.of(ATOM)
    later: list[Fraction] = [a.number(START) * NANO for a in atoms[1:]] + [last]
    for atom, after in zip(atoms, later, strict=False):  # of none there is no last one
        yield atom, atom.number(STOP) * NANO if atom.of(STOP) else max(after, atom.number(START) * NANO)


def flat(chapters: Node, length: Fraction) -> list[dict[str, Any]]:
    """As FFmpeg takes them: those on show of the edition on show, each with its first title. length: of the film."""
    edition = _on_show(chapters)
    if edition is None:
        return []
    shown = [(a, stop) for a, stop in _with_stops(edition, length) if _is_shown(a)]
    shown.sort(key=lambda pair: pair[0].number(START))
    return [
        {
            "id": index, "start": min(a.number(START), LAST), "end": min(max(int(stop / NANO), a.number(START)), LAST),
            "time_base": NANO,
            "metadata": {"title": titles[0][0]} if (titles := _titles(a)) else {},
        }
        for index, (a, stop) in enumerate(shown, 1)
    ]  # fmt: skip


def unheld(chapters: Node, suffix: str) -> list[tuple[str, str]]:
    """What `flat` leaves out: what it is, and in words which."""
    shown = _on_show(chapters)
    others = [e for e in chapters.of(EDITION) if e is not shown]
    rest = [
        ("hidden" if e.number(EDITION_HIDDEN) else "further") + f" edition of {len(list(_below(e)))}: "
        + ", ".join(_name(a) for a in _below(e)) for e in others
    ]  # fmt: skip
    atoms = shown.of(ATOM) if shown is not None else []
    top = [a for a in atoms if _is_shown(a)]
    nested = [f"{_name(b)} in {_name(a)}" for a in top for b in _below(a)]
    titles = [f"{text!r} ({lang}) of {_name(a)}" for a in top for text, lang in _titles(a)[1:]]
    aside = [_name(a) for a in atoms if a not in top]
    played = (
        ["to be played in the order of its chapters"] if shown is not None and shown.number(EDITION_ORDERED) else []
    )
    found = (
        ("editions of chapters", rest, f"{suffix} files hold one"),
        ("nested chapters", nested, f"{suffix} files hold none"),
        ("titles of chapters", titles, f"{suffix} files hold one of each"),
        ("hidden chapters", aside, f"{suffix} files would show them"),
        ("order of chapters", played, f"{suffix} files cannot say it"),
    )
    return [(what, f"{'; '.join(which)}; {why}") for what, which, why in found if which]


def same(a: Node | None, b: Node | None, slack: Fraction) -> bool:
    """Whether two are alike in everything, times within `slack` seconds."""
    if a is None or b is None or (a.kind, len(a.inside)) != (b.kind, len(b.inside)):
        return a is b
    if a.kind in (START, STOP):
        return abs(int.from_bytes(a.data, "big") - int.from_bytes(b.data, "big")) * NANO <= slack
    return a.data == b.data and all(same(x, y, slack) for x, y in zip(a.inside, b.inside, strict=True))


def count(chapters: Node | None) -> str:
    """How many there are, in words."""
    editions = chapters.of(EDITION) if chapters is not None else []
    atoms = sum(len(list(_below(e))) for e in editions)
    return f"{atoms} in {len(editions)} editions" if len(editions) > 1 else str(atoms)


def uids(chapters: Node | None) -> set[int]:
    """UIDs of editions and chapters, which tags may be about."""
    editions = chapters.of(EDITION) if chapters is not None else []
    return {e.number(EDITION_UID) for e in editions} | {a.number(UID) for e in editions for a in _below(e)}


def _on_show(chapters: Node) -> Node | None:
    """The edition that players show: the default one, else the first that is not hidden."""
    visible = [e for e in chapters.of(EDITION) if not e.number(EDITION_HIDDEN)]
    return next((e for e in visible if e.number(EDITION_DEFAULT)), next(iter(visible), None))


def _is_shown(atom: Node) -> bool:
    elsewhere = any(atom.of(kind) for kind in ELSEWHERE)
    return not atom.number(HIDDEN) and bool(atom.number(ENABLED, 1)) and not elsewhere


def _titles(atom: Node) -> list[tuple[str, str]]:
    """A chapter's titles and their languages."""
    return [(d.text(STRING), d.text(BCP47) or d.text(LANGUAGE, "eng")) for d in atom.of(DISPLAY)]


def _name(atom: Node) -> str:
    titles = _titles(atom)
    return repr(titles[0][0]) if titles else f"the one at {float(atom.number(START) * NANO):.3f} s"


def _below(parent: Node) -> Iterator[Node]:
    """All chapters inside, at whatever depth."""
    for atom in parent.of(ATOM):
        yield atom
        yield from _below(atom)
