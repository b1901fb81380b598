"""What a scan says about itself in words: catalogue tags, Exif, GPS, XMP, IPTC, in a form that a writer can carry.

Values keep their TIFF types. What cannot be carried is listed by name, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import tifffile

from colorizer.basis.errors import SourceError
from pipeline.metadata.directory import RATIONALS, Directory
from pipeline.values.loss import Loss

Value = bytes | tuple[int, ...] | tuple[float, ...] | tuple[tuple[int, int], ...]
Fields = Mapping[int, tuple[int, Value]]
"""Tag code to TIFF field type and value: bytes for text (without the closing 0) and for undefined bytes, else a tuple
of numbers; rationals as pairs (above, below)."""
Resolution = tuple[Fraction, Fraction, int]
"""Pixels per unit across and down; unit 1 (none: only their ratio counts), 2 (inch) or 3 (centimeter)."""

XMP, IPTC, PHOTOSHOP, EXIF, GPS, ORIENTATION, ICC = 700, 33723, 34377, 34665, 34853, 274, 34675
BLOBS = (XMP, IPTC, PHOTOSHOP)
MAKER_NOTE = 37500
MAX_WORDS = 1 << 26
"""Bytes of metadata that are carried."""
STRUCTURAL = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 288),
    *(289, 292, 293, 296, 317, 320, 322, 323, 324, 325, 327, 328, 330, 332, 334, 336, 338, 339, 340, 341, 347, 512),
    *(513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 559, 32997, EXIF, GPS, ICC),
}
"""Tags that say how the samples are stored: a writer sets its own."""
NUMERIC = {285, 286, 287, 297, 18246, 18249, 40091, 40092, 40093, 40094, 40095}
"""Catalogue tags that are not text: place on the page, page number, rating, Windows' titles and keywords."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """tags: of the page itself (ImageDescription, Artist, ...). blobs: XMP, IPTC and Photoshop's, as they are.

    exif, gps: entries of those directories. lost: what cannot be carried.
    """

    tags: Fields = field(default_factory=dict)
    blobs: Fields = field(default_factory=dict)
    exif: Fields = field(default_factory=dict)
    gps: Fields = field(default_factory=dict)
    lost: tuple[Loss, ...] = ()

    @property
    def xmp(self) -> bytes | None:
        """The XMP packet, or None."""
        return cast(bytes, self.blobs[XMP][1]) if XMP in self.blobs else None


def name_of(code: int) -> str:
    """A tag's name as the TIFF world knows it."""
    return tifffile.TIFF.TAGS.get(code, f"tag {code}")


def value_of(page: Directory, code: int) -> tuple[int, Value]:
    """A field's type and value. Raises SourceError if the file does not hold it."""
    kind = page.entries[code].type
    if kind == 2:
        return kind, page.raw(code).rstrip(b"\0")
    if kind in (1, 7):
        return kind, page.raw(code)
    values = page.array(code)
    return kind, tuple((int(a), int(b)) for a, b in values) if kind in RATIONALS else tuple(values.tolist())


def metadata_of(page: Directory) -> Metadata:
    """Of a TIFF page, or of the directory in an Exif block."""
    taken = _Taken()
    for code, entry in page.entries.items():
        if code in STRUCTURAL:
            continue
        if code in BLOBS:
            taken.take(page, code, taken.blobs, raw=True)
        elif entry.type == 2 or code in NUMERIC:
            taken.take(page, code, taken.tags)
        else:
            taken.lost.append(Loss(name_of(code)))
    taken.below(page, EXIF, taken.exif)
    taken.below(page, GPS, taken.gps)
    return Metadata(taken.tags, taken.blobs, taken.exif, taken.gps, tuple(taken.lost))


class _Taken:
    """What is collected, within MAX_WORDS bytes: a small file can point to the same bytes a thousand times."""

    def __init__(self) -> None:
        self.tags: dict[int, tuple[int, Value]] = {}
        self.blobs: dict[int, tuple[int, Value]] = {}
        self.exif: dict[int, tuple[int, Value]] = {}
        self.gps: dict[int, tuple[int, Value]] = {}
        self.lost: list[Loss] = []
        self.left = MAX_WORDS

    def take(self, page: Directory, code: int, into: dict[int, tuple[int, Value]], raw: bool = False) -> None:
        """One field, or a reason why not."""
        size = page.entries[code].size
        if size > self.left:
            self.lost.append(Loss(name_of(code), f"{size} bytes are too many"))
            return
        try:
            into[code] = (page.entries[code].type, page.raw(code)) if raw else value_of(page, code)
            self.left -= size
        except SourceError as error:
            self.lost.append(Loss(name_of(code), error.what))

    def below(self, page: Directory, code: int, into: dict[int, tuple[int, Value]]) -> None:
        """The fields of the directory that a tag points to."""
        if code not in page:
            return
        try:
            directory, _ = page.tiff.directory(page.number(code, 0))
        except SourceError as error:
            self.lost.append(Loss(name_of(code), error.what))
            return
        for inner in directory.entries:
            if inner == MAKER_NOTE:
                self.lost.append(Loss("MakerNote", "it does not survive being moved"))
            else:
                self.take(directory, inner, into)


def orientation_of(page: Directory) -> int:
    """1 to 8 (TIFF 6.0, Orientation); 1 where the file says nothing or nonsense."""
    try:
        found = page.number(ORIENTATION, 1)
    except SourceError:
        return 1
    return found if 1 <= found <= 8 else 1


def resolution_of(page: Directory) -> Resolution | None:
    """Pixels per unit, or None where the file says nothing or nonsense."""
    try:
        x, y, unit = page.fraction(282), page.fraction(283), page.number(296, 2)
    except SourceError:
        return None
    return (x, y, unit if unit in (1, 2, 3) else 2) if x and y and x > 0 and y > 0 else None
