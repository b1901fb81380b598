"""`chromatheque evaluate`: what weights are worth where the colors are known, and how their work looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pipeline.values.words import counted
from workflows.terminal.arguments import WeightsFile
from workflows.terminal.loading import loading
from workflows.terminal.options import Named

EXISTING = Named(exists=True, path_type=Path)


def check_sheet(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a sheet that could not be written, before any work."""
    if value is not None and (value.suffix.lower() != ".png" or not value.absolute().parent.is_dir()):
        raise click.BadParameter(f"{value}: give the name of a .png file in a folder that exists", ctx, param)
    return value


@click.command()
@click.argument("weights", type=WeightsFile(), metavar="WEIGHTS")
@click.argument("data", nargs=-1, type=EXISTING)
@click.option(
    "--video",
    "clips",
    multiple=True,
    type=Named(exists=True, dir_okay=False, path_type=Path),
    help="A color video: how steady it is, made gray and colored again; may be repeated [none].",
)
@click.option("--frames", default=40, show_default=True, type=click.IntRange(min=5), help="Only the first of a clip.")
@click.option(
    "--prior",
    multiple=True,
    type=EXISTING,
    help="Training pictures that teach the baseline its mean colors [halves of DATA teach each other].",
)
@click.option(
    "--sheet",
    type=Named(dir_okay=False, path_type=Path),
    callback=check_sheet,
    help="Write a PNG of some pictures of DATA: gray, colored, truth [none].",
)
@click.option("--limit", default=0, type=click.IntRange(min=0), help="Only the first so many pictures [all].")
@click.option("--json", "as_json", is_flag=True, help="Print figures as one JSON object.")
def evaluate(
    weights: str, data: tuple[Path, ...], clips: tuple[Path, ...], frames: int, prior: tuple[Path, ...],
    sheet: Path | None, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """Measure WEIGHTS (a shipped name or a file) on DATA, tar shards or folders of color pictures.

    Beside them stand two baselines: the gray picture, and the mean color of each luma level. DATA without any color,
    such as old photographs, can be looked at with --sheet.

    Example: chromatheque evaluate fast val-000.tar --sheet sheet.png
    """
    if not data and not clips:
        raise click.UsageError("give DATA, pictures to measure on, or --video CLIP")
    if not data and (sheet or prior):
        raise click.UsageError("--sheet and --prior need DATA, pictures")
    with loading():
        from colorizer.networks.weights_file import load

        loaded = load(weights)
    result: dict[str, Any] = {"weights": loaded.name, "digest": loaded.digest}
    if clips:
        from workflows.sheets.clips import require_flow

        require_flow()
    if data:
        result["pictures"] = _pictures(loaded, data, limit, prior, sheet)
    if sheet:
        from workflows.sheets.gallery import write_gallery
        from workflows.terminal.console import working

        with working("coloring pictures for the sheet"):
            result["sheet"] = {"file": str(sheet), "pictures": write_gallery(data, _colorizer(loaded), sheet)}
    if clips:
        result["videos"], result["refused"] = _videos(loaded, clips, frames)
    if as_json:
        click.echo(json.dumps(result, indent=1))
    else:
        _print(result)
    if result.get("refused"):
        raise click.exceptions.Exit(1)


def _pictures(
    loaded: Any, data: tuple[Path, ...], limit: int, prior: tuple[Path, ...], sheet: Path | None
) -> dict[str, Any]:
    from colorizer.basis.errors import UnsupportedSource
    from colorizer.measures import evaluation
    from pipeline.spread.pools import device
    from workflows.terminal.console import working

    with working(f"measuring on {', '.join(path.name for path in data)}") as say:
        figures = evaluation.evaluate(
            loaded.network().to(device()), data, loaded.classes, limit, prior, lambda n: say(counted(n, "picture"))
        )
    if not figures["pictures"] and not sheet:
        todo = "; add --sheet to look at them" if figures["left_out"] else ""
        raise UnsupportedSource(", ".join(map(str, data)), _without_color(figures) + todo)
    return figures


def _without_color(figures: dict[str, Any]) -> str:
    left_out = ", ".join(f"{count} {why}" for why, count in figures["left_out"].items())
    return f"no picture with colors to measure against ({left_out or 'no picture at all'})"


def _colorizer(loaded: Any) -> Any:
    import torch

    from colorizer.painting.colorizer import Colorizer, auto_precision
    from pipeline.spread.pools import device

    return Colorizer(loaded, device(), auto_precision(torch.device(device())))


def _videos(loaded: Any, paths: tuple[Path, ...], frames: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Figures by clip, and by clip why it has none: one that cannot be measured does not take the others with it."""
    from colorizer.basis.errors import SourceError
    from workflows.sheets import clips
    from workflows.terminal.console import working

    colorizer = _colorizer(loaded)
    measured, refused = {}, {}
    for path in paths:
        try:
            with working(f"measuring {path.name}"):
                measured[str(path)] = clips.measure(path, colorizer, frames)
        except SourceError as error:
            refused[str(path)] = error.what
            click.echo(f"Error: {error}", err=True)
    return measured, refused


def _print(result: dict[str, Any]) -> None:
    from workflows.terminal.console import show
    from workflows.terminal.figures import clip_table, picture_table

    if figures := result.get("pictures"):
        if figures["pictures"]:
            show(picture_table(figures))
        else:
            click.echo(f"{_without_color(figures)}, so nothing is measured")
    for path, figures in result.get("videos", {}).items():
        show(clip_table(Path(path).name, figures))
    if made := result.get("sheet"):
        click.echo(f"{made['file']}: {counted(made['pictures'], 'picture')}")
