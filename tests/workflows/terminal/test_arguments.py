"""Slips of the keyboard: told with code 2 before what colors is loaded, and with the command that was meant."""

import json
import subprocess
import sys

import pytest

from tests.endtoend import ROOT, environment
from workflows.commands.cli import COMMANDS

HEAVY = {"torch", "ray", "jinja2", "rich.progress"}
"""Libraries that take long to load, or are not needed to refuse."""
MORE = {"av", "numpy", "tifffile", "imagecodecs", "safetensors"}
"""Others that help and slips do without."""
CHILD = """
import contextlib, io, json, sys
from workflows.commands.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    code, said = None, io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as error:
            code = error.code or 0
    print(json.dumps([code, said.getvalue(), sorted(sys.modules)]), flush=True)
"""
"""Runs commands one after the other in one process, which none of them may load much into."""


def told(folder, typed):
    """Of each command its exit code, what it printed, and the libraries that the process has loaded by then."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps([words.split() for words in typed])], capture_output=True, text=True,
        check=True, cwd=folder, env={**environment(), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    lines = map(json.loads, done.stdout.splitlines())
    return {words: (code, said, set(names)) for words, (code, said, names) in zip(typed, lines, strict=True)}


@pytest.fixture
def folder(tmp_path):
    """A few files that only have names."""
    for name in ("photo.jpg", "film.mkv", "frames/reel_0001.dpx", "frames/reel_0002.dpx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"nothing yet")
    return tmp_path


SLIPS = {
    "reel nope.mkv out.mkv": "nope.mkv: no such file",
    "reel film.mkv out.avi": ".mov (mezzanine)",
    "reel film.mkv out.mp4 --profile archive": "profile archive writes .mkv files",
    "reel film.mkv nowhere/out.mkv": "nowhere: no such folder; make it first",
    "reel film.mkv out.mkv --weights nope": "nope: no such weights; shipped here: fast",
    "reel frames out.mkv": "frames/reel_%04d.dpx",
    "reel frames/reel_%06d.dpx out.mkv": "no picture has such a name",
    "reel frames/reel_%5d.dpx out.mkv": "as in frames/%06d.dpx",
    "reel photo.jpg photo-color.jpg": "chromatheque scan photo.jpg photo-color.jpg",
    "reel http://127.0.0.1:9/a.mp4 out.mkv": "a path is wanted",
    "scan nope.tif out.tif": "nope.tif: no such file",
    "scan photo.jpg out.gif": "a colored scan is a .tif",
    "scan film.mkv out.mkv": "chromatheque reel film.mkv out.mkv",
    "scan frames out.tif": "chromatheque archive frames OUT_DIR",
    "scan frames/reel_%04d.dpx out.tif": "chromatheque reel frames/reel_%04d.dpx out.mkv",
    "plan film.mkv": "chromatheque plan show film.mkv",
    "plan shwo film.mkv": "did you mean show?",
    "scan photo.jpg film.mkv out.tif": "chromatheque archive FOLDER OUT_DIR",
    "archive nope out": "does not exist",
    "archive photo.jpg out": "chromatheque scan IN OUT",
    "archive frames frames/out": "lies inside",
    "archive film.mkv out": "chromatheque reel IN OUT",
    "archive frames out --deadline 25:00": "hour must be in 0..23",
    "verify nope.mkv film.mkv": "nope.mkv: no such file",
    "verify film.mkv nope.mkv": "nope.mkv: no such file",
    "plan show nope": "no such file or folder",
    "report frames": "no collection here",
    "train nope --out w.safetensors": "nope: no such folder or shard",
    "evaluate fast nope": "does not exist",
    "evaluate nope frames": "no such weights",
    "demo --weights nope": "no such weights",
    "sacn photo.jpg out.jpg": "did you mean scan?",
    "photo.jpg out.jpg": "scan a still",
}


def test_a_slip_is_told_before_torch_is_loaded(folder):
    """What, and what was meant; code 2; nothing heavy was loaded to find out, and nothing was written."""
    before = sorted(folder.rglob("*"))
    for typed, (code, said, names) in told(folder, list(SLIPS)).items():
        assert code == 2, (typed, said)
        assert SLIPS[typed] in said, typed
        assert "Traceback" not in said
        assert not names & (HEAVY | MORE), (typed, names & (HEAVY | MORE))
    assert sorted(folder.rglob("*")) == before


def test_help_loads_next_to_nothing(folder):
    """Not even what reads pictures."""
    helps = ["--help", "--version", *(f"{name} --help" for name in COMMANDS)]
    for typed, (code, said, names) in told(folder, helps).items():
        assert code == 0, said
        assert not names & (HEAVY | MORE | {"rich"}), (typed, names & (HEAVY | MORE))
