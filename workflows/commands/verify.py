"""`chromatheque verify`: the proof, made anew, that an output keeps its source."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import click

from workflows.commands.reel import Rate
from workflows.terminal.options import Local


@click.command()
@click.argument("source", metavar="SOURCE", type=Local())
@click.argument("out", metavar="OUT", type=Local(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print findings as JSON.")
@click.option("--rate", type=Rate(), help="Pictures per second of an image sequence [24].")
def verify(source: str, out: Path, as_json: bool, rate: Fraction | None) -> None:
    """Decode SOURCE and OUT and compare them: luminance sample by sample, and all that goes with it.

    Of a reel that is frame count, times, tracks, chapters and tags; of a scan size, orientation, resolution, profile,
    every tag, and the levels of a pyramid. What the output's sidecar (OUT.json) declares as not carried over is
    accepted by name; anything else that is missing is a failure. Exit code 0 only if every check holds.

    Example: chromatheque verify newsreel.mov newsreel.mkv
    """
    from pipeline.jobs import calls

    findings = calls.verify(source, out, rate=rate)
    if as_json:
        click.echo(
            json.dumps(
                {"holds": all(f.holds for f in findings), "findings": [f.to_json() for f in findings]},
                indent=1,
            )
        )
    else:
        width = max(len(f.what) for f in findings)
        for finding in findings:
            click.echo(f"{'ok  ' if finding.holds else 'FAIL'}  {finding.what:<{width}}  {finding.detail}")
    if not all(f.holds for f in findings):
        raise click.exceptions.Exit(1)
