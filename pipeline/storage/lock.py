"""Lock: a job folder has one run at a time.

The system holds the lock for an open file, so it ends with the process that took it: after SIGKILL or a power cut
there is nothing to clear away. What the file says is for people only. On NFS the server holds it for all machines
(version 4, or 3 with lockd; not mounts with `nolock` or `local_lock`), and takes a minute or two to let go of a machine
that is gone. Where the file system knows no locks, or the system no `flock` (Windows), nothing is held.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from colorizer.basis.atomic import NO_FOLLOW, make_folder, sync_folder
from colorizer.basis.errors import InUse
from pipeline.storage.atomic import writable
from pipeline.storage.job_folder import LOCK, PASSING, JobFolder
from pipeline.storage.standing import process

if sys.platform != "win32":
    import fcntl

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def alone(folder: Path, advice: str = "wait for it or give another --job") -> Iterator[bool]:
    """Keep every other run out of a folder, made where it is missing. Yields whether that is possible there.

    advice: what a person may do who is kept out. Raises InUse naming the run that is in it, StorageError where the
    folder cannot be made or written.
    """
    mine = False
    try:
        while not mine:
            with writable(folder):
                make_folder(folder)
                file = _opened(folder / LOCK)
            with _closing(file):
                held = _take(file, folder, advice)
                mine = _is_there(file, folder)
                if mine:
                    yield held
    finally:
        with suppress(OSError):  # it keeps work
            folder.rmdir()


def held(folder: Path) -> bool | None:
    """Whether a living run holds a folder; None where that cannot be known."""
    if sys.platform == "win32":
        return None
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        return None if error.errno in NO_LOCKS or isinstance(error, PermissionError) else False
    return False


def clear(folder: Path) -> str:
    """Remove what runs put into a folder that this run holds, the lock last; `alone` removes the folder when it ends.

    Why something stays, or "": what was made is whole by then, so nothing is raised.
    """
    places = JobFolder(folder)
    try:
        mine = [path for path in places.own() if path.name not in (LOCK, PASSING)]
    except OSError:
        mine = []
    why = removed(mine) or _emptied(places.ledger) or _stays(places)
    with suppress(OSError):  # while the mark is on the disk, a later run clears what a loss of power brings back
        sync_folder(folder)
    why = why or removed([places.passing])
    if not why:
        with suppress(OSError):  # Windows: it is open
            (folder / LOCK).unlink()
    return why


def removed(paths: Iterable[Path]) -> str:
    """Remove files and folders, as many as can be; why the first of the others stays, or ""."""
    why = ""
    for path in paths:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        except OSError as error:
            why = why or f"{path} cannot be removed: {error.strerror or error}"
    return why


def _emptied(folder: Path) -> str:
    """Remove a folder that nothing is left in; why it stays, or ""."""
    try:
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        return f"{folder} cannot be removed: {error.strerror or error}"
    return ""


def _stays(places: JobFolder) -> str:
    """What in a folder is not this program's, and stays; or ""."""
    try:
        other = places.foreign()
    except OSError:
        return ""
    return f"{other} is not this program's and stays" if other else ""


def _opened(path: Path) -> BinaryIO:
    """A lock, as it is, since it names the run that holds it; not what a link of that name leads to."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_FOLLOW, 0o666), "r+b", buffering=0)


@contextmanager
def _closing(file: BinaryIO) -> Iterator[None]:
    """Close a lock; nothing that it says is worth an error."""
    try:
        yield
    finally:
        with suppress(OSError):
            file.close()


def _take(file: BinaryIO, folder: Path, advice: str) -> bool:
    if sys.platform == "win32":
        return False
    with writable(folder):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().decode(errors="replace").strip() or "another run"
            raise InUse(f"job folder {folder} is in use by {holder}; {advice}") from error
        except OSError as error:
            if error.errno in NO_LOCKS:
                return False
            raise
    with suppress(OSError):  # for people only: a full disk keeps nobody out
        file.truncate(0)
        file.write(f"process {process()} on host {socket.gethostname()}\n".encode())
    return True


def _is_there(file: BinaryIO, folder: Path) -> bool:
    """Whether the file still has its name: a run that ended may have removed it while this one came."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False
