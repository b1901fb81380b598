"""Colorizer: weights on a device, and the two calls the pipeline makes: looks of whole pictures, chroma of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.basis.errors import ColorizeError
from colorizer.color.blocks import by_blocks
from colorizer.color.coding import Coding
from colorizer.color.kept_luma import KeptLuma
from colorizer.color.upsample import guided_upsample
from colorizer.networks.tiling import paint_tiled
from colorizer.networks.weights_file import Weights
from colorizer.painting.geometry import Geometry
from colorizer.painting.grids import chroma_grid, working_grid
from colorizer.painting.processor import bf16_flags

Precision = Literal["fp32", "bf16", "fp16"]
WHOLE_BYTES = 1_200_000_000
"""A part whose layers would take more is painted by tiles of 1024."""

FITTED = 64 * 1024
"""Samples of chroma that are held in gamut and coded at a time."""

TILES = (1024, 512, 256, 128)
"""Sides of tiles that are tried in turn: the first for a large part, the others where memory runs out."""


def auto_precision(device: torch.device) -> Precision:
    """The fastest precision the device has in hardware."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return "bf16" if bf16_flags() else "fp32"


class Colorizer:
    """A network ready to paint. Holds the device's memory until it is dropped.

    The same luma, look and batch give the same codes on the same kind of machine, whatever else it is doing.
    """

    def __init__(self, weights: Weights, device: str = "cpu", precision: Precision = "fp32") -> None:
        self.weights = weights
        self.device = torch.device(device)
        if precision == "fp16" and self.device.type == "cpu":
            raise ColorizeError("fp16 needs a GPU; on a CPU use --precision bf16 or fp32")
        self.dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        network = weights.network().to(self.device, self.dtype)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._solvers: dict[tuple[str, str], KeptLuma] = {}
        self.notes: set[str] = set()
        """What a person should know of how the device was used."""

    def __repr__(self) -> str:
        return f"<Colorizer {self.weights.name} on {self.device}, {str(self.dtype).removeprefix('torch.')}>"

    @property
    def look_size(self) -> int:
        """Side of the square pictures `look` takes."""
        return self.weights.config.look_size

    @torch.inference_mode()
    def look(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks and scene probabilities of whole upright pictures.

        pictures: Y' as uint8, (n, look_size, look_size). Returns float32 (n, look_length) and (n, classes).
        """
        whole = torch.from_numpy(pictures).to(self.device)[:, None].float() / 255
        with one_thread():
            look, scene = self.network.look(whole.to(self.dtype))
            return look.float().cpu().numpy(), self.network.classify(scene).float().softmax(1).cpu().numpy()

    @torch.inference_mode()
    def whole(self, luma: np.ndarray, coding: Coding, geometry: Geometry) -> np.ndarray:
        """A frame as `look` wants it: upright, squeezed to a square, uint8 (look_size, look_size)."""
        plane = _plane(luma[None], coding, torch.device("cpu"))
        square = F.interpolate(plane, (self.look_size,) * 2, mode="bilinear", antialias=True, align_corners=False)
        square = torch.rot90(square, geometry.rotation // 90, (2, 3))
        return (square[0, 0] * 255).round().clamp(0, 255).byte().numpy()

    @torch.inference_mode()
    def chroma(
        self, luma: np.ndarray, coding: Coding, geometry: Geometry, look: np.ndarray, working_size: int,
        output: Coding | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Chroma codes of frames under one look (or one look each).

        luma: stored codes (n, H, W), uint8 or uint16. look: float32 (look_length,) or (n, look_length). output: coding
        of the result, by default luma's own. Returns Cb and Cr codes, uint8 or uint16, each
        (n, ceil(H/step_y), ceil(W/step_x)).

        Colors are solved against the luma on the working grid, carried to the picture by `guided_upsample` and held
        in gamut there. Solving at every chroma sample of the picture instead takes 10 to 30 times as long. Against
        that, on four color photographs at 1080 lines and working size 192 (tests/colorizer/test_engine.py, true
        a*b*): p50 0.04, p95 0.70, max 22 codes of 8 bits; deltaE2000 p50 0.05, p95 0.70, max 10.4, the maxima at thin
        highlights on saturated ground.
        What is done at full size is done frame by frame, and of a frame by parts, so that a processor's cache holds it.
        """
        output = output or coding
        seen, guides = [], []
        for frame in luma:
            y = _plane(frame[None], coding, self.device)
            seen.append(working_grid(y, geometry, working_size, self.weights.config.grid))
            guides.append(chroma_grid(y, geometry))
        small = torch.cat(self._small(torch.cat(seen), coding, geometry, look), 1)
        kind = np.uint8 if output.bits == 8 else np.uint16
        codes = np.empty((2, len(guides), *guides[0].shape[2:]), kind)

        def shown(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
            return output.chroma_codes(torch.stack(self.solver(coding).fit(y, cb, cr))).to(torch.int32)

        for i, guide in enumerate(guides):
            [[cb, cr]] = guided_upsample(small[i : i + 1], guide)
            codes[:, i] = by_blocks(shown, guide[0, 0], cb, cr, size=FITTED).cpu().numpy()
        return codes[0], codes[1]

    def small(
        self, y: Tensor, coding: Coding, geometry: Geometry, look: np.ndarray, working_size: int
    ) -> tuple[Tensor, Tensor]:
        """Cb and Cr on the working grid, turned back to the stored orientation: (n, 1, h, w) each, in [-0.5, 0.5]."""
        seen = working_grid(y, geometry, working_size, self.weights.config.grid)
        return self._small(seen, coding, geometry, look)

    def small_each(
        self, pictures: Sequence[Tensor], coding: Coding, geometry: Geometry, looks: Sequence[np.ndarray],
        working_size: int, batch: int,
    ) -> list[tuple[Tensor, Tensor]]:  # fmt: skip
        """`small` of pictures (1, 1, H, W) of one size, each under its look, painted together on one thread.

        A picture gets the same bits in any company: the network sees `batch` of them, the last one again and again
        where there are fewer, and all else, whose rounding depends on where in memory a picture begins, sees one.
        """
        grid, turns = self.weights.config.grid, geometry.rotation // 90
        with one_thread():
            parts = [torch.rot90(working_grid(y, geometry, working_size, grid), turns, (2, 3)) for y in pictures]
            places = [min(place, len(parts) - 1) for place in range(batch)]
            ab = self._painted(torch.cat([parts[i] for i in places]), np.stack([looks[i] for i in places]))
            return [self._solved(part, ab[i : i + 1].clone(), coding, geometry) for i, part in enumerate(parts)]

    def _small(self, seen: Tensor, coding: Coding, geometry: Geometry, look: np.ndarray) -> tuple[Tensor, Tensor]:
        """`small`, of Y' on the working grid as it is stored."""
        part = torch.rot90(seen, geometry.rotation // 90, (2, 3))
        return self._solved(part, self._painted(part, np.atleast_2d(look)), coding, geometry)

    def _painted(self, part: Tensor, looks: np.ndarray) -> Tensor:
        vector = torch.from_numpy(looks).to(self.device, self.dtype)
        return self.paint(part.to(self.dtype).contiguous(memory_format=torch.channels_last), vector)

    def _solved(self, part: Tensor, ab: Tensor, coding: Coding, geometry: Geometry) -> tuple[Tensor, Tensor]:
        luma = F.avg_pool2d(part, self.weights.config.stride)[:, 0]
        cb, cr = self.solver(coding).solve(luma, ab[:, 0], ab[:, 1])
        turned = torch.rot90(torch.stack([cb, cr], 1), -(geometry.rotation // 90), (2, 3))
        return turned[:, :1], turned[:, 1:]

    def paint(self, part: Tensor, look: Tensor) -> Tensor:
        """`network.paint` in float32; by exact tiles where the part is large, or larger than the device's memory.

        What had to be tiled for lack of memory is noted. Raises ColorizeError if even the smallest tile is too much.
        """
        taken = part.shape[2] * part.shape[3] * self.weights.config.bytes_per_pixel
        sizes = [0, *TILES] if taken <= WHOLE_BYTES else TILES
        for size in sizes:
            try:
                ab = paint_tiled(self.network, part, look, size) if size else self.network.paint(part, look)
                if size and size != sizes[0]:
                    self.notes.add(f"the device ran out of memory: painted in tiles of {size} px, with the same result")
                return ab.float()
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not _out_of_memory(error):
                    raise
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        raise ColorizeError(
            f"{self.device}: too little free memory to paint {sizes[-1]} px at a time; free some, or use another device"
        )

    def solver(self, coding: Coding) -> KeptLuma:
        """The color arithmetic of a coding; made once."""
        key = coding.matrix, coding.primaries
        return self._solvers.setdefault(key, KeptLuma(*key))


def _out_of_memory(error: BaseException) -> bool:
    """Whether a device, or this machine, had no memory left; on a CPU torch has no class of its own for it."""
    return not isinstance(error, RuntimeError) or isinstance(error, torch.OutOfMemoryError) or "allocate" in str(error)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums over a picture are split between threads and then round by their count; a look must not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _plane(luma: np.ndarray, coding: Coding, device: torch.device) -> Tensor:
    """Stored codes (n, H, W) to Y' in [0, 1], float32 (n, 1, H, W)."""
    if luma.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"luma codes are uint8 or uint16, not {luma.dtype}")
    return coding.luma(torch.from_numpy(np.ascontiguousarray(luma)).to(device))[:, None]
