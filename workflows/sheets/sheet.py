"""The contact sheet of an output, OUT.jpg: its shots or pages, gray beside color.

For looking at only. Gray is the output's own luma, which is the source's wherever the profile keeps it.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from colorizer.basis.atomic import write_bytes
from colorizer.basis.errors import ColorizeError
from pipeline.storage import standing
from pipeline.storage.atomic import read_json, writable
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.kinds import REEL, SCAN
from workflows.report.glimpses import chosen, glimpses, split
from workflows.report.reading import parts_of
from workflows.terminal.plain import say

Array = NDArray[np.uint8]

LONGEST = 480
"""Pixels of a picture's longer side, at most."""

GAP = 6
PAPER = 24
QUALITY = 85

MARK = b"contact sheet by Chromatheque; its colors are computed"
"""The comment by which a sheet is known: only sheets are replaced."""


def sheet_of(out: Path) -> Path:
    """Where an output's contact sheet lies."""
    return out.with_name(f"{out.name}.jpg")


def write_sheet(out: Path) -> Path:
    """Write the contact sheet of a colored reel or scan, unless there is one that is newer; where it is.

    Raises ColorizeError if a file of that name is no contact sheet, StorageError if it cannot be written, LedgerError
    if the output's sidecar cannot be read, and what decoders raise.
    """
    sheet = sheet_of(out)
    if sheet.exists() and not _is_sheet(sheet):
        raise ColorizeError(f"{sheet} exists and is no contact sheet: none is written; rename it, or say --no-sheet")
    if not sheet.exists() or sheet.stat().st_mtime_ns < out.stat().st_mtime_ns:
        with writable(sheet):
            write_bytes(sheet, _with_comment(imagecodecs.jpeg8_encode(_laid_out(_pairs(out)), QUALITY)))
    return sheet


def leave_sheet(out: Path, wanted: bool | None, quiet: bool) -> None:
    """Write an output's contact sheet and say where. A sheet that cannot be made is a line: the output is good.

    wanted: None where nobody said: on a terminal. quiet: say nothing but that.
    """
    if wanted is False or (wanted is None and not sys.stdout.isatty()):
        return
    standing.at(f"{out}, which is finished, while its contact sheet was made")
    try:
        sheet = write_sheet(out)
    except Exception as error:  # decoders have errors of their own, and none is worth a finished night
        say(f"no contact sheet: {str(error) or type(error).__name__}", err=True)
        return
    if not quiet:
        say(f"contact sheet: {sheet}")


def write_png(out: Path, picture: Array) -> None:
    """A PNG that appears whole or not at all; picture: (H, W, 3)."""
    with writable(out):
        write_bytes(out, imagecodecs.png_encode(picture, level=6))


def _is_sheet(path: Path) -> bool:
    with path.open("rb") as file:
        return MARK in file.read(6 + len(MARK))


def _with_comment(jpeg: bytes | bytearray) -> bytes:
    """The JPEG with MARK as a comment (ITU T.81, B.2.4.5) right after its first marker."""
    return bytes(jpeg[:2]) + b"\xff\xfe" + (2 + len(MARK)).to_bytes(2, "big") + MARK + bytes(jpeg[2:])


def _pairs(out: Path) -> list[Array]:
    """Gray and color of each part, side by side."""
    sidecar = read_json(sidecar_of(out))
    kind = SCAN if "pages" in sidecar else REEL
    shown = glimpses(out, kind.name, chosen(parts_of(sidecar)), LONGEST)
    return [np.hstack([_framed(_gray(rgb, matrix)), _framed(rgb)]) for _, rgb, matrix in shown]


def _gray(rgb: Array, matrix: str) -> Array:
    return np.repeat(split(rgb, matrix)[0][..., None], 3, -1)


def _laid_out(pairs: list[Array]) -> Array:
    """All pairs on one sheet, about half as wide as it is high at most."""
    high, wide = (max(pair.shape[axis] for pair in pairs) for axis in (0, 1))
    across = max(1, round(math.sqrt(len(pairs) * high / (2 * wide))))
    missing = [np.full((high, wide, 3), PAPER, np.uint8)] * (-len(pairs) % across)
    tiles = [*(_filled(pair, high, wide) for pair in pairs), *missing]
    rows = [np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)]
    return _framed(np.vstack(rows))


def _filled(picture: Array, high: int, wide: int) -> Array:
    below, right = high - picture.shape[0], wide - picture.shape[1]
    return np.pad(picture, ((0, below), (0, right), (0, 0)), constant_values=PAPER)


def _framed(picture: Array) -> Array:
    return np.pad(picture, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=PAPER)
