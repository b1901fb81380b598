"""Thumbnails of what was colored, before and after: one pair per shot or page, read from the outputs themselves.

For looking at only. They are made once and kept beside the report, with what was measured on them, until the output
changes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imagecodecs
import numpy as np
import tifffile
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from colorizer.basis.atomic import write_bytes
from colorizer.basis.errors import DamagedSource, LedgerError
from colorizer.basis.light import MATRICES, MATRIX_NAMES, Matrix, assumed_matrix, luma_codes, luma_light
from colorizer.measures import quality
from pipeline.collection.item import Item
from pipeline.metadata.blocks import from_blocks
from pipeline.metadata.metadata import Resolution
from pipeline.pages.still_formats import format_of
from pipeline.reels.reel import local
from pipeline.scans.outputs import tile_rows
from pipeline.scans.survey import aspect_of
from pipeline.stills.opening import open_scan
from pipeline.storage.atomic import read_json, write_json
from workflows.report.reading import published
from workflows.report.values import File, Part, Picture

Array = NDArray[np.uint8]

FOLDER = "report"
LONGEST = 320
"""Pixels of a thumbnail's longer side, at most."""
SAMPLED = 4 * LONGEST
"""Pixels of a longer side that a large scan is thinned to, at least, before they are averaged."""
MOST = 40
"""Parts of a file that are pictured, at most."""
WORKERS = 4
"""Files at a time: each may hold a row of a plate's tiles."""
QUALITY = 82
FORMAT = 2

_whole = threading.Lock()
"""PNG and JPEG are decoded whole, up to some 1.6 GB: one at a time."""


def made(
    out: Path, files: Sequence[File], told: Callable[[], None] = lambda: None
) -> dict[str, tuple[dict[int, Picture], str]]:
    """The pictures of all files, by key and number of the part, and why there are none. told: after each file."""
    found = {}
    pool = ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1), "thumbnails")
    try:
        work = {pool.submit(pictures, out, file): file.key for file in files}
        for future in as_completed(work):
            found[work[future]] = future.result()
            told()
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def illustrate(out: Path, item: Item) -> list[str]:
    """Make the pictures of an item that was just published; where they are below `out`. Raises nothing about them."""
    file = published(out, item)
    found, _ = pictures(out, file)
    names = [name for picture in found.values() for name in (picture.before, picture.after)]
    return [*names, f"{FOLDER}/{item.key}.json"] if names else []


def kept(out: Path, file: File, elsewhere: frozenset[str] = frozenset()) -> dict[int, Picture] | None:
    """The pictures that were made of the output as it lies there now; None if there are none.

    elsewhere: files that are in its store only.
    """
    try:
        record = read_json(out / FOLDER / f"{file.key}.json")
        if not file.digest or record["seen"] != file.digest or record["format"] != FORMAT:
            return None
        found = {int(number): Picture(**values) for number, values in record["pictures"].items()}
    except (LedgerError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    numbers = [part.number for part in chosen(file.parts)]
    names = [f"{FOLDER}/{_name(file.key, number, which)}" for number in numbers for which in "ba"]
    there = all(name in elsewhere or (out / name).is_file() for name in names)
    return found if list(found) == numbers and there else None


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


def chosen(parts: Sequence[Part]) -> list[Part]:
    """Parts to picture: all, or MOST of them spread evenly from first to last."""
    places = np.linspace(0, len(parts) - 1, min(MOST, len(parts))).round().astype(int)
    return [parts[place] for place in places]


def _make(out: Path, file: File) -> dict[int, Picture]:
    target, folder = out / file.place, out / FOLDER
    folder.mkdir(exist_ok=True)
    wanted = chosen(file.parts)
    shown = _frames(target, wanted) if file.kind == "reel" else _pages(target, wanted)
    found = {}
    for number, rgb, matrix in shown:
        before, after = (_name(file.key, number, which) for which in "ba")
        gray, cb, cr = _split(rgb, matrix)
        write_bytes(folder / before, imagecodecs.jpeg8_encode(gray, QUALITY), lasting=False)
        write_bytes(folder / after, imagecodecs.jpeg8_encode(rgb, QUALITY), lasting=False)
        high, wide = gray.shape
        found[number] = Picture(
            f"{FOLDER}/{before}", f"{FOLDER}/{after}", wide, high, round(quality.colorfulness(rgb), 2),
            round(float(cb.mean()), 2), round(float(cr.mean()), 2),
        )  # fmt: skip
    record = {"format": FORMAT, "seen": file.digest, "pictures": {str(n): asdict(p) for n, p in found.items()}}
    write_json(folder / f"{file.key}.json", record, lasting=False)
    return found


def _name(key: str, number: int, which: str) -> str:
    return f"{key}-{number}{which}.jpg"


def _split(rgb: Array, matrix: str) -> tuple[Array, NDArray[np.float64], NDArray[np.float64]]:
    """Luma, and Cb and Cr in 8-bit codes from neutral."""
    kr, kb = MATRICES[matrix]
    luma = luma_light(rgb, matrix)
    cb, cr = (rgb[..., 2] - luma) / (2 - 2 * kb), (rgb[..., 0] - luma) / (2 - 2 * kr)
    return luma_codes(rgb, matrix), cb, cr


def _frames(path: Path, parts: Sequence[Part]) -> Iterator[tuple[int, Array, str]]:
    """The frame in the middle of each shot, as a screen shows it."""
    with av.open(local(path), metadata_errors="replace") as file:
        covers = av.stream.Disposition.attached_pic
        stream = next(s for s in file.streams.video if not s.disposition & covers)
        stream.thread_type = "SLICE"  # threads by frame decode many of them ahead, for nothing after each seek
        aspect = stream.sample_aspect_ratio or Fraction(1)
        assert stream.time_base is not None
        for part in parts:
            at = (stream.start_time or 0) + int(part.moment / stream.time_base)
            file.seek(at, stream=stream)
            frame = _last_until(at, file.decode(stream))
            if frame is None:
                raise DamagedSource(str(path), f"no frame at {part.moment:.3f} s")
            hd = frame.colorspace == Matrix.UNSPECIFIED and assumed_matrix(frame.height) == "bt709"
            matrix = "bt709" if hd else MATRIX_NAMES.get(frame.colorspace, "bt601")
            wide = frame.width * (aspect if Fraction(1, 20) <= aspect <= 20 else Fraction(1))
            rgb = _reduced(frame, wide, frame.height, Colorspace.ITU709 if hd else None)
            yield part.number, np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90))), matrix


def _last_until(at: int, frames: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
    """The frame that is shown at a time; the first there is where all come later."""
    last = None
    for frame in frames:
        if last is not None and frame.pts is not None and frame.pts > at:
            break
        last = frame
    return last


def _reduced(frame: av.VideoFrame, wide: Fraction, high: int, matrix: Colorspace | None = None) -> Array:
    """R'G'B' of a frame that is shown at this size, its longer side LONGEST at most."""
    scale = min(Fraction(1), LONGEST / max(wide, Fraction(high)))
    interpolation = Interpolation.AREA | Interpolation.ACCURATE_RND
    small = frame.reformat(
        max(1, round(wide * scale)), max(1, round(high * scale)), "rgb24", src_colorspace=matrix,
        interpolation=interpolation, threads=1,
    )  # fmt: skip
    return np.asarray(small.to_ndarray(), np.uint8)


def _pages(path: Path, parts: Sequence[Part]) -> Iterator[tuple[int, Array, str]]:
    """Pages of a colored scan, turned as a viewer turns them."""
    for part in parts:
        frame = av.VideoFrame.from_ndarray(_thinned(path, part.number), "rgb24")
        aspect = Fraction(aspect_of(_resolution(path, part.number))).limit_denominator(1000)
        rgb = _reduced(frame, frame.width * aspect, frame.height)
        yield part.number, np.ascontiguousarray(turned(rgb, part.orientation)), "bt601"


def turned(picture: Array, orientation: int) -> Array:
    """Stored rows as a viewer shows them. orientation: TIFF's, 1 to 8 (TIFF 6.0, section 8)."""
    if orientation >= 5:
        picture = picture.transpose(1, 0, 2)
    rows, columns = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(orientation, (1, 1))
    return picture[::rows, ::columns]


def _thinned(path: Path, place: int) -> Array:
    """8-bit R'G'B' samples of a page, of the smallest level that has enough, every so many in both directions."""
    decode = format_of(path).decode
    if decode is not None:
        with _whole:
            whole = decode(path.read_bytes())
            step = max(1, max(whole.shape[:2]) // SAMPLED)
            return _eight(whole[::step, ::step])
    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages[place]
        levels = [page, *(page.pages or ())]
        enough = [level for level in levels if max(level.imagelength, level.imagewidth) >= LONGEST]
        level = enough[-1] if enough else page
        step = max(1, max(level.imagelength, level.imagewidth) // SAMPLED)
        top, thin = 0, []
        for rows in tile_rows(path, level):
            thin.append(_eight(rows[-top % step :: step, ::step]))
            top += len(rows)
    return np.concatenate(thin)


def _resolution(path: Path, place: int) -> Resolution | None:
    """Pixels per unit of a page, as its header says."""
    blocks = format_of(path).blocks
    if blocks is None:
        with open_scan(path, place) as reader:
            return reader.scan.resolution
    return from_blocks(blocks(path.read_bytes()), str(path))[2]


def _eight(samples: np.ndarray) -> Array:
    """A copy in 8 bits, so that what it was cut from can go."""
    return np.array(samples >> 8 if samples.dtype == np.uint16 else samples, np.uint8)
