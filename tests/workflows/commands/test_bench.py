"""The bench measures real runs, and shows that memory does not grow with a plate."""

import json
import secrets
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from pipeline.containers.codecs import H264
from tests.synthetic import tiny_weights
from workflows.bench.bench_sources import write_grainy_film, write_plate
from workflows.bench.measured import measured
from workflows.commands.cli import cli

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
    monkeypatch.setattr("workflows.bench.bench_scan.BYTES_PER_PIXEL", 10**6)
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


def simulated(*options):
    """A simulated cluster's rows."""
    done = CliRunner().invoke(cli, ["bench", "cluster", "--json", *map(str, options)])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_a_simulated_cluster_tells_where_its_driver_spends_time(tmp_path):
    """Rows by number of workers, all items done, the parts of the driver's time adding up; nothing is left behind."""
    options = "--pool", "timers", "--cost", 0.02, "--units", 10, "--folder", tmp_path
    one, eight = simulated("--workers", "1,8", *options)
    assert [row["items"] for row in (one, eight)] == [2, 16]
    for row in (one, eight):
        assert 0 < row["busy"] <= 1
        assert sum(row["wall_by_part"].values()) == pytest.approx(row["seconds"], rel=0.01)
        assert sum(row["processor_by_part"].values()) == pytest.approx(row["processor"], rel=0.01)
        assert row["seconds"] >= 0.02 * row["units"] / row["workers"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.ray
@pytest.mark.slow
def test_a_simulated_cluster_of_real_actors(tmp_path, monkeypatch):
    """Ray carries the steps; every item is done."""
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    [row] = simulated("--workers", 2, "--pool", "ray", "--cost", 0.01, "--units", 5)
    assert (row["items"], row["units"]) == (4, 20)


def test_a_driver_of_many_units_stays_small(tmp_path):
    """4,000 units take a few MiB."""
    options = "--workers", 8, "--pool", "timers", "--cost", 0, "--folder", tmp_path
    few, many = (simulated("--items", 8, "--units", units, *options)[0] for units in (10, 500))
    assert many["units"] > 3_900
    assert many["peak"] - few["peak"] < 8 << 20


def test_numbers_of_workers_are_checked():
    """What is no list of whole numbers from 1 to 4096 is a usage error."""
    for text in ("", "0", "2,", "1,x", "5000"):
        assert CliRunner().invoke(cli, ["bench", "cluster", "--workers", text]).exit_code == 2


@pytest.mark.slow
def test_memory_does_not_grow_with_the_plate(tmp_path):
    """20,000 x 20,000 pixels of 16 bits with the shipped weights stay below 2 GiB, and near what a quarter takes."""
    peaks = []
    for side in (10_240, 19_968):
        source: Path = tmp_path / f"{side}.tif"
        write_plate(source, side)
        peaks.append(measured("scan", str(source), str(tmp_path / "out.tif"), "--pyramid", "--overwrite").peak)
        source.unlink()
    assert peaks[1] < LIMIT
    assert peaks[1] - peaks[0] < 300 << 20  # rows of tiles are twice as wide


def other_build(place: Path) -> Path:
    """A checkout whose command begins elsewhere, and copies."""
    (place / "workflows").mkdir(parents=True)
    (place / "workflows" / "__init__.py").touch()
    (place / "workflows" / "past.py").write_text("""
import shutil, sys
def main():
    assert sys.argv[1] == "reel"
    shutil.copy(*sys.argv[2:4])
""")
    (place / "pyproject.toml").write_text('[project.scripts]\nchromatheque = "workflows.past:main"\n')
    return place


def test_a_reel_is_measured_beside_another_build_and_beside_its_own_past(tmp_path, tmp_path_factory, tiny):
    """Each in turn, with medians and the ratio to this build; figures of another day serve too."""
    past = other_build(tmp_path_factory.mktemp("past"))
    how = ["bench", "reel", "--sizes", "64x48", "--frames", "4", "--runs", "1", "--weights", str(tiny)]
    how += ["--folder", str(tmp_path)]
    done = CliRunner().invoke(cli, [*how, "--against", str(past), "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)
    assert [(row["of"], row["size"], row["frames"]) for row in rows] == [
        ("this build", "64x48", 4), ("the other", "64x48", 4),
    ]  # fmt: skip
    assert all(row["seconds"] > 0 and row["processor"] > 0 and row["peak"] > 1 << 20 for row in rows)
    assert rows[1]["processor"] < rows[0]["processor"] / 5  # a copy
    assert list(tmp_path.iterdir()) == []
    known = past / "known.json"
    known.write_text(json.dumps([rows[0] | {"processor": 2e6}, rows[0] | {"frames": 5}]))
    done = CliRunner().invoke(cli, [*how, "--against", str(known)])
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) == 2
    assert "times by processor" in done.output.splitlines()[1]


@pytest.mark.parametrize("kind", ["empty", "other", "nothing"])
def test_what_is_neither_a_checkout_nor_figures_is_said(tmp_path, kind):
    """One line, before a film is made or anything is measured."""
    what: Path = tmp_path / kind
    if kind == "empty":
        what.mkdir()
    elif kind == "other":
        what.write_text('{"rows": 1}')
    else:
        what.write_bytes(b"\x00")
    done = CliRunner().invoke(cli, ["bench", "reel", "--against", str(what), "--frames", "2", "--sizes", "64x48"])
    assert done.exit_code in (1, 2)
    assert str(what) in done.output
    assert "Traceback" not in done.output


def test_the_plain_script_colors(tmp_path):
    """What the program is told beside does color: same count and size, and not gray."""
    source, out = tmp_path / "film.mp4", tmp_path / "out.mp4"
    write_grainy_film(source, 2, (64, 48))
    assert measured(str(source), str(out), "32", entry="workflows.bench.plain_script:main").processor > 0
    with av.open(str(out)) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 2
    assert np.ptp(frames[0], axis=2).mean() > 2


def test_settings_of_h264_are_told_beside_each_other(tmp_path):
    """The product's own first; all keep a likeness that a coarser setting would not."""
    film = tmp_path / "film.mp4"
    write_grainy_film(film, 6, (128, 96))
    done = CliRunner().invoke(cli, ["bench", "codec", str(film), "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)
    assert rows[0]["options"] == ":".join(f"{key}={value}" for key, value in H264.options)
    assert len({row["options"] for row in rows}) == len(rows) == 5
    for row in rows:
        assert row["kilobytes"] > 0
        assert row["luma"] > 40
        assert row["ssim"] > 0.95
        assert 0.8 < row["grain"] < 1.2


def test_networks_are_timed_beside_the_paper(tiny):
    """Each at each side: what it takes to look and to paint, and what of that its convolutions alone take."""
    words = ["bench", "network", str(tiny), "--sides", "224,96", "--runs", "1", "--precision", "fp32"]
    done = CliRunner().invoke(cli, [*words, "--json"])
    assert done.exit_code == 0, done.output
    large, small = json.loads(done.output)
    assert (large["side"], large["paper"], small["side"], small["paper"]) == (224, [0.399, 0.08], 96, None)
    assert all(timed["convolutions"] > 0 and min(timed["look"], timed["paint"]) > 0 for timed in (large, small))
    lines = CliRunner().invoke(cli, words).output.splitlines()
    assert ["the paper: 0.399 s on 8 cores, 0.080 s on a GPU" in line for line in lines] == [True, False]


@pytest.mark.parametrize("sides", ["", "big", "224,", "16", "9000"])
def test_what_are_no_sides(sides):
    """One line, before a network is loaded."""
    done = CliRunner().invoke(cli, ["bench", "network", "--sides", sides])
    assert (done.exit_code, "numbers from 32 to 8192" in done.output) == (2, True), done.output
