"""The bench measures real runs, and shows that memory does not grow with a plate."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from tests.synthetic import tiny_weights
from workflows.bench import measured, write_plate
from workflows.cli import cli

LIMIT = 2 << 30


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Weights in no time."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def test_it_measures_each_size(tmp_path, tiny):
    """One JSON object for each plate: its pixels, time and peak memory; nothing is left behind."""
    done = CliRunner().invoke(
        cli,
        ["bench", "scan", "--gigapixels", "0.001,0.004", "--weights", str(tiny), "--folder", str(tmp_path), "--json"],
    )
    assert done.exit_code == 0, done.output
    runs = json.loads(done.output)
    assert [run["side"] for run in runs] == [1024, 2048]
    assert all(run["seconds"] > 0 and 50 << 20 < run["peak"] < LIMIT and run["output_bytes"] > 1 << 20 for run in runs)
    assert list(tmp_path.iterdir()) == []


def test_it_asks_for_the_disk_first(tmp_path, monkeypatch):
    """A plate that the disk cannot hold is refused before anything is written; so is what is no size."""
    monkeypatch.setattr("workflows.bench.BYTES_PER_PIXEL", 10**6)
    for sizes, told in (("13", "free"), ("big", "write sizes"), ("-1", "write sizes"), ("99", "sizes are")):
        done = CliRunner().invoke(cli, ["bench", "scan", "--gigapixels", sizes, "--folder", str(tmp_path)])
        assert done.exit_code == 2
        assert told in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_plate_is_a_picture(tmp_path):
    """It has 16 bits, is tiled and compressed, and looks neither flat nor like noise."""
    write_plate(tmp_path / "plate.tif", 1024)
    with tifffile.TiffFile(tmp_path / "plate.tif") as tiff:
        page = tiff.pages.first
        assert (page.dtype, page.is_tiled, page.compression.name) == (np.uint16, True, "ZSTD")
        luma = page.asarray().astype(float)
    assert luma.std() > 5000
    assert np.abs(np.diff(luma)).mean() < luma.std() / 10


@pytest.mark.slow
def test_memory_does_not_grow_with_the_plate(tmp_path):
    """20,000 x 20,000 pixels of 16 bits with the shipped weights stay below 2 GiB, and near what a quarter takes."""
    peaks = []
    for side in (10_240, 19_968):
        source: Path = tmp_path / f"{side}.tif"
        write_plate(source, side)
        _, _, peak = measured("scan", str(source), str(tmp_path / "out.tif"), "--pyramid", "--overwrite")
        peaks.append(peak)
        source.unlink()
    assert peaks[1] < LIMIT
    assert peaks[1] - peaks[0] < 300 << 20  # rows of tiles are twice as wide
