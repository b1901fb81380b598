"""`chromatheque archive`: a folder or a list of reels and scans in, all of them colored by morning."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorizer.networks.shipped import DEFAULT_WEIGHTS
from pipeline.containers.profiles import PROFILES
from pipeline.storage.stores import hasty, masked
from workflows.terminal.options import Bytes, Place, WorkingSize

if TYPE_CHECKING:
    from pipeline.collection.depot import Depot
    from pipeline.collection.items import Found
    from pipeline.collection.run import Wishes
    from pipeline.collection.schedule import Night
    from pipeline.collection.state import ItemProgress
    from pipeline.values.events import Listener

LATE = 3
"""Exit code of a run that its deadline ended with work left."""

NOTHING_ASIDE = "nothing is set aside in {}; there is nothing to try again"


def check_deadline(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse what is no time of day, before any work."""
    from pipeline.collection.run import deadline_of

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


@click.command()
@click.argument("source", metavar="SRC_DIR|MANIFEST.csv", type=Place(exists=True))
@click.argument("out", metavar="OUT_DIR", type=Place(folder=True))
@click.option(
    "--include", multiple=True, metavar="GLOB", help="Only files whose path or name matches; may be repeated."
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Not those; may be repeated.")
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="archive", show_default=True,
    help="Of reels.",
)  # fmt: skip
@click.option(
    "--scans", type=click.Choice([".tif", ".png", ".jpg"]), default=".tif", show_default=True, help="Suffix of scans."
)
@click.option("--weights", default=DEFAULT_WEIGHTS, show_default=True, help="Shipped name or .safetensors file.")
@click.option("--working-size", type=WorkingSize(), help="Shorter side at which the network sees a picture.")
@click.option(
    "--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="auto", show_default=True,
    help="Numbers the network computes with; auto: bf16 where the processor has it.",
)  # fmt: skip
@click.option("--pyramid/--no-pyramid", help="Add reduced copies to TIFF outputs.")
@click.option("--memory", type=Bytes(), default="2G", show_default=True, help="Memory limit of a scan's job.")
@click.option("--deadline", default="", metavar="HH:MM", callback=check_deadline, help="Begin nothing after this time.")
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
@click.option("--preservation", is_flag=True, help="Add digests of every frame, and a manifest of all files.")
@click.option(
    "--scratch",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where files of stores are worked on. [~/.cache/chromatheque/work]",
)
@click.option("--ray", default="none", show_default=True, metavar="none|local|ADDRESS", help="Work on Ray workers.")
@click.option("--workers", type=click.IntRange(1, 4096), default=1, show_default=True, help="Ray workers.")
@click.option(
    "--metrics", type=click.Path(dir_okay=False, path_type=Path), callback=check_metrics, metavar="FILE.prom",
    help="Prometheus metrics, for node_exporter's textfile collector [OUT_DIR/.chromatheque/metrics.prom].",
)  # fmt: skip
@click.option(
    "--progress", type=click.Choice(["auto", "bar", "json", "none"]), default="auto", show_default=True,
    help="Bars for people, JSON lines for programs.",
)  # fmt: skip
def archive(
    source: str, out: str, include: tuple[str, ...], exclude: tuple[str, ...], deadline: str, dry_run: bool,
    attempts: int, retries: int | None, retry_set_aside: bool, keep_pieces: bool, preservation: bool,
    scratch: Path | None, ray: str, workers: int, metrics: Path | None, progress: str, **options: Any,
) -> None:  # fmt: skip
    """Color every reel and scan below SRC_DIR, or those a manifest lists, into the same tree below OUT_DIR.

    A manifest is a CSV file with a column `file` and, as wanted: id, out, kind, profile, weights, working_size, rate,
    start, stop, compression, page. A file that fails is set aside (OUT_DIR/set-aside.jsonl) and the others go on.
    Stop it, or let it be stopped, at any time; run it again to continue. OUT_DIR/report.html tells what came of each.

    Folders and manifests may be in a store: s3://bucket/films, gs://..., smb://... and others that fsspec knows.

    Exit code 0: all is done; 1: something is set aside; 3: the deadline came with work left.

    Example: chromatheque archive plates/ colored/ --deadline 08:00
    """
    from colorizer.basis.errors import InUse
    from pipeline.collection.items import find
    from pipeline.collection.run import Wishes, color
    from pipeline.reels.limits import check_profile
    from workflows.report.report_pictures import illustrate
    from workflows.terminal.listeners import collection_listener

    if workers > 1 and ray == "none":
        raise click.UsageError("--workers needs --ray (local for this machine)")
    from colorizer.painting.geometry import DEFAULT_WORKING_SIZE

    if options["working_size"] is None:
        options["working_size"] = DEFAULT_WORKING_SIZE
    check_profile(PROFILES[options["profile"]])
    found = find(source, out, options, include, exclude)
    if not found.items:
        raise click.UsageError(f"{masked(source)}: no reel and no scan in it{_passed(found)}")
    wishes = Wishes(
        ray, workers, retries or attempts, deadline, retry_set_aside, keep_pieces, preservation, metrics, scratch,
        illustrate,
    )  # fmt: skip
    with collection_listener(progress) as listener:
        if dry_run:
            code = _forecast(wishes.depot(out), found, wishes, progress == "json")
            raise click.exceptions.Exit(code)
        try:
            night, items = color(out, found.items, wishes, listener)
        except KeyboardInterrupt:
            click.echo(f"Stopped. What is done is safe in {masked(out)}. Run it again to continue.", err=True)
            with hasty():  # who stopped it does not wait
                _report(out, scratch)
            raise click.exceptions.Exit(130) from None
        except InUse:
            raise  # the other run reports
        except BaseException:
            with hasty():  # nobody waits for a store that is out of reach
                _report(out, scratch)
            raise
        report = _report(out, scratch)
    _told(night, items, out, report, found, retry_set_aside, progress == "json", listener)
    raise click.exceptions.Exit(1 if night.aside else LATE if night.late else 0)


def _passed(found: Found) -> str:
    if not found.passed:
        return ""
    message = ", ".join(f"{count} {suffix}" for suffix, count in found.passed.items())
    return f" ({sum(found.passed.values())} other files: {message})"


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
        click.echo(f"the report could not be made ({type(error).__name__}: {error})", err=True)
        return ""


def _told(
    night: Night, items: list[ItemProgress], out: str, report: str, found: Found, aside_only: bool, as_json: bool,
    listener: Listener,
) -> None:  # fmt: skip
    from pipeline.values.events import NightFinished

    if as_json:
        listener(NightFinished(**asdict(night), report=report or None))
        return
    if aside_only and not items:
        click.echo(NOTHING_ASIDE.format(masked(out)))
        return
    message = f"{night.done} of {len(items)} files are colored and verified in {masked(out)}{_passed(found)}"
    if night.aside:
        message += f"; {night.aside} set aside, see {masked(out).rstrip('/')}/set-aside.jsonl"
    if night.left:
        message += f"; {night.left} are left for the next run" + (", the deadline has come" if night.late else "")
    click.echo(message)
    if report:
        click.echo(f"the report is in {report}")


def _forecast(depot: Depot, found: Found, wishes: Wishes, as_json: bool) -> int:
    """Print what a run would take; 1 if something cannot work."""
    import tempfile

    from pipeline.collection.estimate import forecast
    from pipeline.collection.layout import ITEMS
    from pipeline.collection.run import look, short_of_disk
    from pipeline.collection.schedule import ready
    from pipeline.collection.state import ItemProgress, State
    from pipeline.values.events import Silent
    from pipeline.values.stages import ASIDE, DONE
    from workflows.terminal.clock import counted, lasting

    out = depot.folder
    place = next(p for p in (out, *out.absolute().parents) if p.is_dir())
    if depot.store or (out / ITEMS).is_dir():
        depot.fetch_state()
        looked = ready(State(depot), found.items, wishes.aside_only)
    else:
        looked = [ItemProgress(item) for item in found.items]
    with tempfile.TemporaryDirectory() as nowhere:  # the look leaves no trace in OUT_DIR
        look(State(Path(nowhere)), looked, Silent())
    if wishes.aside_only and not looked and not as_json:
        click.echo(NOTHING_ASIDE.format(depot))
        return 0
    keep = wishes.keep and not depot.shared
    told = forecast(looked, shutil.disk_usage(place).free, keep, stored=bool(depot.store))
    bad = [p for p in looked if p.state == ASIDE]
    if as_json:
        refused = [{"uri": masked(p.item.source), **(p.error or {})} for p in bad]
        click.echo(json.dumps({**asdict(told), "refused": refused, "done": sum(p.state == DONE for p in looked)}))
        return int(bool(bad) or told.disk > told.free)
    files, pixels = told.files, told.megapixels
    if told.fetched:
        click.echo(f"{told.fetched / 1e6:,.0f} MB lie in stores; what is in them is guessed until they are fetched")
    frames, sizes = counted(told.frames, "frame"), {kind: counted(pixels[kind], "megapixel") for kind in files}
    click.echo(f"{counted(files['reel'], 'reel')}, {frames}, {sizes['reel']}")
    click.echo(f"{counted(files['scan'], 'scan')}, {sizes['scan']}")
    if done := sum(p.state == DONE for p in looked):
        click.echo(f"{counted(done, 'file')} done already")
    if found.passed:
        click.echo(f"passed over:{_passed(found)}")
    if told.hours is None:
        click.echo(f"time: not known for this device yet ({told.device}); the first run will measure it")
    else:
        click.echo(f"time: {lasting(told.hours)} of one worker on this device ({told.device}), by earlier runs")
    click.echo(f"disk: about {told.disk / 1e9:.1f} GB needed, {told.free / 1e9:.1f} GB free")
    if told.disk > told.free:
        click.echo(short_of_disk(out, told), err=True)
    for progress in bad:
        click.echo(f"cannot work: {(progress.error or {}).get('error')}", err=True)
    return int(bool(bad) or told.disk > told.free)
