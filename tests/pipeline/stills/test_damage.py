"""Hostile and damaged scans end in one clear sentence, soon, and in little memory."""

import os
import re
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from colorizer.basis.errors import DamagedSource, SourceError, UnsupportedSource
from pipeline.stills.opening import open_scan
from tests.tiffs import built, noise, write

ROOT = Path(__file__).parents[3]


def run(*arguments, check=True):
    """A Python process of this project with one thread; what it printed."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=env, cwd=ROOT, timeout=600
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kept", [0, 3, 4, 7, 8, 9, 100, 1500, -1])
def test_a_file_cut_anywhere_is_refused(tmp_path, kept):
    """A cut file is never half a picture."""
    write(tmp_path / "a.tif", noise((40, 40), "u1"), rowsperstrip=10)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[:kept])
    with pytest.raises(SourceError, match=r"a\.tif: "):
        open_scan(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({256: 0}, "0 x 2 pixels"),
        ({257: 1 << 30, 278: 1 << 30}, "the file ends before its picture does"),
        ({256: 80_000, 257: 80_000, 278: 80_000, 259: 8}, "bytes when decoded"),
        ({256: 30_000, 257: 30_000, 278: 30_000, 259: 8}, "cannot be 900000000 bytes in Deflate"),
        ({256: 90_000, 257: 90_000}, "more than the 8000000000"),
        ({257: 1 << 30, 278: 1}, "asks for 1,073,741,824 strips, of 1 it says where"),
        ({278: 0}, "0 pixels"),
        ({256: 80_000, 257: 80_000, 278: 80_000, 273: 0, 279: 0}, "its only strip is not in the file"),
        ({277: 60}, "the file ends"),
        ({262: 2}, "says it is RGB and has 1 sample per pixel"),
        ({277: 60_000}, "60,000 samples"),
        ({258: 17}, "17-bit uint"),
        ({258: (8, 4), 277: 2}, "different depth"),
        ({259: 99}, "compression 99"),
        ({259: 5, 317: 9}, "predictor 9"),
        ({259: 5, 273: 1 << 30}, "the file ends"),
        ({322: 1 << 31, 323: 1 << 31, 324: 8, 325: 4, 259: 5}, "bytes when decoded"),
        ({322: 16, 323: 0, 324: 8, 325: 4}, "tiles or strips of 16 x 0"),
        ({32997: 5}, "volume"),
        ({256: b"many"}, "holds no whole numbers"),
    ],
)
def test_headers_that_claim_too_much(tmp_path, tags, words):
    """What a header says is held against the file before anything is allocated."""
    built(tmp_path / "a.tif", (2, 2), bytes(4), tags)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((DamagedSource, UnsupportedSource), match=words) as refused:
        open_scan(tmp_path / "a.tif")
    assert not re.search(r"(?<![\d.,x] )\b1 \w+s\b(?! not)|\(\d+, \d+\)", str(refused.value)), refused.value
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_circle_of_pages_ends(tmp_path):
    """Pages that point back are read once, and the scan says so."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as out:
        out.write(noise((4, 4), "u1"), metadata=None)
        out.write(noise((4, 5), "u1"), metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        first, second = (page.offset for page in tiff.pages)
        last = second + 2 + 12 * len(tiff.pages[1].tags)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<I", data, last, first)
    (tmp_path / "a.tif").write_bytes(data)
    with open_scan(tmp_path / "a.tif", 1) as reader:
        assert (reader.scan.pages, reader.scan.width) == (2, 5)
        assert "circle" in reader.scan.notes[0]


def test_a_damaged_strip_is_named(tmp_path):
    """Damage is found where it is read, with the strip's number; what is whole can be read."""
    picture = noise((400, 400))
    write(tmp_path / "a.tif", picture, rowsperstrip=2, compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        place = tiff.pages.first.dataoffsets[101]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place : place + 9] = b"not zlib!"
    (tmp_path / "a.tif").write_bytes(data)
    with open_scan(tmp_path / "a.tif") as reader:
        assert np.array_equal(reader.read(0, 0, 200, 400), picture[:200])
        with pytest.raises(DamagedSource, match=r"strip 102 of 200 cannot be decoded \(Deflate: .*another copy"):
            reader.read(200, 0, 10, 10)


@pytest.mark.parametrize("seed", [1])
def test_mutated_scans_end_in_a_picture_or_an_error(tmp_path, seed):
    """300 damaged copies of small scans of all kinds, 6 GB of address space, 10 s each: no other end than those two."""
    assert "0 bad" in run("-m", "tests.fuzz_scans", tmp_path, 300, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_more_mutated_scans_end_well(tmp_path, seed):
    """The same with 3000 copies."""
    assert "0 bad" in run("-m", "tests.fuzz_scans", tmp_path, 3000, seed)


READ_BY_BANDS = """
import resource, sys
from pipeline.stills.opening import open_scan
with open_scan(sys.argv[1]) as reader:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = 0
    for top in range(0, reader.scan.height, 500):
        total += int(reader.read(top, 0, 500, reader.scan.width).sum(dtype="u8"))
    print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "storage",
    [{"tile": (256, 256), "compression": "zlib"}, {"rowsperstrip": 20000}, {"rowsperstrip": 64, "compression": "zstd"}],
)
def test_memory_does_not_grow_with_the_scan(tmp_path, storage):
    """20000 x 20000 of 16 bits, 800 MB, read by bands of 20 MB: at most the cache and 100 MB more."""
    side = 20000

    def rows():
        for top in range(0, side, storage.get("rowsperstrip", 256) if "compression" in storage else side):
            height = min(storage.get("rowsperstrip", 256), side - top)
            yield np.full((height, side), top % 1000, np.uint16)

    def tiles():
        for top in range(0, side, 256):
            for _ in range(0, side, 256):
                yield np.full((256, 256), top % 1000, np.uint16)

    path = tmp_path / "a.tif"
    if storage.get("rowsperstrip") == side:
        built(path, (side, side), b"", {258: 16, 278: side, 279: side * side * 2})
        head = path.read_bytes()
        with path.open("wb") as file:  # sparse: the file system stores no zeros
            file.write(head)
            file.truncate(8 + len(head) + side * side * 2)
    elif "tile" in storage:
        options = {"shape": (side, side), "dtype": np.uint16, "metadata": None}
        tifffile.imwrite(path, tiles(), **options, **storage)
    else:
        write(path, np.concatenate(list(rows())), **storage)
    total, grown = map(int, run("-c", READ_BY_BANDS, path).split())
    assert grown < 256 + 100
    if "compression" in storage:
        step = storage.get("rowsperstrip", 256)
        assert total == sum((row // step * step % 1000) * side for row in range(side))
