"""A page of a colored scan, without its pixels: its size, and what it takes over from the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata

from tifffile import DATATYPE

from pipeline.metadata.metadata import Fields, Metadata, Resolution, name_of
from pipeline.metadata.tags import BLOBS, STRUCTURAL, Tag
from pipeline.metadata.xmp import ai_mark, merge
from pipeline.pages.tiff_tags import TagTable, TagValue, rational, shorts, tag_value
from pipeline.values.loss import Loss

OWN = frozenset({*STRUCTURAL, *BLOBS})
SRGB = 1
"""EXIF's own word on color (Exif 2.32, 4.6.5), which must not contradict the profile."""


@dataclass(frozen=True, slots=True)
class Page:
    """height, width: pixels as stored; bits: of a sample, 8 or 16.

    orientation: TIFF's 1 to 8, how a viewer turns the stored rows; resolution and metadata: the source's.
    mark: IPTC Extension properties set in the XMP packet; none for a page whose colors are the source's.
    """

    height: int
    width: int
    bits: int
    orientation: int = 1
    resolution: Resolution | None = None
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    mark: Mapping[str, str] = field(default_factory=ai_mark)

    def __post_init__(self) -> None:
        if self.bits not in (8, 16) or not (0 < self.height < 2**31 and 0 < self.width < 2**31):
            raise ValueError(f"a page of {self.width} x {self.height} pixels with {self.bits} bits cannot be written")


@dataclass(frozen=True, slots=True)
class Description:
    """What an output says about itself. directory: tags, with EXIF and GPS below; xmp, iptc, photoshop: blocks.

    lost: what of the source's is not among it; the reader's losses come first.
    """

    directory: TagTable
    xmp: bytes | None
    iptc: bytes | None
    photoshop: bytes | None
    lost: list[Loss]


def described(page: Page) -> Description:
    """What a page takes over from its source. No clock time is among it, so that a repeated run writes the same."""
    source = page.metadata
    lost = list(source.lost)
    entries: dict[int, TagValue] = {Tag.ORIENTATION: shorts(page.orientation)}
    entries |= resolution_entries(page.resolution, 0, lost)
    entries |= _carried({code: value for code, value in source.tags.items() if code not in OWN}, lost)
    entries[Tag.SOFTWARE] = _software(entries.get(Tag.SOFTWARE))
    exif = _carried(source.exif, lost)
    if Tag.COLOR_SPACE in exif:
        exif[Tag.COLOR_SPACE] = shorts(SRGB)
    below: dict[int, dict[int, TagValue]] = {Tag.EXIF: exif, Tag.GPS: _carried(source.gps, lost)}
    directory = TagTable(entries, below={pointer: [TagTable(inner)] for pointer, inner in below.items() if inner})
    blobs = {code: bytes(value) for code, (_, value) in source.blobs.items() if isinstance(value, bytes) and value}
    xmp, not_kept = merge(blobs.get(Tag.XMP), page.mark) if page.mark else (blobs.get(Tag.XMP), [])
    return Description(directory, xmp, blobs.get(Tag.IPTC), blobs.get(Tag.PHOTOSHOP), lost + not_kept)


def resolution_entries(resolution: Resolution | None, level: int, lost: list[Loss]) -> dict[int, TagValue]:
    """Resolution tags of a pyramid's level: the same picture in half the pixels, level by level."""
    if resolution is None:
        return {}
    try:
        x, y = (rational(value / 2**level) for value in resolution[:2])
        return {Tag.X_RESOLUTION: x, Tag.Y_RESOLUTION: y, Tag.RESOLUTION_UNIT: shorts(resolution[2])}
    except ValueError as error:
        lost.append(Loss("resolution", str(error)))
        return {}


def _carried(values: Fields, lost: list[Loss]) -> dict[int, TagValue]:
    """Entries for tags; what cannot be stored is added to `lost`."""
    entries = {}
    for code, (kind, value) in values.items():
        if code == Tag.INTEROPERABILITY:
            lost.append(Loss(name_of(code), "a position in the source's file"))
            continue
        try:
            entries[code] = tag_value(kind, value)
        except ValueError as error:
            lost.append(Loss(name_of(code), str(error)))
    return entries


def _software(source: TagValue | None) -> TagValue:
    """The Software tag: what the source names stays in front."""
    ours = f"chromatheque {metadata.version('chromatheque')}".encode()
    theirs = source.data.rstrip(b"\0") if source is not None else b""
    return tag_value(DATATYPE.ASCII, theirs + b" | " + ours if theirs else ours)
