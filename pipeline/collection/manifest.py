"""Manifest: a table of files to color, as spreadsheets and databases write it, read and checked cell by cell.

Nothing of a collection is looked at here: a mistake in a cell is told before anything is done, with row and column.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from typing import Any

from colorizer.basis.errors import ColorizeError
from pipeline.collection.layout import STATE
from pipeline.collection.sources import ROOM, is_sequence, joined, kind_of, of_sequence, stays, tame
from pipeline.containers.profiles import PROFILES
from pipeline.storage.atomic import is_there
from pipeline.storage.stores import fetch_bytes, is_uri, masked
from pipeline.values.choices import COMPRESSIONS, one_of, page_of, rate_of, seconds, working_size_of, yes_or_no
from pipeline.values.kinds import KINDS

SEPARATORS = ",;\t"
"""Between fields; where a comma is the decimal mark, spreadsheets write semicolons."""
NAMED = 5
"""Ids or rows that a line names at most."""


def _time(text: str) -> str:
    seconds(text, Fraction(24))
    return text


def _inside(text: str) -> str:
    """A place for an output, with forward slashes."""
    place = text.replace("\\", "/")
    if not stays(place):
        raise ValueError(f"{text!r} leads out of the output folder")
    parts = Path(place).parts
    if parts[0].casefold() == STATE:
        raise ValueError(f"{text!r} lies in {STATE}, where the state of the collection is")
    if (longest := max(len(part.encode()) for part in parts)) > ROOM:
        raise ValueError(f"has a name of {longest} bytes; {ROOM} are the most, to leave room for .json")
    return place


COLUMNS: dict[str, Callable[[str], Any]] = {
    "file": str, "id": str, "out": _inside, "kind": one_of(KINDS), "profile": one_of(PROFILES), "weights": str,
    "working_size": working_size_of, "rate": rate_of, "start": _time, "stop": _time,
    "compression": one_of(COMPRESSIONS), "page": page_of, "invert": yes_or_no,
}  # fmt: skip
"""Columns of a manifest and how their cells are read; only `file` is needed. Others are kept as notes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """rows: values by column, and below, as, kind and exact as a walk gives them, each with its `row` and `notes`.

    remarks: what a person should know before the night.
    """

    rows: list[dict[str, Any]]
    remarks: tuple[str, ...]


def read_manifest(place: str) -> Manifest:
    """A manifest by path or URI; files are relative to its folder. Raises ColorizeError.

    Commas, semicolons or tabs; UTF-8, UTF-16 or Windows-1252; capitals and blanks in names of columns; blank rows.
    """
    named = masked(place)
    text, remarks = _text(place)
    try:
        table = _table(text)
        names = _names(named, next(table, (1, []))[1])
        rows = [_row(place, number, names, cells) for number, cells in table]
    except csv.Error as error:
        raise ColorizeError(f"{named}: cannot be read as a table ({error}); save it as CSV in UTF-8") from error
    if notes := [name for name in names if name and name not in COLUMNS]:
        remarks.append(f"{named}: kept as notes of each file: {_several(notes)} (columns with a meaning: {_known()})")
    return Manifest(rows, (*remarks, *_twice(named, rows)))


def _known() -> str:
    return ", ".join(COLUMNS)


def _several(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(map(repr, words[:NAMED])) + more


def _text(place: str) -> tuple[str, list[str]]:
    """A table's text, and what was assumed of it."""
    try:
        data = fetch_bytes(place) if is_uri(place) else Path(place).read_bytes()
    except OSError as error:
        raise ColorizeError(f"{masked(place)}: cannot be read ({error.strerror or error})") from error
    for code in _encodings(data):
        try:
            text = data.decode(code)
        except UnicodeDecodeError:
            continue
        if code == "cp1252":
            return text, [f"{masked(place)}: it is not UTF-8; read as Windows-1252, so look at accented letters"]
        return text, []
    raise ColorizeError(f"{masked(place)}: cannot be read as a text; save it as CSV in UTF-8")


def _encodings(data: bytes) -> tuple[str, ...]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    if data[1:2] == b"\0" or data[:1] == b"\0":  # of UTF-16 without a mark, whose first letter is an ASCII one
        return ("utf-16-le",) if data[1:2] == b"\0" else ("utf-16-be",)
    return "utf-8-sig", "cp1252"


def _table(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, stripped, by the numbers that a spreadsheet shows."""
    if told := re.match(r"sep=(.)\r?\n", text):
        separator, text = told[1], text[told.end() :]
    else:
        separator = max(SEPARATORS, key=_first(text).count)
    how: dict[str, Any] = {"delimiter": separator, "strict": True, "skipinitialspace": True}  # a blank before a quote
    for number, cells in enumerate(csv.reader(StringIO(text, newline=""), **how), 1):
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield number, stripped


def _first(text: str) -> str:
    """The first line that holds something."""
    return next((line for line in text.splitlines() if line.strip(f"{SEPARATORS} ")), "")


def _names(manifest: str, cells: Sequence[str]) -> list[str]:
    """Names of columns: those with a meaning as they are known here, all others as they are written."""
    known = [re.sub(r"[\s-]+", "_", cell).casefold() for cell in cells]
    names = [name if name in COLUMNS else cell for name, cell in zip(known, cells, strict=True)]
    if "file" not in names:
        found = f"; it has {_several([n for n in names if n])}" if any(names) else ""
        raise ColorizeError(f"{manifest}: no column 'file'{found}; columns are {_known()}")
    if double := [name for name in COLUMNS if names.count(name) > 1]:
        raise ColorizeError(f"{manifest}: two columns are called {double[0]!r}; leave one")
    return names


def _row(manifest: str, number: int, names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    where = f"{masked(manifest)}, row {number}"
    if any(cells[len(names) :]):
        raise ColorizeError(f"{where}: more fields than columns; put quotes around a field with a comma in it")
    values: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for place, (name, cell) in enumerate(zip_longest(names, cells[: len(names)], fillvalue=""), 1):
        if not cell:
            continue
        if "\0" in cell:
            raise ColorizeError(f"{where}, column {name!r}: holds a NUL character; type the cell anew")
        if name in COLUMNS:
            try:
                values[name] = COLUMNS[name](cell)
            except ValueError as error:
                raise ColorizeError(f"{where}, column {name!r}: {error}") from error
        else:
            notes[name or f"column {place}"] = cell
    if "file" not in values:
        raise ColorizeError(f"{where}, column 'file': no file is named")
    return {**_placed(manifest, values), "row": number, "notes": tuple(notes.items())}


def _placed(manifest: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row with where its source is and where its output goes."""
    folder = manifest.rpartition("/")[0] if is_uri(manifest) else str(Path(manifest).parent)
    file = _slashed(folder, values["file"])
    path, elsewhere = Path(file), is_uri(file)
    below = path.name if elsewhere or path.is_absolute() else path.as_posix()
    sequence = is_sequence(path.name)
    kind = values.get("kind") or ("reel" if sequence or kind_of(path.name) == "reel" else "scan")
    place = values.get("out") or tame(of_sequence(below) if sequence else below)
    source = file if elsewhere else joined(folder, file)
    return {**values, "file": source, "below": below, "as": place, "kind": kind, "exact": "out" in values}


def _slashed(folder: str, file: str) -> str:
    """A path as this system writes it, unless a file is called just so."""
    if is_uri(file) or "\\" not in file or (not is_uri(folder) and is_there(Path(folder) / file)):
        return file
    return file.replace("\\", "/")


def _twice(manifest: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Ids that several rows have."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        if "id" in row:
            found[row["id"]].append(row["row"])
    double = {id: numbers for id, numbers in found.items() if len(numbers) > 1}
    for id, numbers in list(double.items())[:NAMED]:
        yield f"{manifest}: the id {id!r} is in rows {in_words(numbers)}; `plan` will ask which of them is meant"
    if len(double) > NAMED:
        yield f"{manifest}: {len(double) - NAMED} more ids are in several rows"


def in_words(numbers: Sequence[int]) -> str:
    """Numbers of rows: 2 and 7."""
    *most, last = [*map(str, numbers[:NAMED]), *([f"{len(numbers) - NAMED} more"] if len(numbers) > NAMED else [])]
    return f"{', '.join(most)} and {last}" if most else last
