"""Scan: a still and the facts an output is made from. ScanReader: an open scan that is read by regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from colorizer.color.coding import Coding
from pipeline.metadata.metadata import Metadata, Resolution
from pipeline.stills.tones import Tone
from pipeline.storage.atomic import legible
from pipeline.values.loss import Loss

TRANSPARENCY = Loss("transparency", "no output has it")
"""Of every still that is not opaque."""


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Facts of one page of a scan, as it is stored.

    format: of the file ("TIFF", "PNG", ...). page: index among `pages` full pictures (reduced copies do not count).
    height, width: as stored, before `orientation` (1 to 8, TIFF 6.0) turns the picture upright. bits: 8 or 16, of the
    luma codes as delivered. kind: the color model in a word. stored: depth, model and compression in words.
    color: whether it has color of its own; its luminance is used. alpha: transparency, which is not delivered.
    icc: its profile. tone: how the codes came about where they are not the stored ones, else "". notes: what was
    guessed or passed over.
    """

    path: str
    format: str
    page: int
    pages: int
    height: int
    width: int
    orientation: int
    bits: int
    kind: str
    stored: str
    color: bool
    alpha: bool
    resolution: Resolution | None
    icc: bytes | None = field(repr=False)
    tone: str
    metadata: Metadata = field(repr=False)
    notes: tuple[str, ...] = ()


class ScanReader:
    """An open scan; a context manager. Not for two threads at once.

    held: bytes it may hold: of files in strips or tiles the decoded luma of some, plus one segment while it is decoded;
    of other pictures the whole luma. inverted: what is stored is a negative, and its positive is read. whole: all
    samples of a pixel's colors as stored, (height, width, n), and what they mean; None where they were let go.
    """

    def __init__(
        self,
        scan: ScanPage,
        region: Callable[[int, int, int, int], np.ndarray],
        close: Callable[[], None],
        held: int,
        whole: Callable[[], tuple[np.ndarray, Tone]] | None = None,
    ) -> None:
        self.scan, self.held = scan, held
        self.inverted = False
        self._region = region
        self.whole = whole
        self.close = close

    def read(self, top: int, left: int, height: int, width: int) -> np.ndarray:
        """Luma codes of a region, (height, width) of uint8 or uint16, in stored orientation, owned by the caller.

        0 is black, 2^bits - 1 white; of a negative they are white less the codes that would be read. Raises
        DamagedSource if the file's bytes there are no picture, UnreadableSource if they cannot be had.
        """
        if top < 0 or left < 0 or height < 1 or width < 1:
            raise ValueError(f"no region: {height} x {width} at {top}, {left}")
        if top + height > self.scan.height or left + width > self.scan.width:
            raise ValueError(
                f"{height} x {width} at {top}, {left} is not within {self.scan.height} x {self.scan.width}"
            )
        with legible(self.scan.path):
            codes = self._region(top, left, height, width)
        return Coding(self.scan.bits, True).inverted(codes) if self.inverted else codes

    def __enter__(self) -> ScanReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
