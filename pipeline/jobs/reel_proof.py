"""Proof of a reel, made anew: its output held against its source and against what its sidecar says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorizer.basis.errors import UnsupportedSource
from pipeline.containers.profiles import PROFILES, profile_for
from pipeline.jobs.proof import ELSE, check_digests
from pipeline.jobs.reel_job import identity
from pipeline.reels.fidelity import check, decoded
from pipeline.reels.piece import seconds
from pipeline.reels.reel import probe
from pipeline.reels.tracks import Carried
from pipeline.storage.atomic import read_json
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.finding import Finding
from pipeline.values.timecode import advance


def verify_reel(source: str, out: Path, rate: Fraction | None = None) -> list[Finding]:
    """Everything about a colored reel that can be held against its source. rate: of an image sequence.

    Raises SourceError, UnsupportedSource, LedgerError for what cannot be read at all.
    """
    reel = probe(source, rate)
    path = sidecar_of(out)
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
    values: Any = read_json(path)
    try:
        settings = values["plan"]["settings"]
        start, stop = settings.get("start", ""), settings.get("stop", "")
        digests = [values.get(which, {}).get("sha256", "") for which in ("source", "output")]
        found = _Said(
            settings["profile"], start, stop, values["plan"]["skip"], [Carried(**t) for t in values["tracks"]], *digests
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
