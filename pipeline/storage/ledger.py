"""Ledger: the receipts of a job, one small JSON per unit, named by the hash of everything that changes its output.

No database: `ls` is the status page. A receipt is written after its output, so a receipt that exists is work that is
done. One run at a time writes here (see lock.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colorizer.basis.errors import LedgerError
from pipeline.storage.atomic import read_json, writable, write_json
from pipeline.storage.job_folder import JobFolder
from pipeline.values.typed import checked


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a unit. file: its output in the job folder, which is nothing but its pieces, one after the other.

    extradata: the codec's global header, hex. chroma: mean distance of the painted chroma from neutral, 8-bit codes
    (0 is a gray result). pieces: of a segment its packets, each by pts, dts, duration, key and size; of a band its
    blocks, by their sizes alone. notes: what a person should know of how it was done. sums: of a segment whose luma is
    not kept bit for bit, what was given to its encoder, by frame (`projection.sums_of`).
    """

    unit: str
    attempt: int
    file: str
    bytes: int
    sha256: str
    extradata: str
    chroma: float
    pieces: tuple[tuple[int, ...], ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    sums: tuple[str, ...] = field(default=(), repr=False)


class Ledger:
    """The receipts in a job folder."""

    def __init__(self, job: Path, size_of: Callable[[str], int | None] | None = None) -> None:
        """size_of: bytes of an output by its name, where outputs are not in the job folder."""
        self.job, self._size_of = job, size_of
        self._places = JobFolder(job)
        self.folder = self._places.ledger
        with writable(job):
            self.folder.mkdir(parents=True, exist_ok=True)

    def record(self, receipt: Receipt) -> None:
        """Write a receipt."""
        values = {name: getattr(receipt, name) for name in receipt.__slots__}  # asdict copies each packet: 0.4 ms
        if not receipt.sums:
            del values["sums"]
        with writable(self.folder):
            write_json(self._places.receipt(receipt.unit), values, lasting=False)

    def forget(self, unit: str) -> None:
        """Remove a receipt, so that its unit is work to do."""
        with writable(self.folder):
            self._places.receipt(unit).unlink(missing_ok=True)

    def sweep(self, receipts: bool = True) -> None:
        """Remove what attempts left unfinished, of runs that were killed. Only for the run that has the folder.

        receipts: those too, where no other process may be at one.
        """
        with writable(self.job):
            for path in self._places.unfinished(receipts):
                path.unlink(missing_ok=True)

    def find(self, unit: str) -> Receipt | None:
        """The receipt of a unit whose output is there in full, or None."""
        path = self._places.receipt(unit)
        if not path.exists():
            return None
        try:
            values: dict[str, Any] = read_json(path)
            made_of = {**values, "pieces": tuple(map(tuple, values["pieces"])), "notes": tuple(values["notes"])}
            made_of["sums"] = tuple(values.get("sums", ()))
            receipt = checked(Receipt(**made_of))
            bytes.fromhex(receipt.extradata)
            mine = receipt.unit == unit and Path(receipt.file).name == receipt.file
            size = (self._size_of or self._size)(receipt.file) if mine else -1
            whole = size == receipt.bytes == sum(p[-1] for p in receipt.pieces)
        except (LedgerError, TypeError, KeyError, IndexError, ValueError, OSError):
            return None  # an unreadable receipt is work not done: it is done again
        return receipt if whole else None

    def _size(self, name: str) -> int:
        return self._places.piece(name).stat().st_size
