"""What a colored scan says of itself, held against what its source says, page by page and tag by tag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from colorizer.basis.errors import ColorizeError
from pipeline.metadata.metadata import Fields, name_of
from pipeline.metadata.tags import Tag
from pipeline.metadata.xmp import marked, merge
from pipeline.pages.pyramid import RowBuffer, halved, levels
from pipeline.scans.outputs import JPEG, check_luma, page_at, tile_rows
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import ScanPage, ScanReader
from pipeline.stills.tones import is_srgb
from pipeline.values.finding import Finding, Law
from pipeline.values.loss import Loss, is_declared
from pipeline.values.source_type import SOURCE_TYPE
from pipeline.values.words import counted

SHOWN = 60
"""Characters of a field's value that a finding shows."""
LEVEL_ERROR = 4.0
"""Mean distance in codes that lossy compression may move a level by."""
RESOLUTION = 1e-6
"""Relative; a rational of two 32-bit numbers is nearer than that."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What is known of an output before it is looked at.

    pages: indices in the source. lossless: its codes must be exact. pyramid: it has levels. lost: what is declared as
    not carried over. mark: the XMP properties that were set, None if not known. inverted: its luma is the positive of
    the source's.
    """

    pages: Sequence[int]
    lossless: bool
    pyramid: bool | None = None
    lost: Sequence[Loss] = ()
    mark: dict[str, str] | None = None
    inverted: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Of what is lost, on whichever page."""
        return frozenset(loss.name for loss in self.lost)


def check_words(source: ScanReader, out: ScanReader, declared: Declared) -> list[Finding]:
    """Whether what a page says of itself is what its source says: geometry, resolution, profile, tags, mark."""
    a, b = source.scan, out.scan
    page = f"page {a.page}"
    findings = [
        _same(f"size, {page}", (a.width, a.height), (b.width, b.height), Law.PICTURE),
        _same(f"orientation, {page}", a.orientation, b.orientation),
        _resolution(page, a, b),
        _profile(page, b),
        *_tags(page, a, b, declared),
        *_census(page, a, declared),
        _mark(page, a, b, declared),
    ]
    if declared.lossless:
        findings.append(_same(f"depth, {page}", f"{a.bits} bits", f"{b.bits} bits", Law.PICTURE))
    return findings


def _same(what: str, wanted: object, found: object, law: Law | None = None) -> Finding:
    message = _words(found) if wanted == found else f"{_words(found)} where the source has {_words(wanted)}"
    return Finding(what, wanted == found, message, law=law)


def _words(value: object) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _said(value: object) -> str:
    """A field's value as a person reads it, not all of a long one."""
    text = value.rstrip(b"\0").decode("utf-8", "backslashreplace") if isinstance(value, bytes) else _words(value)
    return repr(text[:SHOWN])


def _sizes(levels: Sequence[tuple[int, int]]) -> str:
    """Of levels, width first as people have it."""
    return ", ".join(f"{width} x {height}" for height, width in levels) or "none"


def _resolution(page: str, a: ScanPage, b: ScanPage) -> Finding:
    what = f"resolution, {page}"
    if a.resolution is None or b.resolution is None:
        neither = a.resolution is b.resolution
        return Finding(what, neither, "none in the source" if neither else f"{_per(b)} where the source has {_per(a)}")
    near = all(abs(float(x / y) - 1) <= RESOLUTION for x, y in zip(a.resolution[:2], b.resolution[:2], strict=True))
    return Finding(what, near and a.resolution[2] == b.resolution[2], _per(b))


def _per(page: ScanPage) -> str:
    """Pixels per unit, in words."""
    if page.resolution is None:
        return "none"
    x, y = (float(v) for v in page.resolution[:2])
    return f"{x:g} x {y:g}{ ({1: '', 2: ' per inch', 3: ' per cm'}[page.resolution[2]]) }"


def _profile(page: str, b: ScanPage) -> Finding:
    try:
        right = b.icc is not None and b.icc[16:20] == b"RGB " and is_srgb(b.icc)
    except Exception:  # lcms' own: no profile that anything can use
        right = False
    message = "sRGB, as its samples are" if right else "not the sRGB profile that its samples need"
    return Finding(f"ICC profile, {page}", right, message)


def _tags(page: str, a: ScanPage, b: ScanPage, declared: Declared) -> Iterator[Finding]:
    """One finding for all tags that are there again, and one for each that is not."""
    kept = 0
    pairs: tuple[tuple[str, Fields, Fields], ...] = (
        ("", a.metadata.tags, b.metadata.tags), ("EXIF ", a.metadata.exif, b.metadata.exif),
        ("GPS ", a.metadata.gps, b.metadata.gps), ("", a.metadata.blobs, b.metadata.blobs),
    )  # fmt: skip
    for kind, wanted, found in pairs:
        for code, (_, value) in wanted.items():
            if code in (Tag.XMP, Tag.COLOR_SPACE) or value in (b"", ()):
                continue  # the packet is looked at below; the color space is the output's own
            there = found[code][1] if code in found else None
            added = (
                code == Tag.SOFTWARE
                and isinstance(there, bytes)
                and isinstance(value, bytes)
                and there.startswith(value)
            )
            if added or repr(there) == repr(value):  # as text, since NaN is not NaN
                kept += 1
            elif name_of(code) not in declared.names:
                message = "is missing" if there is None else f"says {_said(there)} where the source says {_said(value)}"
                yield Finding(f"{kind}{name_of(code)}, {page}", False, message)
    yield Finding(f"tags, {page}", True, f"{kept} of the source are there again")


def _census(page: str, a: ScanPage, declared: Declared) -> Iterator[Finding]:
    """What the source holds, walked anew, and no output does: one finding for each that is not declared."""
    for loss in a.metadata.lost:
        if not is_declared(loss.name, declared.lost):
            yield Finding(f"{loss.name}, {page}", False, loss.why or "not carried over")


def _mark(page: str, a: ScanPage, b: ScanPage, declared: Declared) -> Finding:
    what, packet = f"XMP, {page}", b.metadata.xmp
    if packet is None or SOURCE_TYPE.encode() not in packet:
        return Finding(what, False, "no word that a model made the colors")
    if "XMP" in declared.names:
        return Finding(
            what, True, "says that a model made the colors; the source's packet is declared as not carried over"
        )
    if packet != merge(a.metadata.xmp, marked(packet) if declared.mark is None else declared.mark)[0]:
        return Finding(what, False, "not the source's packet with the mark set in it")
    carried = ", with all that the source's packet says" if a.metadata.xmp else ""
    return Finding(what, True, f"says that a model made the colors{carried}")


def _levels(path: Path, place: int, number: int) -> Finding:
    """Whether a page has the reduced levels of a pyramid, each of them the one before at half size."""
    what = f"pyramid, page {number}"
    try:
        with tifffile.TiffFile(path) as tiff:
            full = page_at(tiff, path, place)
            below = list(full.pages or _behind(tiff, full))
            found = [(level.imagelength, level.imagewidth) for level in below]
            wanted = levels(full.imagelength, full.imagewidth, pyramid=True)[1:]
            if found != wanted:
                return Finding(what, False, f"levels of {_sizes(found)}, not {_sizes(wanted)}")
            exact = int(full.compression) != JPEG
            wrong = [n for n, (a, b) in enumerate(pairwise([full, *below]), 1) if not _is_half(path, a, b, exact)]
    except (ColorizeError, OSError):
        raise
    except Exception as error:  # tifffile's own and the codecs'
        return Finding(what, False, f"cannot be decoded ({str(error) or type(error).__name__})")
    message = (
        f"level {wrong[0]} is not the one before at half size"
        if wrong
        else f"{counted(len(found), 'level')} below the full size"
    )
    return Finding(what, not wrong, message)


def _behind(tiff: tifffile.TiffFile, full: Any) -> Iterator[Any]:
    """Pages that follow on one and say that they are reduced."""
    pages: Any = tiff.pages
    pages.useframes = False
    later = iter(pages)
    for page in later:
        if page.offset == full.offset:
            break
    yield from takewhile(lambda page: page.subfiletype & 1, later)


def _is_half(path: Path, larger: Any, smaller: Any, exact: bool) -> bool:
    """Whether a level is another one in means of 2 x 2; of a lossy one, about."""
    bands = RowBuffer(smaller.imagelength, smaller.imagewidth, smaller.dtype, smaller.tilelength)
    halves = (band for rows in tile_rows(path, larger) for half in halved(rows) for band in bands.add(half))
    for mine, wanted in zip(tile_rows(path, smaller), halves, strict=True):
        apart = np.abs(mine.astype(np.int32) - wanted)
        if apart.max() if exact else apart.mean() > LEVEL_ERROR:
            return False
    return True


def _pages(path: str | Path, limits: dict[str, int]) -> int:
    with open_scan(path, **limits, inverted=False) as reader:
        return reader.scan.pages


def check_scan(
    source: str,
    out: Path,
    declared: Declared,
    limits: dict[str, int],
    luma: Callable[[int], Finding | None] = lambda _: None,
) -> list[Finding]:
    """Everything that is kept, page by page, behind what is declared as lost.

    luma: a finding about a page's luma if it was compared already.
    """
    there, made = (_pages(path, limits) for path in (source, out))
    findings = [_same("pages", len(declared.pages), made, Law.WHOLE)]
    if beyond := [number for number in declared.pages if number >= there]:  # a wrong pair
        detail = f"the sidecar tells of {counted(len(beyond), 'page')} that the source, of {there}, lacks"
        findings.append(Finding("all pages", False, detail, law=Law.WHOLE))
    for place, number in enumerate(declared.pages[:made]):
        if number >= there:
            continue
        with (
            open_scan(source, number, **limits, inverted=False) as reader,
            open_scan(out, place, **limits, inverted=False) as written,
        ):
            findings.append(luma(place) or check_luma(out, place, reader, declared.lossless, declared.inverted))
            findings += check_words(reader, written, declared)
        if declared.pyramid:
            findings.append(_levels(out, place, number))
    found = {str(Loss(f.what, f.detail)) for f in findings if not f.holds}
    return [*(Finding.of_loss(loss) for loss in declared.lost if str(loss) not in found), *findings]
