"""Geometry: how a stored plane is to be seen, and the sizes that it is seen at."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_WORKING_SIZE = 192
NATIVE = 0
"""Working size that stands for the picture's own size."""

ORIENTATIONS = {1: (0, False), 2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True),
                8: (1, False)}  # fmt: skip
"""TIFF 6.0 Orientation: quarter turns counterclockwise of the stored rows, then whether to mirror left and right."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a stored plane is to be seen and where its chroma samples lie.

    aspect: display width of a stored sample over its height. rotation: counter-clockwise degrees that turn the stored
    plane upright, 0, 90, 180 or 270. step_y, step_x: luma samples per chroma sample, 1, 2 or 4. cosited: the chroma
    sample lies on the first luma column of its group (MPEG-2, H.264 default) and not between them (JPEG).
    """

    aspect: float = 1.0
    rotation: int = 0
    step_y: int = 2
    step_x: int = 2
    cosited: bool = True

    def working_shape(self, height: int, width: int, working_size: int, grid: int = 8) -> tuple[int, int]:
        """Size of the upright picture at a working size: the shorter side about that, both multiples of the grid."""
        wide, high = width * self.aspect, float(height)
        if self.rotation % 180:
            wide, high = high, wide
        scale = 1.0 if working_size == NATIVE else working_size / min(wide, high)
        # a strip far longer than film or photographs are would otherwise take all memory
        high, wide = (max(grid, min(16384, grid * round(side * scale / grid))) for side in (high, wide))
        return int(high), int(wide)

    def chroma_shape(self, height: int, width: int) -> tuple[int, int]:
        """Size of a chroma plane."""
        return -(-height // self.step_y), -(-width // self.step_x)
