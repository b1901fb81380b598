"""`chromatheque verify`: the proof, made anew, that an output keeps its source."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.values.words import counted
from workflows.terminal.arguments import check_output, check_source
from workflows.terminal.few import few
from workflows.terminal.loading import loading
from workflows.terminal.options import Local, Rate
from workflows.terminal.plain import say

if TYPE_CHECKING:
    from pipeline.values.finding import Finding


@click.command()
@click.argument("source", metavar="SOURCE", type=Local())
@click.argument("out", metavar="OUT", type=Local(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print findings as JSON.")
@click.option("--rate", type=Rate(), help="Pictures per second of an image sequence [what DPX says, else 24].")
def verify(source: str, out: Path, as_json: bool, rate: Fraction | None) -> None:
    """Decode SOURCE and OUT and compare them: luminance sample by sample, and all that goes with it.

    Of a reel that is frame count, times, tracks, chapters and tags; of a scan size, orientation, resolution, profile,
    every tag, and the levels of a pyramid. What the output's sidecar (OUT.json) names as lost is accepted and
    told as "lost"; anything else that is missing is a failure, and exit code 1. A sidecar of an
    older version answers for what that one looked for: what is found beyond it is told as "new".

    Of two folders, the source and the OUT_DIR of `archive`, every finished file is compared with its source.

    Example: chromatheque verify newsreel.mov newsreel.mkv
    """
    check_output(out)
    if out.is_dir():
        _collection(Path(source), out, as_json)
        return
    check_source(source)
    with loading("none" if as_json else "auto"):
        from pipeline.jobs import calls
        from pipeline.values.finding import losses

    findings = calls.verify(source, out, rate=rate)
    if as_json:
        holds = all(f.right for f in findings)
        click.echo(json.dumps({"holds": holds, "findings": [f.to_json() for f in findings]}, indent=1))
    else:
        told = [f for f in findings if _mark(f) != LOST]
        lost = [str(loss) for loss in losses(f for f in findings if _mark(f) == LOST)]
        width = min(WIDTH, max(len(f.what) for f in told))
        for finding in told:
            say(f"{_mark(finding)}  {finding.what:<{width}}  {finding.detail}")
        for line in few(lost, f"{out}.json"):
            say(f"{LOST}  {line}")
    if not all(f.right for f in findings):
        raise click.exceptions.Exit(1)


WIDTH = 40
"""Letters of the longest name that others are lined up with."""

LOST, NEW = "lost", "new "
"""What the sidecar declares, and what the version that wrote it did not look for."""


def _mark(finding: Finding) -> str:
    if finding.holds or not finding.right:
        return "ok  " if finding.holds else "FAIL"
    return NEW if finding.unknown else LOST


def _collection(source: Path, out: Path, as_json: bool) -> None:
    """A line a file, with what is lost or wrong below it; in JSON a line a file."""
    with loading("none" if as_json else "auto"):
        from pipeline.collection.proof import verify_collection
        from pipeline.values.finding import losses

    right = of = 0
    for file in verify_collection(source, out):
        of, right = of + 1, right + file.right
        if as_json:
            findings = [finding.to_json() for finding in file.findings]
            values = {"out": file.out, "source": file.source, "holds": file.right, "findings": findings}
            click.echo(json.dumps({**values, "error": file.error} if file.error else values))
            continue
        say(f"{'ok  ' if file.right else 'FAIL'}  {file.out}{': ' * bool(file.error)}{file.error}")
        for finding in file.findings:
            if not finding.right or finding.unknown:
                say(f"      {_mark(finding)}  {finding.what}: {finding.detail}")
        lost = [str(loss) for loss in losses(f for f in file.findings if _mark(f) == LOST)]
        for line in few(lost, f"{file.out}.json"):
            say(f"      {LOST}  {line}")
    if not as_json:
        say(f"{right} of {counted(of, 'file')} {'holds' if of == 1 else 'hold'} what the source has")
    if right < of:
        raise click.exceptions.Exit(1)
