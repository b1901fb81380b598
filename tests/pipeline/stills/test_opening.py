"""Scans are opened by what they hold, and any region of any storage is the same codes as were written."""

import os
import time

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import SourceError, UnsupportedSource
from pipeline.metadata.directory import Tiff
from pipeline.pages.pyramid import halve
from pipeline.stills import segments as scan_segments
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import ScanReader
from tests.tiffs import noise, packed, whole, write

STORAGES = {
    "strips": {"rowsperstrip": 7},
    "one strip": {},
    "tiles": {"tile": (16, 32)},
    "lzw strips": {"rowsperstrip": 16, "compression": "lzw"},
    "lzw predicted": {"rowsperstrip": 16, "compression": "lzw", "predictor": True},
    "deflate tiles": {"tile": (32, 16), "compression": "zlib", "predictor": True},
    "deflate one strip": {"compression": "zlib"},
    "zstd": {"tile": (16, 16), "compression": "zstd", "predictor": True},
    "lzma": {"rowsperstrip": 20, "compression": "lzma"},
    "packbits": {"rowsperstrip": 9, "compression": "packbits"},
    "jpeg 2000": {"tile": (64, 64), "compression": "jpeg2000", "compressionargs": {"level": 0}},
    "big": {"bigtiff": True, "tile": (16, 16)},
    "big-endian": {"byteorder": ">", "rowsperstrip": 11},
    "big-endian lzw predicted": {"byteorder": ">", "compression": "lzw", "predictor": True, "bigtiff": True},
}


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("storage", STORAGES)
def test_gray_codes_come_out_as_stored(tmp_path, storage, kind):
    """Gray of 8 and 16 bits, in every storage: the very codes, with nothing said about tone."""
    picture = noise((75, 101), kind)
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="minisblack", metadata=None, **STORAGES[storage])
    with open_scan(tmp_path / "a.tif") as reader:
        assert np.array_equal(reader.read(0, 0, 75, 101), picture)
        assert reader.scan.bits == picture.itemsize * 8
        assert (reader.scan.kind, reader.scan.tone, reader.scan.color) == ("gray", "", False)
        assert reader.scan.format == ("BigTIFF" if "bigtiff" in STORAGES[storage] else "TIFF")


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("storage", [s for s in STORAGES if s != "jpeg 2000"])
def test_neutral_rgb_is_its_code_in_every_storage(tmp_path, storage, planar):
    """R = G = B = n gives n, interleaved and in planes; and it is not taken for a picture with color."""
    picture = noise((40, 50), "u2", 1)
    stored = np.repeat(picture[..., None], 3, 2) if planar == "contig" else np.repeat(picture[None], 3, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", np.ascontiguousarray(stored), photometric="rgb", planarconfig=planar, metadata=None,
        **STORAGES[storage],
    )  # fmt: skip
    with open_scan(tmp_path / "a.tif") as reader:
        assert np.array_equal(reader.read(0, 0, 40, 50), picture)
        assert reader.scan.kind == "RGB"
        assert not reader.scan.color


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """Open scans of one picture in several storages, with a cache too small for any of them."""
    folder, picture = tmp_path_factory.mktemp("scans"), noise((203, 157), "u2", 5)
    patch = pytest.MonkeyPatch()
    patch.setattr(scan_segments, "CACHE", 5000)
    found = []
    for number, options in enumerate(STORAGES.values()):
        path = folder / f"{number}.tif"
        tifffile.imwrite(path, picture, photometric="minisblack", metadata=None, **options)
        found.append(open_scan(path))
    yield picture, found
    for reader in found:
        reader.close()
    patch.undo()


@given(data=st.data())
@settings(max_examples=60)
def test_any_region_equals_the_whole(readers, data):
    """Regions of any place and size, in any order, are cut from the same picture."""
    picture, found = readers
    reader = data.draw(st.sampled_from(found))
    top, left = data.draw(st.integers(0, 202)), data.draw(st.integers(0, 156))
    height, width = data.draw(st.integers(1, 203 - top)), data.draw(st.integers(1, 157 - left))
    region = reader.read(top, left, height, width)
    assert np.array_equal(region, picture[top : top + height, left : left + width])
    assert region.flags.owndata


KINDS = {
    "1 bit": (1, {}), "4 bits": (4, {}), "12 bits": (12, {}), "0 is white": (8, {"white": True}),
    "u1": ("u1", {}), "u2": ("u2", {}), "u4": ("u4", {}), "i2": ("i2", {}), "f4": ("f4", {}), "f8": ("f8", {}),
    "big-endian": (">u2", {}), "rgb": ("u1", {"photometric": "rgb"}), "rgb16": ("u2", {"photometric": "rgb"}),
    "cmyk": ("u1", {"photometric": "separated"}), "lab": ("u1", {"photometric": "cielab"}),
    "jpeg": ("u1", {"photometric": "rgb", "compression": "jpeg"}),
    "profiled": ("u2", {"iccprofile": bytes(imagecodecs.cms_profile("gray", gamma=1.0))}),
}  # fmt: skip
"""Samples by bits or type, and how they are stored."""


@pytest.mark.parametrize("name", KINDS)
def test_a_negative_is_white_less_the_code(tmp_path, name):
    """Of samples of every kind, in any region: turned around are the luma codes that are read otherwise, once."""
    kind, options = KINDS[name]
    path, shape = tmp_path / "a.tif", (40, 64)
    if isinstance(kind, int):
        packed(path, noise(shape, bits=kind), kind, **options)
    else:
        bands = {"rgb": (3,), "cielab": (3,), "separated": (4,)}.get(options.get("photometric", ""), ())
        samples = np.random.default_rng(1).random((*shape, *bands))
        top = 1 if kind[0] == "f" else np.iinfo(kind).max
        write(path, (samples * top).astype(kind), **options)
    with open_scan(path) as stored, open_scan(path, inverted=True) as turned:
        codes = stored.read(3, 5, 30, 50)
        wanted = 2**stored.scan.bits - 1 - codes.astype(np.int64)
        found = turned.read(3, 5, 30, 50)
        assert found.dtype == codes.dtype
        assert np.array_equal(found, wanted)
        assert stored.scan.tone == turned.scan.tone


def test_long_strips_are_read_in_pieces(tmp_path, monkeypatch):
    """An uncompressed strip of any length is cut where rows end, also when pieces must fit into several strips."""
    monkeypatch.setattr("pipeline.stills.places.PIECE", 1000)
    picture = noise((97, 151), "u2", 6)
    for rows in (97, 45, 13):
        tifffile.imwrite(tmp_path / "a.tif", picture, rowsperstrip=rows, metadata=None)
        assert np.array_equal(whole(tmp_path / "a.tif"), picture)


def test_a_region_must_lie_within(tmp_path):
    """Regions beyond the picture, or of no size, are a caller's mistake."""
    tifffile.imwrite(tmp_path / "a.tif", noise((10, 20)))
    with open_scan(tmp_path / "a.tif") as reader:
        for region in ((0, 0, 11, 20), (0, 1, 10, 20), (-1, 0, 5, 5), (0, 0, 0, 5), (10, 0, 1, 1)):
            with pytest.raises(ValueError, match=r"region|within"):
                reader.read(*region)


def test_pages_are_pictures_not_their_copies(tmp_path):
    """Every full page counts; smaller copies, in the chain or below a page, do not; a missing page is said."""
    first, second = noise((64, 48), "u1", 1), noise((32, 40), "u2", 2)
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        out.write(first, subifds=1, metadata=None)
        out.write(first[::2, ::2], subfiletype=1, metadata=None)
        out.write(first[::2, ::2], subfiletype=1, metadata=None)
        out.write(second, metadata=None)
    for page, expected in enumerate((first, second)):
        assert np.array_equal(whole(tmp_path / "a.tif", page), expected)
    with open_scan(tmp_path / "a.tif", 1) as reader:
        assert (reader.scan.page, reader.scan.pages) == (1, 2)
    for page in (2, -1):
        with pytest.raises(SourceError, match=f"has no page {page}"):
            open_scan(tmp_path / "a.tif", page)


def test_an_infrared_page_is_named_and_no_picture(tmp_path):
    """Scanners write it as a page of NewSubfileType 4 behind the picture."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        out.write(noise((8, 9, 3), "u1"), photometric="rgb", metadata=None)
        out.write(noise((8, 9), "u1"), subfiletype=1, metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[1].tags[254].overwrite(4)
    with open_scan(tmp_path / "a.tif") as reader:
        assert reader.scan.pages == 1
        [loss] = reader.scan.metadata.lost
        assert str(loss) == "pages of masks or infrared light (NewSubfileType 4) (1, not colored)"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_told_and_not_applied(tmp_path, orientation):
    """The stored picture is delivered; how to turn it is a fact beside it."""
    picture = noise((8, 12))
    tifffile.imwrite(tmp_path / "a.tif", picture, extratags=[(274, 3, 1, orientation, True)], metadata=None)
    with open_scan(tmp_path / "a.tif") as reader:
        assert reader.scan.orientation == orientation
        assert np.array_equal(reader.read(0, 0, 8, 12), picture)


def test_segments_that_are_absent_are_zeros(tmp_path):
    """A sparse TIFF leaves out tiles: they read as zeros, and the scan says how many."""
    tifffile.imwrite(tmp_path / "a.tif", None, shape=(64, 64), dtype=np.uint16, tile=(16, 16), metadata=None)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        for code in (324, 325):
            tag = tiff.pages.first.tags[code]
            data[tag.valueoffset : tag.valueoffset + 4 * 15] = bytes(4 * 15)
    (tmp_path / "a.tif").write_bytes(data)
    with open_scan(tmp_path / "a.tif") as reader:
        assert not reader.read(0, 0, 64, 64).any()
        assert "15 of 16" in reader.scan.notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"what is this", "not a scan"), (b"RIFF\4\0\0\0WAVEfmt ", "not a scan"), (None, "no such file")],
)
def test_what_is_no_scan_says_so(tmp_path, content, words):
    """Empty files, other files, missing files and folders: one clear sentence."""
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    with pytest.raises(SourceError, match=words):
        open_scan(tmp_path / "a")
    with pytest.raises(SourceError, match="a folder"):
        open_scan(tmp_path)


def test_too_many_pixels_are_refused(tmp_path):
    """The limit on pixels holds for every format before anything is decoded."""
    tifffile.imwrite(tmp_path / "a.tif", noise((100, 100)))
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(noise((100, 100))))
    for name in ("a.tif", "a.png"):
        with pytest.raises(UnsupportedSource, match="100 x 100 pixels, more than the 9999"):
            open_scan(tmp_path / name, max_pixels=9999)
        with open_scan(tmp_path / name, max_pixels=10_000) as reader:
            assert isinstance(reader, ScanReader)


def test_many_pages_are_walked_once(tmp_path, monkeypatch):
    """Opening each of 500 pages reads each directory twice in all: in one walk of the list, and when it is opened."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        for number in range(500):
            out.write(np.full((8, 8), number % 256, np.uint8), metadata=None)
    os.utime(tmp_path / "a.tif", (1e9, 1e9))
    read, walk = [], Tiff.directory
    monkeypatch.setattr(Tiff, "directory", lambda self, place: read.append(place) or walk(self, place))
    for number in range(500):
        assert whole(tmp_path / "a.tif", number)[0, 0] == number % 256
    assert len(read) == 1000


def test_a_file_that_changed_is_walked_anew(tmp_path):
    """Another file under the name, of the same size or not, has the pages that it has."""
    for pages in (3, 2, 3):
        with tifffile.TiffWriter(tmp_path / "a.tif") as out:
            for _ in range(pages):
                out.write(noise((8, 8), "u1"), metadata=None)
        with open_scan(tmp_path / "a.tif", pages - 1) as reader:
            assert reader.scan.pages == pages


def scene(height, width):
    """A picture with large shapes, which look alike at any size."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    return (127 + 60 * np.sin(9 * x) + 60 * np.cos(7 * y)).astype(np.uint8)


@pytest.mark.parametrize("size", [(96, 128), (75, 101), (302, 405)])
def test_levels_that_do_not_say_so_are_one_picture(tmp_path, size):
    """Pages that are the one before at half its size are its levels; that is said."""
    first = scene(*size)
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        level = first
        for _ in range(3):
            out.write(level, metadata=None, compression="zlib")
            level = halve(np.dstack([level] * 3))[..., 0]
        out.write(first.T.copy(), metadata=None)
    with open_scan(tmp_path / "a.tif") as reader:
        assert reader.scan.pages == 2
        assert any("2 more pages at half the size of a picture before" in note for note in reader.scan.notes)
    assert np.array_equal(whole(tmp_path / "a.tif", 1), first.T)


def test_another_picture_of_half_the_size_is_a_page(tmp_path):
    """A size alone makes no level."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        out.write(scene(96, 128), metadata=None)
        out.write(255 - scene(48, 64), metadata=None)
    with open_scan(tmp_path / "a.tif", 1) as reader:
        assert reader.scan.pages == 2


@pytest.mark.slow
def test_ten_thousand_pages(tmp_path):
    """Opened and read in a minute of processor time."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        for _ in range(10_000):
            out.write(np.zeros((16, 16), np.uint8), metadata=None)
    began = time.process_time()
    for number in range(10_000):
        whole(tmp_path / "a.tif", number)
    assert time.process_time() - began < 60
