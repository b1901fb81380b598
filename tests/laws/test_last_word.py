"""The last word on an output is "verified" alone only where nothing is lost; every other one counts the losses."""

import json

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from pipeline.storage.job_folder import sidecar_of
from pipeline.values.words import counted
from tests.endtoend import verify
from tests.plates import plate
from tests.synthetic import silent_track, write_reel
from workflows.commands.cli import cli


def lossy_scan(path):
    """A scan with a pointer into its own file, which no copy can keep."""
    code, kind = 51041, 13  # an IFD pointer, under a number of nobody
    tifffile.imwrite(path, np.full((40, 50), 90, "u1"), extratags=[(code, kind, 1, 8, True)])
    return path


LOSSY = {
    "attachment": (lambda home: write_reel(home / "in.mkv", 4, attachment=b"card"), ".mp4"),
    "sound without a packet": (lambda home: silent_track(home / "in.mkv"), ".mov"),
    "stereo mode": (lambda home: write_reel(home / "in.mkv", 4, (96, 64), stereo="left_right"), ".mov"),
    "sound that became AAC": (lambda home: write_reel(home / "in.mkv", 4, audio=["pcm_s16le"]), ".mp4"),
    "a scan's tag": (lambda home: lossy_scan(home / "in.tif"), ".tif"),
}
WHOLE = {
    "a reel": (lambda home: write_reel(home / "in.mkv", 4, audio=1), ".mkv"),
    "a scan": (lambda home: plate(home / "in.tif", 50, 50), ".tif"),
}


def small(command, source, out, tiny, *more):
    """A run of the command in this process: lines of stdout and stderr."""
    options = ["--weights", tiny, "--working-size", 32, "--precision", "fp32", *more]
    words = [command, source, out, *options]
    done = CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.strip().splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize("case", [*LOSSY, *WHOLE])
def test_the_last_word_counts_the_losses(tmp_path, tiny, case):
    """On the terminal, in JSON, in the sidecar; `verify` calls none of them ok and ends with 0; a second run too."""
    make, suffix = {**LOSSY, **WHOLE}[case]
    source, out = make(tmp_path), tmp_path / f"out{suffix}"
    command = "scan" if suffix == ".tif" else "reel"
    said, named = small(command, source, out, tiny)
    story = json.loads(sidecar_of(out).read_text())
    lost = story["not_carried_over"]
    word = f"verified, but for {counted(len(lost), 'loss')}" if case in LOSSY else "verified"
    assert bool(lost) == (case in LOSSY)
    assert story["verdict"] == word
    assert f", {word}; details are in" in said[-1]
    assert [line.removeprefix("lost: ") for line in named if line.startswith("lost: ")] == lost
    code, told = verify(source, out)
    assert code == 0, told
    assert [line.removeprefix("lost  ") for line in told.splitlines() if line.startswith("lost")] == lost
    assert not [line for line in told.splitlines() if line.startswith("ok") and "declared" in line]
    again = json.loads(small(command, source, out, tiny, "--progress", "json")[0][-1])
    assert (again["already"], again["verdict"], again["lost"]) == (True, word, lost)


def test_what_no_sidecar_declares_fails(tmp_path, tiny):
    """The same loss without a word in the sidecar, or without a sidecar."""
    for case in LOSSY:
        make, suffix = LOSSY[case]
        home = tmp_path / case
        home.mkdir()
        source, out = make(home), home / f"out{suffix}"
        small("scan" if suffix == ".tif" else "reel", source, out, tiny)
        sidecar_of(out).unlink()
        code, told = verify(source, out)
        assert (code, "FAIL" in told) == (1, True), (case, told)


def test_a_collection_adds_them_up(tmp_path, tiny):
    """In the last line, in JSON and at each file of the report; also of what an earlier run or `reel` finished."""
    home, out = tmp_path / "in", tmp_path / "out"
    home.mkdir()
    write_reel(home / "whole.mkv", 4)
    silent_track(home / "silent.mkv")
    lossy_scan(home / "plate.tif")
    line = small("archive", home, out, tiny, "--profile", "mezzanine")[0]
    lost = {place: json.loads((out / f"{place}.json").read_text())["not_carried_over"]
            for place in ("whole.mov", "silent.mov", "plate.tif")}  # fmt: skip
    count = sum(map(len, lost.values()))
    some = sum(map(bool, lost.values()))
    assert some >= 2
    word = f"3 of 3 files are colored and verified, but for {count} losses of {some} files, which the report names, in"
    assert any(text.startswith(word) for text in line), line
    page = (out / "report.html").read_text()
    assert f"but for {counted(len(lost['plate.tif']), 'loss')}" in page
    for path in (out / ".chromatheque" / "items").glob("*.json"):
        path.unlink()  # a state that is lost costs a look at each output
    again = json.loads(small("archive", home, out, tiny, "--profile", "mezzanine", "--progress", "json")[0][-1])
    assert again["losses"] == count
