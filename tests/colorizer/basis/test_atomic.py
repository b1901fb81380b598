"""Files are whole, or they are not there; and their names outlast a loss of power."""

import ast
import errno
import os
from pathlib import Path

import pytest

from colorizer.basis.atomic import (
    PART,
    make_folder,
    move,
    publish,
    scratch_of,
    sweep,
    sync_folder,
    whole,
    write_bytes,
    write_text,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def heard(monkeypatch):
    """What the system is asked, in order: ("sync" | "rename", name)."""
    told, fsync, replace = [], os.fsync, Path.replace

    def synced(handle):
        told.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def renamed(path, final):
        told.append(("rename", Path(final).name))
        return replace(path, final)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("what a handle is of is told by Linux alone")
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    return told


def test_bytes_then_name_then_folder(tmp_path, heard):
    """The file is synced under its scratch name, renamed, and then the folder is synced, in this order."""
    scratch = scratch_of(tmp_path / "a.json")
    write_text(tmp_path / "a.json", "{}")
    assert heard == [("sync", scratch.name), ("rename", "a.json"), ("sync", tmp_path.name)]


def test_what_is_made_again_costs_no_second_sync(tmp_path, heard):
    """Without `lasting` the folder is left to the system; the bytes are synced all the same."""
    write_bytes(tmp_path / "piece", b"x", lasting=False)
    assert [what for what, _ in heard] == ["sync", "rename"]


def test_a_move_is_for_good(tmp_path, heard):
    """A whole file that is renamed keeps its new name."""
    (tmp_path / "a").write_bytes(b"a")
    move(tmp_path / "a", tmp_path / "b")
    assert heard == [("rename", "b"), ("sync", tmp_path.name)]
    assert (tmp_path / "b").read_bytes() == b"a"


def test_a_made_folder_is_for_good(tmp_path, heard):
    """Each folder that was missing is made and the one above it synced, from the top down; none that was there is."""
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    make_folder(tmp_path / "a" / "b")
    assert heard == [("sync", tmp_path.name), ("sync", "a")]


def test_a_sweep_takes_scratch_of_processes_alone(tmp_path):
    """What a killed process left half made goes; whole files, a job's growing output and other stems stay."""
    half = [scratch_of(tmp_path / name) for name in ("a.json", "a-0b.jpg", "b")]
    stays = [tmp_path / "a.json", scratch_of(tmp_path / "a.mkv", "12345678"), scratch_of(tmp_path / "c.json", "")]
    for path in (*half, *stays):
        path.touch()
    sweep(tmp_path, "b")
    assert [path.exists() for path in half] == [True, True, False]
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(stays)
    sweep(tmp_path / "nowhere")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("wrong")])
def test_an_error_leaves_what_was_there(tmp_path, error):
    """The old file stays as it was, and nothing half-written beside it."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), whole(path) as scratch:  # noqa: PT012
        scratch.write_bytes(b"hal")
        raise error
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.json": b"old"}


def test_a_sync_that_fails_gives_no_name(tmp_path, monkeypatch):
    """A disk that does not take the bytes gets no file of that name."""

    def broken(handle):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="broken"):
        write_bytes(tmp_path / "a", b"x")
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="broken"):
        sync_folder(tmp_path)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_share_that_syncs_no_folder_will_do(tmp_path, monkeypatch, code):
    """Some network file systems refuse to sync folders: the file is there, and that is no error."""
    fsync = os.fsync

    def files_only(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):  # noqa: PTH112
            raise OSError(code, "no")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["a.tif", "a", ".hidden", "x" * 251 + ".tif", "é" * 125 + ".mkv", "a." + "b" * 250])
@pytest.mark.parametrize("mark", [None, "", "ab12cd34"])
def test_a_name_of_any_length_has_a_scratch(tmp_path, name, mark):
    """It is another name in the same folder, hidden, told as scratch, with a suffix that writers go by."""
    path = tmp_path / name
    scratch = scratch_of(path, mark)
    assert scratch.parent == tmp_path
    assert scratch.name not in (name, "")
    assert scratch.name.startswith(".")
    assert scratch.suffix in (path.suffix, PART)
    assert (path.suffix != ".tif") or scratch.suffix == ".tif"
    assert scratch == scratch_of(path, mark)
    write_bytes(path, b"x", scratch)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_scratches_of_two_files_differ(tmp_path):
    """Of other names, and of other marks."""
    marks = [scratch_of(tmp_path / name, mark) for name in ("a.tif", "a.png", "b.tif") for mark in (None, "", "1")]
    assert len(set(marks)) == len(marks)


def test_publish_wants_a_file(tmp_path):
    """A scratch that is not there is an error, and the old file stays."""
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "none", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_nobody_else_names_a_scratch():
    """Only this module syncs a file or has the suffix of scratch files."""
    for package in ("colorizer", "pipeline", "workflows"):
        for path in (ROOT / package).rglob("*.py"):
            if path == ROOT / "colorizer" / "basis" / "atomic.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Attribute) and node.attr == "fsync"), path
                assert not (isinstance(node, ast.Constant) and str(node.value).endswith(PART)), f"{path}:{node.lineno}"


@pytest.mark.parametrize("there", ["a link", "a link to nothing", "a file"])
def test_nothing_is_written_through_what_lies_there(tmp_path, there):
    """A scratch name is made anew and exclusively: a link that somebody put there goes, and its end stays as it is."""
    victim, path = tmp_path / "victim", tmp_path / "out.json"
    if there != "a link to nothing":
        victim.write_text("mine")
    if there == "a file":
        scratch_of(path).write_text("longer than what is written now")
    else:
        scratch_of(path).symlink_to(victim)
    write_text(path, "ours")
    assert path.read_text() == "ours"
    assert not path.is_symlink()
    assert (victim.read_text() == "mine") if there != "a link to nothing" else not victim.exists()
    assert not scratch_of(path).exists()
