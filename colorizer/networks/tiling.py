"""Exact tiles: the rectangles in which a large picture can be painted so that tiled equals whole.

The three stride-2 convolutions sample even positions, so what a pixel depends on is lopsided and repeats
every 8 pixels: origins and sizes are multiples of 8, and a tile sees more of its left and top than of its
right and bottom.
Every convolution pads with zero activations, which no padded picture can imitate: a tile is clipped at the
picture's edge, never padded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from colorizer.networks.iizuka2016 import Network, NetworkConfig

GRID = 8
"""Pixels after which the network's sampling repeats: the unit of every number here."""


@dataclass(frozen=True, slots=True)
class Halo:
    """Pixels a tile must see around its core: `before` to the left and above, `after` right and below."""

    before: int
    after: int

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0 or self.before % GRID or self.after % GRID:
            raise ValueError(f"a halo is two multiples of {GRID}, not {self.before} and {self.after}")


HALOS = {1: Halo(64, 56), 3: Halo(72, 64)}
"""Halo by fusion kernel. An aligned 8-pixel cell of the picture decides its chroma from 61 pixels before it
and 54 after it (69 and 62 with the 3x3 fusion). Both heads reach equally far: beyond the quarter-size
features the regression head has two 3x3 convolutions at half size, the bins head one at quarter size."""


def halo_of(config: NetworkConfig) -> Halo:
    """The smallest halo with which tiles of this network are exact."""
    return HALOS[config.fusion]


@dataclass(frozen=True, slots=True)
class Tile:
    """A core to keep and the part of the picture to show the network for it; pixels, stops exclusive.

    Each rectangle is (top, left, bottom, right). The padded one holds the core and its halo as far as the
    picture goes. All numbers are multiples of 8, so halves (the chroma's size) are whole.
    """

    core: tuple[int, int, int, int]
    padded: tuple[int, int, int, int]

    @property
    def within(self) -> tuple[int, int, int, int]:
        """The core in coordinates of the padded rectangle."""
        top, left = self.padded[:2]
        return self.core[0] - top, self.core[1] - left, self.core[2] - top, self.core[3] - left


def tiles(height: int, width: int, size: int, halo: Halo) -> Iterator[Tile]:
    """Tiles whose cores cover a picture once, row by row; cores are size x size, smaller at the right and
    bottom.

    height, width, size: positive multiples of 8, else ValueError. Sizes from 512 waste least on halos.
    """
    for name, value in (("height", height), ("width", width), ("size", size)):
        if value <= 0 or value % GRID:
            raise ValueError(f"tile {name} must be a positive multiple of {GRID}, not {value}")

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

    whole: Y' in [0, 1], (B, 1, H, W). look: (B or 1, 256·width). Returns a*b*, (B, 2, H/2, W/2). Equal to the
    whole up to rounding (the library may pick another algorithm for another size). Raises ValueError for
    sides or a size that are not multiples of 8, and for a network in training mode, whose batch statistics
    would tie pixels together.
    """
    if network.training:
        raise ValueError("tiles are exact in evaluation mode only; call network.eval() first")
    height, width = whole.shape[2:]
    ab: Tensor | None = None
    for tile in tiles(height, width, size, halo_of(network.config)):
        top, left, bottom, right = tile.padded
        painted = network.paint(whole[:, :, top:bottom, left:right], look)
        if ab is None:
            ab = painted.new_empty(painted.shape[0], 2, height // 2, width // 2)
        into, out_of = ([v // 2 for v in box] for box in (tile.core, tile.within))
        ab[:, :, into[0] : into[2], into[1] : into[3]] = painted[:, :, out_of[0] : out_of[2], out_of[1] : out_of[3]]
    assert ab is not None, "a picture of at least 8 pixels has a tile"
    return ab
