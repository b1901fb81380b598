"""`chromatheque verify`: the proof, made anew, that an output keeps its source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflows.commands.reel import Rate
from workflows.commands.verify_scan import verify_scan
from workflows.terminal.options import Local

if TYPE_CHECKING:
    from pipeline.reels.tracks import Carried
    from pipeline.values.finding import Finding

ELSE = "move it away to verify without it"


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
    from colorizer.basis.errors import SourceError
    from pipeline.jobs.scan_job import FORMATS

    if not out.is_file():
        raise SourceError(str(out), "no such file")
    findings = verify_scan(source, out) if out.suffix.lower() in FORMATS else _verify_reel(source, out, rate)
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


def _verify_reel(source: str, out: Path, rate: Fraction | None) -> list[Finding]:
    from pipeline.containers.profiles import profile_for
    from pipeline.jobs.reel_job import identity
    from pipeline.reels.fidelity import check, decoded
    from pipeline.reels.reel import probe
    from pipeline.values.timecode import advance

    reel = probe(source, rate)
    path = out.with_name(out.name + ".json")
    said = _read(path) if path.exists() else _Said(profile_for(out, None).name)
    findings = check_digests(said.source, said.output, lambda: identity(reel), out)
    reel = replace(reel, timecode=advance(reel.timecode, said.skip, reel.rate))
    shown = decoded(reel, said.start, said.stop)
    return findings + check(reel, out, said.profile, shown, said.tracks, bool(said.start or said.stop))


@dataclass(frozen=True)
class _Said:
    """What a sidecar says that the check needs to know. tracks: None without a sidecar; source, output: sha256."""

    profile: str
    start: str = ""
    stop: str = ""
    skip: int = 0
    tracks: list[Carried] | None = None
    source: str = ""
    output: str = ""


def _read(path: Path) -> _Said:
    """A sidecar. Raises UnsupportedSource for what is none of ours, LedgerError for what is not JSON."""
    from colorizer.basis.errors import UnsupportedSource
    from pipeline.containers.profiles import PROFILES
    from pipeline.reels.piece import seconds
    from pipeline.reels.tracks import Carried
    from pipeline.storage.atomic import read_json

    said: Any = read_json(path)
    try:
        settings = said["plan"]["settings"]
        start, stop = settings.get("start", ""), settings.get("stop", "")
        digests = [said.get(which, {}).get("sha256", "") for which in ("source", "output")]
        found = _Said(
            settings["profile"], start, stop, said["plan"]["skip"], [Carried(**t) for t in said["tracks"]], *digests
        )
        for time in (start, stop):
            if time:
                seconds(time, Fraction(24))
        texts = [found.profile, start, stop, *digests]
        numbers = [found.skip]
        for track in found.tracks or []:
            texts += [track.kind, track.codec, track.how, track.why]
            numbers += [track.index, track.out, track.rejected]
        if not all(type(t) is str for t in texts) or not all(type(n) is int for n in numbers) or found.skip < 0:
            raise TypeError("a value of the wrong kind")
        if found.profile not in PROFILES:
            raise ValueError(f"no profile {found.profile!r}")
    except KeyError as error:
        raise UnsupportedSource(str(path), f"not a sidecar of this program (no {error}); {ELSE}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UnsupportedSource(str(path), f"not a sidecar of this program ({error}); {ELSE}") from error
    return found


def check_digests(source: str, output: str, found: Callable[[], dict[str, Any]], out: Path) -> list[Finding]:
    """Whether a sidecar that names its files by their digests lies beside those, and not beside others.

    source, output: the digests it names, "" for none. found: makes the source's identity, by reading all of it.
    """
    from pipeline.storage.atomic import sha256
    from pipeline.values.finding import Finding

    findings = []
    if source:
        same = found()["sha256"] == source
        told = "the source is the one the sidecar names" if same else f"the sidecar belongs to another source: {ELSE}"
        findings.append(Finding("source digest", same, told))
    if output:
        same = sha256(out) == output
        told = "the output is the one the sidecar names" if same else "the output changed since the sidecar was written"
        findings.append(Finding("output digest", same, told))
    return findings
