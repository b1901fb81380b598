"""The gallery: a contact sheet of pictures, each gray, colored and, where it is known, as it was.

For looking at only. Which pictures are shown depends on the set alone, so that the sheets of two weights compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from colorizer.basis.errors import UnsupportedSource
from colorizer.basis.light import luma_codes
from colorizer.color.coding import Coding
from colorizer.measures.evaluation import without_truth
from colorizer.measures.score import LUMA
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.geometry import DEFAULT_WORKING_SIZE, Geometry
from colorizer.training.picture_files import SUFFIXES, members, rgb_of
from workflows.sheets.sheet import write_png

Picture = NDArray[np.uint8]

COUNT = 24
"""Pictures on a sheet."""

ACROSS = 2
"""Pictures beside each other."""

WIDE, HIGH = 256, 192  # the largest box that a picture is fitted into, pixels
GAP, MARGIN = 6, 24
HEADER = 30
PAPER, INK = 24, 200
SHORT_SIDE = 384
"""Larger pictures are shrunk to this before they are colored; twice what the network sees, and what the sheet shows."""

SMALLEST = 16  # pixels, the shorter side of what is shown
STILL = Coding(8, True, "bt601")

GLYPHS = {
    "A": "01110 10001 10001 11111 10001 10001 10001", "H": "10001 10001 10001 11111 10001 10001 10001",
    "C": "01110 10001 10000 10000 10000 10001 01110", "D": "11110 10001 10001 10001 10001 10001 11110",
    "E": "11111 10000 10000 11110 10000 10000 11111", "G": "01110 10001 10000 10111 10001 10001 01110",
    "L": "10000 10000 10000 10000 10000 10000 11111", "O": "01110 10001 10001 10001 10001 10001 01110",
    "R": "11110 10001 10001 11110 10100 10010 10001", "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110", "Y": "10001 10001 01010 00100 00100 00100 00100",
}  # fmt: skip
"""5 x 7 dots, row by row, of the letters that the labels need.

No font is sure to be on a machine, FFmpeg as PyAV ships it draws no text, and Pillow, which has a font, is 22 MB.
"""

LABELS = ("GRAY", "COLORED", "TRUTH")


def write_gallery(sources: Sequence[Path], colorizer: Colorizer, out: Path) -> int:
    """Write a PNG of up to COUNT pictures spread over tar shards and folders; returns how many it shows.

    The third column appears when some picture has colors of its own. Raises UnsupportedSource when no picture can be
    read, StorageError when `out` cannot be written.

    Example: write_gallery([Path("photographs")], Colorizer(load("fast")), Path("sheet.png"))
    """
    chosen = spread(sources)
    if not chosen:
        named = ", ".join(map(str, sources))
        raise UnsupportedSource(named, f"holds no readable picture ({', '.join(SUFFIXES)})")
    rows: list[list[Picture | None]] = []
    for rgb, colored in chosen:
        gray = luma_codes(rgb)
        rows.append([np.repeat(gray[..., None], 3, 2), color(colorizer, gray), rgb if colored else None])
    if all(truth is None for *_, truth in rows):
        rows = [row[:2] for row in rows]
    write_png(out, laid_out(rows))
    return len(rows)


def spread(sources: Sequence[Path], count: int = COUNT) -> list[tuple[Picture, bool]]:
    """Up to `count` readable pictures, evenly from first to last, and whether their colors are a truth.

    One pass, and never more than twice `count` files held, however large the set.
    """
    held: list[bytes] = []
    stride = 1
    for number, (_, data) in enumerate(chain.from_iterable(map(members, sources))):
        if number % stride == 0:
            held.append(data)
        if len(held) > 2 * count:
            held, stride = held[::2], stride * 2
    readable = [rgb for rgb in map(rgb_of, held) if rgb is not None and min(rgb.shape[:2]) >= SMALLEST]
    places = np.linspace(0, len(readable) - 1, min(count, len(readable))).round().astype(int)
    return [(shrunk(readable[i]), without_truth(readable[i]) is None) for i in places]


def shrunk(rgb: Picture) -> Picture:
    """A picture whose shorter side is SHORT_SIDE at most."""
    scale = min(1.0, SHORT_SIDE / min(rgb.shape[:2]))
    return resized(rgb, max(1, round(rgb.shape[0] * scale)), max(1, round(rgb.shape[1] * scale)))


def resized(rgb: Picture, high: int, wide: int) -> Picture:
    """A picture at another size."""
    if rgb.shape[:2] == (high, wide):
        return rgb
    planes = torch.from_numpy(rgb).permute(2, 0, 1)[None].float()
    planes = F.interpolate(planes, (high, wide), mode="bilinear", antialias=True, align_corners=False)
    return planes[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def color(colorizer: Colorizer, luma: Picture) -> Picture:
    """8-bit R'G'B' (H, W, 3) of full-range luma codes (H, W), painted as the product paints a frame.

    A picture smaller than the default working size is shown to the network at its own.
    """
    geometry, size = Geometry(step_y=1, step_x=1), min(DEFAULT_WORKING_SIZE, *luma.shape)
    square = colorizer.whole(luma, STILL, geometry)
    look, _ = colorizer.look(square[None])
    codes = colorizer.chroma(luma[None], STILL, geometry, look, size)
    cb, cr = ((torch.from_numpy(plane[0]).float() - STILL.neutral) / STILL.chroma_span for plane in codes)
    rgb = LUMA.show(STILL.luma(torch.from_numpy(luma)), cb, cr).clamp(0, 1)
    return (rgb * 255).round().byte().permute(1, 2, 0).numpy()


def laid_out(rows: Sequence[Sequence[Picture | None]]) -> Picture:
    """The sheet: pictures ACROSS beside each other under their labels, each in its columns; None leaves a box empty.

    Boxes are as wide as the widest picture or label needs, so that a set of squares lies close.
    """
    letters = [_lettered(label) for label in LABELS]
    fitted = [[None if picture is None else _fitted(picture) for picture in row] for row in rows]
    shown = [picture for row in fitted for picture in row if picture is not None]
    columns, box = len(rows[0]), max(picture.shape[1] for picture in (*shown, *letters))
    group = columns * (box + GAP) - GAP
    across = min(ACROSS, len(rows))
    down = -(-len(rows) // across)
    wide = across * (group + MARGIN) + MARGIN
    sheet = np.full((MARGIN + HEADER + down * (HIGH + GAP) - GAP + MARGIN, wide, 3), PAPER, np.uint8)
    for number, row in enumerate(fitted):
        top = MARGIN + HEADER + number // across * (HIGH + GAP)
        left = MARGIN + number % across * (group + MARGIN)
        for column, picture in enumerate(row):
            x = left + column * (box + GAP)
            if number < across:
                _put(sheet, letters[column], MARGIN // 2, x, HEADER, box)
            if picture is not None:
                _put(sheet, picture, top, x, HIGH, box)
    return sheet


def _fitted(picture: Picture) -> Picture:
    scale = min(HIGH / picture.shape[0], WIDE / picture.shape[1])
    return resized(picture, *(max(1, round(side * scale)) for side in picture.shape[:2]))


def _put(sheet: Picture, picture: Picture, top: int, left: int, high: int, wide: int) -> None:
    """Lay a picture in the middle of a box."""
    top, left = top + (high - picture.shape[0]) // 2, left + (wide - picture.shape[1]) // 2
    sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture


def _lettered(text: str) -> Picture:
    """A label, two pixels to a dot."""
    letters = [np.array([list(map(int, line)) for line in GLYPHS[letter].split()]) for letter in text]
    dots = np.hstack([np.pad(letter, ((0, 0), (0, 1))) for letter in letters])[:, :-1]
    ink = np.repeat(np.repeat(dots, 2, 0), 2, 1)[..., None]
    return np.where(ink, INK, PAPER).astype(np.uint8).repeat(3, 2)
