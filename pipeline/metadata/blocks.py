"""Blocks of metadata in PNG, JPEG and WebP files: Exif, XMP, IPTC, ICC, texts and the size of a pixel."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO, cast

from tifffile import DATATYPE

from colorizer.basis.errors import SourceError
from pipeline.metadata import extended_xmp
from pipeline.metadata.directory import Directory, Tiff
from pipeline.metadata.headers import jpeg_end, jpeg_segments, png_chunks
from pipeline.metadata.metadata import (
    Metadata,
    Resolution,
    Value,
    metadata_of,
    name_of,
    orientation_of,
    resolution_of,
    unclaimed,
)
from pipeline.metadata.photoshop import resources
from pipeline.metadata.tags import Tag
from pipeline.values.loss import Loss
from pipeline.values.words import in_bytes


def exif_block(data: bytes, path: str) -> Directory | None:
    """The directory in an Exif block, or None if it is damaged."""
    try:
        return next(Tiff(cast(BinaryIO, io.BytesIO(data.removeprefix(b"Exif\0\0"))), path).chain(), None)
    except SourceError:
        return None


@dataclass(frozen=True, slots=True)
class Blocks:
    """Raw blocks found in a picture file, and the size of its pixels where it says that itself.

    orientation: where the format tells it, whatever an Exif block says; None where it does not. gamma: the power of
    light that samples are, 0 where they are sRGB's or a profile says it. transfer: H.273's number of how samples stand
    for light, 0 where that is said another way or as in sRGB.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc: bytes | None = None
    texts: tuple[tuple[int, bytes], ...] = ()
    resolution: Resolution | None = None
    lost: tuple[Loss, ...] = ()
    orientation: int | None = None
    gamma: float = 0.0
    transfer: int = 0


def from_blocks(blocks: Blocks, path: str) -> tuple[Metadata, int, Resolution | None]:
    """Metadata, orientation and resolution of a picture file."""
    page = exif_block(blocks.exif, path) if blocks.exif else None
    found = metadata_of(page) if page else Metadata()
    lost = (*blocks.lost, *found.lost, *([Loss("a damaged Exif block")] if blocks.exif and not page else []))
    lost += (Loss("Exif thumbnail"),) if page is not None and page.following else ()
    blobs: dict[int, tuple[int, Value]] = {
        code: (DATATYPE.UNDEFINED, data) for code, data in ((Tag.XMP, blocks.xmp), (Tag.IPTC, blocks.iptc)) if data
    }
    texts = {code: (DATATYPE.ASCII, text) for code, text in blocks.texts}
    lost += tuple(
        Loss(f"text of {name_of(code)}", f"{in_bytes(len(text))}; Exif says another")
        for code, text in blocks.texts
        if code in found.tags and not _same_text(found.tags[code][1], text)
    )
    whole = unclaimed(replace(found, tags={**texts, **found.tags}, blobs={**found.blobs, **blobs}, lost=lost))
    orientation = blocks.orientation
    if page is None:
        return whole, orientation or 1, blocks.resolution
    return whole, orientation or orientation_of(page), resolution_of(page) or blocks.resolution


def _same_text(value: Value, text: bytes) -> bool:
    return isinstance(value, bytes) and value.rstrip(b"\0 ") == text.rstrip(b"\0 ")


def jpeg_blocks(data: bytes) -> Blocks:
    """Exif, XMP, IPTC, ICC and density of a JPEG stream (JFIF; Exif 2.32; XMP part 3; ICC.1 annex B.4)."""
    exif = xmp = iptc = resolution = None
    profile: dict[int, bytes] = {}
    texts, extension = [], []
    lost: list[Loss] = []
    for marker, content in jpeg_segments(data):
        if marker == 0xE1 and content.startswith(b"Exif\0") and (exif is None or content == exif):
            exif = content
        elif marker == 0xE1 and content.startswith(XMP_MARK) and (xmp is None or content[29:] == xmp):
            xmp = content[29:]
        elif marker == 0xE1 and content.startswith(extended_xmp.MARK):
            extension.append(content)
        elif marker == 0xE2 and content.startswith(b"ICC_PROFILE\0") and len(content) > 14:
            profile[content[12]] = content[14:]
        elif marker == 0xED and content.startswith(b"Photoshop 3.0\0"):
            found = list(resources(content[14:]))
            blocks = [block for number, block, _ in found if number == IPTC_RESOURCE]
            lost.extend(
                Loss("IPTC block", f"{in_bytes(len(block))} beside another") for block in blocks[iptc is None :]
            )
            iptc = iptc or next(iter(blocks), None)
            lost.extend(_resource_lost(number, block) for number, block, _ in found if number != IPTC_RESOURCE)
        elif marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 12:
            x, y = int.from_bytes(content[8:10], "big"), int.from_bytes(content[10:12], "big")
            known = x and y and content[7] <= 2 and (content[7] or x != y)  # 1 to 1 without a unit says nothing
            resolution = (Fraction(x), Fraction(y), content[7] + 1) if known else None
            if len(content) > 14 and all(content[12:14]):
                lost.append(Loss("JFIF thumbnail", f"{content[12]} x {content[13]}"))
        elif marker == 0xFE:
            texts.append((Tag.IMAGE_DESCRIPTION, content.rstrip(b"\0")))
        elif not _of_the_picture(marker, content):
            lost.append(_segment_lost(marker, content))
    xmp, unjoined = extended_xmp.joined(xmp or b"", extension)
    lost.extend(unjoined)
    lost.extend(_behind(data[jpeg_end(data) or len(data) :]))
    lost.extend(Loss("JPEG comment", f"{in_bytes(len(text))} beside another") for _, text in texts[1:])
    icc = b"".join(profile[n] for n in sorted(profile)) or None
    return Blocks(exif, xmp or None, iptc, icc, tuple(texts[:1]), resolution, tuple(dict.fromkeys(lost)))


XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"


def _of_the_picture(marker: int, content: bytes) -> bool:
    """Whether a segment is needed to decode the picture, and of no use beside it: tables, frames, scans, Adobe's."""
    return 0xC0 <= marker <= 0xDF or (marker == 0xEE and content.startswith(b"Adobe"))


def _segment_lost(marker: int, content: bytes) -> Loss:
    """A segment that no rule knows, by its marker, the word it begins with and its size."""
    name = f"APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else f"marker FF{marker:02X}"
    word = "".join(chr(c) for c in content[:32].partition(b"\0")[0] if 32 < c < 127)
    return Loss(f"JPEG segment {name} {word}".rstrip(), in_bytes(len(content)))


BEHIND = ((b"\xff\xd8\xff", "of which the first are another JPEG picture"), (b"\0\0\0", "which may be padding"))


def _behind(rest: bytes, format: str = "JPEG") -> list[Loss]:
    """What follows a picture's end in the file."""
    if not rest:
        return []
    kind = "a movie" if rest[4:8] == b"ftyp" else next((words for mark, words in BEHIND if rest.startswith(mark)), "")
    return [Loss(f"bytes behind the end of the {format} picture", ", ".join(filter(None, (in_bytes(len(rest)), kind))))]


IPTC_RESOURCE = 0x0404
RESOURCES = {0x040A: "copyright flag", 0x040B: "URL", 0x040C: "thumbnail", 0x03ED: "resolution"}
"""Photoshop's image resources in words; there are many more."""


def _resource_lost(number: int, block: bytes) -> Loss:
    return Loss(f"Photoshop {RESOURCES.get(number, 'resource')} 0x{number:04X}", in_bytes(len(block)))


PNG_TEXTS: dict[bytes, int] = {
    b"Description": Tag.IMAGE_DESCRIPTION, b"Title": Tag.DOCUMENT_NAME, b"Author": Tag.ARTIST,
    b"Copyright": Tag.COPYRIGHT, b"Software": Tag.SOFTWARE, b"Source": Tag.MODEL, b"Comment": Tag.IMAGE_DESCRIPTION,
}  # fmt: skip
"""PNG's keywords and the TIFF tags that mean the same."""


def png_blocks(data: bytes) -> Blocks:
    """Exif, XMP, ICC, texts and pixel size of a PNG (PNG, third edition, section 11.3)."""
    exif = xmp = icc = resolution = None
    gamma, srgb, transfer = 0.0, False, 0
    texts: dict[int, bytes] = {}
    lost: list[Loss] = []
    others: list[tuple[bytes, bytes]] = []
    for kind, content in png_chunks(data):
        keyword, _, rest = content.partition(b"\0")
        if kind == b"eXIf" and exif is None:
            exif = content
        elif kind == b"iCCP" and rest:
            try:
                icc = zlib.decompressobj().decompress(rest[1:], 1 << 25)
            except zlib.error:
                lost.append(Loss("a damaged ICC profile"))
        elif kind == b"iTXt" and keyword == b"XML:com.adobe.xmp" and rest[:1] == b"\0" and xmp is None:
            xmp = rest[2:].split(b"\0", 2)[-1]
        elif kind == b"tEXt" and keyword in PNG_TEXTS:
            if texts.setdefault(PNG_TEXTS[keyword], rest) != rest:
                lost.append(Loss(f"text {keyword.decode('latin-1')}", f"{in_bytes(len(rest))} beside another"))
        elif kind in (b"tEXt", b"iTXt", b"zTXt"):
            lost.append(Loss(f"text {keyword.decode('latin-1')[:79]}"))
        elif kind == b"pHYs" and len(content) >= 9:
            x, y = (Fraction(int.from_bytes(content[i : i + 4], "big")) for i in (0, 4))
            per_meter = content[8] == 1
            resolution = (x / 100, y / 100, 3) if per_meter else (x, y, 1)
            resolution = resolution if x and y else None
        elif kind == b"gAMA" and GAMMAS[0] <= int.from_bytes(content, "big") <= GAMMAS[1] and len(content) == 4:
            gamma = int.from_bytes(content, "big") / 100_000
        elif kind == b"sRGB" and (kind, content) in SRGB:
            srgb = True
        elif not kind:
            lost.extend(_behind(content, "PNG"))
        elif kind == b"cICP" and len(content) == 4:
            transfer, unheld = _coded(content, data[25:26] in (b"\0", b"\4"))
            lost.extend(unheld)
            srgb = srgb or not unheld
        elif kind not in PNG_PICTURE and not (kind == b"cHRM" and _of_srgb(content)):
            others.append((kind, content))
    lost.extend(elements("PNG chunk", others))
    if icc or srgb or transfer or abs(gamma / SRGB_GAMMA - 1) < 0.01:
        gamma = 0.0
    return Blocks(exif, xmp, None, icc, tuple(texts.items()), resolution, tuple(lost), gamma=gamma, transfer=transfer)


def _coded(content: bytes, gray: bool) -> tuple[int, list[Loss]]:
    """Of cICP the transfer that is to be applied, 0 for sRGB's, and what of the chunk no output holds.

    Primaries change the luma of colors only.
    """
    primaries, transfer, matrix, full = content
    held = matrix == 0 and full == 1 and (gray or primaries == SRGB_PRIMARIES)
    if transfer not in (*AS_SRGB, *TRANSFERS):
        held, transfer = False, 0
    words = f"primaries {primaries}, transfer {content[1]}, matrix {matrix}, {'full' if full else 'narrow'} range"
    applied = transfer if transfer in TRANSFERS and full == 1 and matrix == 0 else 0
    only = "; only its transfer is applied" if applied else "; not applied"
    return applied, [] if held else [Loss("PNG chunk cICP", f"4 bytes: {words}{only}")]


def _of_srgb(content: bytes) -> bool:
    """Whether a cHRM says the white and the primaries of sRGB, which every output has."""
    said = [int.from_bytes(content[n : n + 4], "big") for n in range(0, 32, 4)] if len(content) == 32 else []
    return bool(said) and all(abs(a - b) <= 50 for a, b in zip(said, SRGB_COLORS, strict=True))


AS_SRGB, TRANSFERS, SRGB_PRIMARIES = (1, 6, 13, 14, 15), (4, 5, 8, 16, 18), 1
"""Transfers of H.273 that are taken for sRGB's (those of television and its own), and those that are applied: gamma,
linear light, PQ, HLG."""
SRGB_COLORS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""White, red, green and blue of sRGB as cHRM has them, x and y in parts of 100,000."""
PNG_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
SRGB = tuple((b"sRGB", bytes([intent])) for intent in range(4))
"""Chunks that say what every output says: samples are sRGB's."""
SRGB_GAMMA, GAMMAS = 0.45455, (10_000, 1_000_000)
"""The gamma that stands for sRGB, and the least and most that gAMA may say, in parts of 100,000, to be believed."""
PICTURES = {b"fdAT": "of further pictures", b"fcTL": "of an animation", b"ANMF": "pictures of an animation"}


def elements(what: str, found: list[tuple[bytes, bytes]]) -> list[Loss]:
    """Elements that no rule knows, each kind once: by its own name, how many there are, and their bytes."""
    by_kind: dict[bytes, list[int]] = {}
    for kind, content in found:
        by_kind.setdefault(kind, []).append(len(content))
    return [_other(what, kind, sizes) for kind, sizes in by_kind.items()]


def _other(what: str, kind: bytes, sizes: list[int]) -> Loss:
    name = "".join(chr(c) if 32 < c < 127 else f"\\x{c:02x}" for c in kind)
    many = f"{len(sizes)} {PICTURES[kind]}, " if kind in PICTURES else f"{len(sizes)} of them, " if sizes[1:] else ""
    return Loss(f"{what} {name}", f"{many}{in_bytes(sum(sizes))}")


def webp_blocks(data: bytes) -> Blocks:
    """Exif, XMP and ICC of a WebP (RFC 9649, section 2.7)."""
    found: dict[bytes, bytes] = {}
    others: list[tuple[bytes, bytes]] = []
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] in (b"EXIF", b"XMP ", b"ICCP"):
            found[data[at : at + 4]] = data[at + 8 : at + 8 + length]
        elif data[at : at + 4] not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH"):
            others.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return Blocks(
        found.get(b"EXIF"), found.get(b"XMP "), None, found.get(b"ICCP"), lost=tuple(elements("WebP chunk", others))
    )
