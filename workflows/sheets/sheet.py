"""The contact sheet: one row per shot, the source frame beside the colored one.

For looking at only: pixels become RGB here and nowhere before.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import imagecodecs
import numpy as np
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from colorizer.basis.atomic import write_bytes
from colorizer.basis.errors import UnsupportedSource
from colorizer.basis.light import Matrix, Range, assumed_matrix
from pipeline.reels.reel import local
from pipeline.storage.atomic import writable

Array = NDArray[np.uint8]

THUMBNAIL = 480  # pixels, the most a frame is wide
GAP = 6
PAPER = 24


def contact_sheet(source: Path, colored: Path, cuts: list[int], out: Path) -> None:
    """Write a PNG with the middle frame of every shot, before and after; `cuts` are the shots' first frames.

    Example: contact_sheet(Path("reel.mp4"), Path("reel-color.mp4"), [36, 70], Path("sheet.png"))
    """
    count = _count(colored)
    starts = [cut for cut in sorted({0, *cuts}) if cut < count]
    middles = [(start + stop) // 2 for start, stop in pairwise([*starts, count])]
    rows = [np.hstack([_framed(a), _framed(b)]) for a, b in _pairs(source, colored, middles)]
    sheet = np.pad(np.vstack(rows), ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=PAPER)
    write_png(out, sheet)


def write_png(out: Path, picture: Array) -> None:
    """A PNG that appears whole or not at all; picture: (H, W, 3)."""
    with writable(out):
        write_bytes(out, imagecodecs.png_encode(picture, level=6))


def _pairs(source: Path, colored: Path, indices: list[int]) -> list[tuple[Array, Array]]:
    """The same frames of both reels; the second is shown at the size of the first."""
    before, after = _thumbnails(source, indices), _thumbnails(colored, indices)
    return [(a, _fitted(b, a.shape[:2])) for a, b in zip(before, after, strict=True)]


def _count(path: Path) -> int:
    """How many frames decode; containers may claim otherwise."""
    with av.open(local(path), metadata_errors="replace") as file:
        return sum(1 for _ in file.decode(video=0))


def _thumbnails(path: Path, indices: list[int]) -> list[Array]:
    """The frames of these rising indices, for display."""
    wanted = set(indices)
    with av.open(local(path), metadata_errors="replace") as file:
        if not file.streams.video:
            raise UnsupportedSource(str(path), "has no picture; give a reel")
        file.streams.video[0].thread_type = "AUTO"
        aspect = file.streams.video[0].sample_aspect_ratio or Fraction(1)
        found = [_thumbnail(f, aspect) for i, f in enumerate(file.decode(video=0)) if i in wanted]
    if len(found) != len(indices):
        raise UnsupportedSource(str(path), f"has no frame {indices[len(found)]}; is it the reel of this plan?")
    return found


def _thumbnail(frame: av.VideoFrame, aspect: Fraction) -> Array:
    """A frame as a screen shows it: its own matrix and range, square pixels, at most THUMBNAIL wide."""
    shown = Fraction(frame.width) * aspect
    scale = min(Fraction(1), THUMBNAIL / shown)
    width, height = max(1, round(shown * scale)), max(1, round(frame.height * scale))
    hd = frame.colorspace == Matrix.UNSPECIFIED and assumed_matrix(frame.height) == "bt709"
    interpolation = Interpolation.AREA | Interpolation.ACCURATE_RND
    picture = frame.reformat(
        width, height, "rgb24", src_colorspace=Colorspace.ITU709 if hd else None, interpolation=interpolation, threads=1
    ).to_ndarray()
    if frame.format.name.startswith("gray") and frame.color_range == Range.LIMITED:
        stretched = (picture.astype(np.float32) - 16) * (255 / 219)  # swscale takes every gray for full range
        picture = np.rint(stretched.clip(0, 255)).astype(np.uint8)
    return np.asarray(picture, np.uint8)


def _fitted(picture: Array, size: tuple[int, ...]) -> Array:
    if picture.shape[:2] == size:
        return picture
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    return np.asarray(frame.reformat(size[1], size[0], threads=1).to_ndarray(), np.uint8)


def _framed(picture: Array) -> Array:
    return np.pad(picture, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=PAPER)
