"""JSON in files that appear whole or not at all; digests and stamps of files; what fails with them, in one line."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from colorizer.basis.atomic import move, write_text
from colorizer.basis.errors import ColorizeError, LedgerError, StorageError, UnreadableSource

OF_A_NAME = (errno.ENAMETOOLONG, errno.ENOTDIR)
"""What the system says of a path that is too long, or in which a file stands for a folder."""


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Maps what fails while `path` is written to StorageError. Reading errors of a source have their own seam.

    A name that cannot be is no fault of the disk: then the error is a plain ColorizeError, and other files can do.
    """
    try:
        yield
    except OSError as error:
        if error.errno in OF_A_NAME:
            raise ColorizeError(
                f"{path}: cannot be written: {error.strerror or error}; give the output another name"
            ) from error
        raise StorageError(
            f"{path}: cannot be written: {error.strerror or error}; fix this, then run the command again"
        ) from error


@contextmanager
def legible(uri: str) -> Iterator[None]:
    """Maps what the system says while a source's bytes are read to UnreadableSource."""
    try:
        yield
    except OSError as error:
        raise UnreadableSource(uri, f"cannot be read: {error.strerror or error}") from error


def is_there(path: Path) -> bool:
    """Whether something has this name; nothing has one that cannot be. Raises OSError."""
    try:
        return path.exists()
    except OSError as error:
        if error.errno in OF_A_NAME:
            return False
        raise


def put_aside(path: Path) -> Path:
    """Rename a file to NAME.bak, or NAME.2.bak and so on: what was put aside earlier stays."""
    names = (path.with_name(f"{path.name}{'' if n == 1 else f'.{n}'}.bak") for n in count(1))
    aside = next(name for name in names if not name.exists())
    move(path, aside)
    return aside


def write_json(
    path: Path, value: Any, indent: int | None = None, scratch: Path | None = None, lasting: bool = True
) -> None:
    """Write JSON whole; keys in a fixed order, so equal values give equal bytes. scratch, lasting: as of `whole`."""
    write_text(path, in_json(value, indent) + "\n", scratch, lasting)


def in_json(value: Any, indent: int | None = None) -> str:
    """JSON that UTF-8 can hold. Bytes of a file name that is no text are escaped, and come back when it is read."""
    for ascii_alone in (False, True):
        dumped = partial(json.dumps, sort_keys=True, indent=indent, ensure_ascii=ascii_alone)
        text = "".join(_parts(value, dumped)) if indent is None else dumped(value)
        with suppress(UnicodeEncodeError):
            text.encode()
            break
    return text


def _parts(value: Any, dumped: Callable[[Any], str], depth: int = 2) -> Iterator[str]:
    """What `dumped` makes, in parts: at once it would hold an object for each number of a plan of ten thousand pages,
    some fifteen times the text."""
    if depth and isinstance(value, list | tuple) and value:
        for number, item in enumerate(value):
            yield ", " if number else "["
            yield from _parts(item, dumped, depth - 1)
        yield "]"
    elif depth and isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
        for number, key in enumerate(sorted(value)):
            yield f"{', ' if number else '{'}{dumped(key)}: "
            yield from _parts(value[key], dumped, depth - 1)
        yield "}"
    else:
        yield dumped(value)


def read_json(path: Path) -> Any:
    """Read JSON. Raises LedgerError when the file is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LedgerError(f"{path}: cannot be read ({error}); remove it to have its part done again") from error


def stamp(path: Path) -> list[int]:
    """Size and time of a file, by which another one under its name is told; nothing if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns]


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
