"""Thumbnails of what was colored, before and after: one pair per shot or page, read from the outputs themselves.

For looking at only. They are made once and kept beside the report, with what was measured on them, until the output
changes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from colorizer.basis.atomic import write_bytes
from colorizer.basis.errors import LedgerError
from colorizer.measures import quality
from pipeline.collection.item import Item
from pipeline.storage import standing
from pipeline.storage.atomic import read_json, write_json
from pipeline.values.kinds import REEL, SCAN
from workflows.report.glimpses import chosen, glimpses, reduced, split
from workflows.report.preview import preview
from workflows.report.reading import published
from workflows.report.story import story
from workflows.report.values import File, Part, Picture

Array = NDArray[np.uint8]

FOLDER = "report"
LONGEST = 320
"""Pixels of a thumbnail's longer side, at most. What is measured is measured on it."""
LARGE = 1200
"""Of a picture to judge colors by."""
SHOWN = (".mp4", ".webm", ".png", ".jpg", ".jpeg")
"""Outputs that browsers show themselves."""
WORKERS = 4
"""Files at a time: each may hold a row of a plate's tiles."""
QUALITIES = (82, 70, 55, 40, 25)
"""Of JPEG: the first at which a picture has the bytes that it may have; grain takes more than a photograph."""
BYTES = 4_000_000
"""Of the enlarged pictures of an output together, and a quarter more of its small ones, about: a collection has
thousands of reels, each with 40 pairs of pictures."""
FEW = 10
"""Parts of an output up to which each is enlarged to LARGE; more are enlarged less, so that all have the same room."""
FORMAT = 6


def made(
    out: Path, files: Sequence[File], progress: Callable[[], None] = lambda: None
) -> dict[str, tuple[dict[int, Picture], str]]:
    """The pictures of all files, by key and number of the part, and why there are none. progress: after each file."""
    found = {}
    pool = ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1), "thumbnails")

    def one(file: File) -> tuple[dict[int, Picture], str]:
        standing.at(f"{out / file.place}, while its pictures for the report were made")
        return pictures(out, file)

    try:
        work = {pool.submit(one, file): file.key for file in files}
        for future in as_completed(work):
            found[work[future]] = future.result()
            progress()
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def illustrate(out: Path, item: Item) -> list[str]:
    """Make the pictures of an item that was just published; where they are below `out`. Raises nothing about them."""
    file = published(out, item)
    found, _ = pictures(out, file)
    names = [name for picture in found.values() for name in _files(picture)]
    more = [name for name in (preview_of(file), story_of(file)) if (out / name).is_file()]
    return [*names, *more, f"{FOLDER}/{item.key}.json"] if names else []


def preview_of(file: File) -> str:
    """Where a short film of a colored reel lies."""
    return f"{FOLDER}/{file.key}.mp4"


def story_of(file: File) -> str:
    """Where an output's story lies as a page."""
    return f"{FOLDER}/{file.key}.html"


def beside(out: Path, file: File, pictures: Mapping[int, Picture], elsewhere: frozenset[str] = frozenset()) -> File:
    """The file with what else was made of it: a preview where browsers do not show its output, and its story."""

    def there(place: str) -> str:
        return place if place in elsewhere or (out / place).is_file() else ""

    shows = Path(file.place).suffix.lower() in SHOWN
    first = next(iter(pictures.values()), None) if file.kind == SCAN.name else None
    still = (first.large[1] or first.after) if first is not None else ""
    preview = "" if shows else still or there(preview_of(file))
    return replace(file, preview=preview, readable=there(story_of(file)))


def _files(picture: Picture) -> list[str]:
    return [name for name in (picture.before, picture.after, *picture.large[:2]) if name]


def kept(out: Path, file: File, elsewhere: frozenset[str] = frozenset()) -> dict[int, Picture] | None:
    """The pictures that were made of the output as it lies there now; None if there are none.

    elsewhere: files that are in its store only.
    """
    try:
        record = read_json(out / FOLDER / f"{file.key}.json")
        if not file.digest or record["seen"] != file.digest or record["format"] != FORMAT:
            return None
        found = {
            int(number): Picture(**{**values, "large": tuple(values["large"]), "hue": tuple(values["hue"])})
            for number, values in sorted(record["pictures"].items(), key=lambda pair: int(pair[0]))
        }
        wanted = {_place(name) for picture in found.values() for name in _files(picture)}
        whole = wanted <= record["digests"].keys() and all(
            f"{FOLDER}/{name}" in elsewhere or _as_made(out / FOLDER / name, record["digests"])
            for name in record["digests"]
        )
    except (LedgerError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    numbers = [part.number for part in chosen(file.parts)]
    return found if list(found) == numbers and whole else None


def _as_made(path: Path, digests: dict[str, Any]) -> bool:
    """Whether a picture has the bytes that were written: one that a loss of power emptied has not."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digests[path.name]


def _place(name: str) -> str:
    """What a file is called in FOLDER. Raises ValueError for one elsewhere."""
    folder, slash, place = name.partition("/")
    if folder != FOLDER or not slash or "/" in place:
        raise ValueError(name)
    return place


def pictures(out: Path, file: File) -> tuple[dict[int, Picture], str]:
    """The pictures of an output, made if need be, and why there are none. Raises nothing about the output."""
    if not (file.output and file.parts):
        return {}, ""
    if (found := kept(out, file)) is not None:
        return found, ""
    try:
        return _make(out, file), ""
    except Exception as error:  # each decoder has errors of its own, and a report is no place to stop at one
        return {}, f"no pictures: {str(error) or type(error).__name__}"


def _make(out: Path, file: File) -> dict[int, Picture]:
    target, folder = out / file.place, out / FOLDER
    folder.mkdir(exist_ok=True)
    wanted = chosen(file.parts)
    found = {}
    longest = max(2 * LONGEST, round(LARGE * min(1.0, (FEW / len(wanted)) ** 0.5)))
    room = BYTES // (2 * max(FEW, len(wanted)))
    for number, rgb, matrix in glimpses(target, file.kind, wanted, longest):
        small = _thumbnail(rgb)
        gray, cb, cr = split(small, matrix)
        before, after = _write(folder, f"{file.key}-{number}", gray, small, room // 4)
        large = ("", "", 0, 0)
        if max(rgb.shape) > LONGEST:
            pair = _write(folder, f"{file.key}-{number}l", split(rgb, matrix)[0], rgb, room)
            large = (*pair, rgb.shape[1], rgb.shape[0])
        high, wide = gray.shape
        share, chroma = quality.one_hue(gray, cb, cr)
        found[number] = Picture(
            before, after, wide, high, round(quality.colorfulness(small), 2), round(float(cb.mean()), 2),
            round(float(cr.mean()), 2), large, (round(share, 3), round(chroma, 2)),
        )  # fmt: skip
    more = _more(out, file, wanted)
    names = [*(name for picture in found.values() for name in _files(picture)), *more]
    digests = {_place(name): hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    made_of = {"format": FORMAT, "seen": file.digest, "digests": digests}
    record = {**made_of, "pictures": {str(n): asdict(p) for n, p in found.items()}}
    write_json(folder / f"{file.key}.json", record, lasting=False)
    return found


def _thumbnail(rgb: Array) -> Array:
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
    return rgb if max(rgb.shape) <= LONGEST else reduced(frame, Fraction(frame.width), frame.height, LONGEST)


def _write(folder: Path, stem: str, gray: Array, rgb: Array, room: int) -> tuple[str, str]:
    """Write a pair of pictures; where they are below the collection's folder. room: bytes that each may have."""
    names = [f"{stem}{which}.jpg" for which in "ba"]
    for name, samples in zip(names, (gray, rgb), strict=True):
        write_bytes(folder / name, _jpeg(samples, room), lasting=False)
    return f"{FOLDER}/{names[0]}", f"{FOLDER}/{names[1]}"


def _jpeg(samples: Array, room: int) -> bytes:
    for share in QUALITIES:
        data = bytes(imagecodecs.jpeg8_encode(samples, share))
        if len(data) <= room:
            break
    return data


def _more(out: Path, file: File, parts: Sequence[Part]) -> list[str]:
    """Leave an output's story as a page, and a short film of one that browsers do not show; where they are."""
    values = read_json(out / f"{file.place}.json")
    made = [story_of(file)]
    name = Path(file.place).name  # known while the night goes on as well as to a later report
    write_bytes(out / made[0], story(name, values, f"../{file.story}").encode(), lasting=False)
    if file.kind == REEL.name and Path(file.place).suffix.lower() not in SHOWN:
        film = b""
        with suppress(Exception):  # encoders may lack; the pictures are there
            film = preview(out / file.place, parts)
        if film:  # what the disk refuses is tried again by the next report
            write_bytes(out / preview_of(file), film, lasting=False)
            made.append(preview_of(file))
    return made
