"""A plate: one large still, colored band by band from what was seen of it as a whole.

A first pass over the rows averages the picture down to a preview. From the preview come the look, and (at a working
size) the colors as a field of lines, chroma over luma, on a small grid. A second pass applies that field, or at native
size paints tiles under the look, so no pass ever holds more than a band. Both give the same numbers however the rows
are cut into bands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.basis.light import green_for
from colorizer.color.coding import Coding
from colorizer.color.upsample import fit_lines, fit_shape
from colorizer.networks.tiling import tiles
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.geometry import ORIENTATIONS, Geometry

PREVIEW_SIDE = 768
"""The preview's shorter side is between this and twice this, or the picture's own."""
PREVIEW_PIXELS = 8 << 20
"""At most this many in a preview: a strip of film scanned in one piece is long."""
AT_A_TIME = 64 * 1024
"""Pixels that are colored from lines at a time, about: a processor's cache holds their numbers."""
ENLARGED = 2
"""Times that a small picture is enlarged for the network at most. More costs much and shows it nothing: the chroma of
80 photographs of 30 lines comes back with 25.8 dB (lite) and 25.4 (fast) at a working size of 64, 25.6 and 25.1 at 192.
"""
BATCH = 16
"""Small pictures that go through the network together."""
SMALL = 1 << 16
"""Pixels of a small picture at most."""
LEAST = 32
"""The smallest working size."""


def upright(x: Tensor, orientation: int) -> Tensor:
    """Stored rows (..., h, w) as a person sees them."""
    turns, mirror = ORIENTATIONS[orientation]
    x = torch.rot90(x, turns, (-2, -1))
    return x.flip(-1) if mirror else x


def stored(x: Tensor, orientation: int) -> Tensor:
    """Inverse of `upright`."""
    turns, mirror = ORIENTATIONS[orientation]
    return torch.rot90(x.flip(-1) if mirror else x, -turns, (-2, -1))


class Preview:
    """The picture averaged down by a whole factor while its rows go by.

    height, width, bits: of the stored luma codes, full range.
    """

    def __init__(self, height: int, width: int, bits: int) -> None:
        self.height, self.width, self.bits = height, width, bits
        least = math.ceil(math.sqrt(height * width / PREVIEW_PIXELS))
        self.factor = max(1, min(height, width) // PREVIEW_SIDE, least)
        shape = -(-height // self.factor), -(-width // self.factor)
        self._sums = np.zeros(shape)
        self._rows = 0

    def add(self, rows: np.ndarray) -> None:
        """The next rows, uint8 or uint16 (n, W)."""
        k = self.factor
        head = min(-self._rows % k, len(rows))
        full = head + (len(rows) - head) // k * k
        for start, stop in ((0, head), (head, full), (full, len(rows))):  # the end of a cell, cells, the begin of one
            if start < stop:  # whole rows first: it is the cheaper sum
                cells = rows[start:stop].reshape(-1, min(k, stop - start), self.width).sum(1, dtype=np.uint64)
                sums = np.add.reduceat(cells, np.arange(0, self.width, k), axis=1)
                self._sums[(self._rows + start) // k :][: len(sums)] += sums
        self._rows += len(rows)

    def luma(self) -> Tensor:
        """Y' in [0, 1], float32 (1, 1, h, w), of all rows that were added."""
        if self._rows != self.height:
            raise ValueError(f"{self._rows} of {self.height} rows were added")
        k = self.factor
        down, across = (np.diff(np.append(np.arange(0, side, k), side)) for side in (self.height, self.width))
        means = self._sums / (down[:, None] * across) / (2**self.bits - 1)
        return torch.from_numpy(means.astype(np.float32))[None, None]


@dataclass(frozen=True, slots=True)
class Plate:
    """What was decided about a picture as a whole.

    height, width, bits: of its stored luma codes. look: float32 (look_length,). scene: probabilities of the classes.
    lines: slopes and offsets of Cb and Cr over Y', float32 (1, 4, h, w) in stored orientation; None at native size.
    """

    height: int
    width: int
    bits: int
    look: np.ndarray = field(repr=False)
    scene: np.ndarray = field(repr=False)
    lines: Tensor | None = field(repr=False)

    @property
    def coding(self) -> Coding:
        """Of the luma: full range, as stills are; Rec. 601 weights, as in training and JPEG."""
        return Coding(self.bits, True, "bt601")


def plate_look(colorizer: Colorizer, preview: Preview, orientation: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Look and scene probabilities of a picture, from its preview: float32 (look_length,) and (classes,)."""
    looks, scenes = colorizer.look(plate_whole(colorizer, preview, orientation)[None])
    return looks[0], scenes[0]


def plate_whole(colorizer: Colorizer, preview: Preview, orientation: int = 1) -> np.ndarray:
    """A picture as `Colorizer.look` wants it, from its preview: uint8 (look_size, look_size)."""
    codes = (upright(preview.luma(), orientation)[0, 0] * 255).round().byte().numpy()
    return colorizer.whole(codes, Coding(8, True, "bt601"), Geometry())


def size_for(working_size: int, height: int, width: int) -> int:
    """The working size of a picture: what was asked for, less where the picture is small (see ENLARGED).

    >>> size_for(192, 3000, 4000), size_for(192, 30, 40)
    (192, 60)
    """
    return min(working_size, max(LEAST, ENLARGED * min(height, width)))


def is_small(working_size: int, height: int, width: int) -> bool:
    """Whether a picture is enlarged for the network no further than ENLARGED, and painted among others."""
    return size_for(working_size, height, width) < working_size and height * width <= SMALL


def survey_plate(
    colorizer: Colorizer, preview: Preview, working_size: int, orientation: int = 1, aspect: float = 1.0,
    look: np.ndarray | None = None,
) -> Plate:  # fmt: skip
    """Decide the colors of a picture from its preview.

    working_size: shorter side in pixels, NATIVE for painting at the picture's own size; of a small picture it is less,
    as `size_for` says. orientation: TIFF's, 1 to 8. aspect: width of a stored pixel over its height. look: another one
    than its own.
    """
    own, scene = plate_look(colorizer, preview, orientation)
    look = own if look is None else look
    [lines] = plate_lines(colorizer, [preview], working_size, orientation, aspect, [look])
    return Plate(preview.height, preview.width, preview.bits, look, scene, lines)


def plate_lines(
    colorizer: Colorizer, previews: Sequence[Preview], working_size: int, orientation: int, aspect: float,
    looks: Sequence[np.ndarray],
) -> list[Tensor | None]:  # fmt: skip
    """The lines of pictures of one size, each under its look; BATCH of them at most, and of large ones one.

    What a picture gets does not depend on the others. The rest is as of `survey_plate`.
    """
    if not working_size:
        return [None] * len(previews)
    height, width = previews[0].height, previews[0].width
    few = BATCH if is_small(working_size, height, width) else 1
    if not 0 < len(previews) <= few:
        raise ValueError(f"{len(previews)} pictures of {width} x {height} are not painted together, at most {few} are")
    seen = [upright(preview.luma(), orientation) for preview in previews]
    turned = ORIENTATIONS[orientation][0] % 2 == 1
    geometry = Geometry(1 / aspect if turned else aspect, 0, 1, 1)
    size, coding = size_for(working_size, height, width), Coding(16, True, "bt601")
    if few == 1:
        chroma = [colorizer.small(seen[0].to(colorizer.device), coding, geometry, looks[0], size)]
    else:
        chroma = colorizer.small_each([y.to(colorizer.device) for y in seen], coding, geometry, looks, size, few)
    return [_lines(y, torch.cat(codes, 1).cpu(), orientation) for y, codes in zip(seen, chroma, strict=True)]


def _lines(seen: Tensor, chroma: Tensor, orientation: int) -> Tensor:
    fit = fit_shape(seen.shape[2], seen.shape[3])
    return stored(fit_lines(chroma, F.adaptive_avg_pool2d(seen, fit)), orientation)


@torch.inference_mode()
def color_rows(colorizer: Colorizer, plate: Plate, luma: np.ndarray, top: int) -> np.ndarray:
    """Rows of a plate with lines: luma codes (n, W) from row `top` on to R'G'B' codes (n, W, 3) of the same kind."""
    assert plate.lines is not None, "a plate at native size has none; see color_native"
    rows = _between(plate.lines, top, len(luma), plate.height)
    out = np.empty((*luma.shape, 3), luma.dtype)
    count = max(1, AT_A_TIME // plate.width)
    for start in range(0, len(luma), count):
        part = slice(start, start + count)
        codes = luma[part]
        lines = F.interpolate(rows[:, :, part], codes.shape, mode="bilinear", align_corners=False)
        y = plate.coding.luma(torch.from_numpy(codes))
        cb, cr = (lines[0, i + 2] + lines[0, i] * y for i in (0, 1))
        out[part] = _shown(colorizer, plate.coding, codes, y, cb, cr)
    return out


def _between(lines: Tensor, top: int, count: int, height: int) -> Tensor:
    """The rows of a field at rows top to top + count of a picture `height` rows high, bilinear: (1, C, count, w)."""
    at = ((torch.arange(top, top + count) + 0.5) * (lines.shape[2] / height) - 0.5).clamp(0, lines.shape[2] - 1)
    above = at.floor().long()
    below = (above + 1).clamp_max(lines.shape[2] - 1)
    return torch.lerp(lines[:, :, above], lines[:, :, below], (at - above).float().view(1, 1, -1, 1))


Read = Callable[[int, int, int, int], np.ndarray]
"""Luma codes of a rectangle: (top, left, height, width) to (height, width)."""


@torch.inference_mode()
def color_native(colorizer: Colorizer, plate: Plate, read: Read, top: int, bottom: int, tile: int = 512) -> np.ndarray:
    """Rows top to bottom painted at the picture's own size: R'G'B' codes (bottom - top, W, 3).

    top is a multiple of the grid, bottom too or the picture's end. Whatever the tile and the rows asked for at a time,
    a pixel gets the same a*b* up to float rounding, since every tile sees the halo that decides it; where the display's
    gamut ends, that rounding may move the color by a 2^-10 of its chroma, the step of the search there.
    """
    out = np.empty((bottom - top, plate.width, 3), np.uint8 if plate.bits == 8 else np.uint16)
    config = colorizer.weights.config
    grid, stride, halo = config.grid, config.stride, config.halo
    height, width = (-(-side // grid) * grid for side in (plate.height, plate.width))
    look = torch.from_numpy(plate.look)[None].to(colorizer.device, colorizer.dtype)
    solver = colorizer.solver(plate.coding)
    end = -(-bottom // grid) * grid
    for part in tiles(end - top, width, tile, halo, grid):
        core = part.core[0] + top, part.core[1], part.core[2] + top, part.core[3]
        wide = _grown(core, grid, grid, height, width)  # so that enlarging its chroma sees past the core's edge
        padded = _grown(wide, halo.before, halo.after, height, width)
        codes = _read(read, padded, plate)
        y = plate.coding.luma(torch.from_numpy(codes))[None, None].to(colorizer.device)
        ab = colorizer.paint(y.to(colorizer.dtype), look)
        half = [v // stride for v in _inside(wide, padded)]
        ab = ab[:, :, half[0] : half[2], half[1] : half[3]]
        within = _inside(wide, padded)
        y = y[:, :, within[0] : within[2], within[1] : within[3]]
        chroma = torch.stack(solver.solve(F.avg_pool2d(y, stride)[:, 0], ab[:, 0], ab[:, 1]), 1)
        chroma = F.interpolate(chroma, scale_factor=float(stride), mode="bilinear", align_corners=False)
        a, b, c, d = _inside((core[0], core[1], min(core[2], bottom), min(core[3], plate.width)), wide)
        kept = codes[within[0] : within[2], within[1] : within[3]][a:c, b:d]
        cb, cr = chroma[0, :, a:c, b:d].cpu()
        y = plate.coding.luma(torch.from_numpy(np.ascontiguousarray(kept)))
        out[core[0] - top : core[0] - top + c - a, core[1] : core[1] + d - b] = _shown(
            colorizer, plate.coding, kept, y, cb, cr
        )
    return out


Box = tuple[int, int, int, int]  # top, left, bottom, right


def _grown(box: Box, before: int, after: int, height: int, width: int) -> Box:
    top, left, bottom, right = box
    return max(0, top - before), max(0, left - before), min(height, bottom + after), min(width, right + after)


def _inside(box: Box, other: Box) -> Box:
    """A box in coordinates of another."""
    return box[0] - other[0], box[1] - other[1], box[2] - other[0], box[3] - other[1]


def _read(read: Read, box: Box, plate: Plate) -> np.ndarray:
    """A rectangle of the picture continued to a multiple of the grid by its last row and column."""
    top, left, bottom, right = box
    below, beside = max(0, bottom - plate.height), max(0, right - plate.width)
    codes = read(top, left, bottom - below - top, right - beside - left)
    return np.pad(codes, ((0, below), (0, beside)), mode="edge") if below or beside else codes


def _shown(colorizer: Colorizer, coding: Coding, codes: np.ndarray, y: Tensor, cb: Tensor, cr: Tensor) -> np.ndarray:
    """R'G'B' codes whose luma (`light.luma_codes`) is the stored one: red and blue are rounded, green is what is then
    missing.
    """
    solver = colorizer.solver(coding)
    rgb = solver.show(y, *solver.fit(y, cb, cr))
    white = 2**coding.bits - 1
    red, blue = ((rgb[i].double() * white).round().clamp(0, white).to(torch.int32).numpy() for i in (0, 2))
    green = green_for(codes, red, blue, coding.matrix)
    out = np.empty((*codes.shape, 3), codes.dtype)
    out[..., 0], out[..., 1], out[..., 2] = red, green.clip(0, white), blue
    return out
