"""`chromatheque demo`: a small film made of photographs that scikit-image carries, colored, laid side by side."""

from __future__ import annotations

from pathlib import Path

import click

from workflows.terminal.loading import loading
from workflows.terminal.options import PROGRESS, WEIGHTS, Named

PLAN = (
    "This draws a black-and-white reel of 8 seconds, colors it for the archive and for any player, checks both, and\n"
    "lays source and result side by side. Two cores take half a minute; the first colored reel is there after 20 s."
)
"""What is said first. It took 27 s, 28 s of processor, the first reel 16 s (two EPYC cores, beside tests)."""


@click.command()
@click.option(
    "--folder", default="demo", show_default=True, type=Named(file_okay=False, path_type=Path),
    help="Where the reel and what comes of it are written.",
)  # fmt: skip
@WEIGHTS
@PROGRESS
def demo(folder: Path, weights: str, progress: str) -> None:
    """Make a small black-and-white reel with sound and color it; needs no network and no file of yours.

    Example: chromatheque demo
    """
    from colorizer.basis.errors import ColorizeError
    from colorizer.basis.installing import install

    with loading(progress):
        from pipeline.jobs.reel_job import ReelChoices, ReelJob
        from pipeline.storage.atomic import writable
        from workflows.terminal.listeners import listener_for

        try:
            from workflows.demo.demo_reel import make_reel
        except ImportError as error:
            raise ColorizeError(f"the demo needs scikit-image: {install('demo')}") from error
        from workflows.sheets.sheet import write_sheet

    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    source, out, access = folder / "reel.mp4", folder / "reel-colored.mkv", folder / "reel-colored.mp4"
    click.echo(PLAN)
    if not source.exists():
        click.echo("making a black-and-white reel of 8 seconds ...")
        make_reel(source)
    for target, what in (out, "for the archive, luminance bit for bit"), (access, "for any player"):
        click.echo(f"coloring it, {what} ...")
        with listener_for(progress) as listener:
            ReelJob(str(source), target, ReelChoices(weights=weights, overwrite=True), None, listener).color()
    click.echo(
        f"source:        {source}\ncolored reel:  {out}\nto look at:    {access}\nits report:    {out}.json\n"
        f"contact sheet: {write_sheet(out)}"
    )
