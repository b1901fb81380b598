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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from colorizer.basis.errors import InUse
from pipeline.storage.atomic import writable
from pipeline.storage.job_folder import LOCK

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
                folder.mkdir(parents=True, exist_ok=True)
                file = (folder / LOCK).open("a+", encoding="utf-8")  # not "w": it names the run that holds it
            with file:
                held = _take(file, folder, advice)
                mine = _is_there(file, folder)
                if mine:
                    yield held
    finally:
        with suppress(OSError):  # it keeps work
            folder.rmdir()


def clear(folder: Path) -> None:
    """Remove what is in a folder that this run holds, the lock last; `alone` removes the folder when it ends."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
    with suppress(PermissionError):  # Windows: it is open
        (folder / LOCK).unlink()


def _take(file: TextIO, folder: Path, advice: str) -> bool:
    if sys.platform == "win32":
        return False
    with writable(folder):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "another run"
            raise InUse(f"job folder {folder} is in use by {holder}; {advice}") from error
        except OSError as error:
            if error.errno in NO_LOCKS:
                return False
            raise
        file.truncate(0)
        file.write(f"process {os.getpid()} on host {socket.gethostname()}\n")
        file.flush()
    return True


def _is_there(file: TextIO, folder: Path) -> bool:
    """Whether the file still has its name: a run that ended may have removed it while this one came."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False
