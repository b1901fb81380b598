"""Colored scans on disk: every sample and every tag comes back, whole files or none, in bounded memory."""

import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline.pages.tiff_file
from colorizer.basis.errors import EncodeError, StorageError
from pipeline.metadata.icc import srgb_profile
from pipeline.metadata.metadata import Metadata, name_of
from pipeline.pages.page import Page
from pipeline.pages.pyramid import halve, levels
from pipeline.pages.writer import ScanWriter
from pipeline.stills.opening import open_scan
from pipeline.values.loss import Loss
from pipeline.values.source_type import SOURCE_TYPE

ROOT = Path(__file__).parents[3]
LOSSLESS = ("zstd", "deflate", "lzw", "none")


def picture(height, width, bits, seed=0):
    """A color gradient with noise that uses all codes, (height, width, 3)."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, height * width * 3).reshape(height, width, 3)
    top = 2**bits - 1
    return np.clip(ramp * top + rng.normal(0, top / 50, ramp.shape), 0, top).astype(f"u{bits // 8}")


def write(path, rgb, portions=(100,), page=None, **options):
    """Write a picture in portions of rows, in turn; what was lost."""
    page = page or Page(*rgb.shape[:2], rgb.itemsize * 8)
    with ScanWriter(path, page, **options) as writer:
        feed(writer, rgb, portions)
    return list(map(str, writer.lost))


def feed(writer, rgb, portions=(100,)):
    """Write rows in portions, in turn."""
    y, turn = 0, 0
    while y < len(rgb):
        step = portions[turn % len(portions)]
        writer.write(rgb[y : y + step])
        y, turn = y + step, turn + 1


def read(path, level=0, number=0):
    """A page's level by tifffile, and its tags."""
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[number]
        page = page.pages[level - 1] if level else page
        return page.asarray(), {tag.code: tag.value for tag in page.tags.values()}


@pytest.fixture(scope="session")
def tiffinfo():
    """libtiff's own tools; skipped where they are not installed (Debian: libtiff-tools)."""

    def run(tool, *arguments):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (libtiff-tools)")
        done = subprocess.run([tool, *map(str, arguments)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr
        return done.stdout.decode("utf-8", "replace")

    return run


@settings(max_examples=60)
@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    bits=st.sampled_from((8, 16)),
    compression=st.sampled_from(LOSSLESS),
    tile=st.sampled_from((16, 48, 64, 512)),
    portions=st.lists(st.integers(1, 90), min_size=1, max_size=4),
    pyramid=st.booleans(),
)
def test_every_sample_comes_back(tmp_path_factory, height, width, bits, compression, tile, portions, pyramid):
    """Bit for bit, for any size, depth, lossless compression, tile and portions of rows; nothing else is left over."""
    folder = tmp_path_factory.mktemp("scan")
    rgb = picture(height, width, bits)
    assert write(folder / "a.tif", rgb, portions, compression=compression, tile=tile, pyramid=pyramid) == []
    assert np.array_equal(read(folder / "a.tif")[0], rgb)
    assert [p.name for p in folder.iterdir()] == ["a.tif"]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3000, 1), (1, 3000), (1201, 513), (512, 1024)])
@pytest.mark.parametrize("compression", [*LOSSLESS, "jpeg"])
def test_odd_shapes(tmp_path, height, width, compression, tiffinfo):
    """Thin, tiny and just-over-a-tile pages with their pyramids; libtiff decodes the same samples as tifffile."""
    rgb = picture(height, width, 8)
    write(tmp_path / "a.tif", rgb, compression=compression, pyramid=True)
    mine, _ = read(tmp_path / "a.tif")
    assert np.array_equal(mine, rgb) or compression == "jpeg"
    tiffinfo("tiffcp", "-c", "none", "-s", tmp_path / "a.tif", tmp_path / "b.tif")
    assert np.array_equal(read(tmp_path / "b.tif")[0], mine)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", ["deflate", "lzw", "none"])
def test_vips_reads_every_level(tmp_path, bits, compression):
    """libvips opens the page and each of its levels, and finds the samples tifffile finds."""
    pyvips = pytest.importorskip("pyvips", reason="pyvips[binary] is not installed")
    write(tmp_path / "a.tif", picture(1100, 900, bits), compression=compression, pyramid=True)
    for level, open_as in enumerate(({}, {"subifd": 0}, {"subifd": 1})):
        image = pyvips.Image.new_from_file(str(tmp_path / "a.tif"), fail_on="warning", **open_as)
        assert np.array_equal(image.numpy(), read(tmp_path / "a.tif", level)[0])


@pytest.mark.parametrize(("height", "width", "sizes"), [
    (512, 512, [(512, 512)]),
    (513, 100, [(513, 100), (257, 50)]),
    (1025, 2049, [(1025, 2049), (513, 1025), (257, 513), (129, 257)]),
    (3001, 1, [(3001, 1), (1501, 1), (751, 1), (376, 1)]),
])  # fmt: skip
def test_pyramid_levels(tmp_path, height, width, sizes, tiffinfo):
    """Halves, rounded up, down to 512 pixels; each is the one before in 2x2 means; both readers see SubIFDs."""
    rgb = picture(height, width, 16)
    write(tmp_path / "a.tif", rgb, (7, 300), pyramid=True, tile=128)
    assert levels(height, width, pyramid=True) == sizes
    expected = rgb
    for level, size in enumerate(sizes):
        stored, tags = read(tmp_path / "a.tif", level)
        assert stored.shape == (*size, 3)
        assert np.array_equal(stored, expected)
        assert tags[254] == int(level > 0)
        expected = halve(expected)
    said = tiffinfo("tiffinfo", tmp_path / "a.tif")
    assert all(f"Image Width: {w} Image Length: {h}" in said for h, w in sizes)
    assert said.count("reduced-resolution image") == len(sizes) - 1


def test_a_region_needs_its_tiles_only(tmp_path):
    """Tiles are where the directory says: a region of any level is decoded from its own tile alone."""
    rgb = picture(700, 900, 16)
    write(tmp_path / "a.tif", rgb, tile=64, pyramid=True)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        for level, expected in ((tiff.pages[0], rgb), (tiff.pages[0].pages[0], halve(rgb))):
            columns = -(-expected.shape[1] // 64)
            number = 3 * columns + 2
            tiff.filehandle.seek(level.dataoffsets[number])
            data = tiff.filehandle.read(level.databytecounts[number])
            tile = level.decode(data, number)[0][0]
            assert np.array_equal(tile, expected[192:256, 128:192])


def test_jpeg_is_close_and_8_bit_only(tmp_path):
    """JPEG keeps smooth 8-bit colors within 3 codes; 16-bit samples are refused before anything is written."""
    rgb = (np.linspace(0, 255, 600 * 700).reshape(600, 700, 1) * (1, 0.8, 0.5)).astype(np.uint8)
    write(tmp_path / "a.tif", rgb, compression="jpeg")
    assert np.abs(read(tmp_path / "a.tif")[0].astype(int) - rgb).max() <= 3
    with pytest.raises(EncodeError, match=r"b\.tif: JPEG stores 8 bits a sample and the scan has 16; choose zstd"):
        write(tmp_path / "b.tif", picture(5, 5, 16), compression="jpeg")
    with pytest.raises(EncodeError, match="no compression is called webp"):
        write(tmp_path / "b.tif", picture(5, 5, 16), compression="webp")
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


RICH = Metadata(
    tags={
        269: (2, "Plate 12, Zürich 写真".encode()), 270: (2, b"two\0strings"), 271: (2, b"Maker"), 272: (2, b"M 1"),
        305: (2, b"ScanWare 2"), 306: (2, b"2001:02:03 04:05:06"), 315: (2, b"latin \xe9"), 316: (2, b""),
        33432: (2, "© nobody".encode()), 297: (3, (0, 2)),
        50000: (7, bytes(range(256)) * 300), 50001: (12, (1.5, -2.0)),
    },
    blobs={
        33723: (4, b"\x1c\x02\x00\x00\x02\x00\x04\x1c\x02\x78\x00\x05Ztext"),
        34377: (1, b"8BIM\x04\x0b\0\0\0\0\0\x02ok"),
        700: (1, b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">'
              b'<r:Description r:about="" dc:format="kept"/></r:RDF>'),
    },
    exif={
        33437: (5, ((28, 10),)), 36864: (7, b"0230"), 36867: (2, b"2001:02:03 04:05:06"), 37380: (10, ((-1, 3),)),
        37510: (7, b"ASCII\0\0\0said"), 40961: (3, (65535,)),
    },
    gps={0: (1, b"\2\3\0\0"), 1: (2, b"N"), 2: (5, ((47, 1), (22, 1), (1234, 100)))},
)  # fmt: skip
RESOLUTION = (Fraction(1200), Fraction(23999, 20), 2)


@pytest.mark.parametrize("big", [False, True])
def test_metadata_comes_back_tag_by_tag(tmp_path, monkeypatch, big):
    """Text in any script, opaque blobs, EXIF, GPS, IPTC, resolution, orientation: in plain and in BigTIFF alike."""
    if big:
        monkeypatch.setattr(pipeline.pages.tiff_file, "PLAIN_LIMIT", 1000)
    rgb = picture(600, 300, 16)
    assert write(tmp_path / "a.tif", rgb, page=Page(600, 300, 16, 6, RESOLUTION, RICH), pyramid=True) == []
    assert (tmp_path / "a.tif").read_bytes()[:4] == (b"II\x2b\0" if big else b"II\x2a\0")
    stored, tags = read(tmp_path / "a.tif")
    assert np.array_equal(stored, rgb)
    for code in (269, 272, 306, 33432):
        assert tags[code] == RICH.tags[code][1].decode()
    for code in (297, 50000, 50001):
        assert tags[code] == RICH.tags[code][1]
    assert tags[270] == "two\0strings"
    assert tags[271] == "Maker"
    assert tags[315] in ("latin é", b"latin \xe9")
    assert tags[305].startswith("ScanWare 2 | chromatheque ")
    assert tags[274] == 6
    assert (tags[282], tags[283], tags[296]) == ((1200, 1), (23999, 20), 2)
    assert tags[34675] == srgb_profile()
    assert tags[33723] == RICH.blobs[33723][1]
    assert tags.get(34377)
    assert b'dc:format="kept"' in tags[700]
    exif = {
        "FNumber": (28, 10),
        "DateTimeOriginal": "2001:02:03 04:05:06",
        "ExposureBiasValue": (-1, 3),
        "ColorSpace": 1,
    }
    assert exif.items() <= tags[34665].items()
    assert tags[34853]["GPSLatitude"] == (47, 1, 22, 1, 1234, 100)
    assert SOURCE_TYPE.encode() in tags[700]
    assert read(tmp_path / "a.tif", 1)[1][282] == (600, 1)
    if shutil.which("tiffinfo"):
        said = subprocess.run(["tiffinfo", tmp_path / "a.tif"], capture_output=True, check=True).stdout.decode(
            "utf-8", "replace"
        )
        for word in ("Zürich 写真", "FNumber: 2.8", "row 0 rhs, col 0 top", "Latitude: 47", "ICC Profile", SOURCE_TYPE):
            assert word in said


def test_the_reader_finds_what_was_written(tmp_path):
    """The project's own reader gives the metadata back with its types: a derivative of a derivative keeps it."""
    keep = replace(RICH, tags={code: value for code, value in RICH.tags.items() if code < 50000})
    page = Page(40, 30, 16, 6, RESOLUTION, keep)
    write(tmp_path / "a.tif", picture(40, 30, 16), page=page)
    with open_scan(tmp_path / "a.tif") as reader:
        scan = reader.scan
    assert (scan.height, scan.width, scan.bits, scan.orientation, scan.resolution) == (40, 30, 16, 6, RESOLUTION)
    assert scan.icc == srgb_profile()
    found = scan.metadata
    assert found.lost == ()
    assert found.tags.keys() == keep.tags.keys()
    assert {code for code in keep.tags if found.tags[code] != keep.tags[code]} == {305}
    assert {code for code in keep.exif if found.exif[code] != keep.exif[code]} == {40961}
    assert found.gps == keep.gps
    assert {code: found.blobs[code][1] for code in (33723, 34377)} == {c: keep.blobs[c][1] for c in (33723, 34377)}


def test_what_cannot_be_carried_is_named(tmp_path):
    """The reader's losses, values their type cannot hold, positions in the source: listed, and not in the file."""
    values = {
        50002: (3, (70000,)), 50003: (99, (1,)), 50004: (5, (1, 2, 3)), 50005: (3, b"bytes"), 50006: (7, b""),
        50007: (16, (5,)), 50008: (2, b"kept"), 256: (4, (9,)), 700: (1, b"not here"),
    }  # fmt: skip
    blobs = {700: (1, b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')}
    page = Page(
        4, 4, 8, metadata=Metadata(values, blobs, {40965: (4, (100,)), 36867: (2, (1, 2))}, lost=(Loss("Halftone"),))
    )
    lost = write(tmp_path / "a.tif", picture(4, 4, 8), page=page)
    refused = [name_of(code) for code in (50002, 50003, 50004, 50005, 50006, 50007)]
    named = [what.partition(" (")[0] for what in lost]
    assert named == ["Halftone", *refused, "InteroperabilityTag", "DateTimeOriginal", "XMP"]
    _, tags = read(tmp_path / "a.tif")
    assert tags[50008] == "kept"
    assert tags[256] == 4
    assert not tags.keys() & {50002, 50003, 50004, 50005, 50006, 50007, 34665}
    assert SOURCE_TYPE.encode() in tags[700]


tag_values = st.dictionaries(
    st.integers(50000, 65000),
    st.tuples(
        st.integers(0, 20),
        st.binary(max_size=50) | st.text(max_size=20) | st.integers() | st.floats() | st.none()
        | st.lists(st.integers(-(2**33), 2**33), max_size=6) | st.lists(st.tuples(st.integers(), st.integers())),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=80)
@given(tags=tag_values, exif=tag_values, xmp=st.binary(max_size=100), iptc=st.binary(max_size=40))
def test_any_metadata_leaves_a_readable_file(tmp_path_factory, tags, exif, xmp, iptc):
    """Whatever a source claims, the picture is written and every tag is carried or named."""
    path = tmp_path_factory.mktemp("scan") / "a.tif"
    rgb = picture(20, 20, 8)
    blobs = {700: (1, xmp), 33723: (7, iptc)}
    lost = write(path, rgb, page=Page(20, 20, 8, metadata=Metadata(tags, blobs, exif)))
    with tifffile.TiffFile(path) as tiff:
        assert np.array_equal(tiff.pages[0].asarray(), rgb)
        codes = {tag.code for tag in tiff.pages[0].tags.values()}
    named = {what.partition(" (")[0] for what in lost}
    assert all((code in codes) or (name_of(code) in named) for code in tags)


def test_pages_follow_one_another(tmp_path, tiffinfo):
    """Pages of different size and depth, each with its levels and tags; losses say which page."""
    a, b = picture(700, 90, 16), picture(33, 610, 8)
    with ScanWriter(
        tmp_path / "a.tif", Page(700, 90, 16, metadata=Metadata({269: (2, b"front")})), pyramid=True
    ) as writer:
        feed(writer, a)
        writer.append(Page(33, 610, 8, metadata=Metadata({269: (2, b"back"), 50009: (99, (1,))}), mark={}))
        feed(writer, b)
    assert writer.lost == [Loss("tag 50009", "no such numbers in type 99", 2)]
    for number, (rgb, name) in enumerate(((a, "front"), (b, "back"))):
        stored, tags = read(tmp_path / "a.tif", 0, number)
        assert np.array_equal(stored, rgb)
        assert tags[269] == name
        assert (700 in tags) == (number == 0)
        assert np.array_equal(read(tmp_path / "a.tif", 1, number)[0], halve(rgb))
    assert tiffinfo("tiffinfo", tmp_path / "a.tif").count("=== TIFF directory") == 2


def test_equal_rows_make_equal_bytes(tmp_path):
    """Neither the portions, nor the threads, nor the clock reach the disk."""
    rgb = picture(300, 700, 16)
    write(tmp_path / "a.tif", rgb, (1,), pyramid=True, tile=64, threads=1)
    write(tmp_path / "b.tif", rgb, (300,), pyramid=True, tile=64, threads=5)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_stopped_in_the_middle(tmp_path):
    """An exception in the body, or rows that are missing: the file under the final name stays what it was."""
    path = tmp_path / "a.tif"
    path.write_bytes(b"before")
    rgb = picture(300, 40, 8)
    with suppress(KeyboardInterrupt), ScanWriter(path, Page(300, 40, 8), tile=16) as writer:
        writer.write(rgb[:200])
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before"
    with pytest.raises(ValueError, match="page 1 lacks 100 of its 300 rows"):
        write(path, rgb[:200], page=Page(300, 40, 8))
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_killed_in_the_middle(tmp_path):
    """A process that is killed leaves nothing under the final name; the next run uses up what it left, if told to."""
    code = (
        "import os, sys, numpy as np; from pathlib import Path\n"
        "from pipeline.pages.writer import ScanWriter; from pipeline.pages.page import Page\n"
        "path, scratch = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "with ScanWriter(path, Page(300, 40, 8), tile=16, scratch=scratch) as writer:\n"
        "    writer.write(np.zeros((200, 40, 3), np.uint8)); os.kill(os.getpid(), 9)\n"
    )
    path, scratch = tmp_path / "a.tif", tmp_path / ".a.part"
    done = subprocess.run([sys.executable, "-c", code, path, scratch], check=False, cwd=ROOT)
    assert done.returncode == -9
    assert [p.name for p in tmp_path.iterdir()] == [".a.part"]
    write(path, picture(20, 20, 8), scratch=scratch)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("rows", [
    np.zeros((5, 9, 3), np.uint8), np.zeros((5, 10, 3), np.uint16), np.zeros((5, 10), np.uint8),
    np.zeros((21, 10, 3), np.uint8),
])  # fmt: skip
def test_rows_of_another_page_are_refused(tmp_path, rows):
    """Rows of another width, depth or number are a bug, told at once."""
    with pytest.raises(ValueError, match="rows of"):
        write(tmp_path / "a.tif", rows, (30,), page=Page(20, 10, 8))
    assert not list(tmp_path.iterdir())


def in_a_process(path, height, width, bits, limit=None, **options):
    """Write noise in a new process, 16 rows at a time; its last words, or by how many bytes its peak memory grew."""
    code = (
        "import sys, resource, numpy as np; from pathlib import Path\n"
        "from pipeline.pages.writer import ScanWriter; from pipeline.pages.page import Page\n"
        f"height, width, bits, options = {height}, {width}, {bits}, {options}\n"
        "def rows(y): return np.random.default_rng(y).integers(0, 2**(bits - 4), (16, width, 3), f'u{bits // 8}')\n"
        "rows(0)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    with ScanWriter(Path(sys.argv[1]), Page(height, width, bits), **options) as writer:\n"
        "        for y in range(0, height, 16): writer.write(rows(y)[: height - y])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "else: print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: limit and resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("limit", [100, 3_000_000])
def test_a_disk_that_fills(tmp_path, limit):
    """One line that names the file and the cause; neither a half file nor the scratch file stays."""
    said = in_a_process(tmp_path / "a.tif", 2000, 1000, 16, limit, compression="none", pyramid=True)
    assert said.startswith(f"StorageError {tmp_path / 'a.tif'}: cannot be written: File too large; fix this")
    assert "\n" not in said
    assert not list(tmp_path.iterdir())


def test_no_folder_to_write_in(tmp_path):
    """A folder that is missing is a StorageError that names the file."""
    with pytest.raises(StorageError, match=r"none/a\.tif: cannot be written: No such file"):
        write(tmp_path / "none" / "a.tif", picture(5, 5, 8))


def bound(width, bits, tile, threads):
    """The memory that ScanWriter promises, bytes: two rows of tiles, four tiles a thread; and 32 MB for allocators."""
    return 2 * tile * width * 3 * bits // 8 + threads * 4 * tile * tile * 3 * bits // 8 + 32e6


def test_memory_does_not_grow_with_height(tmp_path):
    """A tall page with its pyramid takes no more than two rows of tiles."""
    grown = int(in_a_process(tmp_path / "a.tif", 12000, 2000, 16, pyramid=True, tile=256, threads=1))
    assert grown < bound(2000, 16, 256, 1) < 12000 * 2000 * 6 / 3


@pytest.fixture
def large(tmp_path):
    """A path whose file is removed at once: pytest keeps the folders of three runs."""
    path = tmp_path / "a.tif"
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.slow
def test_memory_of_a_museum_scan(large):
    """20,000 x 20,000 x 16 bits with its pyramid: 2.4 GB of samples, no more than two rows of tiles in memory."""
    grown = int(in_a_process(large, 20000, 20000, 16, pyramid=True, threads=2))
    assert grown < bound(20000, 16, 512, 2) < 170e6
    with tifffile.TiffFile(large) as tiff:
        assert [page.shape[:2] for page in (tiff.pages[0], *tiff.pages[0].pages)] == levels(20000, 20000, pyramid=True)


@pytest.mark.slow
def test_beyond_4_gib(large, tiffinfo):
    """An uncompressed page of 4.8 GB is a BigTIFF whose last tile is where its directory says."""
    in_a_process(large, 40000, 20000, 16, compression="none", threads=1)
    assert large.stat().st_size > 2**32
    with tifffile.TiffFile(large) as tiff:
        assert tiff.is_bigtiff
        page = tiff.pages[0]
        tiff.filehandle.seek(page.dataoffsets[-1])
        tile = page.decode(tiff.filehandle.read(page.databytecounts[-1]), len(page.dataoffsets) - 1)[0][0]
    rows = np.random.default_rng(40000 - 64).integers(0, 4096, (16, 20000, 3), np.uint16)
    assert np.array_equal(tile[:16, : 20000 - 39 * 512], rows[:, 39 * 512 :])
    assert "Image Width: 20000" in tiffinfo("tiffinfo", large)


def test_levels_as_pages_behind_their_own(tmp_path):
    """Chained, each level follows its page, says that it is reduced, and has the samples it has as a SubIFD."""
    pages = [picture(1100, 90, 8), picture(600, 700, 8, seed=1)]
    for name, chained in (("chained.tif", True), ("below.tif", False)):
        with ScanWriter(tmp_path / name, Page(1100, 90, 8), pyramid=True, chained=chained) as writer:
            feed(writer, pages[0])
            writer.append(Page(600, 700, 8))
            feed(writer, pages[1])
    with tifffile.TiffFile(tmp_path / "chained.tif") as a, tifffile.TiffFile(tmp_path / "below.tif") as b:
        assert [int(page.subfiletype) for page in a.pages] == [0, 1, 1, 0, 1]
        expected = [level for page in b.pages for level in (page, *page.pages)]
        for mine, other in zip(a.pages, expected, strict=True):
            assert np.array_equal(mine.asarray(), other.asarray())
            assert not mine.pages
    with open_scan(str(tmp_path / "chained.tif")) as reader:
        assert reader.scan.pages == 2
