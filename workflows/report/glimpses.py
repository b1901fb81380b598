"""Glimpses of a colored output: one picture for each shot or page that is asked for, small, as a viewer shows it.

For looking at only: pixels become R'G'B' here. Reads outputs as they lie there, not what painted them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import tifffile
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from colorizer.basis.errors import DamagedSource
from colorizer.basis.light import MATRICES, MATRIX_NAMES, Matrix, assumed_matrix, luma_codes, luma_light
from pipeline.metadata.blocks import from_blocks
from pipeline.metadata.metadata import Resolution
from pipeline.pages.still_formats import format_of
from pipeline.reels.reel import open_source
from pipeline.scans.outputs import tile_rows
from pipeline.scans.survey import aspect_of
from pipeline.stills.opening import open_scan
from pipeline.values.kinds import REEL, SCAN
from workflows.report.values import Part

Array = NDArray[np.uint8]
Glimpse = tuple[int, Array, str]
"""Number of the part; R'G'B' (H, W, 3); the matrix of its luma."""

MOST = 40
"""Parts of an output that are shown, at most."""

SAMPLED = 2
"""Pixels, for one of a glimpse in each direction, that a large scan is thinned to before they are averaged."""

_whole = threading.Lock()
"""PNG and JPEG are decoded whole, up to some 1.6 GB: one at a time."""


def chosen(parts: Sequence[Part]) -> list[Part]:
    """Parts to picture: all, or MOST of them spread evenly from first to last."""
    places = np.linspace(0, len(parts) - 1, min(MOST, len(parts))).round().astype(int)
    return [parts[place] for place in places]


def glimpses(path: Path, kind: str, parts: Sequence[Part], longest: int) -> Iterator[Glimpse]:
    """Glimpses of an output's parts. longest: pixels of the longer side, at most. Raises what the decoders raise."""
    return SEEN.get(kind, _pages)(path, parts, longest)


def split(rgb: Array, matrix: str) -> tuple[Array, NDArray[np.float64], NDArray[np.float64]]:
    """Luma, and Cb and Cr in 8-bit codes from neutral."""
    kr, kb = MATRICES[matrix]
    luma = luma_light(rgb, matrix)
    cb, cr = (rgb[..., 2] - luma) / (2 - 2 * kb), (rgb[..., 0] - luma) / (2 - 2 * kr)
    return luma_codes(rgb, matrix), cb, cr


def _frames(path: Path, parts: Sequence[Part], longest: int) -> Iterator[Glimpse]:
    """The frame in the middle of each shot, as a screen shows it."""
    with open_source(str(path)) as file:  # an output that was replaced by a list of other files is none
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
            rgb = reduced(frame, wide, frame.height, longest, Colorspace.ITU709 if hd else None)
            yield part.number, np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90))), matrix


def _last_until(at: int, frames: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
    """The frame that is shown at a time; the first there is where all come later."""
    last = None
    for frame in frames:
        if last is not None and frame.pts is not None and frame.pts > at:
            break
        last = frame
    return last


def reduced(
    frame: av.VideoFrame, wide: Fraction, high: int, longest: int, matrix: Colorspace | None = None
) -> Array:  # fmt: skip
    """R'G'B' of a frame that is shown at this size, its longer side `longest` at most."""
    scale = min(Fraction(1), longest / max(wide, Fraction(high)))
    interpolation = Interpolation.AREA | Interpolation.ACCURATE_RND
    small = frame.reformat(
        max(1, round(wide * scale)), max(1, round(high * scale)), "rgb24", src_colorspace=matrix,
        interpolation=interpolation, threads=1,
    )  # fmt: skip
    return np.asarray(small.to_ndarray(), np.uint8)


def _pages(path: Path, parts: Sequence[Part], longest: int) -> Iterator[Glimpse]:
    """Pages of a colored scan, turned as a viewer turns them."""
    for part in parts:
        frame = av.VideoFrame.from_ndarray(_thinned(path, part.number, longest), "rgb24")
        aspect = Fraction(aspect_of(_resolution(path, part.number))).limit_denominator(1000)
        rgb = reduced(frame, frame.width * aspect, frame.height, longest)
        yield part.number, np.ascontiguousarray(turned(rgb, part.orientation)), "bt601"


SEEN: dict[str, Callable[[Path, Sequence[Part], int], Iterator[Glimpse]]] = {REEL.name: _frames, SCAN.name: _pages}
"""How the parts of an output are seen, by its kind."""


def turned(picture: Array, orientation: int) -> Array:
    """Stored rows as a viewer shows them. orientation: TIFF's, 1 to 8 (TIFF 6.0, section 8)."""
    if orientation >= 5:
        picture = picture.transpose(1, 0, 2)
    rows, columns = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(orientation, (1, 1))
    return picture[::rows, ::columns]


def _thinned(path: Path, place: int, longest: int) -> Array:
    """8-bit R'G'B' samples of a page, of the smallest level that has enough, every so many in both directions."""
    decode = format_of(path).decode
    if decode is not None:
        with _whole:
            whole = decode(path.read_bytes())
            step = max(1, max(whole.shape[:2]) // (SAMPLED * longest))
            return _eight(whole[::step, ::step])
    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages[place]
        levels = [page, *(page.pages or ())]
        enough = [level for level in levels if max(level.imagelength, level.imagewidth) >= longest]
        level = enough[-1] if enough else page
        step = max(1, max(level.imagelength, level.imagewidth) // (SAMPLED * longest))
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
