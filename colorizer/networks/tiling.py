"""Exact tiles: the rectangles in which a large picture can be painted so that tiled equals whole.

A network samples every grid-th pixel alike (8, 16), so what a pixel depends on repeats with its grid: origins and
sizes are multiples of it, and a tile sees as much before and after its core as the network's halo says.
Every convolution pads with zero activations, which no padded picture can imitate: a tile is clipped at the
picture's edge, never padded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from colorizer.networks.protocol import Halo, Network


@dataclass(frozen=True, slots=True)
class Tile:
    """A core to keep and the part of the picture to show the network for it; pixels, stops exclusive.

    Each rectangle is (top, left, bottom, right). The padded one holds the core and its halo as far as the
    picture goes. All numbers are multiples of the grid, so those of the chroma are whole.
    """

    core: tuple[int, int, int, int]
    padded: tuple[int, int, int, int]

    @property
    def within(self) -> tuple[int, int, int, int]:
        """The core in coordinates of the padded rectangle."""
        top, left = self.padded[:2]
        return self.core[0] - top, self.core[1] - left, self.core[2] - top, self.core[3] - left


def tiles(height: int, width: int, size: int, halo: Halo, grid: int = 8) -> Iterator[Tile]:
    """Tiles whose cores cover a picture once, row by row; cores are size x size, smaller at the right and
    bottom.

    height, width, size: positive multiples of the grid, else ValueError. Sizes from 512 waste least on halos.
    """
    for name, value in (("height", height), ("width", width), ("size", size)):
        if value <= 0 or value % grid:
            raise ValueError(f"tile {name} must be a positive multiple of {grid}, not {value}")
    if halo.before % grid or halo.after % grid:
        raise ValueError(f"a halo is two multiples of {grid}, not {halo.before} and {halo.after}")

    def spans(length: int) -> list[tuple[int, int, int, int]]:
        cores = [(start, min(start + size, length)) for start in range(0, length, size)]
        return [(a, b, max(0, a - halo.before), min(length, b + halo.after)) for a, b in cores]

    columns = spans(width)
    for top, bottom, above, below in spans(height):
        for left, right, before, after in columns:
            yield Tile((top, left, bottom, right), (above, before, below, after))


@torch.no_grad()
def paint_tiled(network: Network, whole: Tensor, look: Tensor, size: int) -> Tensor:
    """`network.paint(whole, look)`, tile by tile: the same numbers from the memory of one tile.

    whole: Y' in [0, 1], (B, 1, H, W). look: (B or 1, look_length). Returns a*b*, (B, 2, H/stride, W/stride). Equal to
    the whole up to rounding (the library may pick another algorithm for another size). Raises ValueError for
    sides or a size that are not multiples of its grid, and for a network in training mode, whose batch statistics
    would tie pixels together.
    """
    if network.training:
        raise ValueError("tiles are exact in evaluation mode only; call network.eval() first")
    height, width = whole.shape[2:]
    ab: Tensor | None = None
    config = network.config
    for tile in tiles(height, width, size, config.halo, config.grid):
        top, left, bottom, right = tile.padded
        painted = network.paint(whole[:, :, top:bottom, left:right], look)
        if ab is None:
            ab = painted.new_empty(painted.shape[0], 2, height // config.stride, width // config.stride)
        into, out_of = ([v // config.stride for v in box] for box in (tile.core, tile.within))
        ab[:, :, into[0] : into[2], into[1] : into[3]] = painted[:, :, out_of[0] : out_of[2], out_of[1] : out_of[3]]
    assert ab is not None, "a picture of at least a cell has a tile"
    return ab
