"""`chromatheque archive`: a folder or a list of reels and scans in, all of them colored by morning."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.containers.profiles import PROFILES
from pipeline.storage.stores import hasty, masked
from pipeline.values.words import counted
from workflows.terminal import stopping
from workflows.terminal.few import few
from workflows.terminal.loading import loading
from workflows.terminal.options import (
    INVERT,
    PRECISION,
    PROGRESS,
    PYRAMID,
    RAY,
    WEIGHTS,
    WORKERS,
    Bytes,
    Named,
    Place,
    WithPyramid,
    WorkingSize,
    check_workers,
)
from workflows.terminal.plain import say

if TYPE_CHECKING:
    from pipeline.collection.items import Found
    from pipeline.collection.schedule import Night
    from pipeline.collection.state import ItemProgress
    from pipeline.values.events import Listener

LATE = 3
"""Exit code of a run that its deadline ended with work left."""

NAMED = 5
"""Outputs of no source that a line names at most."""


def check_deadline(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse what is no time of day, before any work."""
    from pipeline.values.choices import deadline_of

    if value:
        try:
            deadline_of(value, datetime.now())
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error
    return value


def check_metrics(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse what could not be written, and a name that its reader would pass over."""
    if value is not None and not value.absolute().parent.is_dir():
        raise click.BadParameter(f"{value.absolute().parent}: no such folder; make it first", ctx, param)
    if value is not None and value.suffix != ".prom":
        raise click.BadParameter(f"{value}: node_exporter reads only files whose name ends in .prom", ctx, param)
    return value


@click.command(cls=WithPyramid)
@click.argument("source", metavar="SRC_DIR|MANIFEST.csv", type=Place(exists=True))
@click.argument("out", metavar="OUT_DIR", type=Place(folder=True))
@click.option(
    "--include", multiple=True, metavar="GLOB", help="Only files whose path or name matches; may be repeated [all]."
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Not those; may be repeated [none].")
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="archive", show_default=True,
    help="Of reels.",
)  # fmt: skip
@click.option(
    "--sequences", type=click.Choice(["dpx", "all"]), default="dpx", show_default=True,
    help="Numbered pictures that are a reel, from ten in a folder on: DPX, or other kinds too.",
)  # fmt: skip
@click.option("--follow-links", is_flag=True, help="Take in folders behind symbolic links, each once.")
@click.option(
    "--scans", type=click.Choice([".tif", ".png", ".jpg"]), default=".tif", show_default=True, help="Suffix of scans."
)
@WEIGHTS
@click.option("--working-size", type=WorkingSize(), help="Shorter side at which the network sees a picture. [192]")
@PRECISION
@PYRAMID
@INVERT
@click.option("--memory", type=Bytes(), help="Memory limit of a file's job [any of a reel's, 2G of a scan's].")
@click.option(
    "--deadline", default="", metavar="HH:MM", callback=check_deadline, help="Begin nothing after that [none]."
)
@click.option("--dry-run", is_flag=True, help="Look at every file, print what a run would take, and do nothing.")
@click.option(
    "--attempts", type=click.IntRange(1, 10), default=3, show_default=True,
    help="How often a unit is tried before its file is set aside.",
)  # fmt: skip
@click.option(
    "--retries", type=click.IntRange(1, 10), hidden=True, deprecated="Write --attempts; the number means the same.",
)  # fmt: skip
@click.option("--retry-set-aside", is_flag=True, help="Do only what was set aside before.")
@click.option(
    "--keep-pieces", is_flag=True, help="Keep painted pieces, so that an edited plan repaints only what it touches."
)
@click.option(
    "--preservation", is_flag=True,
    help="Add digests of every frame, and a manifest of all files; later runs go on with both.",
)  # fmt: skip
@click.option(
    "--scratch",
    type=Named(file_okay=False, path_type=Path),
    help="Where files of stores are worked on. [~/.cache/chromatheque/work]",
)
@RAY
@WORKERS
@click.option(
    "--metrics", type=Named(dir_okay=False, path_type=Path), callback=check_metrics, metavar="FILE.prom",
    help="Prometheus metrics, for node_exporter's textfile collector [OUT_DIR/.chromatheque/metrics.prom].",
)  # fmt: skip
@PROGRESS
def archive(
    source: str, out: str, include: tuple[str, ...], exclude: tuple[str, ...], deadline: str, dry_run: bool,
    attempts: int, retries: int | None, retry_set_aside: bool, keep_pieces: bool, preservation: bool,
    scratch: Path | None, ray: str, workers: int, metrics: Path | None, progress: str, sequences: str,
    follow_links: bool, **options: Any,
) -> None:  # fmt: skip
    """Color every reel and scan below SRC_DIR, or those a manifest lists, into the same tree below OUT_DIR.

    A manifest is a CSV file with a column `file` and, as wanted: id, out, kind, profile, weights, working_size, rate,
    start, stop, compression, page, invert; others are kept as notes. A file that fails is set aside
    (OUT_DIR/set-aside.jsonl) and the others go on. Stop it, or let it be stopped, at any time; run it again to
    continue. OUT_DIR/report.html tells what came of each.

    Folders and manifests may be in a store: s3://bucket/films, gs://..., smb://... and others that fsspec knows.

    Exit code 0: all is done; 1: something is set aside; 3: the deadline came with work left.

    Example: chromatheque archive plates/ colored/ --deadline 08:00
    """
    check_workers(workers, ray)
    from pipeline.collection.asked import check_places

    check_places(source, out)
    from colorizer.basis.errors import InUse
    from colorizer.painting.geometry import DEFAULT_WORKING_SIZE

    if options["working_size"] is None:
        options["working_size"] = DEFAULT_WORKING_SIZE
    options = {name: value for name, value in options.items() if value or name not in ("memory", "invert")}
    with loading(progress):
        from pipeline.collection.depot import depot_for
        from pipeline.collection.items import find
        from pipeline.collection.state import known_names
        from pipeline.reels.limits import check_profile
        from pipeline.values.events import Note
        from workflows.terminal.passed_over import keys_of, passed_over

        check_profile(PROFILES[options["profile"]])
        known = known_names(depot_for(out, scratch))
        found = find(source, out, options, include, exclude, known, sequences == "all", follow_links)
        if not found.items:
            raise click.UsageError(f"{masked(source)}: no reel and no scan in it{passed_over(found)}")
        from pipeline.collection.run import Wishes, color
        from workflows.report.report_pictures import illustrate
        from workflows.terminal.dry_run import dry_run_of
        from workflows.terminal.listeners import collection_listener
    wishes = Wishes(
        ray, workers, retries or attempts, deadline, retry_set_aside, keep_pieces, preservation, metrics, scratch,
        illustrate, found.orphans, found.keys,
    )  # fmt: skip
    if dry_run:
        raise click.exceptions.Exit(dry_run_of(wishes.depot(out), found, wishes, progress == "json"))
    with stopping.at_work(outlives=True):
        try:
            with collection_listener(progress) as listener:
                for remark in (*found.remarks, *few(keys_of(found), "the report")):
                    listener(Note(remark))
                night, items = color(out, found.items, wishes, listener)
        except KeyboardInterrupt:
            stopping.say(f"Stopped. What is done is safe in {masked(out)}. Run it again to continue.")
            with hasty():  # who stopped it does not wait
                _report(out, scratch)
            raise click.exceptions.Exit(stopping.code()) from None
        except InUse:
            raise  # the other run reports
        except BaseException:
            with hasty():  # nobody waits for a store that is out of reach
                _report(out, scratch)
            raise
        report = _report(out, scratch)
    _outcome(night, items, out, report, found, retry_set_aside, progress == "json", listener)
    raise click.exceptions.Exit(LATE if night.late else 1 if night.aside else 0)


def orphaned(outs: tuple[str, ...]) -> str:
    """A line about outputs of no source any more."""
    more = f" and {len(outs) - NAMED} more" if len(outs) > NAMED else ""
    return f"of no source any more, and left as they are: {', '.join(map(repr, outs[:NAMED]))}{more}"


def _report(out: str, scratch: Path | None) -> str:
    """The morning report; a report that cannot be made must not hide what happened."""
    from pipeline.collection.depot import depot_for
    from pipeline.collection.layout import STATE

    depot = depot_for(out, scratch)
    if not (depot.folder / STATE).is_dir():
        return ""
    try:
        from workflows.report.page import write_report

        return write_report(depot)
    except Exception as error:
        say(f"the report could not be made ({type(error).__name__}: {error})", err=True)
        return ""


def _outcome(
    night: Night, items: list[ItemProgress], out: str, report: str, found: Found, aside_only: bool, as_json: bool,
    listener: Listener,
) -> None:  # fmt: skip
    from pipeline.values.events import NightFinished
    from pipeline.values.loss import verdict
    from pipeline.values.stages import DONE
    from workflows.terminal.passed_over import NOTHING_ASIDE, passed_over

    lost = [len(item.lost) for item in items if item.state == DONE and item.lost]
    if as_json:
        listener(NightFinished(**asdict(night), losses=sum(lost), report=report or None))
        return
    if aside_only and not items:
        say(NOTHING_ASIDE.format(masked(out)))
        return
    are = "is" if len(items) == 1 else "are"
    message = f"{night.done} of {counted(len(items), 'file')} {are} colored and {verdict(sum(lost))}"
    message += f" of {counted(len(lost), 'file')}, which the report names," * bool(lost)
    message += f" in {masked(out)}{passed_over(found)}"
    if night.aside:
        message += f"; {night.aside} set aside, see {masked(out).rstrip('/')}/set-aside.jsonl"
    if night.left:
        message += f"; {night.left} are left for the next run" + (", the deadline has come" if night.late else "")
    say(message)
    if found.orphans:
        say(orphaned(found.orphans), err=True)
    if report:
        say(f"the report is in {report}")
