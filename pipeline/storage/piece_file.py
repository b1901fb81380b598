"""PieceFile: what a unit's painter writes, whole or not at all, with its length and digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from colorizer.basis.atomic import publish
from pipeline.storage.atomic import writable
from pipeline.storage.job_folder import JobFolder


class PieceFile:
    """A piece while it grows. size: bytes so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Append some."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """Of all that was written, hex."""
        return self._digest.hexdigest()


@contextmanager
def piece_file(job: Path, name: str) -> Iterator[PieceFile]:
    """A piece that gets its name in the job folder when this ends well. Raises StorageError."""
    folder = JobFolder(job)
    scratch = folder.scratch(name)
    with writable(scratch):
        with scratch.open("xb") as file:
            yield PieceFile(file)
        publish(scratch, folder.piece(name), lasting=False)  # a piece that is lost is painted again
