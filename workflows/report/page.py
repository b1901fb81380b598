"""Page: the report written as one HTML file, with the pictures that it shows beside it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from colorizer.basis.atomic import sweep, write_text
from colorizer.basis.errors import ColorizeError
from pipeline.collection import layout
from pipeline.collection.depot import Depot
from pipeline.collection.lease import at_work
from pipeline.storage.job_folder import PAGE
from pipeline.values.stages import LISTED, OPENED
from pipeline.values.words import area
from workflows.report.values import Collection
from workflows.terminal.clock import clock

NAME = PAGE
TEMPLATE = "report.html.j2"
TITLE = b"Chromatheque</title>"
HEAD = 1 << 16
"""Bytes at the beginning of a report among which its title stands."""
STAGES = {
    LISTED: "before the night", OPENED: "when it was opened",
    "survey": "while it was surveyed", "paint": "while it was painted",
    "publish": "while it was joined and checked",
}  # fmt: skip
"""When a file was set aside, in words."""


def write_report(depot: Depot, progress: Callable[[int, int], None] = lambda done, of: None) -> str:
    """Write OUT_DIR/report.html and its pictures, as the collection stands now; returns the page's path or URI.

    The page is written at once with the pictures there are, and again when those that lack are made; each time whole
    or not at all. progress: after each file whose pictures were made, how many of how many.
    Raises ColorizeError if there is no collection in `out`, StorageError if the page cannot be written.
    """
    from workflows.report.reading import read

    depot = depot.apart()
    out = depot.folder
    depot.fetch_state()
    for place in (layout.ORPHANS, layout.KEYS):
        depot.fetch(place)
    collection, there = read(out), frozenset[str]()
    from workflows.report import report_pictures  # brings torch; a folder that is no collection is told before
    from workflows.report.flags import illustrated

    if depot.store:
        there = depot.fetch_report([layout.sidecar(file.place) for file in collection.files])
        collection = read(out, there)
    found = {
        file.key: report_pictures.kept(out, file, there) for file in collection.files if file.output and file.parts
    }
    if collection.running:  # by what a run wrote; one that was killed wrote no end
        collection = replace(collection, running=at_work(depot))
    if not collection.running:
        sweep(out, Path(NAME).stem)
        sweep(out / report_pictures.FOLDER)
    lacking = [file for file in collection.files if file.key in found and found[file.key] is None]
    files = tuple(
        report_pictures.beside(out, illustrated(file, found.get(file.key) or {}), found.get(file.key) or {}, there)
        for file in collection.files
    )
    _write(depot, replace(collection, files=files))
    if lacking and not depot.store:
        done = 0

        def made() -> None:
            nonlocal done
            done += 1
            progress(done, len(lacking))

        new = report_pictures.made(out, lacking, made)
        files = tuple(
            report_pictures.beside(out, illustrated(file, *new[file.key]), new[file.key][0])
            if file.key in new
            else file
            for file in files
        )
        _write(depot, replace(collection, files=files))
    return f"{depot}/{NAME}" if depot.store else str(out / NAME)


def _write(depot: Depot, collection: Collection) -> None:
    depot.fetch(NAME)
    write_page(depot.folder / NAME, collection)
    depot.put(NAME)


def write_page(path: Path, collection: Collection) -> None:
    """Write the page, whole or not at all. Raises ColorizeError where another file has its name, StorageError."""
    from pipeline.storage.atomic import writable

    with writable(path):
        if path.exists() and not is_report(path):
            raise ColorizeError(f"{path}: exists and is not this program's; move it away to have a report")
        write_text(path, page(collection, datetime.now().astimezone()))


def is_report(path: Path) -> bool:
    """Whether a file is a report of ours."""
    return path.is_file() and TITLE in path.read_bytes()[:HEAD]


def page(collection: Collection, now: datetime) -> str:
    """The report as one HTML file; everything from files and catalogs is escaped. now: what it says of its age."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from workflows.report.flags import FLAGS

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"hash": _hash, "duration": duration, "large": large, "clock": clock, "area": area}
    return environment.get_template(TEMPLATE).render(c=collection, now=now, legend=FLAGS, stages=STAGES)


def _hash(script: str) -> str:
    """How a Content-Security-Policy names a script (CSP level 3, 6.7.2.4)."""
    return "sha256-" + b64encode(sha256(script.encode()).digest()).decode()


def duration(seconds: float) -> str:
    """Work as a person says it: 8 s, 12 min, 9.4 hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def large(number: float) -> str:
    """A count with its thousands apart; a small one with a digit after the point, a vast one in millions."""
    if number >= 1e7:
        return f"{number / 1e6:,.0f} million"
    return f"{number:,.1f}" if number < 10 and number % 1 else f"{number:,.0f}"
