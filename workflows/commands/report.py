"""`chromatheque report`: what a night did to a collection, or what came of one output, on a page to look at."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workflows.terminal.loading import loading
from workflows.terminal.options import Named, Place
from workflows.terminal.plain import bare, say


@click.command()
@click.argument("out", metavar="OUT_DIR|OUT", type=Place(exists=True))
@click.option(
    "--scratch",
    type=Named(file_okay=False, path_type=Path),
    help="Where files of stores are worked on. [~/.cache/chromatheque/work]",
)
def report(out: str, scratch: Path | None) -> None:
    """Write OUT_DIR/report.html anew: what came of every file of a collection; of an OUT: OUT.report/report.html.

    Works at any time, also while the collection is being colored. The page holds totals, what was set aside and why,
    every shot and page before and after, its scene tags, and what a person should look at. It needs no network; its
    pictures are in a folder report/ beside it. OUT is what `reel` or `scan` wrote.

    Example: chromatheque report colored/
    """
    from pipeline.collection.asked import check_collection
    from pipeline.collection.depot import depot_for
    from pipeline.storage.stores import is_uri

    if not is_uri(out) and Path(out).is_file():
        with loading():
            from workflows.report.single import write_single

        say(f"the report is in {write_single(Path(out))}")
        return
    if not is_uri(out):
        check_collection(Path(out), ", or an output of `reel` or `scan`")
    with loading():
        from workflows.report.page import write_report

    bar = None

    def progress(done: int, of: int) -> None:
        nonlocal bar
        bar = bar or click.progressbar(
            length=of, label="pictures", file=bare(sys.stderr), hidden=not sys.stderr.isatty()
        )
        bar.update(1)
        if done == of:
            bar.render_finish()

    say(f"the report is in {write_report(depot_for(out, scratch), progress)}")
