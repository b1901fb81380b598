"""A colored scan that lost or changed anything is found out."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError, LedgerError, UnsupportedSource
from colorizer.basis.light import luma_codes
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.metadata.xmp import merge
from pipeline.pages.page import Page
from pipeline.pages.writer import ScanWriter
from pipeline.scans.outputs import digests
from pipeline.values.events import Silent
from pipeline.values.words import counted
from tests.endtoend import verify
from tests.tiffs import noise

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"'
XMP = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" dc:format="glass negative"/>'
    "</rdf:RDF></x:xmpmeta>"
).encode()
IPTC = bytes.fromhex("1c0205000548617262")
ORIENTATION, DESCRIPTION, SOFTWARE, ARTIST, XMP_TAG, COPYRIGHT, IPTC_TAG = 274, 270, 305, 315, 700, 33432, 33723
KEPT = (ORIENTATION, DESCRIPTION, SOFTWARE, ARTIST, XMP_TAG, COPYRIGHT, IPTC_TAG)
SOURCES = {"plate": ((150, 200),), "album": ((150, 200), (150, 200)), "strip of film": ((530, 60),)}
"""Sizes of the pages, height and width; the last one's pyramid has a level below the full size."""


def tags(number: int, xmp: bytes, iptc: bytes) -> list[tuple[Any, ...]]:
    """What a page of a source says of itself."""
    texts = {DESCRIPTION: f"Plate {number}", SOFTWARE: "scanner 3", ARTIST: "M. Brady", COPYRIGHT: "public domain"}
    found = [(code, 2, 0, text, True) for code, text in texts.items()]
    found += [(code, 7, len(blob), blob, True) for code, blob in ((XMP_TAG, xmp), (IPTC_TAG, iptc)) if blob]
    return [*found, (ORIENTATION, 3, 1, 6, True)]


def scanned(path: Path, *pages: np.ndarray, xmp: bytes = XMP, iptc: bytes = IPTC, more: Any = ()) -> Path:
    """A museum's scan: gray pages that say much, the first in tiles, the others in strips."""
    with tifffile.TiffWriter(path) as tiff:
        for number, samples in enumerate(pages):
            tiff.write(
                samples, photometric="minisblack", metadata=None, software=False, resolution=(1200.5, 600),
                resolutionunit=2, extratags=[*tags(number, xmp, iptc), *more],
                **({"rowsperstrip": 40} if number else {"tile": (32, 48)}),
            )  # fmt: skip
    return path


def smooth(height: int, width: int, kind: str) -> np.ndarray:
    """A ramp from black to white, which JPEG keeps well."""
    return (np.linspace(0, 1, height * width).reshape(height, width) * np.iinfo(kind).max).astype(kind)


@pytest.fixture(scope="module")
def colored(studio):
    """Colors a source with a tiny network."""

    def color(source: Path, out: Path, **choices: Any) -> Any:
        asked = {"working_size": 32, "precision": "fp32", "pyramid": "subifds", "tile": 64, **choices}
        result = ScanJob(str(source), out, ScanChoices(weights=str(studio.weights), **asked), None, Silent()).color()
        assert all(finding.right for finding in result.findings)
        return result

    return color


@pytest.fixture(scope="module")
def made(colored, tmp_path_factory):
    """Each of SOURCES and its honest output, colored once."""
    folder = tmp_path_factory.mktemp("made")
    for number, (name, sizes) in enumerate(SOURCES.items()):
        pages = [noise(size, seed=10 * number + page) for page, size in enumerate(sizes)]
        colored(scanned(folder / f"{name}.tif", *pages), folder / f"{name} out.tif")
    return {name: (folder / f"{name}.tif", folder / f"{name} out.tif") for name in SOURCES}


@dataclass(frozen=True)
class Leaf:
    """A page of an output as tifffile sees it. levels: below the full size. tags: type, count and value by code.

    resolution: across, down and its unit. how: it is stored.
    """

    samples: np.ndarray
    levels: list[np.ndarray]
    tags: dict[int, tuple[int, int, Any]]
    resolution: tuple[Any, Any, int]
    profile: bytes | None
    how: dict[str, Any]


def leaves(path: Path) -> list[Leaf]:
    """All pages of an output."""
    found = []
    how = {"photometric": "rgb", "tile": (64, 64), "compression": "zstd", "predictor": True}
    with tifffile.TiffFile(path) as tiff:
        for page in tiff.pages:
            said = {t.code: (int(t.dtype), t.count, t.value) for t in page.tags.values() if t.code in KEPT}
            resolution = tuple(page.tags[code].value for code in (282, 283, 296))
            levels = [level.asarray() for level in page.pages or ()]
            found.append(Leaf(page.asarray(), levels, said, resolution, page.iccprofile, how))
    return found


def forged(path: Path, pages: list[Leaf]) -> Path:
    """An output as another program might write it."""
    with tifffile.TiffWriter(path) as tiff:
        for leaf in pages:
            how = {**leaf.how, "metadata": None, "software": False}
            said = [(code, *value, True) for code, value in leaf.tags.items()]
            x, y, unit = leaf.resolution
            tiff.write(
                leaf.samples, subifds=len(leaf.levels), iccprofile=leaf.profile, extratags=said, resolution=(x, y),
                resolutionunit=unit, **how,
            )  # fmt: skip
            for level in leaf.levels:
                tiff.write(level, subfiletype=1, **how)
    return path


def sidecar_of(out: Path) -> Path:
    """Where an output's story is."""
    return out.with_name(out.name + ".json")


def failing(source: Path, out: Path, sidecar: Path | None = None) -> set[str]:
    """What `verify` finds wrong beside declared losses; the exit code says whether there is anything.

    sidecar: one to lie beside.
    """
    if sidecar is not None:
        shutil.copy(sidecar, sidecar_of(out))
    code, told = verify(source, out, "--json")
    said = json.loads(told)
    wrong = {finding["what"] for finding in said["findings"] if not (finding["holds"] or finding.get("named"))}
    assert (code, said["holds"]) == ((1, False) if wrong else (0, True))
    return wrong


@pytest.mark.parametrize("name", SOURCES)
def test_an_honest_output_passes(tmp_path, made, name):
    """Nothing is reported about a file that is right: with its sidecar, without, and as another program stores it."""
    source, out = made[name]
    assert failing(source, out) == set()
    assert failing(source, Path(shutil.copy(out, tmp_path / "copy.tif"))) == set()
    copy = forged(tmp_path / "forged.tif", leaves(out))
    assert failing(source, copy) == set()
    assert failing(source, copy, sidecar_of(out)) == {"output digest"}


@pytest.mark.parametrize(("name", "choices"), [
    ("a.tif", {"compression": "deflate"}), ("a.TIFF", {"compression": "lzw", "pyramid": False}),
    ("a.tif", {"compression": "none", "tile": 16}), ("a.png", {}), ("a.jpg", {}),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_every_format_passes(tmp_path, colored, name, choices, kind):
    """An honest output passes in every format and at both depths, with its sidecar and without."""
    source = scanned(tmp_path / "source.tif", smooth(90, 120, kind), iptc=b"")
    colored(source, tmp_path / name, **choices)
    assert failing(source, tmp_path / name) == set()
    sidecar_of(tmp_path / name).unlink()
    assert failing(source, tmp_path / name) == set()


def test_one_page_of_several_is_held_against_that_page(tmp_path, made, colored):
    """The sidecar says which page of the source an output is of; without it, all of them are expected."""
    source, out = made["album"][0], tmp_path / "out.tif"
    colored(source, out, page=1)
    assert failing(source, out) == set()
    other = forged(tmp_path / "other.tif", leaves(made["album"][1])[:1])
    wrong = {what.partition(",")[0] for what in failing(source, other, sidecar_of(out))}
    assert wrong == {"output digest", "luma", "ImageDescription"}
    sidecar_of(out).unlink()
    assert "pages" in failing(source, out)


Edit = Callable[[list[Leaf]], list[Leaf]]


def first(**changes: Any) -> Edit:
    """An edit of the first page: fields and what becomes of their values."""

    def edit(pages: list[Leaf]) -> list[Leaf]:
        fields = {name: how(getattr(pages[0], name)) for name, how in changes.items()}
        return [replace(pages[0], **fields), *pages[1:]]

    return edit


def without(code: int) -> Edit:
    """A tag is missing."""
    return first(tags=lambda tags: {c: value for c, value in tags.items() if c != code})


def saying(code: int, value: Any) -> Edit:
    """A tag says something else."""
    kind = 3 if isinstance(value, int) else 7 if isinstance(value, bytes) else 2
    count = len(value) if kind == 7 else int(kind == 3)
    return first(tags=lambda tags: {**tags, code: (kind, count, value)})


def brighter(samples: np.ndarray) -> np.ndarray:
    """One pixel somewhere in the middle by one code, in all channels, and so its luma."""
    out = samples.copy()
    y, x = np.argwhere(samples.max(-1) < np.iinfo(samples.dtype).max)[samples[..., 0].size // 2]
    out[y, x] += 1
    return out


def fewer_bits(samples: np.ndarray) -> np.ndarray:
    """16 bits to 8."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


DOCTORED: dict[str, tuple[str, Edit, set[str]]] = {
    "a sample is brighter by a code": ("plate", first(samples=brighter), {"luma, page 0"}),
    "8 bits of 16": ("plate", first(samples=fewer_bits), {"luma, page 0", "depth, page 0"}),
    "pages are swapped": (
        "album", lambda pages: pages[::-1],
        {"luma, page 0", "luma, page 1", "ImageDescription, page 0", "ImageDescription, page 1"},
    ),
    "a page is there twice": ("album", lambda pages: [*pages, pages[0]], {"pages"}),
    "another resolution": ("plate", first(resolution=lambda r: ((1200, 1), *r[1:])), {"resolution, page 0"}),
    "another resolution down": ("plate", first(resolution=lambda r: (r[0], (601, 1), 2)), {"resolution, page 0"}),
    "centimeters for inches": ("plate", first(resolution=lambda r: (*r[:2], 3)), {"resolution, page 0"}),
    "lies upright": ("plate", saying(ORIENTATION, 1), {"orientation, page 0"}),
    "orientation is missing": ("plate", without(ORIENTATION), {"orientation, page 0"}),
    "another text": ("plate", saying(DESCRIPTION, "Plate O"), {"ImageDescription, page 0"}),
    "a text is cut": ("plate", saying(COPYRIGHT, "public"), {"Copyright, page 0"}),
    "its own software only": ("plate", saying(SOFTWARE, "chromatheque"), {"Software, page 0"}),
    "a text is missing": ("plate", without(ARTIST), {"Artist, page 0"}),
    "IPTC is missing": ("plate", without(IPTC_TAG), {"IPTCNAA, page 0"}),
    "other IPTC": ("plate", saying(IPTC_TAG, IPTC[::-1]), {"IPTCNAA, page 0"}),
    "no word of a model": ("plate", saying(XMP_TAG, XMP), {"XMP, page 0"}),
    "XMP is missing": ("plate", without(XMP_TAG), {"XMP, page 0"}),
    "no profile": ("plate", first(profile=lambda _: None), {"ICC profile, page 0"}),
    "a gray profile": ("plate", first(profile=lambda _: imagecodecs.cms_profile("gray")), {"ICC profile, page 0"}),
    "another RGB": ("plate", first(profile=lambda _: imagecodecs.cms_profile("adobergb")), {"ICC profile, page 0"}),
}  # fmt: skip
"""What was done to which output, and what must be found."""


@pytest.mark.parametrize("what", DOCTORED)
def test_a_doctored_output_is_found_out(tmp_path, made, what):
    """What was lost or changed is named, and nothing else: with the sidecar, whose digest tells too, and without."""
    name, edit, expected = DOCTORED[what]
    source, out = made[name]
    bad = forged(tmp_path / "bad.tif", edit(leaves(out)))
    assert failing(source, bad) == expected
    assert failing(source, bad, sidecar_of(out)) == expected | {"output digest"}


def marked(source: bytes | None, out: Path) -> bytes:
    """A packet with an output's mark set in it."""
    return merge(source, json.loads(sidecar_of(out).read_text())["mark"])[0]


BY_SIDECAR: dict[str, tuple[Callable[[Path], Edit], set[str]]] = {
    "the source's XMP is missing": (lambda out: saying(XMP_TAG, marked(None, out)), {"XMP, page 0"}),
    "another source's XMP": (
        lambda out: saying(XMP_TAG, marked(XMP.replace(b"glass", b"paper"), out)), {"XMP, page 0"}
    ),
    "another model's mark": (
        lambda out: saying(XMP_TAG, marked(XMP, out).replace(b"weights ", b"weights 0")), {"XMP, page 0"}
    ),
    "a level is missing": (lambda _: first(levels=lambda _: []), {"pyramid, page 0"}),
    "a level is too short": (lambda _: first(levels=lambda ls: [ls[0][:-1].copy()]), {"pyramid, page 0"}),
    "a level is too wide": (lambda _: first(levels=lambda ls: [np.hstack([ls[0]] * 2)]), {"pyramid, page 0"}),
    "a level is there twice": (lambda _: first(levels=lambda ls: ls * 2), {"pyramid, page 0"}),
}  # fmt: skip
"""What only a sidecar tells: that there is a pyramid, and which words the mark has."""


@pytest.mark.parametrize("what", BY_SIDECAR)
def test_what_the_sidecar_promises_is_held(tmp_path, made, what):
    """A pyramid that is not whole and an XMP packet that is not the source's with the mark in it are named."""
    edit, expected = BY_SIDECAR[what]
    source, out = made["strip of film"]
    bad = forged(tmp_path / "bad.tif", edit(out)(leaves(out)))
    assert failing(source, bad, sidecar_of(out)) == expected | {"output digest"}


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("beside", [True, False])
def test_a_missing_page_is_found(tmp_path, made, number, beside):
    """Of an output of fewer pages than its source the others are compared all the same."""
    source, out = made["album"]
    pages = leaves(out)
    bad = forged(tmp_path / "bad.tif", pages[:number] + pages[number + 1 :])
    wrong = failing(source, bad, sidecar_of(out) if beside else None)
    assert "pages" in wrong
    assert ("luma, page 0" in wrong) == (number == 0)


@pytest.mark.parametrize("beside", [True, False])
def test_a_wrong_pair_is_told_in_findings(tmp_path, made, beside):
    """A source of fewer pages than the sidecar tells of, and of another size: each difference is a finding, in words
    and without Python's marks."""
    shutil.copy(made["album"][1], out := tmp_path / "out.tif")
    if beside:
        shutil.copy(sidecar_of(made["album"][1]), sidecar_of(out))
    source = tmp_path / "other.tif"
    tifffile.imwrite(source, noise((40, 50)), photometric="minisblack", metadata=None, software="another 4")
    code, said = verify(source, out)
    assert code == 1
    for what in ("all pages" if beside else "pages", "luma, page 0", "size, page 0", "Software, page 0"):
        assert re.search(rf"^FAIL  {what} ", said, re.MULTILINE), (what, said)
    assert not re.search(r"b['\"]|\[\(|\['", said), said


@settings(max_examples=15)
@given(places=st.sets(st.integers(0, 29999), min_size=1, max_size=5), page=st.integers(0, 1), code=st.integers(1, 900))
def test_each_sample_that_differs_is_counted(tmp_path_factory, made, places, page, code):
    """Any samples of any page, by any number of codes: the finding says of which page, how many, and how far."""
    source, out = made["album"]
    pages = leaves(out)
    samples = pages[page].samples.copy()
    pixels = samples.reshape(-1, 3)
    for place in places:
        up = pixels[place].max() <= 65535 - code
        assume(up or pixels[place].min() >= code)
        pixels[place] = pixels[place].astype(int) + (code if up else -code)
    pages[page] = replace(pages[page], samples=samples)
    code_, told = verify(source, forged(tmp_path_factory.mktemp("bad") / "bad.tif", pages), "--json")
    [wrong] = [finding for finding in json.loads(told)["findings"] if not finding["holds"]]
    assert code_ == 1
    assert wrong["what"] == f"luma, page {page}"
    assert wrong["detail"] == f"it differs in {counted(len(places), 'sample')}, by up to {counted(code, 'code')}"


NAMES = {
    ORIENTATION: "orientation", DESCRIPTION: "ImageDescription", SOFTWARE: "Software", ARTIST: "Artist",
    COPYRIGHT: "Copyright", 282: "resolution", 283: "resolution", XMP_TAG: "XMP", IPTC_TAG: "IPTCNAA",
}  # fmt: skip
"""What a tag is called when it is wrong."""


@settings(max_examples=60)
@given(code=st.sampled_from(sorted(NAMES)), place=st.integers(0), change=st.integers(1, 255), page=st.integers(0, 1))
def test_each_byte_of_each_tag_counts(tmp_path_factory, made, code, place, change, page):
    """One byte changed where a tag's value lies in the file, whatever it was: the tag is named, and no other."""
    source, out = made["album"]
    bad = tmp_path_factory.mktemp("bad") / "bad.tif"
    with tifffile.TiffFile(out) as tiff:
        tag = tiff.pages[page].tags[code]
        start, size = tag.valueoffset, len("scanner 3") if code == SOFTWARE else tag.valuebytecount
    data = bytearray(out.read_bytes())
    data[start + place % size] ^= change
    bad.write_bytes(data)
    assert failing(source, bad, sidecar_of(out)) == {f"{NAMES[code]}, page {page}", "output digest"}


def test_a_changed_sample_of_a_png_is_found(tmp_path, colored):
    """PNG is as exact as TIFF: a sample that differs by a code fails, and the words around it still hold."""
    source, out = scanned(tmp_path / "source.tif", smooth(60, 80, "u2"), iptc=b""), tmp_path / "out.png"
    colored(source, out)
    whole = out.read_bytes()
    rgb = imagecodecs.png_decode(whole)
    start, header = whole.index(b"IDAT") - 4, 8 + 12 + 13  # signature and IHDR
    assert whole[start:] == imagecodecs.png_encode(rgb, 6)[header:]
    out.write_bytes(whole[:start] + imagecodecs.png_encode(brighter(rgb), 6)[header:])
    assert failing(source, out) == {"luma, page 0", "output digest"}


def test_lossy_luma_may_be_near_and_no_further(tmp_path, colored):
    """JPEG's luma need not be exact: the honest one passes; a darker one fails."""
    source, out = scanned(tmp_path / "source.tif", smooth(90, 120, "u1"), iptc=b""), tmp_path / "out.jpg"
    colored(source, out)
    whole = out.read_bytes()
    assert failing(source, out) == set()
    darker = imagecodecs.jpeg8_encode(imagecodecs.jpeg8_decode(whole) // 2, 95, subsampling=(1, 1))
    table = b"\xff\xdb"
    out.write_bytes(whole[: whole.index(table, whole.index(b"ICC_PROFILE"))] + darker[darker.index(table) :])
    assert failing(source, out) == {"luma, page 0", "output digest"}


@pytest.mark.parametrize(("apart", "holds"), [(0, True), (1, True), (5, False), (20, False)])
def test_another_pictures_luma_is_not_near(tmp_path, colored, apart, holds):
    """Some codes of 255 between an output and what is said to be its source are more than JPEG does."""
    samples = smooth(90, 120, "u1") // 2 + 60
    source = scanned(tmp_path / "source.tif", samples, iptc=b"")
    other = scanned(tmp_path / "other.tif", samples + np.uint8(apart), iptc=b"")
    colored(source, tmp_path / "out.jpg")
    sidecar_of(tmp_path / "out.jpg").unlink()
    assert failing(other, tmp_path / "out.jpg") == (set() if holds else {"luma, page 0"})


def test_a_sidecar_of_other_files_is_told(tmp_path, made):
    """The sidecar names source and output by digest: beside another of either, that one is named and no other."""
    source, out = made["plate"]
    with (other := Path(shutil.copy(source, tmp_path / "other.tif"))).open("ab") as file:
        file.write(b"\0")
    assert failing(other, out) == {"source digest"}
    with (longer := Path(shutil.copy(out, tmp_path / "longer.tif"))).open("ab") as file:
        file.write(b"\0")
    assert failing(source, longer, sidecar_of(out)) == {"output digest"}
    assert failing(other, longer) == {"source digest", "output digest"}
    assert failing(made["album"][1], longer) >= {"source digest", "output digest", "luma, page 0"}


def test_what_is_declared_lost_is_accepted(tmp_path, made):
    """A tag that the sidecar names as not carried over may be missing; only that one, and only with that sidecar."""
    source, out = made["plate"]
    bad = forged(tmp_path / "bad.tif", without(ARTIST)(leaves(out)))
    said = {**json.loads(sidecar_of(out).read_text()), "not_carried_over": ["Artist (no room for it)"]}
    sidecar_of(bad).write_text(json.dumps(said))
    assert failing(source, bad) == {"output digest"}
    forged(bad, without(COPYRIGHT)(leaves(out)))
    assert failing(source, bad) == {"Copyright, page 0", "output digest"}
    sidecar_of(bad).unlink()
    forged(bad, without(ARTIST)(leaves(out)))
    assert failing(source, bad) == {"Artist, page 0"}


def test_what_cannot_be_carried_is_declared(tmp_path, colored):
    """A packet that is no XML, and a tag that only another program understands: named in the sidecar, then accepted."""
    source, out = tmp_path / "source.tif", tmp_path / "out.tif"
    scanned(source, noise((40, 50)), xmp=b"<x>no XML", more=[(33550, 12, 3, (1.0, 1.0, 0.0), True)])
    result = colored(source, out)
    assert [what.partition(" (")[0] for what in result.lost] == ["ModelPixelScaleTag", "XMP"]
    assert json.loads(sidecar_of(out).read_text())["not_carried_over"] == list(result.lost)
    assert failing(source, out) == set()


def test_a_lost_word_may_have_parentheses(tmp_path, colored):
    """As pages of infrared light have, and what people call their texts: named, then accepted, with sidecar only."""
    source, out = tmp_path / "source.tif", tmp_path / "out.tif"
    scanned(source, noise((40, 50)))
    with tifffile.TiffWriter(source, append=True) as more:
        more.write(noise((40, 50)), subfiletype=1, metadata=None)
    with tifffile.TiffFile(source, mode="r+b") as tiff:
        tiff.pages[1].tags[254].overwrite(4)
    assert "pages of masks or infrared light (NewSubfileType 4)" in colored(source, out).lost[0]
    assert failing(source, out) == set()
    said = sidecar_of(out).read_text()
    sidecar_of(out).write_text(said.replace("(NewSubfileType 4)", "(NewSubfileType 8)"))
    assert len(failing(source, out)) == 1, "what the sidecar names is another word"
    sidecar_of(out).unlink()
    assert len(failing(source, out)) == 1


@pytest.mark.parametrize(("content", "error"), [
    (b"", LedgerError), (b"{", LedgerError), (b"\xff\xfe\x00", LedgerError), (b"[1, 2", LedgerError),
    (b"null", UnsupportedSource), (b"7", UnsupportedSource), (b'"sidecar"', UnsupportedSource),
    (b"[]", UnsupportedSource), (b"{}", UnsupportedSource), (b'[{"settings": {}}]', UnsupportedSource),
    (b'{"settings": [], "mark": [], "pages": [], "not_carried_over": []}', UnsupportedSource),
])  # fmt: skip
def test_a_sidecar_that_is_none_is_one_line(tmp_path, made, content, error):
    """Whatever lies beside the output under that name: an error that names it and says what to do; no traceback."""
    source, out = made["plate"]
    out = Path(shutil.copy(out, tmp_path / "out.tif"))
    sidecar_of(out).write_bytes(content)
    with pytest.raises(error, match=r"out\.tif\.json: .*; (move it away|remove it)") as refused:
        verify(source, out)
    assert "\n" not in str(refused.value)


def test_a_sidecar_of_a_reel_is_one_line(tmp_path, made):
    """A reel's sidecar under a scan's name is none of a scan."""
    source, out = made["plate"]
    out = Path(shutil.copy(out, tmp_path / "out.tif"))
    sidecar_of(out).write_text(json.dumps({"plan": {"settings": {"profile": "archive"}, "skip": 0}, "tracks": []}))
    with pytest.raises(UnsupportedSource, match="not a sidecar of a scan"):
        verify(source, out)


def everywhere(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in plain values, as the keys that lead to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in everywhere(below, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Plain values with another one in a place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def words(source: Path, out: Path) -> str:
    """The words of the error that `verify` raises; none where it comes to an end, well or badly."""
    try:
        code, _ = verify(source, out)
    except ColorizeError as error:
        return str(error)
    assert code in (0, 1)
    return ""


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60)
@given(data=st.data(), new=plain)
def test_no_value_in_a_sidecar_is_a_traceback(tmp_path_factory, made, data, new):
    """A sidecar with any one value replaced: verify holds, or fails, or says in one line what to do."""
    source, out = made["plate"]
    said = json.loads(sidecar_of(out).read_text())
    known = [place for place in everywhere(said) if not place or place[0] in
             ("settings", "mark", "pages", "not_carried_over", "source", "output")]  # fmt: skip
    copy = tmp_path_factory.mktemp("sidecar") / "out.tif"
    copy.symlink_to(out)
    sidecar_of(copy).write_text(json.dumps(put(said, data.draw(st.sampled_from(known)), new)))
    assert "\n" not in words(source, copy)


@settings(max_examples=60)
@given(
    height=st.integers(1, 90), width=st.integers(1, 90), kind=st.sampled_from(("u1", "u2")), rows=st.integers(1, 100),
    tile=st.sampled_from((16, 48, 512)), compression=st.sampled_from(("zstd", "deflate", "lzw", "none", "png")),
)  # fmt: skip
def test_digests_are_of_bands_of_luma(tmp_path_factory, height, width, kind, rows, tile, compression):
    """Whatever the format and however its tiles lie: one MD5 for every `rows` rows of luma, the last band shorter."""
    rgb, path = noise((height, width, 3), kind), tmp_path_factory.mktemp("digests") / "a.tif"
    if compression == "png":
        path = path.with_suffix(".png")
        path.write_bytes(imagecodecs.png_encode(rgb))
    else:
        with ScanWriter(path, Page(height, width, rgb.itemsize * 8), tile=tile, compression=compression) as writer:
            writer.write(rgb)
    wide = rgb.astype(int)
    luma = ((299 * wide[..., 0] + 587 * wide[..., 1] + 114 * wide[..., 2] + 500) // 1000).astype(f"<{kind}")
    expected = [hashlib.md5(luma[top : top + rows].tobytes()).hexdigest() for top in range(0, height, rows)]
    assert digests(path, 0, rows) == expected


LONG = XMP.replace(b"glass", b"g" * 70000)
PHOTOSHOP = [(34377, 7, 12, b"8BIM\x04\x0b\0\0\0\0\0\0", True)]


@pytest.mark.parametrize(
    ("name", "how", "choices"),
    [
        ("a.tif", {}, {"compression": "jpeg"}),  # Jpeg8Error
        ("a.png", {}, {}),
        ("a.jpg", {"more": PHOTOSHOP}, {}),  # IPTCNAA / ImageResources "is missing"
        ("a.jpg", {"xmp": LONG}, {}),  # not the source's packet
        ("a.tif", {"more": [(18246, 12, 1, float("nan"), True)]}, {}),  # nan is not nan
    ],
)
def test_an_honest_output_is_published(tmp_path, colored, name, how, choices):
    """Whatever the source says, and in every format: published, and what has no place there is declared."""
    source = scanned(tmp_path / "source.tif", smooth(90, 120, "u1"), **how)
    colored(source, tmp_path / name, **choices)
    assert failing(source, tmp_path / name) == set()


def test_a_jpeg_of_a_source_without_resolution(tmp_path, colored):
    """JFIF has to give a density: 1 x 1 without a unit stands for none."""
    (tmp_path / "source.png").write_bytes(imagecodecs.png_encode(smooth(90, 120, "u1")))
    colored(tmp_path / "source.png", tmp_path / "out.jpg")
    assert failing(tmp_path / "source.png", tmp_path / "out.jpg") == set()


def test_a_jpeg_of_grain(tmp_path, colored):
    """Grain is what JPEG keeps worst: still an honest output."""
    source = scanned(tmp_path / "source.tif", noise((90, 120), "u1"), iptc=b"")
    colored(source, tmp_path / "out.jpg")


def test_lossy_luma_of_16_bits(tmp_path, colored):
    """An inverted JPEG of a 16-bit source is found out."""
    source, out = scanned(tmp_path / "source.tif", smooth(90, 120, "u2"), iptc=b""), tmp_path / "out.jpg"
    colored(source, out)
    whole = out.read_bytes()
    wrong = imagecodecs.jpeg8_encode(255 - imagecodecs.jpeg8_decode(whole), 95, subsampling=(1, 1))
    out.write_bytes(whole[: whole.index(b"\xff\xdb", whole.index(b"ICC_PROFILE"))] + wrong[wrong.index(b"\xff\xdb") :])
    assert "luma, page 0" in failing(source, out)


STORED = {
    "cut at the right": ({"samples": lambda s: s[:, :150].copy()}, {"size, page 0"}),
    "rows too many": ({"samples": lambda s: np.vstack([s, s])}, {"size, page 0"}),
    "turned": ({"samples": lambda s: s.transpose(1, 0, 2).copy()}, {"size, page 0"}),
    "a broken profile": ({"profile": lambda p: p[:300]}, {"ICC profile, page 0"}),
    "gray": ({"samples": luma_codes, "how": lambda h: {**h, "photometric": "minisblack"}}, None),
    "strips": ({"how": lambda h: {**h, "tile": None, "rowsperstrip": 7}}, None),
    "planes": (
        {"samples": lambda s: s.transpose(2, 0, 1).copy(), "how": lambda h: {**h, "planarconfig": "separate"}},
        None,
    ),
    "transparent": (
        {"samples": lambda s: np.dstack([s, s[..., :1]]), "how": lambda h: {**h, "extrasamples": [2]}},
        None,
    ),
}


@pytest.mark.parametrize("what", STORED)
def test_an_output_stored_otherwise(tmp_path, made, what):
    """Of another size, or stored as this program never does: found out or read, never a traceback."""
    changes, expected = STORED[what]
    source, out = made["plate"]
    bad = forged(tmp_path / "bad.tif", first(**changes)(leaves(out)))
    if expected is None:  # read, or refused in a line
        assert "\n" not in words(source, bad)
        return
    wrong = failing(source, bad)
    assert wrong
    assert wrong >= expected


@pytest.mark.parametrize("compression", ["zstd", "deflate", "lzw"])
def test_a_damaged_tile_is_told(tmp_path, colored, compression):
    """Bytes changed within any tile: a finding or one line, never a traceback."""
    source, out = scanned(tmp_path / "source.tif", smooth(700, 200, "u2")), tmp_path / "out.tif"
    colored(source, out, compression=compression)
    with tifffile.TiffFile(out) as tiff:
        tiles = list(zip(tiff.pages[0].dataoffsets, tiff.pages[0].databytecounts, strict=True))
    whole, bad = out.read_bytes(), tmp_path / "bad.tif"
    for offset, size in tiles:
        data = bytearray(whole)
        data[offset + size // 3] ^= 0x55
        data[offset + size // 2] ^= 0xFF
        bad.write_bytes(data)
        assert "\n" not in words(source, bad)


def test_a_source_that_is_gone(tmp_path, made):
    """One line, with a sidecar too."""
    code, said = verify(tmp_path / "none.tif", made["plate"][1])
    assert code == 2
    assert "none.tif: no such file" in said


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
@pytest.mark.parametrize("kind", ["tif", "png", "jpg", "gray png"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_file_under_a_wrong_name(tmp_path, made, suffix, kind, beside):
    """An output whose bytes are not what its suffix says: a finding or one line."""
    source, out = made["plate"]
    rgb = fewer_bits(leaves(out)[0].samples)
    bad = tmp_path / f"bad{suffix}"
    bad.write_bytes(
        {
            "tif": out.read_bytes(),
            "png": imagecodecs.png_encode(rgb),
            "jpg": imagecodecs.jpeg8_encode(rgb),
            "gray png": imagecodecs.png_encode(rgb[..., 0].copy()),
        }[kind]
    )
    if beside:
        shutil.copy(sidecar_of(out), sidecar_of(bad))
    assert "\n" not in words(source, bad)


@pytest.mark.parametrize(
    "change",
    [
        {"pages": []},
        {"pages": [], "source": {"sha256": ""}, "output": {"sha256": ""}},
        {"mark": {"a": "\ud800"}},
        {"format": "chromatheque-sidecar-1"},
    ],
)
def test_a_sidecar_that_says_too_little(tmp_path, made, change):
    """No pages, no text: not a sidecar of a scan."""
    source, out = made["plate"]
    out = Path(shutil.copy(out, tmp_path / "out.tif"))
    sidecar_of(out).write_text(json.dumps({**json.loads(sidecar_of(made["plate"][1]).read_text()), **change}))
    with pytest.raises(UnsupportedSource, match="not a sidecar of a scan"):
        verify(source, out)


def test_a_sidecar_nested_without_end(tmp_path, made):
    """A sidecar that nests deeper than Python reads is one line."""
    out = Path(shutil.copy(made["plate"][1], tmp_path / "out.tif"))
    sidecar_of(out).write_text("[" * 100_000)
    with pytest.raises(LedgerError):
        verify(made["plate"][0], out)


def test_a_loss_excuses_no_other_tag(tmp_path, colored):
    """ModelPixelScaleTag is declared: Model must be there all the same."""
    source, out = tmp_path / "source.tif", tmp_path / "out.tif"
    scanned(source, noise((40, 50)), more=[(33550, 12, 3, (1.0, 1.0, 0.0), True), (272, 2, 0, "M 1", True)])
    colored(source, out)  # KEPT lacks 272, so what is forged has lost it
    bad = forged(tmp_path / "bad.tif", leaves(out))
    assert failing(source, bad, sidecar_of(out)) == {"Model, page 0", "output digest"}


def test_levels_show_the_picture(tmp_path, made):
    """A level that is black is not the picture at half size."""
    source, out = made["strip of film"]
    bad = forged(tmp_path / "bad.tif", first(levels=lambda ls: [ls[0] * 0])(leaves(out)))
    assert failing(source, bad, sidecar_of(out)) == {"pyramid, page 0", "output digest"}


@pytest.mark.parametrize(("count", "asked", "shape"), [
    (1, True, "pages"), (2, True, "subifds"), (1, "subifds", "subifds"), (2, "pages", "pages"), (1, False, ""),
])  # fmt: skip
def test_levels_are_where_viewers_look(tmp_path, colored, count, asked, shape):
    """One picture has its levels in pages, several in SubIFDs, unless it is said; either is proved, read as so many
    pictures, and colored again. A level that is taken away or black is named."""
    source, out = tmp_path / "source.tif", tmp_path / "out.tif"
    scanned(source, *[noise((1030, 40 + n)) for n in range(count)])
    plan = colored(source, out, pyramid=asked).plan
    assert plan.settings.pyramid == shape
    assert failing(source, out) == set()
    with tifffile.TiffFile(out) as tiff:
        assert [len(page.pages or ()) for page in tiff.pages] == {
            "pages": [0, 0, 0] * count, "subifds": [2] * count, "": [0] * count,
        }[shape]  # fmt: skip
    colored(out, tmp_path / "again.tif", pyramid=asked)
    if shape == "pages":
        data = out.read_bytes()
        with tifffile.TiffFile(out) as tiff:
            link = tiff.pages[1].offset + 2 + 12 * len(tiff.pages[1].tags)  # the last level is not in the chain
        bad = tmp_path / "bad.tif"
        bad.write_bytes(data[:link] + bytes(4) + data[link + 4 :])
        if count == 1:
            assert failing(source, bad, sidecar_of(out)) == {"pyramid, page 0", "output digest"}


def test_lost_xmp_is_found_without_a_sidecar(tmp_path, made):
    """The source's packet is gone and only the mark is there."""
    source, out = made["plate"]
    bad = forged(tmp_path / "bad.tif", saying(XMP_TAG, marked(None, out))(leaves(out)))
    assert failing(source, bad) == {"XMP, page 0"}


def test_one_page_is_called_the_same_throughout(tmp_path, made, colored):
    """Page 1 alone: its luma's finding and its other findings name the same page."""
    source, out = made["album"][0], tmp_path / "out.tif"
    result = colored(source, out, page=1)
    assert len({f.what.partition(", ")[2] for f in result.findings} - {""}) == 1
