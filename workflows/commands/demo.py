"""`chromatheque demo`: a small film made of photographs that scikit-image carries, colored, laid side by side."""

from __future__ import annotations

from pathlib import Path

import click

from colorizer.networks.shipped import DEFAULT_WEIGHTS


@click.command()
@click.option(
    "--folder", default="demo", show_default=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where the reel and what comes of it are written.",
)  # fmt: skip
@click.option("--weights", default=DEFAULT_WEIGHTS, show_default=True, help="Shipped name or .safetensors file.")
@click.option(
    "--progress", type=click.Choice(["auto", "bar", "json", "none"]), default="auto", show_default=True,
    help="Bars for people, JSON lines for programs.",
)  # fmt: skip
def demo(folder: Path, weights: str, progress: str) -> None:
    """Make a small black-and-white reel with sound and color it; needs no network and no file of yours.

    Example: chromatheque demo
    """
    from colorizer.basis.errors import ColorizeError
    from pipeline.jobs.reel_job import ReelChoices, ReelJob
    from pipeline.storage.atomic import read_json, writable
    from pipeline.storage.job_folder import sidecar_of
    from workflows.terminal.listeners import listener_for

    try:
        from workflows.demo.demo_reel import make_reel
    except ImportError as error:
        raise ColorizeError("the demo needs scikit-image: pip install 'chromatheque[demo]'") from error
    from workflows.sheets.sheet import contact_sheet

    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    source, out, sheet = folder / "reel.mp4", folder / "reel-colored.mkv", folder / "sheet.png"
    if not source.exists():
        click.echo("making a black-and-white reel ...")
        make_reel(source)
    with listener_for(progress) as listener:
        result = ReelJob(str(source), out, ReelChoices(weights=weights, overwrite=True), None, listener).color()
    if result.plan is not None or not sheet.exists():
        shots = read_json(sidecar_of(out))["shots"]
        contact_sheet(source, out, [shot["start"] for shot in shots[1:]], sheet)
    click.echo(f"source:        {source}\ncolored reel:  {out}\nits report:    {out}.json\ncontact sheet: {sheet}")
