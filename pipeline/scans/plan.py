"""ScanPlan: what a survey decided about every page of a scan, and the bands of rows that follow from it.

A band's id is a hash of everything that changes its blocks: change a setting and only what it touches is painted anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch

from colorizer.color.arithmetic import ARITHMETIC
from colorizer.painting.plate import Plate
from pipeline.pages.pyramid import levels
from pipeline.values.formats import check_format
from pipeline.values.kinds import SCAN, Kind
from pipeline.values.look_source import LookSources, sources_from_json, sources_to_json
from pipeline.values.typed import checked

FORMAT = 4
BAND_PIXELS = 32 << 20
"""Pixels of a band, about; some seconds of work, so that a crash costs little and several workers share a plate."""
NATIVE_BAND_PIXELS = 4 << 20
"""The same where each pixel goes through the network."""
MOST_BANDS = 100_000
"""Of a page: more are of a damaged plan, and each takes its time before anything is said."""
NOT_PLAIN = ("plate", "look_from", "pending", "looks_negative")
"""Facts of a page that JSON has in another form."""
NOT_IN_BANDS = ("weights", "page", "invert")
"""Settings that do not change a band's blocks, or are in its id by another name."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What a person chose, resolved: everything beside the source that changes the output.

    format: TIFF, PNG or JPEG. tile: side of TIFF's tiles, and rows that are encoded at a time of other formats.
    pyramid: where reduced levels are, one of PYRAMIDS, "" for none. page: the only one of the source that is wanted; -1
    for all. invert: it is a negative, and its positive is colored and written.
    """

    format: str
    weights: str
    weights_digest: str
    working_size: int
    precision: str
    compression: str = "deflate"
    tile: int = 512
    pyramid: str = ""
    page: int = -1
    invert: bool = False


@dataclass(frozen=True, slots=True)
class PagePlan:
    """One page, ready to be painted. number: its index among the source's pictures.

    bits: of the source's luma. out_bits: of the output's samples. orientation: TIFF's, 1 to 8. stored, tone: how its
    samples are stored and became luma, in words. colored: it has color of its own. rows: of a band. luma: MD5 of all
    luma codes as they are colored, row by row, little-endian. digests: the same of each band. look_from: where its
    look comes from if not from itself. pending: a person gave it another look (an empty one stands for its own),
    and its colors are not yet decided under that.
    """

    number: int
    bits: int
    out_bits: int
    orientation: int
    stored: str
    tone: str
    colored: bool
    alpha: bool
    notes: tuple[str, ...]
    scenes: tuple[tuple[str, float], ...]
    rows: int
    luma: str
    digests: tuple[str, ...] = field(repr=False)
    plate: Plate = field(repr=False)
    look_from: LookSources = ()
    pending: bool = False
    looks_negative: bool = False

    def __post_init__(self) -> None:
        plate = self.plate
        if not (min(self.rows, plate.height, plate.width) > 0 and 0 < self.bits <= 32 and self.out_bits in (8, 16)):
            raise ValueError("a page has a size, rows in its bands and bits in its samples")
        if plate.height // self.rows > MOST_BANDS:
            raise ValueError(f"a page of {plate.height} rows has no bands of {self.rows}")
        if not 1 <= self.orientation <= 8:
            raise ValueError("orientations are those of TIFF, 1 to 8")

    def awaiting(self, look: np.ndarray | None, sources: LookSources) -> PagePlan:
        """The page with another look, None for its own, under which it is to be surveyed."""
        plate = replace(self.plate, look=np.zeros(0, np.float32) if look is None else look, lines=None)
        return replace(self, plate=plate, look_from=sources, pending=True)

    def anew(self) -> PagePlan:
        """The page to be surveyed again, under the look that a person gave it, if any."""
        if self.pending:
            return self
        return self.awaiting(self.plate.look, self.look_from) if self.look_from else self.awaiting(None, ())

    def to_json(self) -> dict[str, Any]:
        """Plain values; arrays as base64 of little-endian float32. `from_json` is the inverse."""
        own = {name: getattr(self, name) for name in self.__slots__ if name not in NOT_PLAIN}
        own |= sources_to_json(self.look_from) | ({"pending": True} if self.pending else {})
        own |= {"looks_negative": True} if self.looks_negative else {}
        plate, lines = self.plate, self.plate.lines
        shape = [] if lines is None else list(lines.shape)
        packed = {"look": _packed(plate.look), "scene": _packed(plate.scene), "lines_shape": shape}
        packed["lines"] = "" if lines is None else _packed(lines.numpy())
        return {**own, "height": plate.height, "width": plate.width, **packed}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PagePlan:
        """Raises KeyError, TypeError or ValueError for what is no page."""
        own = {name: values[name] for name in cls.__slots__ if name not in NOT_PLAIN}
        own |= {"notes": tuple(own["notes"]), "digests": tuple(own["digests"])}
        own["scenes"] = tuple((str(name), float(share)) for name, share in own["scenes"])
        shape = tuple(values["lines_shape"])
        lines = torch.from_numpy(_unpacked(values["lines"]).reshape(shape)) if shape else None
        look, scene = _unpacked(values["look"]), _unpacked(values["scene"])
        plate = Plate(values["height"], values["width"], own["bits"], look, scene, lines)
        pending, negative = (values.get(name) is True for name in ("pending", "looks_negative"))
        return cls(
            **own, plate=plate, look_from=sources_from_json(values), pending=pending, looks_negative=negative
        )  # fmt: skip


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """A scan, ready to be painted. path: where it lies now. source: its name, size and sha256."""

    path: str
    source: dict[str, Any]
    settings: ScanSettings
    pages: tuple[PagePlan, ...]

    kind: ClassVar[Kind] = SCAN

    @property
    def surveyed(self) -> bool:
        """Whether no page waits for a survey under another look or other settings."""
        return not any(page.pending for page in self.pages)

    @property
    def own_looks(self) -> bool:
        """Each page has one."""
        return True

    def waits(self, unit: Band) -> bool:
        """Whether a band's page does."""
        return any(page.pending for page in self.pages if page.number == unit.page)

    @property
    def pixels(self) -> int:
        """Of all pages."""
        return sum(page.plate.height * page.plate.width for page in self.pages)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        pages = [page.to_json() for page in self.pages]
        settings = asdict(self.settings)
        return {
            "kind": self.kind.name, "format": FORMAT, "source": self.source, "settings": settings, "pages": pages,
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: dict[str, Any], path: str = "") -> ScanPlan:
        """path: of the scan, where it lies now. Raises KeyError, TypeError or ValueError for what is no plan."""
        check_format("plan", values, FORMAT)
        pages = tuple(PagePlan.from_json(page) for page in values["pages"])
        return cast(ScanPlan, checked(cls(path, values["source"], ScanSettings(**values["settings"]), pages)))

    def units(self) -> tuple[Band, ...]:
        """All pages' rows, in order."""
        found: list[Band] = []
        for page in self.pages:
            for top in range(0, page.plate.height, page.rows):
                found.append(self._band(len(found), page, top, min(page.plate.height, top + page.rows)))
        return tuple(found)

    def _band(self, number: int, page: PagePlan, top: int, bottom: int) -> Band:
        settings = {name: value for name, value in asdict(self.settings).items() if name not in NOT_IN_BANDS}
        settings["pyramid"] = bool(self.settings.pyramid)  # where the levels are is the join's business
        lines = b"" if page.plate.lines is None else page.plate.lines.numpy().tobytes()
        decided = hashlib.sha256(page.plate.look.tobytes() + lines).hexdigest()
        place = page.number, page.out_bits, top, bottom
        identity = [FORMAT, ARITHMETIC, self.source["sha256"], settings, *place, decided]
        identity += ["inverted"] * self.settings.invert
        digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16).hexdigest()
        return Band(digest, number, self.path, self.settings, page.number, page.out_bits, top, bottom, page.plate)


@dataclass(frozen=True, slots=True)
class Band:
    """Rows [top, bottom) of a page, which one worker paints at a time. number: among the bands of all pages."""

    id: str
    number: int
    path: str
    settings: ScanSettings
    page: int
    out_bits: int
    top: int
    bottom: int
    plate: Plate = field(repr=False)

    kind = SCAN.unit

    def __str__(self) -> str:
        return f"band {self.number} (page {self.page}, rows {self.top} to {self.bottom - 1})"

    @property
    def halved(self) -> bool:
        """Whether its rows are wanted at half size too, for the levels of a pyramid."""
        return len(levels(self.plate.height, self.plate.width, pyramid=bool(self.settings.pyramid))) > 1

    @property
    def size(self) -> dict[str, int]:
        """In rows."""
        return {"rows": self.bottom - self.top}

    def located(self) -> Band:
        """The band with its scan's full path."""
        return replace(self, path=str(Path(self.path).absolute()))


def band_rows(height: int, width: int, tile: int, native: bool) -> int:
    """Rows of a page's bands: whole rows of tiles, and of about BAND_PIXELS."""
    wanted = (NATIVE_BAND_PIXELS if native else BAND_PIXELS) // width
    return max(tile, min(-(-height // tile) * tile, wanted // tile * tile))
