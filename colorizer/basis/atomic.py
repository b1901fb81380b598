"""Files that appear whole or not at all, and stay after a loss of power: scratch name, bytes to the disk, one rename.

Whoever writes a file that is read later does it here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import TypeVar

AnyPath = TypeVar("AnyPath", bound=PurePath)

PART = ".part"
"""Among the suffixes of every file that is not yet whole."""

NAME_MAX = 255
"""Bytes of a file's name on nearly every file system."""

NO_FOLDERS = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EISDIR}
"""What systems say that bring no folder to the disk: some network shares, and Windows."""

NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def scratch_of(path: AnyPath, mark: str | None = None) -> AnyPath:
    """Where a file grows: hidden in its folder, with its suffix, since some writers go by that.

    mark: whose it is, by default this process's. A job that may be killed gives one that its next run gives again, so
    that nothing is left for long; "" if nobody else writes the file.
    """
    marks = [str(os.getpid()) if mark is None else mark] if mark != "" else []
    name = ".".join(["", path.stem, *marks]) + PART + path.suffix
    if len(os.fsencode(name)) > NAME_MAX:
        digest = hashlib.blake2b(os.fsencode(path.name), digest_size=8).hexdigest()
        name = ".".join(["", digest, *marks]) + PART + (path.suffix if len(path.suffix) < 16 else "")
    return path.with_name(name)


def sweep(folder: Path, stem: str = "") -> None:
    """Remove what killed processes left half made in a folder that is this program's, or with one stem of ours.

    What cannot be removed stays: it harms nobody.
    """
    # a process has seven digits at most, and the mark of a job's growing output eight signs
    own = re.compile(rf"\.{re.escape(stem) or '.+'}\.\d{{1,7}}{re.escape(PART)}(\.\w+)?")
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if own.fullmatch(path.name)]:
            with suppress(OSError):
                path.unlink()


def claim(scratch: Path) -> None:
    """Make the file that something grows in: empty, and made by nobody else. What an earlier run left there goes.

    A link that somebody put under the name goes too, and nothing is written through it. Raises OSError.
    """
    scratch.unlink(missing_ok=True)
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o666))


@contextmanager
def whole(path: Path, scratch: Path | None = None, lasting: bool = True) -> Iterator[Path]:
    """Gives the name to write a file under; it becomes `path` when the block ends, and goes if that fails.

    scratch: another name than `scratch_of`'s. lasting: as of `publish`. Raises OSError.

        with whole(folder / "plan.json") as scratch:
            scratch.write_text(text)
    """
    scratch = scratch or scratch_of(path)
    try:
        claim(scratch)
        yield scratch
        publish(scratch, path, lasting)
    finally:
        with suppress(OSError):  # what went wrong before is what a person should read
            scratch.unlink(missing_ok=True)


def publish(scratch: Path, final: Path, lasting: bool = True) -> None:
    """Give a finished file its final name: bytes on disk first, then one rename, then the folder on disk.

    lasting: the name must be there after a loss of power; without, what is lost is only made again. Raises OSError.
    """
    with scratch.open("rb+") as file:
        os.fsync(file.fileno())
    scratch.replace(final)
    if lasting:
        sync_folder(final.parent)


@contextmanager
def synced(scratch: Path) -> Iterator[None]:
    """Sync what others write to a file meanwhile. A library may tell nobody of a close that fails, as on a share whose
    quota is full; a descriptor that was open before is told of every error since. Raises OSError."""
    handle = os.open(scratch, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def move(path: Path, final: Path) -> None:
    """Rename a whole file, for good. Raises OSError."""
    path.replace(final)
    sync_folder(final.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, for good: what is published in it stays. Raises OSError."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(made):
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system can. Raises OSError if the disk fails."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno in NO_FOLDERS:
            return
        raise
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_FOLDERS:
            raise
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes | bytearray, scratch: Path | None = None, lasting: bool = True) -> None:
    """Write a file whole. scratch, lasting: as of `whole`. Raises OSError."""
    with whole(path, scratch, lasting) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str, scratch: Path | None = None, lasting: bool = True) -> None:
    """Write a text whole, in UTF-8. scratch, lasting: as of `whole`. Raises OSError."""
    with whole(path, scratch, lasting) as part:
        part.write_text(text, encoding="utf-8")
