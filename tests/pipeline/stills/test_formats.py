"""Every format of the table: its suffixes are a walk's, its bytes are known by it alone, and it stands in the pages."""

from itertools import chain
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

import pipeline
from colorizer.basis.light import luma_codes
from pipeline.collection.items import find
from pipeline.stills.opening import open_scan
from pipeline.stills.table import FORMATS, SUFFIXES
from pipeline.values.suffixes import REELS
from tests.checkout import ROOT
from tests.heif import av1, heif, hevc, nclx, needs_x265
from tests.synthetic import texture, tiny_weights

GRAY = (texture(0, 80, 64) * 255).astype(np.uint8)


def heic():
    """A gray HEIC."""
    picture = hevc(GRAY)
    picture.properties.append(nclx())
    return heif(b"heic", [picture])


WRITERS = {
    "a.png": lambda: imagecodecs.png_encode(GRAY),
    "a.jp2": lambda: imagecodecs.jpeg2k_encode(GRAY, level=0),
    "a.jxl": lambda: imagecodecs.jpegxl_encode(GRAY, lossless=True),
    "a.avif": lambda: heif(b"avif", [av1(GRAY, pixelformat="400")]),
    "a.heic": heic,
}
NAMES = [pytest.param(name, marks=needs_x265) if name == "a.heic" else name for name in WRITERS]


def test_a_suffix_belongs_to_one_format():
    """No two formats claim a suffix, and none claims a reel's; all are of small letters."""
    every = list(chain.from_iterable(each.suffixes for each in FORMATS))
    assert len(set(every)) == len(every)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in every)
    assert set(every) < SUFFIXES
    assert not SUFFIXES & REELS


@pytest.mark.parametrize("name", NAMES)
def test_one_format_knows_its_bytes(name):
    """Of a file's first bytes one format says that they are its own; of none, and of a TIFF, no one does."""
    head = bytes(WRITERS[name]())[:64]
    assert [name[1:] in each.suffixes for each in FORMATS if each.recognizes(head)] == [True]
    assert not [each for each in FORMATS if each.recognizes(b"") or each.recognizes(b"II*\0" + bytes(60))]


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_a_format_stands_in_the_page(each):
    """Who looks up what is read finds every format."""
    assert each.name in (ROOT / "docs" / "scans.md").read_text(encoding="utf-8")


def test_a_format_is_one_file_and_its_line():
    """What is in the folder of formats is in the table, and nothing else of the product names a format's file."""
    folder = ROOT / "pipeline" / "stills" / "formats"
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert len(names) == len(FORMATS)
    others = [path for path in ROOT.glob("[cpw]*/**/*.py") if folder not in path.parents and path.stem != "table"]
    assert not [path for path in others if "stills.formats" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", NAMES)
def test_luma_in_is_luma_out(tmp_path, name):
    """Colored and proved: the output's integer luma is the gray code that was stored, whatever the file is called."""
    weights = tiny_weights(tmp_path / "tiny.safetensors")
    (tmp_path / "in").mkdir()
    for called in (name, "b.tif"):
        source, out = tmp_path / "in" / called, tmp_path / f"{called}.color.tif"
        source.write_bytes(WRITERS[name]())
        pipeline.color_scan(source, out, weights=weights, working_size=32, precision="fp32")
        assert np.array_equal(luma_codes(tifffile.imread(out)), GRAY)
        assert all(finding.right for finding in pipeline.verify(source, out))
    found = find(tmp_path / "in", tmp_path / "out", {}, (), ())
    assert [(item.kind, Path(item.source).name) for item in found.items] == [("scan", name), ("scan", "b.tif")]
    with open_scan(source) as reader:
        assert reader.scan.format != "TIFF"
