"""The power may be cut at any moment of a job: the same command then ends in the same bytes. One cut in ten.

`make faults` tries every cut.
"""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.power_loss import Change, Disk, cuts

SEED = "7"
MOST = "4"
"""Cuts of a job: all of them together take less than a minute."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="takes Linux and a C compiler")
def test_a_tenth_of_all_cuts():
    """Whatever had not reached the disk: the same command ends as it should, for outputs that are new or replaced."""
    words = ["-m", "tests.power_loss", "--tenth", SEED, "--most", MOST]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def change(call: str, path: str, other: str = "", number: int = 0, data: bytes = b"") -> Change:
    return Change(call, Path(path), Path(other), number, data, 7)


def kept(disk: Disk, way: str) -> dict[str, bytes | None]:
    """Bytes by place; None of folders."""
    return {place: file and file[0] for place, file in disk.after(way, random.Random(0)).items()}


@pytest.fixture
def disk(tmp_path):
    (tmp_path / "out").write_bytes(b"old")
    return Disk(tmp_path)


def replaced(*syncs: str) -> list[Change]:
    """A file that is written under another name, synced or not, and takes a name that is there, synced or not."""
    calls = [change("open", ".part"), change("write", ".part", data=b"new"), change("sync", ".part")]
    calls += [change("rename", "out", ".part"), change("sync", ".")]
    return [call for call in calls if call.call != "sync" or str(call.path) in syncs]


def test_without_a_sync_bytes_are_lost_under_a_name_that_is_not(disk):
    """What the disk orders as it likes: the rename may be there and the bytes not, or half of them."""
    for call in replaced():
        disk.play(call)
    assert kept(disk, "lost") == {"out": b"old"}
    assert kept(disk, "empty") == {"out": b""}
    assert kept(disk, "torn") == {"out": b"n"}


def test_a_synced_file_is_whole_under_either_name(disk):
    """Its rename may be lost until its folder is synced, and is there after that."""
    for call in replaced(".part"):
        disk.play(call)
    assert (kept(disk, "lost"), kept(disk, "empty")) == ({"out": b"old"}, {"out": b"new"})
    disk.play(change("sync", "."))
    assert {str(kept(disk, way)) for way in ("lost", "empty", "torn", "drawn")} == {str({"out": b"new"})}


def test_a_folder_that_is_not_synced_takes_what_is_in_it_along(disk):
    """A file that is synced in a folder that is not in a synced one is lost with it."""
    for call in (change("mkdir", "a"), change("open", "a/b"), change("sync", "a/b"), change("sync", "a")):
        disk.play(call)
    assert kept(disk, "lost") == {"out": b"old"}
    disk.play(change("sync", "."))
    assert kept(disk, "lost") == {"out": b"old", "a": None, "a/b": b""}


def test_a_cut_before_every_sync_rename_and_removal(tmp_path):
    """What leaves the same behind is tried once; the end always, since nothing may be missing there."""
    (tmp_path / "out").write_bytes(b"old")
    found = list(cuts([*replaced(".part", "."), change("unlink", "out")], tmp_path, 0))
    assert {cut.before for cut in found} == {"sync .part", "rename out", "sync .", "the end"}
    assert [cut.way for cut in found if cut.before == "the end"] == ["lost", "empty", "torn", "drawn"]
    earlier = [str(cut.kept) for cut in found if cut.before != "the end"]
    assert len(set(earlier)) == len(earlier)
