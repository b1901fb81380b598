"""Packets of MPEG transport streams, counted by whom they belong to; tables and streams that no rule knows are named.

All of a file is read, in large blocks; only packets of tables are looked into (ISO 13818-1, 2.4.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.census.element import MAX_CONTENT, Element, File, element
from pipeline.census.mpegts_tables import Tables
from pipeline.values.words import counted

SYNC, NULL, BASE = 0x47, 0x1FFF, 0x1FFB
PACKET = 188
SIZES = (188, 192, 204)
"""Of a packet: plain, behind a time of four bytes (Blu-ray, AVCHD), before sixteen of error correction."""
HEAD = 1 << 11
"""Bytes by which a stream is known."""
MIN_PACKETS = 4
OF_TABLES = (0x00, 0x01, 0x02, *range(0x10, 0x20), BASE)
"""Packet identifiers that tables have by standard: MPEG's, DVB's and ATSC's."""
TIMED = 4, 192
"""Where the first packet begins behind a time, and the size of such."""
MAX_TABLE_PACKETS = 500_000
MAX_GAPS = 1000
"""Times that packets are looked for anew where there are none."""


def layout_of(head: bytes) -> tuple[int, int] | None:
    """Where the first packet begins and how large packets are; None for what is no transport stream."""
    data = np.frombuffer(head[:HEAD], np.uint8)
    for size in SIZES:
        rows = data[: len(data) // size * size].reshape(-1, size)[: MIN_PACKETS + 1]
        columns = np.flatnonzero((rows == SYNC).all(0)) if len(rows) >= MIN_PACKETS else np.zeros(0, int)
        if len(columns):
            return int(columns[0]), size
    return None


@dataclass(slots=True)
class _Counts:
    """Packets by identifier: all, and those that are scrambled, have errors or carry private data in their head."""

    all: np.ndarray = field(default_factory=lambda: np.zeros(8192, np.int64))
    scrambled: np.ndarray = field(default_factory=lambda: np.zeros(8192, np.int64))
    private: np.ndarray = field(default_factory=lambda: np.zeros(8192, np.int64))
    splices: np.ndarray = field(default_factory=lambda: np.zeros(8192, np.int64))
    of_tables: int = 0
    none: int = 0

    def add(self, rows: np.ndarray) -> np.ndarray:
        """Take in packets (n, at least 188) and give their identifiers."""
        pids: np.ndarray = (rows[:, 1] & 0x1F).astype(np.int32) << 8 | rows[:, 2]
        adapted = (rows[:, 3] & 0x20 > 0) & (rows[:, 4] > 0)
        for where, which in (
            (self.all, slice(None)), (self.scrambled, rows[:, 3] & 0xC0 > 0),
            (self.private, adapted & (rows[:, 5] & 0x02 > 0)), (self.splices, adapted & (rows[:, 5] & 0x04 > 0)),
        ):  # fmt: skip
            where += np.bincount(pids[which], minlength=8192)
        return pids


def streams_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows. Streams that are tracks have their packet identifier as number."""
    first, size = layout_of(file.at(0, HEAD)) or (0, PACKET)
    counts, tables = _Counts(), Tables()
    for rows in _rows(file, first, size, counts):
        _look(rows, counts.add(rows), counts, tables)
    if counts.of_tables > MAX_TABLE_PACKETS:
        file.part = f"all packets, and what is in the first {MAX_TABLE_PACKETS} of tables"
    yield from tables.found
    yield from _programs(tables)
    yield from _streams(counts, tables)
    yield from _heads(counts)
    if counts.none:
        yield element("TS bytes that are no packet", counts.none, b"")


def _rows(file: File, first: int, size: int, counts: _Counts) -> Iterator[np.ndarray]:
    """Packets (n, at least 188), block by block. Where there are none, they are looked for anew."""
    at, gaps = first, 0
    counts.none += 0 if (first, size) == TIMED else first
    while at < file.size:
        data = file.at(at, MAX_CONTENT // size * size)
        count, tail = divmod(len(data), size)
        if tail >= PACKET:
            data, count, tail = data + bytes(size - tail), count + 1, 0
        rows = np.frombuffer(data, np.uint8, count * size).reshape(-1, size)
        good = rows[:, 0] == SYNC
        astray = ~good[:-1] & ~good[1:]  # where one alone is damaged, the next is in its place
        if not astray.any() or gaps >= MAX_GAPS:
            yield rows[good]
            counts.none += int((~good).sum()) * size + tail
            at += max(1, len(data))
            continue
        stop, gaps = int(np.argmax(astray)), gaps + 1
        yield rows[:stop][good[:stop]]
        skipped = _next(data[stop * size :], size)
        counts.none += int((~good[:stop]).sum()) * size + skipped
        at += stop * size + skipped


def _next(data: bytes, size: int) -> int:
    """Bytes up to where two packets follow each other again, or all."""
    at = data.find(b"\x47", 1)
    while at >= 0:
        if at + size >= len(data) or data[at + size] == SYNC:
            return at
        at = data.find(b"\x47", at + 1)
    return len(data)


def _look(rows: np.ndarray, pids: np.ndarray, counts: _Counts, tables: Tables) -> None:
    """Read packets of tables, and then of those tables that these name."""
    done: set[int] = set()
    while new := {*OF_TABLES, *tables.maps, *tables.networks} - done:
        wanted = np.zeros(8192, bool)
        wanted[list(new)] = True
        for row in np.flatnonzero(wanted[pids]):
            counts.of_tables += 1
            if counts.of_tables > MAX_TABLE_PACKETS:
                return
            tables.push(int(pids[row]), rows[row, :PACKET].tobytes())
        done |= new


def _programs(tables: Tables) -> Iterator[Element]:
    """Of several programs each: an output has the tracks of all, and does not say which belong together."""
    if len(tables.maps) > 1:
        for program in sorted(tables.maps.values()):
            yield element(f"TS program {program}", 0, b"", says="which tracks belong to it")


def _streams(counts: _Counts, tables: Tables) -> Iterator[Element]:
    """Streams of programs, and packets that nobody announces."""
    own = {*OF_TABLES, *tables.maps, *tables.networks, NULL}
    for pid in map(int, np.flatnonzero(counts.all)):
        size = int(counts.all[pid]) * PACKET
        if pid in tables.streams:
            kind, played = tables.streams[pid]
            yield element(f"TS stream 0x{pid:X} {kind}", size, b"", track=pid if played else None)
        elif pid not in own and pid not in tables.announced:
            yield element(f"TS packets of 0x{pid:X}, which no program has", size, b"")


def _heads(counts: _Counts) -> Iterator[Element]:
    """What is in the heads of packets beside times."""
    kinds = (
        ("scrambled packets", counts.scrambled), ("private data in heads of packets", counts.private),
        ("splice countdowns in heads of packets", counts.splices),
    )  # fmt: skip
    for what, of in kinds:
        for pid in map(int, np.flatnonzero(of)):
            yield element(f"TS {what} of 0x{pid:X}", 0, b"", says=counted(int(of[pid]), "packet"))
