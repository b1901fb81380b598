"""What a scan says about itself in words: catalogue tags, Exif, GPS, XMP, IPTC, in a form that a writer can carry.

Values keep their TIFF types. What cannot be carried is listed by name, never dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import cast

import tifffile
from tifffile import DATATYPE, RESUNIT

from colorizer.basis.errors import SourceError
from pipeline.metadata.directory import RATIONALS, TEXTS, Directory
from pipeline.metadata.photoshop import without_thumbnail
from pipeline.metadata.tags import BLOBS, NUMERIC, STRUCTURAL, Tag
from pipeline.values.claims import claim, why_not
from pipeline.values.loss import Loss
from pipeline.values.words import in_bytes

Value = bytes | tuple[int, ...] | tuple[float, ...] | tuple[tuple[int, int], ...]
Fields = Mapping[int, tuple[int, Value]]
"""Tag code to TIFF field type and value: bytes for text (without the closing 0) and for undefined bytes, else a tuple
of numbers; rationals as pairs (above, below)."""
Resolution = tuple[Fraction, Fraction, int]
"""Pixels per unit across and down; unit 1 (none: only their ratio counts), 2 (inch) or 3 (centimeter)."""

UNITS = (RESUNIT.NONE, RESUNIT.INCH, RESUNIT.CENTIMETER)
MAX_WORDS = 1 << 26
"""Bytes of metadata that are carried."""


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
        return cast(bytes, self.blobs[Tag.XMP][1]) if Tag.XMP in self.blobs else None


def name_of(code: int) -> str:
    """A tag's name as the TIFF world knows it."""
    return tifffile.TIFF.TAGS.get(code, f"tag {code}")


def value_of(page: Directory, code: int) -> tuple[int, Value]:
    """A field's type and value. Raises SourceError if the file does not hold it."""
    kind = page.entries[code].type
    if kind in TEXTS:
        return DATATYPE.ASCII, page.raw(code).rstrip(b"\0")
    if kind in (DATATYPE.BYTE, DATATYPE.UNDEFINED):
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
            if code == Tag.PHOTOSHOP and code in taken.blobs:
                taken.drop_thumbnail()
        elif code == Tag.IMAGE_DESCRIPTION and (whose := _of_a_shape(page)):
            taken.lost.append(Loss(name_of(code), f"{in_bytes(entry.size)} of {whose} about how the file is laid"))
        elif entry.type in TEXTS or code in NUMERIC:
            taken.take(page, code, taken.tags)
        else:
            taken.lost.append(Loss(name_of(code), in_bytes(entry.size)))
    taken.lost.extend(_strange(page))
    taken.below(page, Tag.EXIF, taken.exif)
    taken.below(page, Tag.GPS, taken.gps)
    return unclaimed(Metadata(taken.tags, taken.blobs, taken.exif, taken.gps, tuple(taken.lost)))


def unclaimed(metadata: Metadata) -> Metadata:
    """The same without texts that speak of the source's own bytes, which are named instead."""
    kept: dict[str, Fields] = {}
    lost = list(metadata.lost)
    for kind in ("tags", "exif"):
        fields: Fields = getattr(metadata, kind)
        found = {code: claim("", _text(value)) for code, (_, value) in fields.items() if isinstance(value, bytes)}
        lost += [Loss(name_of(code), why_not(claimed)) for code, claimed in found.items() if claimed]
        kept[kind] = {code: field for code, field in fields.items() if not found.get(code)}
    return replace(metadata, tags=kept["tags"], exif=kept["exif"], lost=tuple(lost))


def _text(value: bytes) -> str:
    """A field's text, without the code of its letters, which Exif's comments have in front (Exif 2.32, 4.6.5)."""
    return value.removeprefix(b"ASCII\0\0\0").decode("latin-1").strip("\0 ")


SHAPES = (
    (re.compile(rb"ImageJ="), "ImageJ"), (re.compile(rb'\s*\{[^{}]*"shape"\s*:\s*\['), "tifffile"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(\w+:)?OME\s", re.DOTALL), "OME-XML"),
)  # fmt: skip
"""Descriptions that programs read: the numbers of planes and channels in them are the source's, not an output's."""
HEAD = 1 << 16
"""Bytes of a description in which they are looked for."""


def _of_a_shape(page: Directory) -> str:
    """Whose words an ImageDescription is, if they are about planes and channels; else ""."""
    head = _description(page)
    return next((whose for pattern, whose in SHAPES if pattern.match(head)), "")


def _description(page: Directory) -> bytes:
    """The beginning of an ImageDescription; empty where there is none, or none of text."""
    entry = page.entries.get(Tag.IMAGE_DESCRIPTION)
    return page.tiff.bytes_at(entry.position, min(entry.size, HEAD)) if entry and entry.type in TEXTS else b""


def planes_of(page: Directory) -> int:
    """Pictures that ImageJ says follow one another in the file, of which only the first has a directory."""
    found = re.match(rb"ImageJ=[^\0]*?\nimages=(\d{1,9})\n", _description(page))
    return int(found[1]) if found else 1


def _strange(page: Directory) -> list[Loss]:
    return [Loss(name_of(code), f"of the unknown field type {kind}") for code, kind in page.strange]


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

    def drop_thumbnail(self) -> None:
        """Leave out of Photoshop's block what shows the source in small."""
        kind, block = self.blobs[Tag.PHOTOSHOP]
        rest, gone = without_thumbnail(cast(bytes, block))
        if gone:
            self.blobs[Tag.PHOTOSHOP] = kind, rest
            self.lost.append(Loss("Photoshop thumbnail", f"{in_bytes(gone)}, in gray"))

    def below(self, page: Directory, code: int, into: dict[int, tuple[int, Value]]) -> None:
        """The fields of the directory that a tag points to."""
        if code not in page:
            return
        try:
            directory, _ = page.tiff.directory(page.number(code, 0))
        except SourceError as error:
            self.lost.append(Loss(name_of(code), error.what))
            return
        self.lost.extend(_strange(directory))
        for inner in directory.entries:
            if inner == Tag.MAKER_NOTE:
                self.lost.append(Loss("MakerNote", "it does not survive being moved"))
            else:
                self.take(directory, inner, into)


def orientation_of(page: Directory) -> int:
    """1 to 8 (TIFF 6.0, Orientation); 1 where the file says nothing or nonsense."""
    try:
        found = page.number(Tag.ORIENTATION, 1)
    except SourceError:
        return 1
    return found if 1 <= found <= 8 else 1


def resolution_of(page: Directory) -> Resolution | None:
    """Pixels per unit, or None where the file says nothing or nonsense."""
    try:
        x, y, unit = (
            page.fraction(Tag.X_RESOLUTION),
            page.fraction(Tag.Y_RESOLUTION),
            page.number(Tag.RESOLUTION_UNIT, RESUNIT.INCH),
        )
    except SourceError:
        return None
    return (x, y, unit if unit in UNITS else RESUNIT.INCH) if x and y and x > 0 and y > 0 else None
