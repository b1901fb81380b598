"""Colored scans as PNG and JPEG: the samples, the profile, the resolution, the words and the mark."""

import os
import struct
import zlib
from fractions import Fraction

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import EncodeError, StorageError
from pipeline.metadata.icc import srgb_profile
from pipeline.metadata.metadata import Metadata
from pipeline.pages.page import Page
from pipeline.pages.stills import write_still
from pipeline.stills.opening import open_scan
from pipeline.values.source_type import SOURCE_TYPE

RICH = Metadata(
    tags={269: (2, "Plate 12, Zürich".encode()), 315: (2, b"nobody")},
    blobs={33723: (7, b"\x1c\x02\x00\x00\x02\x00\x04"), 34377: (1, b"8BIM")},
    exif={33437: (5, ((28, 10),)), 40961: (3, (65535,))},
    gps={1: (2, b"N")},
)


def picture(height, width, bits):
    """A color gradient, (height, width, 3)."""
    ramp = np.linspace(0, 1, height * width).reshape(height, width, 1) * (1, 0.7, 0.4)
    return (ramp * (2**bits - 1)).astype(f"u{bits // 8}")


@settings(max_examples=25)
@given(height=st.integers(1, 60), width=st.integers(1, 60), bits=st.sampled_from((8, 16)))
def test_png_keeps_every_sample(tmp_path_factory, height, width, bits):
    """PNG is bit for bit at both depths, and nothing else is left in the folder."""
    folder = tmp_path_factory.mktemp("still")
    rgb = picture(height, width, bits)
    assert write_still(folder / "a.png", rgb, Page(height, width, bits)) == []
    assert np.array_equal(imagecodecs.png_decode((folder / "a.png").read_bytes()), rgb)
    assert [p.name for p in folder.iterdir()] == ["a.png"]


def test_jpeg_is_close(tmp_path):
    """JPEG keeps smooth colors within 3 codes."""
    rgb = picture(50, 70, 8)
    assert write_still(tmp_path / "a.JPG", rgb, Page(50, 70, 8)) == []
    assert np.abs(imagecodecs.jpeg8_decode((tmp_path / "a.JPG").read_bytes()).astype(int) - rgb).max() <= 3


def test_png_chunks_are_whole(tmp_path):
    """Every chunk's checksum holds, and those that describe the picture come before its pixels."""
    write_still(tmp_path / "a.png", picture(5, 5, 8), Page(5, 5, 8, 1, (Fraction(300),) * 2 + (2,), RICH))
    data = (tmp_path / "a.png").read_bytes()
    at, kinds = 8, []
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(data[at + 4 : at + 8 + length])
        kinds.append(kind)
        at += 12 + length
    assert kinds[:5] == [b"IHDR", b"iCCP", b"pHYs", b"iTXt", b"eXIf"]
    assert kinds[-1] == b"IEND"


@pytest.mark.parametrize(("suffix", "lost"), [
    (".png", ["ImageResources (its place is a TIFF file)", "IPTCNAA (PNG has no place for it)"]),
    (".jpg", ["ImageResources (its place is a TIFF file)"]),
])  # fmt: skip
def test_words_come_back(tmp_path, suffix, lost):
    """The project's own reader finds texts, EXIF, GPS, orientation, resolution, profile and mark; the rest is named."""
    path = tmp_path / f"a{suffix}"
    resolution = (Fraction(600), Fraction(601, 2), 2)
    assert list(map(str, write_still(path, picture(20, 30, 8), Page(20, 30, 8, 6, resolution, RICH)))) == lost
    with open_scan(path) as reader:
        scan = reader.scan
    assert (scan.height, scan.width, scan.orientation, scan.resolution) == (20, 30, 6, resolution)
    assert scan.icc == srgb_profile()
    found = scan.metadata
    assert RICH.tags.items() <= found.tags.items()
    assert found.exif == {33437: (5, ((28, 10),)), 40961: (3, (1,))}
    assert found.gps == RICH.gps
    assert SOURCE_TYPE.encode() in found.xmp
    assert (33723 in found.blobs) == (suffix == ".jpg")
    assert found.lost == ()


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_resolution_for_viewers(tmp_path, unit):
    """Viewers that read no EXIF find the resolution in the format's own field, in whole numbers."""
    page = Page(4, 4, 8, 1, (Fraction(300), Fraction(3001, 20), unit))
    write_still(tmp_path / "a.jpg", picture(4, 4, 8), page)
    write_still(tmp_path / "a.png", picture(4, 4, 8), page)
    assert (tmp_path / "a.jpg").read_bytes()[13:18] == struct.pack(">BHH", unit - 1, 300, 150)
    data = (tmp_path / "a.png").read_bytes()
    per_meter = {1: (300, 150, 0), 2: (11811, 5907, 1), 3: (30000, 15005, 1)}[unit]
    assert struct.unpack_from(">IIB", data, data.index(b"pHYs") + 4) == per_meter


def test_blocks_beyond_a_jpeg_segment_are_named(tmp_path):
    """JPEG has 64 KB for a block: longer EXIF and XMP are left out by name, and the mark is there all the same."""
    xmp = b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><!--' + b"x" * 70000 + b"--></r:RDF>"
    metadata = Metadata({270: (2, b"y" * 70000)}, {700: (1, xmp)})
    lost = write_still(tmp_path / "a.jpg", picture(4, 4, 8), Page(4, 4, 8, metadata=metadata))
    assert [loss.name for loss in lost] == ["EXIF", "XMP"]
    assert SOURCE_TYPE.encode() in (tmp_path / "a.jpg").read_bytes()
    assert imagecodecs.jpeg8_decode((tmp_path / "a.jpg").read_bytes()).shape == (4, 4, 3)


@pytest.mark.parametrize(("name", "page", "why"), [
    ("a.webp", Page(5, 5, 8), "a colored scan is a .tif, .tiff, .png, .jpg, .jpeg; give a name that ends so"),
    ("a.jpg", Page(5, 5, 16), "JPEG stores 8 bits a sample and the scan has 16; name the output .tif or .png"),
    ("a.jpg", Page(5, 70000, 8), "70000 x 5 pixels: JPEG ends at 65500"),
    ("a.png", Page(60000, 60000, 8), "60000 x 60000 pixels are too many for PNG"),
])  # fmt: skip
def test_what_the_format_cannot_hold(tmp_path, name, page, why):
    """Refused in one line that says what to do, before any pixel is looked at."""
    with pytest.raises(EncodeError, match=f"{name}: {why}"):
        write_still(tmp_path / name, np.zeros((1, 1, 3), np.uint8), page)
    assert not list(tmp_path.iterdir())


def test_another_picture_is_a_bug(tmp_path):
    """A picture that is not the page's is refused with a traceback."""
    with pytest.raises(ValueError, match="is not the page's picture"):
        write_still(tmp_path / "a.png", picture(4, 5, 8), Page(5, 4, 8))


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    """The disk's error is a StorageError; the file that was there stays, the scratch file goes."""
    path = tmp_path / "a.png"
    path.write_bytes(b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"a\.png: cannot be written: No space left on device"):
        write_still(path, picture(4, 4, 8), Page(4, 4, 8))
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_equal_pictures_make_equal_bytes(tmp_path):
    """The clock does not reach the disk."""
    for suffix in (".png", ".jpg"):
        for name in ("a", "b"):
            write_still(tmp_path / (name + suffix), picture(40, 40, 8), Page(40, 40, 8, metadata=RICH))
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
