"""The items of a HEIF file, of which AVIF and HEIC are kinds: pictures, tiles of pictures, and words about them.

Nothing is believed: what an item's places promise is cut where the file ends, and lists are as long as their boxes.
Source: ISO 14496-12, 8.11; ISO 23008-12, clauses 6 and 9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO

from pipeline.census.element import File
from pipeline.census.isobmff import boxes_of
from pipeline.census.walks import counted
from pipeline.metadata.blocks import Blocks
from pipeline.metadata.boxes import boxes
from pipeline.values.loss import Loss

MAX_ITEMS = 10_000
ALPHA = ("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", "urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:avc:2015:auxid:1")
"""Names of auxiliary pictures that are transparency."""
TURNED = {
    (0, False): 1, (0, True): 2, (2, False): 3, (2, True): 4, (3, True): 5, (3, False): 6, (1, True): 7, (1, False): 8,
}  # fmt: skip
"""Quarter turns counterclockwise, and whether to mirror left and right then, as TIFF's Orientation."""
PICTURES = (b"av01", b"hvc1", b"grid", b"iden", b"iovl", b"tmap", b"jpeg", b"j2k1", b"unci")


@dataclass(slots=True)
class Item:
    """One item. places: (in the file or in the box of data, offset, bytes). properties: in the order they apply."""

    kind: bytes = b""
    hidden: bool = False
    content: bytes = b""
    places: list[tuple[int, int, int]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)

    def box(self, kind: bytes) -> bytes | None:
        """The first property of a kind."""
        return next((content for name, content in self.properties if name == kind), None)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width; 0, 0 where it says nothing."""
        box = self.box(b"ispe") or b""
        width, height = struct.unpack_from(">II", box, 4) if len(box) >= 12 else (0, 0)
        return height, width


@dataclass(slots=True)
class Heif:
    """A file's items. links: (kind, from, to) between them. moving: whether it has a track of pictures too."""

    data: bytes = field(repr=False)
    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    links: list[tuple[bytes, int, list[int]]] = field(default_factory=list)
    stored: bytes = b""
    moving: bool = False

    def bytes_of(self, item: Item) -> bytes:
        """An item's content, cut where the file ends."""
        parts = []
        for method, offset, length in item.places:
            source = self.stored if method == 1 else self.data
            parts.append(source[offset : offset + length] if length else source[offset:])
        return b"".join(parts)

    def tiles(self, number: int) -> list[Item]:
        """The parts of a picture that is made of others, in their order."""
        found = [to for kind, at, to in self.links if kind == b"dimg" and at == number]
        return [self.items[n] for n in (found[0] if found else []) if n in self.items]

    def about(self, number: int, kind: bytes) -> Iterator[Item]:
        """Items that are linked to one by a kind of link."""
        return (self.items[at] for name, at, to in self.links if name == kind and number in to and at in self.items)


def heif_of(data: bytes) -> Heif | None:
    """The items of a file, or None if they make no sense."""
    found = Heif(data)
    try:
        for kind, content in boxes(data):
            if kind == b"meta":
                _read_meta(found, bytes(content[4:]))
            found.moving = found.moving or kind == b"moov"
    except (struct.error, IndexError):
        return None
    return found if found.primary in found.items else None


def _read_meta(found: Heif, meta: bytes) -> None:
    """The boxes of a meta box. Raises struct.error or IndexError for what ends early."""
    parts = {kind: bytes(content) for kind, content in boxes(meta)}
    pitm = parts.get(b"pitm", b"")
    found.primary = int.from_bytes(pitm[4:8] if pitm[:1] == b"\1" else pitm[4:6], "big")
    found.stored = parts.get(b"idat", b"")
    iinf = parts.get(b"iinf", b"")
    for kind, entry in boxes(iinf, 6 if iinf[:1] == b"\0" else 8):
        if kind == b"infe" and len(found.items) < MAX_ITEMS:
            _read_entry(found, bytes(entry))
    _read_places(found, parts.get(b"iloc", b""))
    _read_properties(found, parts.get(b"iprp", b""))
    _read_links(found, parts.get(b"iref", b""))


def _read_entry(found: Heif, entry: bytes) -> None:
    wide = 4 if entry[0] == 3 else 2
    number = int.from_bytes(entry[4 : 4 + wide], "big")
    kind = entry[6 + wide : 10 + wide]
    words = entry[10 + wide :].split(b"\0")
    found.items[number] = Item(kind, bool(entry[3] & 1), words[1] if kind == b"mime" and len(words) > 1 else b"")


class _Numbers:
    """Big-endian numbers in a row. Raises IndexError at the end."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> int:
        """A number of so many bytes; 0 of none."""
        self.at += size
        if self.at > len(self.data):
            raise IndexError
        return int.from_bytes(self.data[self.at - size : self.at], "big")


def _read_places(found: Heif, iloc: bytes) -> None:
    if not iloc:
        return
    version, numbers = iloc[0], _Numbers(iloc, 4)
    sizes, more = numbers.take(1), numbers.take(1)
    wide = 4 if version == 2 else 2
    for _ in range(min(numbers.take(wide), MAX_ITEMS)):
        number = numbers.take(wide)
        method = numbers.take(2) & 15 if version else 0
        numbers.take(2)
        base = numbers.take(more >> 4)
        for _ in range(min(numbers.take(2), MAX_ITEMS)):
            numbers.take(more & 15 if version else 0)
            offset, length = numbers.take(sizes >> 4), numbers.take(sizes & 15)
            if number in found.items:
                found.items[number].places.append((method, base + offset, length))


def _read_properties(found: Heif, iprp: bytes) -> None:
    parts = list(boxes(iprp))
    known = [(kind, bytes(c)) for name, box in parts if name == b"ipco" for kind, c in boxes(box)]
    for name, box in parts:
        if name != b"ipma":
            continue
        version, flags, numbers = box[0], box[3], _Numbers(bytes(box), 4)
        for _ in range(min(numbers.take(4), MAX_ITEMS)):
            item = found.items.get(numbers.take(4 if version else 2))
            for _ in range(numbers.take(1)):
                index = numbers.take(2) & 0x7FFF if flags & 1 else numbers.take(1) & 0x7F
                if item is not None and 0 < index <= len(known):
                    item.properties.append(known[index - 1])


def _read_links(found: Heif, iref: bytes) -> None:
    wide = 4 if iref[:1] == b"\1" else 2
    for kind, content in boxes(iref, 4):
        numbers = _Numbers(bytes(content), 0)
        at = numbers.take(wide)
        found.links.append((kind, at, [numbers.take(wide) for _ in range(numbers.take(2))]))


def orientation_of(item: Item) -> int:
    """How a picture is to be turned, 1 to 8 (TIFF 6.0), by its rotations and mirrors in their order."""
    turns, mirrored = 0, False
    for kind, content in item.properties:
        if kind == b"irot" and content:
            turns += -(content[0] & 3) if mirrored else content[0] & 3
        elif kind == b"imir" and content:
            turns += 0 if content[0] & 1 else 2  # top and bottom: left and right, after half a turn
            mirrored = not mirrored
    return TURNED[turns % 4, mirrored]


def heif_blocks(data: bytes) -> Blocks:
    """Exif, XMP, ICC and orientation of the primary picture, and by name what else is in the file."""
    file = heif_of(data)
    if file is None:
        return Blocks()
    picture = file.items[file.primary]
    exif = xmp = None
    lost = []
    for item in file.about(file.primary, b"cdsc"):
        if item.kind == b"Exif":
            block = file.bytes_of(item)
            exif = exif or block[4 + int.from_bytes(block[:4], "big") :] or b"?"
        elif item.content == b"application/rdf+xml":
            xmp = xmp or file.bytes_of(item)
        else:
            lost.append(Loss(f"an item of kind {item.kind.decode('latin-1').strip()}"))
    lost += [Loss(f"auxiliary picture {urn}") for urn in _auxiliary(file) if urn not in ALPHA]
    lost += [replace(loss, name=loss.name.replace("MP4", "HEIF", 1)) for loss in counted(boxes_of(File(BytesIO(data))))]
    if others := _others(file):
        lost.append(Loss(f"{others} more picture{'s' * (others > 1)}"))
    return Blocks(exif, xmp, None, _profile(file, picture), lost=tuple(lost), orientation=orientation_of(picture))


def _auxiliary(file: Heif) -> list[str]:
    """What the pictures beside the primary one are for, by name."""
    boxes_ = [item.box(b"auxC") or b"" for item in file.about(file.primary, b"auxl")]
    return [box[4:].split(b"\0")[0].decode("latin-1")[:100] or "without a name" for box in boxes_]


def has_alpha(file: Heif) -> bool:
    """Whether transparency belongs to the primary picture."""
    return any(urn in ALPHA for urn in _auxiliary(file))


def _others(file: Heif) -> int:
    """How many pictures of their own are beside the primary one."""
    below = {n for kind, at, to in file.links if kind == b"dimg" for n in to if n != file.primary}
    beside = {at for kind, at, _ in file.links if kind in (b"thmb", b"auxl")}
    return sum(
        item.kind in PICTURES and not item.hidden and number not in {file.primary, *below, *beside}
        for number, item in file.items.items()
    )


def _profile(file: Heif, picture: Item) -> bytes | None:
    """The ICC profile of a picture, or of its parts."""
    for item in (picture, *file.tiles(file.primary)[:1]):
        for kind, content in item.properties:
            if kind == b"colr" and content[:4] in (b"prof", b"rICC"):
                return content[4:]
    return None
