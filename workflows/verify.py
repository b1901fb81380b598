"""`chromatheque verify`: the proof, made anew, that an output keeps its source."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from workflows.reel import Rate


@click.command()
@click.argument("source", metavar="SOURCE")
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print findings as JSON.")
@click.option("--rate", type=Rate(), help="Pictures per second of an image sequence [24].")
def verify(source: str, out: Path, as_json: bool, rate: Fraction | None) -> None:
    """Decode SOURCE and OUT and compare luminance, frame count, times, sound packets and tags.

    What the output's sidecar (OUT.json) declares as not carried over is accepted by name; anything else that is
    missing is a failure. Exit code 0 only if every check holds.

    Example: chromatheque verify newsreel.mov newsreel.mkv
    """
    from colorizer.errors import SourceError, UnsupportedSource
    from pipeline.fidelity import check, decoded
    from pipeline.profiles import profile_for
    from pipeline.reels import probe
    from pipeline.storage import read_json
    from pipeline.timecode import advance
    from pipeline.tracks import Carried

    if not out.is_file():
        raise SourceError(str(out), "no such file")
    reel = probe(source, rate)
    path = out.with_name(out.name + ".json")
    said: dict[str, Any] = read_json(path) if path.exists() else {}
    try:
        settings = said["plan"]["settings"] if said else {}
        declared = [Carried(**t) for t in said["tracks"]] if said else None
        profile = settings["profile"] if said else profile_for(out, None).name
        start, stop = settings.get("start", ""), settings.get("stop", "")
    except (KeyError, TypeError) as error:
        raise UnsupportedSource(
            str(path), f"not a sidecar of this program ({error}); move it away to verify without it"
        ) from error
    reel = replace(reel, timecode=advance(reel.timecode, said["plan"]["skip"] if said else 0, reel.rate))
    findings = check(reel, out, profile, decoded(reel, start, stop), declared, bool(start or stop))
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
