"""The lock of a job folder, within one process; two processes and SIGKILL are in laws."""

import errno
import fcntl
import os
import socket
from pathlib import Path

import pytest

from colorizer.basis.errors import LedgerError, StorageError
from pipeline.storage.job_folder import LOCK, PASSING
from pipeline.storage.lock import alone, clear


def test_a_second_run_is_refused_and_told_by_whom(tmp_path):
    """One line names the folder, the process and the host, and what to do; the first run is not disturbed."""
    folder = tmp_path / "deep" / "job"
    with alone(folder) as held:
        assert held
        for _ in range(2):
            with pytest.raises(LedgerError) as refused, alone(folder):
                pytest.fail("two runs in one folder")
            assert str(refused.value) == (
                f"job folder {folder} is in use by process {os.getpid()} on host {socket.gethostname()}; "
                "wait for it or give another --job"
            )
    with alone(folder) as held:
        assert held


def test_an_error_lets_go(tmp_path):
    """A run that fails leaves the folder to the next, with its work."""
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "plan.json").touch()
    with pytest.raises(ZeroDivisionError), alone(tmp_path / "job"):
        raise ZeroDivisionError
    with alone(tmp_path / "job") as held:
        assert held
    assert sorted(p.name for p in (tmp_path / "job").iterdir()) == [LOCK, "plan.json"]


def test_a_cleared_folder_is_removed(tmp_path):
    """Work, folders and lock go; what was beside the folder stays."""
    folder = tmp_path / "job"
    with alone(folder):
        (folder / "ledger").mkdir()
        (folder / "ledger" / "0123456789abcdef.json").touch()
        (folder / "plan.json").touch()
        assert clear(folder) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_mark_outlasts_what_a_loss_of_power_may_bring_back(tmp_path, monkeypatch):
    """All else is gone on the disk before the mark that has a later run clear it."""
    from pipeline.storage import lock

    folder, found = tmp_path / "job", []
    monkeypatch.setattr(lock, "sync_folder", lambda path: found.append(sorted(p.name for p in path.iterdir())))
    with alone(folder):
        found.clear()
        for name in ("plan.json", PASSING):
            (folder / name).touch()
        clear(folder)
    assert found == [[LOCK, PASSING]]


@pytest.mark.parametrize("name", ["mine.txt", "a.part", ".film.part.packets", "ledger/notes.json", "plan.json.old"])
def test_what_a_person_put_into_a_folder_stays(tmp_path, name):
    """Only what runs make is removed, by its names; what stays is named."""
    folder = tmp_path / "job"
    with alone(folder):
        (folder / "ledger").mkdir()
        for mine in ("ledger/0123456789abcdef.json", "plan.json", "0123456789abcdef.1.packets"):
            (folder / mine).touch()
        (folder / name).write_text("mine")
        assert clear(folder) == f"{folder / name} is not this program's and stays"
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {name, LOCK}


def test_a_lock_that_was_removed_is_not_believed(tmp_path, monkeypatch):
    """A run that comes while another one removes the folder has opened a file without a name: it starts over."""
    folder, flock, calls = tmp_path / "job", fcntl.flock, []

    def slow(file, how):
        calls.append(file.name)
        if len(calls) == 1:
            (folder / LOCK).unlink()
            folder.rmdir()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    with alone(folder) as held:
        assert held
        assert len(calls) == 2
        monkeypatch.undo()
        with pytest.raises(LedgerError, match="is in use by process"), alone(folder):
            pytest.fail("two runs in one folder")


@pytest.mark.parametrize(("code", "goes"), [(errno.ENOLCK, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)])
def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, code, goes):
    """Where nothing can be locked the run goes on and knows it; a disk that fails is an error."""

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    if goes:
        with alone(tmp_path / "job") as held:
            assert not held
    else:
        with pytest.raises(StorageError, match="cannot be written"), alone(tmp_path / "job"):
            pytest.fail("a lock that is none")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """A file where the folder should be: one line, not a traceback."""
    (tmp_path / "job").touch()
    with pytest.raises(StorageError, match="job: cannot be written"), alone(tmp_path / "job"):
        pytest.fail("a folder that is none")


def test_a_full_disk_keeps_nobody_out(tmp_path, monkeypatch):
    """What the lock says is for people: where it cannot be written the lock is held all the same."""
    real = Path.open

    def full(path, *how, **more):
        file = real(path, *how, **more)
        return Full(file) if path.name == LOCK else file

    class Full:
        def __init__(self, file):
            self.fileno, self.truncate, self.seek = file.fileno, file.truncate, file.seek
            self.name, self.file = file.name, file

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

        flush = write

        def close(self):
            self.file.close()
            raise OSError(errno.ENOSPC, "No space left on device")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.close()

    monkeypatch.setattr(Path, "open", full)
    with alone(tmp_path / "job") as held:
        assert held


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    """What the link leads to is not this program's: it keeps its bytes, and a line names the lock."""
    (tmp_path / "job").mkdir()
    (tmp_path / "letter").write_text("process 1 of my letters\n")
    (tmp_path / "job" / LOCK).symlink_to(tmp_path / "letter")
    with pytest.raises(StorageError, match="job: cannot be written"), alone(tmp_path / "job"):
        pytest.fail("the lock was taken")
    assert (tmp_path / "letter").read_text() == "process 1 of my letters\n"
