"""`chromatheque evaluate`: what weights are worth on pictures whose colors are known."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("weights")
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--limit", default=0, help="Only the first so many pictures [all].")
@click.option("--json", "as_json", is_flag=True, help="Print figures as JSON.")
def evaluate(weights: str, data: tuple[Path, ...], limit: int, as_json: bool) -> None:
    """Measure WEIGHTS (a shipped name or a file) on DATA, tar shards or folders of color pictures.

    Gray and truth stand beside them: the gain in PSNR is over leaving the picture gray, colorfulness is a share of
    the true pictures' own.

    Example: chromatheque evaluate first val-000.tar
    """
    from colorizer import evaluation
    from colorizer.weights import load

    loaded = load(weights)
    figures = evaluation.evaluate(loaded.network(), list(data), loaded.classes, limit)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        click.echo(f"{name:<20} {value}")
