"""The dry run: what headers promise beyond their files is said, to people and to programs."""

import json

import pytest
from click.testing import CliRunner

from pipeline.jobs.speeds import calibration, device_name
from tests.synthetic import tiny_weights, write_reel
from workflows.commands.cli import cli
from workflows.terminal.doubts import doubt


def run(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0
    return done


def test_a_header_that_promises_too_much(tmp_path):
    """The forecast counts what the file holds; the list names the header's promise beside it."""
    (tmp_path / "in").mkdir()
    whole = write_reel(tmp_path / "in" / "whole.mkv", 40).read_bytes()
    (tmp_path / "in" / "cut.mkv").write_bytes(whole[: len(whole) // 4])
    words = ("archive", tmp_path / "in", tmp_path / "out", "--dry-run")
    told = run(*words)
    [line] = [line for line in told.stderr.splitlines() if line.startswith("doubtful: ")]
    assert line.startswith(f"doubtful: {tmp_path / 'in' / 'cut.mkv'}: the header promises 40 frames; the bytes")
    values = json.loads(run(*words, "--progress", "json").stdout)
    cut, sound = sorted(values["items"], key=lambda item: item["source"])
    assert sound["doubt"] is None
    assert line.endswith(cut["doubt"])
    assert cut["frames"] < 15
    assert values["frames"] == cut["frames"] + sound["frames"] == cut["frames"] + 40


def test_hours_that_no_file_holds():
    """Hours are said where there are any; a header that is believed is not mentioned."""
    wanted = "the header promises 1,029 hours (92,610,000 frames); the bytes of the file hold 9,000 frames at most"
    assert doubt({"frames": 9000, "promised": 92_610_000, "promised_hours": 1029.0}) == wanted
    assert doubt({"frames": 9000, "megapixels": 1.0}) is None


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of 11 megapixels, and weights."""
    folder = tmp_path_factory.mktemp("film")
    return write_reel(folder / "in.mkv", 45, (640, 384)), tiny_weights(folder / "tiny.safetensors")


def told(film, out, *more):
    """What `reel` prints of a film."""
    source, weights = film
    words = ["reel", source, out, "--weights", weights, "--working-size", "32", "--precision", "fp32", *more]
    done = CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_reel_can_be_looked_at_before(film, tmp_path, monkeypatch):
    """Frames, megapixels, time and disk, of a piece its own; nothing is written, and what a run took is known then."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out.mkv"
    text = told(film, out, "--dry-run")
    assert f"{film[0]} -> {out}: 45 frames, 11 megapixels\n" in text
    assert "time: not known for this device yet" in text
    assert not list(tmp_path.iterdir())
    told(film, out, "--progress", "none")
    speed = calibration()[device_name()]["reel"]
    assert 0 < speed < 60
    assert "by earlier runs" in told(film, tmp_path / "other.mkv", "--dry-run")
    piece = json.loads(
        told(film, tmp_path / "p.mkv", "--dry-run", "--progress", "json", "--start", "0.5", "--stop", "1")
    )
    assert (piece["frames"], piece["megapixels"]) == (12, round(12 * 640 * 384 / 1e6, 6))
    assert piece["hours"] == pytest.approx(piece["megapixels"] * speed / 3600)
    told(film, tmp_path / "short.mkv", "--progress", "none", "--stop", "0.1")
    assert calibration()[device_name()]["reel"] == speed


def test_a_run_that_went_on_teaches_nothing(film, tmp_path, monkeypatch):
    """Its survey was made before, and some of its pieces may have been."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told(film, tmp_path / "a.mkv", "--progress", "none", "--job", tmp_path / "job")
    (tmp_path / "cache" / "chromatheque" / "calibration.json").unlink()
    told(film, tmp_path / "b.mov", "--progress", "none", "--job", tmp_path / "job")
    assert calibration() == {}
