"""A whole collection held against its sources."""

import json

import pytest

from tests.endtoend import run_command
from tests.plates import plate
from tests.synthetic import tiny_weights, write_reel


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A reel and a plate in a folder, colored."""
    home = tmp_path_factory.mktemp("night")
    (home / "in" / "reels").mkdir(parents=True)
    write_reel(home / "in" / "reels" / "a.mkv", 12, (64, 48))
    plate(home / "in" / "b.tif", 100, 100)
    tiny = tiny_weights(home / "tiny.safetensors")
    done = run_command("archive", home / "in", home / "out", "--weights", tiny, "--working-size", 32)
    assert done.returncode == 0, done.stderr
    return home


def test_every_file_is_compared(night):
    """A line each, and how many hold; the folder of sources may have moved."""
    (night / "in").rename(night / "moved")
    try:
        done = run_command("verify", night / "moved", night / "out")
    finally:
        (night / "moved").rename(night / "in")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["ok    b.tif", "ok    reels/a.mkv", "2 of 2 files hold what the source has"]


def test_what_is_wrong_is_named(night):
    """An output of another picture, and a source that is gone: the others are compared all the same, exit code 1."""
    out, source = night / "out" / "b.tif", night / "in" / "reels" / "a.mkv"
    kept = out.read_bytes()
    changed = bytearray(kept)
    changed[len(kept) // 2] ^= 0xFF
    out.write_bytes(changed)
    source.rename(night / "elsewhere.mkv")
    try:
        done = run_command("verify", night / "in", night / "out", "--json")
    finally:
        out.write_bytes(kept)
        (night / "elsewhere.mkv").rename(source)
    assert done.returncode == 1
    plate_, reel = (json.loads(line) for line in done.stdout.splitlines())
    assert (plate_["out"], plate_["holds"]) == ("b.tif", False)
    assert (reel["out"], reel["holds"]) == ("reels/a.mkv", False)
    assert "not found below" in reel["error"]


def test_a_folder_that_is_no_collection_is_a_line(night):
    """It says what is wanted."""
    done = run_command("verify", night / "in", night / "in")
    assert done.returncode == 2
    assert "no collection here" in done.stderr
