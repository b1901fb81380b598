"""`pipeline.color_reel`, `color_scan` and `verify`: what the commands do, from Python."""

import inspect
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import tifffile

import colorizer
import pipeline
from colorizer.basis.errors import ColorizeError, SourceError, UnsupportedSource, WrongValue
from pipeline.jobs import calls
from pipeline.jobs.reel_job import ReelChoices
from pipeline.jobs.scan_job import ScanChoices
from tests.endtoend import run_command
from tests.synthetic import read_stamps, texture, tiny_weights, write_reel


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def plate(tmp_path):
    """A gray TIFF of 16 bits."""
    codes = (texture(0, 90, 70) * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "plate.tif", codes, metadata=None)
    return tmp_path / "plate.tif"


@pytest.mark.parametrize(("call", "choices"), [(calls.color_reel, ReelChoices), (calls.color_scan, ScanChoices)])
def test_a_call_has_every_choice(call, choices):
    """What a job can be asked for, a caller can ask for by name; only what a catalog says is left to collections."""
    wanted = {field.name for field in fields(choices)} - {"id", "catalog"}
    assert set(inspect.signature(call).parameters) == wanted | {"source", "out", "job", "listener"}
    options = list(inspect.signature(call).parameters.values())[2:]
    assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}


def test_a_reel_from_python_has_the_bytes_of_the_command(tiny, tmp_path):
    """The same defaults, the same bytes; done twice it is not painted twice; and it proves itself."""
    source = write_reel(tmp_path / "in.mkv", 12)
    result = pipeline.color_reel(source, tmp_path / "out.mkv", weights=tiny, precision="fp32")
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "out.mkv"
    run_command("reel", source, other, "--weights", tiny, "--precision", "fp32")
    assert result.out.read_bytes() == other.read_bytes()
    assert read_stamps(result.out) == list(range(12))
    assert pipeline.color_reel(source, tmp_path / "out.mkv", weights=tiny, precision="fp32").plan is None
    findings = pipeline.verify(source, tmp_path / "out.mkv")
    assert findings
    assert all(finding.right for finding in findings)


def test_a_scan_has_the_samples_that_colorize_gives(tiny, plate, tmp_path):
    """A file through the pipeline and its array through the colorizer: the same colors, code for code."""
    for size in (32, "native"):
        out = tmp_path / f"{size}.tif"
        result = pipeline.color_scan(plate, str(out), weights=tiny, working_size=size, precision="fp32")
        assert result.out == out
        assert all(finding.right for finding in pipeline.verify(plate, out))
        painter = colorizer.load(tiny, "cpu", "fp32")
        array = colorizer.colorize(tifffile.imread(plate), painter, working_size=size)
        assert np.array_equal(tifffile.imread(out), array)


def test_a_job_folder_and_a_listener(tiny, plate, tmp_path):
    """The plan is kept where a caller says, and a function of his hears what happens."""
    heard = []
    pipeline.color_scan(
        plate, tmp_path / "out.tif", weights=tiny, working_size=32, job=tmp_path / "job", listener=heard.append
    )
    assert (tmp_path / "job" / "plan.json").is_file()
    assert {"planned", "rows", "joining", "checking"} <= {event.event for event in heard}


WRONG = [
    (calls.color_reel, {"working_size": 5}, WrongValue, "5 is neither"),
    (calls.color_reel, {"workers": 0}, WrongValue, "workers 0"),
    (calls.color_reel, {"workers": 2}, WrongValue, "need ray"),
    (calls.color_reel, {"precision": "fp64"}, WrongValue, "fp64"),
    (calls.color_reel, {"looks": "per-reel"}, WrongValue, "per-reel"),
    (calls.color_reel, {"profile": "betamax"}, WrongValue, "archive"),
    (calls.color_reel, {"start": "noon"}, WrongValue, "noon"),
    (calls.color_reel, {"source": "s3://reels/in.mkv"}, ColorizeError, "archive"),
    (calls.color_reel, {"source": "nowhere.mkv"}, SourceError, "no such"),
    (calls.color_reel, {"out": "out.odd"}, UnsupportedSource, "out.odd"),
    (calls.color_scan, {"working_size": "big"}, WrongValue, "'big' is neither"),
    (calls.color_scan, {"tile": 100}, WrongValue, "tile 100"),
    (calls.color_scan, {"compression": "zip"}, WrongValue, "zip"),
    (calls.color_scan, {"workers": 5000}, WrongValue, "5000"),
    (calls.color_scan, {"out": "gs://plates/out.tif"}, ColorizeError, "archive"),
    (calls.color_scan, {"source": "nowhere.tif"}, SourceError, "no such"),
    (calls.verify, {"source": "plate.tif", "out": "nowhere.tif"}, SourceError, "no such file"),
]


@pytest.mark.parametrize(("call", "arguments", "kind", "told"), WRONG)
def test_what_cannot_be_is_one_line(plate, monkeypatch, call, arguments, kind, told):
    """A wrong argument is refused before any work, and leaves nothing behind."""
    monkeypatch.chdir(plate.parent)
    suffix = ".mkv" if call is calls.color_reel else ".tif"
    with pytest.raises(kind) as raised:
        call(**{"source": str(plate), "out": f"out{suffix}", **arguments})
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert [path.name for path in Path().iterdir()] == ["plate.tif"]
