"""Memory of a scan's job: the largest tile that fits, never one that does not, and words about what would fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError, UnsupportedSource
from colorizer.painting.geometry import NATIVE
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.scans.memory import BASE, DEFAULT, NATIVE_MORE, TILES, limits, tile_for
from pipeline.stills.opening import open_scan
from pipeline.values.events import Silent
from tests.tiffs import noise, write

GIB = 1 << 30
sides = st.integers(1, 200_000)
depths = st.sampled_from((8, 16))
sizes = st.sampled_from((256, 512, NATIVE))
readers = st.integers(0, GIB)
asked_for = st.integers(1, 256).map(lambda n: 16 * n)


def need(tile, held, height, width, bits, working_size):
    """Bytes that a TIFF takes in tiles of a size: two rows of them beside the reader."""
    more = NATIVE_MORE if working_size == NATIVE else 0
    return BASE + more + held + 2 * min(tile, height) * width * 3 * (bits // 8)


@given(data=st.data(), held=readers, height=sides, width=sides, bits=depths, size=sizes)
def test_the_largest_tile_that_fits(data, held, height, width, bits, size):
    """With any memory: one of TILES that fits, and no larger one does; or none does, and --memory is named."""
    needs = [need(tile, held, height, width, bits, size) for tile in TILES]
    just = st.sampled_from(needs).flatmap(lambda n: st.integers(n - 1, n + 1))
    allowed = data.draw(just | st.integers(0, 2 * max(needs)))
    fitting = [tile for tile, bytes_ in zip(TILES, needs, strict=True) if bytes_ <= allowed]
    if fitting:
        assert tile_for(allowed, held, height, width, bits, "TIFF", size, 0) == max(fitting)
        return
    with pytest.raises(ColorizeError, match=rf"^tiles of {min(TILES)} px: .* allow more by --memory$"):
        tile_for(allowed, held, height, width, bits, "TIFF", size, 0)


@given(asked=asked_for, by=st.integers(-1, 1), held=readers, height=sides, width=sides, bits=depths, size=sizes)
def test_what_a_person_asks_for(asked, by, held, height, width, bits, size):
    """A tile that was asked for is that one or refused, to the byte; smaller ones are proposed where there are any."""
    allowed = need(asked, held, height, width, bits, size) + by
    if by >= 0:
        assert tile_for(allowed, held, height, width, bits, "TIFF", size, asked) == asked
        return
    with pytest.raises(ColorizeError, match=rf"^tiles of {asked} px: .*--memory") as refused:
        tile_for(allowed, held, height, width, bits, "TIFF", size, asked)
    assert ("--tile" in str(refused.value)) == (asked > min(TILES))
    assert "\n" not in str(refused.value)


@given(
    output=st.sampled_from(("PNG", "JPEG")), asked=asked_for | st.just(0), by=st.integers(-1, 1), held=readers,
    height=sides, width=sides, bits=depths, size=sizes,
)  # fmt: skip
def test_a_format_of_one_piece_takes_the_whole_picture(output, asked, by, held, height, width, bits, size):
    """PNG and JPEG: three times the picture fits, or it is refused and TIFF is proposed; tiles make no difference."""
    more = NATIVE_MORE if size == NATIVE else 0
    allowed = BASE + more + held + 3 * height * width * 3 * (bits // 8) + by
    if by >= 0:
        assert tile_for(allowed, held, height, width, bits, output, size, asked) == (asked or max(TILES))
        return
    with pytest.raises(ColorizeError, match=rf"^{output} is encoded in one piece: .*--memory.*\.tif$"):
        tile_for(allowed, held, height, width, bits, output, size, asked)


@given(memory=st.integers(0, 1 << 45), max_pixels=st.integers(1, 1 << 40))
def test_what_a_reader_may_take(memory, max_pixels):
    """Beside the base half of the memory, so that as much is left for the work; 1 MiB where there is less."""
    allowed = limits(memory, max_pixels)
    assert allowed.keys() == {"max_pixels", "max_bytes"}
    assert allowed["max_pixels"] == max_pixels
    assert allowed["max_bytes"] >= 1 << 20
    assert allowed["max_bytes"] == 1 << 20 or 0 <= memory - BASE - 2 * allowed["max_bytes"] <= 1


def test_large_plates_fit_into_what_is_allowed_by_default():
    """60,000 pixels across, 16 bits, a reader of 200 MiB, any height: the largest tiles. Ten times as wide: none."""
    assert tile_for(DEFAULT, 200 << 20, 10**6, 60_000, 16, "TIFF", 512, 0) == max(TILES)
    assert tile_for(DEFAULT, 200 << 20, 10**6, 60_000, 16, "TIFF", NATIVE, 0) >= 256
    with pytest.raises(ColorizeError, match="--memory"):
        tile_for(DEFAULT, 1 << 30, 10**6, 600_000, 16, "TIFF", 512, 512)


@pytest.fixture
def job(tmp_path, studio):
    """Makes a job of a source."""

    def begin(samples, out="out.tif", **choices):
        source = write(tmp_path / "source.tif", samples, tile=(16, 16))
        asked = ScanChoices(weights=str(studio.weights), working_size=32, precision="fp32", **choices)
        return ScanJob(str(source), tmp_path / out, asked, None, Silent())

    return begin


@pytest.mark.parametrize("out", ["out.tif", "out.png", "out.jpg"])
def test_too_little_memory_is_told_before_any_work(tmp_path, job, out):
    """A job that may take less than the program itself: one line that names source and option; no file is left."""
    with pytest.raises(UnsupportedSource, match=r"source\.tif: .*; allow more by --memory") as refused:
        job(noise((40, 50)), out, memory=BASE).color()
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["source.tif"]


def test_a_job_takes_the_tile_that_fits(tmp_path, job):
    """Of the file that is asked for: 512, or what a person says, or less where memory is short by a byte."""
    samples = np.zeros((600, 4000), np.uint16)
    assert job(samples).settings.tile == 512
    assert job(samples, tile=48).settings.tile == 48
    assert job(samples, "out.png", tile=48).settings.tile == 48
    with open_scan(tmp_path / "source.tif") as reader:
        exactly = need(256, reader.held, 600, 4000, 16, 32)
    assert job(samples, memory=exactly).settings.tile == 256
    assert job(samples, memory=exactly - 1).settings.tile == 128
    with pytest.raises(UnsupportedSource, match=r"source\.tif: tiles of 256 px: .*, or smaller tiles by --tile$"):
        job(samples, memory=exactly - 1, tile=256).color()
