"""Reading what a collection's folder says: totals, files, their shots and pages, as values for a page.

The job may be running, so anything may be half there, missing or garbage. Such a file is shown with what is known.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from colorizer.basis.errors import LedgerError
from colorizer.painting.scenes import MOST
from pipeline.collection.asked import check_collection
from pipeline.collection.item import Item
from pipeline.collection.layout import KEYS, ORPHANS, STATE
from pipeline.reels.tracks import Carried
from pipeline.storage.atomic import read_json, stamp
from pipeline.storage.job_folder import PLAN
from pipeline.values.kinds import KINDS, REEL, SCAN
from pipeline.values.look_source import in_words, sources_from_json
from pipeline.values.remarks import COLORED, NEGATIVE, TWICE
from pipeline.values.stages import ASIDE, DONE, PAINTING, SURVEYED, WAITING
from pipeline.values.words import harm
from workflows.report.values import Collection, File, Part, shown
from workflows.terminal.clock import clock

STATES = (ASIDE, PAINTING, SURVEYED, DONE, WAITING)
"""In the order of the page: what needs a person comes first."""
UNKNOWN = "unknown"
"""The kind of a file whose state cannot be read."""


def read(out: Path, elsewhere: frozenset[str] = frozenset()) -> Collection:
    """The collection in `out`, without pictures. elsewhere: files that are in its store only.

    Raises Mistyped if there is none.
    """
    check_collection(out)
    state = out / STATE
    values = _dict(_json(state / "collection.json"))
    files = [_file(out, path, elsewhere) for path in (state / "items").glob("*.json")]
    files.sort(key=lambda f: (STATES.index(f.state), _natural(f.folder), _natural(f.name), f.key))
    started = None
    with suppress(ValueError, OverflowError, OSError):
        started = datetime.fromisoformat(_text(values.get("started"))).astimezone()
    busy = values.get("busy")
    return Collection(
        tuple(files), _text(values.get("source")), started, _changed(state / "collection.json"),
        _number(values.get("seconds")), None if busy is None else min(1.0, _number(busy)),
        int(_number(values.get("workers"))), _text(values.get("deadline")), values.get("running") is True,
        _text(values.get("chromatheque")), _texts(_json(out / ORPHANS)), _texts(_json(out / KEYS)),
        _finished(values.get("finished")),
    )  # fmt: skip


def _finished(value: Any) -> tuple[int, int, float] | None:
    """Files, frames and megapixels of the last run; None where another version did not write them."""
    values = _dict(value)
    files, frames, pixels = (_number(values.get(name)) for name in ("files", "frames", "megapixels"))
    return (int(files), int(frames), pixels) if values else None


def link(place: str) -> str:
    """The relative URL of a file below the page's folder."""
    try:
        return quote(os.fsencode(place))
    except UnicodeEncodeError:  # half of a surrogate pair, which names no file
        return ""


def published(out: Path, item: Item) -> File:
    """A file whose output has just got its name."""
    return _with_output(out, File(item.key, item.kind, DONE, item.name, place=item.out), frozenset())


def is_told(sidecar: Path) -> bool:
    """Whether a file is a sidecar of ours."""
    return _text(_dict(_json(sidecar)).get("format")).startswith("chromatheque-")


def of_output(folder: Path, out: Path) -> File:
    """An output that no collection knows, by its sidecar. folder: of the page, beside the output; it is there."""
    values = _dict(_json(out.with_name(f"{out.name}.json")))
    kind = SCAN if "pages" in values else REEL
    file = File(
        "output", kind.name, DONE, shown(out.name), id=_text(values.get("id")),
        catalog=tuple((shown(name), _text(text)) for name, text in _dict(values.get("catalog")).items()),
        source=_text(_dict(values.get("source")).get("name")), place=f"{os.pardir}/{out.name}",
    )  # fmt: skip
    return _with_output(folder, file, frozenset())


def _file(out: Path, path: Path, elsewhere: frozenset[str]) -> File:
    values = _dict(_json(path))
    kind, state = _text(values.get("kind")), _text(values.get("state"))
    source, place = _raw(values.get("source")), _raw(values.get("out"))
    place = place if _is_below(place) else ""
    units, size = _dict(values.get("units")), _dict(values.get("size"))
    name = shown(re.split(r"[/\\]", source.rstrip("/\\"))[-1])
    folder = shown(PurePosixPath(place).parent.as_posix()) if place else "."
    plan = f"{STATE}/jobs/{path.stem}/{PLAN}"
    file = File(
        path.stem, kind if kind in KINDS else UNKNOWN, state if state in STATES else WAITING,
        name or shown(path.stem), "" if folder == "." else folder, _text(values.get("id")),
        tuple((shown(name), _text(text)) for name, text in _dict(values.get("catalog")).items()), shown(source), place,
        plan=link(plan) if _is_file(out, plan) or plan in elsewhere else "",
        done=int(_number(units.get("done"))), of=int(_number(units.get("of"))),
        frames=int(_number(size.get("frames"))), megapixels=_number(size.get("megapixels")),
        seconds=sum(map(_number, _dict(values.get("seconds")).values())),
        error=_error(values.get("error")) if state == ASIDE else None,
        attempts=tuple(map(_attempt, _dicts(values.get("attempts")))),
        notes=_texts(values.get("notes")), lost=_texts(values.get("lost")),
    )  # fmt: skip
    if _is_file(out, plan) and state == DONE and not elsewhere:
        file = replace(file, **_editable(out, file, values.get("seen")))
    return _with_output(out, file, elsewhere) if state == DONE and place else file


def _editable(out: Path, file: File, seen: Any) -> dict[str, Any]:
    """How a file's plan is edited, and whether it was. seen: the stamps of source, output and plan when it was done."""
    folder = out / STATE / "jobs" / file.key
    place = os.path.join(out, file.place)  # noqa: PTH118 - keeps "./", which a name that begins with "-" needs
    edited = len(_list(seen)) == 3 and seen[2] != stamp(folder / PLAN)
    pieces = (folder / "ledger").is_dir() and any((folder / "ledger").iterdir())
    return {"edit": shlex.quote(place) if place == shown(place) else "", "edited": edited, "pieces": pieces}


def _with_output(out: Path, file: File, elsewhere: frozenset[str]) -> File:
    """The file with what its output and sidecar say."""
    sidecar = f"{file.place}.json"
    values = _dict(_json(out / sidecar))
    parts = parts_of(values)
    pixels, reel = 0.0, _dict(_dict(values.get("plan")).get("reel"))
    if "pages" in values:
        pixels = sum(_number(p.get("height")) * _number(p.get("width")) for p in _dicts(values["pages"]))
    frames = int(_number(values.get("frames"))) or file.frames
    pixels = pixels or frames * _number(reel.get("height")) * _number(reel.get("width"))
    lost = file.lost or tuple(dict.fromkeys((*_lost(values), *_texts(values.get("not_carried_over")))))
    notes = [*file.notes, *_texts(values.get("notes"))]
    if retimed := int(_number(_dict(values.get("damage")).get("retimed_frames"))):
        notes.append(f"{retimed} frame{'s' * (retimed != 1)} had no usable time of their own")
    if values.get("source_had_color") is True:
        notes.append(COLORED)  # told once: the night may have noted it
    return replace(
        file, output=link(file.place) if _is_file(out, file.place) or file.place in elsewhere else "",
        digest=_text(_dict(values.get("output")).get("sha256")),
        story=link(sidecar) if _is_file(out, sidecar) else "", frames=frames,
        megapixels=pixels / 1e6 or file.megapixels, lost=lost, damage=_damage(_dict(values.get("damage"))),
        negative=_negative(values),
        notes=tuple(dict.fromkeys(notes)), parts=parts,
        findings=tuple(
            (_text(f.get("what")), f.get("holds") is True, _text(f.get("detail")))
            for f in _dicts(values.get("verified")) if f.get("named") is not True  # those are among the losses
        ),
    )  # fmt: skip


def _negative(sidecar: dict[str, Any]) -> str:
    """That a reel looks like a negative, or which pages of a scan do; "" where none does."""
    pages = _dicts(sidecar.get("pages"))
    if not pages:
        notes = _texts(sidecar.get("notes"))
        return next((note for note in notes if note in (NEGATIVE, TWICE)), "")
    numbers = [str(int(_number(page.get("number")))) for page in pages if page.get("looks_negative") is True]
    if not numbers:
        return ""
    message = TWICE if _dict(sidecar.get("settings")).get("invert") is True else NEGATIVE
    return message if len(pages) == 1 else f"page{'s' * (len(numbers) > 1)} {', '.join(numbers)}: {message}"


def parts_of(sidecar: dict[str, Any]) -> tuple[Part, ...]:
    """The shots or pages that a sidecar tells of."""
    return _pages(sidecar) if "pages" in sidecar else _shots(sidecar)


def _shots(sidecar: dict[str, Any]) -> tuple[Part, ...]:
    shots = _dicts(sidecar.get("shots"))
    edges = [(int(_number(s.get("start"))), int(_number(s.get("stop")))) for s in shots]
    most = int(_number(_dict(_dict(sidecar.get("plan")).get("settings")).get("segment_frames"))) or 96
    chroma = _shared(sidecar, [-(-(stop - start) // most) for start, stop in edges])
    parts, numbers = [], range(1, len(shots) + 1)
    for number, (shot, (start, stop), pieces) in enumerate(zip(shots, edges, chroma, strict=True)):
        a, b = (*map(_number, _list(shot.get("seconds"))), 0.0, 0.0)[:2]
        frames = f"{stop - start} frame{'s' * (stop - start != 1)}"
        parts.append(Part(
            number, f"Shot {number + 1}", f"{clock(a)} to {clock(b)}, {frames}", _scenes(shot),
            sum(pieces) / len(pieces) if pieces else None, pieces, (a + b) / 2, max(0.0, b - a),
            look=_look(shot, edges), edit=_edit(numbers, number),
        ))  # fmt: skip
    return tuple(parts)


def _pages(sidecar: dict[str, Any]) -> tuple[Part, ...]:
    pages = _dicts(sidecar.get("pages"))
    counts = [-(-int(_number(p.get("height"))) // max(1, int(_number(p.get("rows"))))) for p in pages]
    parts, numbers = [], [int(_number(page.get("number"))) for page in pages]
    for number, (page, pieces) in enumerate(zip(pages, _shared(sidecar, counts), strict=True)):
        rows, left = _number(page.get("rows")), _number(page.get("height"))
        weights = [min(rows, left - i * rows) for i in range(len(pieces))]
        mean = sum(c * w for c, w in zip(pieces, weights, strict=True)) / sum(weights) if pieces else None
        turned = int(_number(page.get("orientation")))
        wide, high = int(_number(page.get("width"))), int(_number(page.get("height")))
        parts.append(Part(
            number, f"Page {numbers[number]}", f"{wide} x {high} pixels", _scenes(page), mean,
            orientation=turned if 1 <= turned <= 8 else 1, look=_look(page, []), edit=_edit(numbers, number),
        ))  # fmt: skip
    return tuple(parts)


def _look(values: dict[str, Any], spans: Sequence[tuple[int, int]]) -> str:
    try:
        return shown(in_words(sources_from_json(values), spans))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "something that cannot be read"


def _edit(numbers: Sequence[int], place: int) -> str:
    """The look of its neighbor, the one before where there is one; a picture's for what is alone."""
    neighbor = place - 1 if place else 1
    return f"{numbers[place]} " + (f"--of {numbers[neighbor]}" if len(numbers) > 1 else "--picture FILE")


def _shared(sidecar: dict[str, Any], counts: Sequence[int]) -> list[tuple[float, ...]]:
    """The chroma of all units, by the parts they belong to; nothing where the numbers do not add up."""
    chroma = [c for c in _list(sidecar.get("chroma")) if isinstance(c, int | float) and isfinite(c)]
    if len(chroma) != sum(counts) or min(counts, default=0) < 1:
        return [() for _ in counts]
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return [tuple(chroma[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def _scenes(values: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    pairs = [s for s in _list(values.get("scenes")) if isinstance(s, list) and len(s) == 2]
    return tuple((_text(name).replace("_", " "), _number(share)) for name, share in pairs[: MOST + 1])


def _damage(values: dict[str, Any]) -> tuple[str, ...]:
    frames = _dict(values.get("damaged_frames"))
    messages = []
    if count := int(_number(values.get("frames"))) or len(frames):
        messages.append(f"{count} damaged frame{'s' * (count != 1)}")
    errors = {shown(what): int(_number(n)) for what, n in _dict(values.get("packet_errors")).items()}
    messages += [harm(errors)] * bool(errors)
    messages += [f"frame {shown(number)}: {_text(what)}" for number, what in list(frames.items())[:20]]
    return (*messages, f"and {len(frames) - 20} more") if len(frames) > 20 else tuple(messages)


def _lost(sidecar: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for track in _dicts(sidecar.get("tracks")):
        try:
            found.append(shown(Carried(**track).loss))
        except (TypeError, AttributeError):  # of another version
            continue
    return tuple(filter(None, found))


def _error(value: Any) -> tuple[str, str, int]:
    values = _dict(value)
    return (
        _text(values.get("stage")),
        _text(values.get("error")) or "no reason was written down",
        _count(values, "attempts"),
    )


def _attempt(values: dict[str, Any]) -> tuple[str, str, str]:
    stage, unit = _text(values.get("stage")), _text(values.get("unit"))
    what = stage if unit in ("", stage) else f"{stage}, {unit}"
    return f"{what}, attempt {_count(values, 'attempt')}", _text(values.get("error")), _text(values.get("trace"))


def _count(values: dict[str, Any], name: str) -> int:
    return int(_number(values.get(name))) or 1


def _natural(text: str) -> list[tuple[int, str]]:
    """Plate 9 before plate 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", text.casefold())]


def _is_below(place: str) -> bool:
    path = PurePosixPath(place)
    return bool(place) and not path.is_absolute() and ".." not in path.parts and "\0" not in place


def _is_file(out: Path, place: str) -> bool:
    try:
        return (out / place).is_file()
    except (OSError, ValueError):
        return False


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except OSError:
        return None


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except (LedgerError, ValueError):  # a name that is no name at all is a ValueError
        return None


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return shown(_raw(value))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(v) for v in _list(value) if isinstance(v, str))


def _number(value: Any) -> float:
    """A number of zero or more; 0 for what is none."""
    usual = isinstance(value, int | float) and abs(value) < 1e15
    return max(0.0, float(value)) if usual else 0.0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in _list(value) if isinstance(v, dict)]
