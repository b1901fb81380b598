"""Proof of a reel, made anew: its output held against its source and against what its sidecar says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorizer.basis.errors import UnsupportedSource
from pipeline.containers.profiles import PROFILES, profile_for
from pipeline.containers.sei import CAPTIONS
from pipeline.jobs.proof import ELSE, census_of, check_digests
from pipeline.jobs.reel_job import identity
from pipeline.reels.account import Account, check_account, of_pictures
from pipeline.reels.beside import Beside, check_beside
from pipeline.reels.captions import check_captions
from pipeline.reels.elements import check_elements
from pipeline.reels.fidelity import Shown, check, check_source, decoded
from pipeline.reels.plan import rising
from pipeline.reels.reel import probe
from pipeline.reels.tracks import Carried
from pipeline.storage.atomic import legible, read_json
from pipeline.storage.job_folder import captions_of, sidecar_of
from pipeline.values.choices import seconds
from pipeline.values.finding import Finding, named, promised
from pipeline.values.formats import CENSUS
from pipeline.values.loss import Loss
from pipeline.values.timecode import advance


def verify_reel(source: str, out: Path, rate: Fraction | None = None) -> list[Finding]:
    """Everything about a colored reel that can be held against its source. rate: of an image sequence.

    Raises SourceError, UnsupportedSource, LedgerError for what cannot be read at all.
    """
    reel = probe(source, rate)
    path = sidecar_of(out)
    sidecar = _read(path) if path.exists() else _Sidecar(profile_for(out, None).name)
    findings = check_digests(sidecar.source, sidecar.output, lambda: identity(reel), out)
    reel = replace(reel, timecode=advance(reel.timecode, sidecar.skip, reel.rate))
    harmed: dict[int, str] = {}
    more = Beside(reel.hdr)
    account, piece = Account(), bool(sidecar.start or sidecar.stop)
    times: list[int | None] = []
    shown, pictures = decoded(reel, sidecar.start, sidecar.stop, harmed, more, account), 0

    def noted() -> Iterator[Shown]:
        nonlocal pictures
        for frame in shown:
            pictures += 1
            times.append(frame.pts)
            yield frame

    findings += check(reel, out, sidecar.profile, noted(), sidecar.tracks, piece, sidecar.invert)
    findings += [
        *check_source(reel, harmed),
        *check_beside(more.counts, PROFILES[sidecar.profile]),
        *check_elements(reel, out),
    ]
    pts, _ = rising(times, reel.step)
    captions = tuple(more.captions), pts, reel.time_base, _text(captions_of(out)), more.counts[CAPTIONS]
    findings += check_captions(*captions, captions_of(out).name)
    findings += check_account(of_pictures(pictures, len(harmed)) if reel.is_sequence else account.counts())
    return promised(named(findings, sidecar.lost), sidecar.census, sidecar.verified)


def _text(path: Path) -> str | None:
    """What a file of captions says, in whatever letters; None where there is none. Raises UnreadableSource."""
    with legible(str(path)):
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


@dataclass(frozen=True)
class _Sidecar:
    """What a sidecar says that the check needs to know. tracks: None without a sidecar; source, output: sha256. lost:
    what the check found before the file was published. invert: the output shows the positive of a negative."""

    profile: str
    start: str = ""
    stop: str = ""
    skip: int = 0
    tracks: list[Carried] | None = None
    source: str = ""
    output: str = ""
    lost: tuple[Loss, ...] = ()
    invert: bool = False
    census: int = CENSUS
    verified: frozenset[str] = frozenset()


def _read(path: Path) -> _Sidecar:
    """A sidecar. Raises UnsupportedSource for what is none of ours, LedgerError for what is not JSON."""
    values: Any = read_json(path)
    try:
        settings = values["plan"]["settings"]
        start, stop = settings.get("start", ""), settings.get("stop", "")
        digests = [values.get(which, {}).get("sha256", "") for which in ("source", "output")]
        lost = values.get("not_carried_over", [])
        if not all(type(text) is str for text in lost):
            raise TypeError("a value of the wrong kind")
        found = _Sidecar(
            settings["profile"], start, stop, values["plan"]["skip"], [Carried(**t) for t in values["tracks"]],
            digests[0], digests[1], tuple(map(Loss.of, lost)), settings.get("invert", False), *census_of(values),
        )  # fmt: skip
        for time in (start, stop):
            if time:
                seconds(time, Fraction(24))
        texts = [found.profile, start, stop, *digests]
        if type(found.invert) is not bool:
            raise TypeError("a value of the wrong kind")
        numbers = [found.skip]
        for track in found.tracks or []:
            texts += [track.kind, track.codec, track.how, track.why, track.layout]
            numbers += [track.index, track.out, track.rejected, track.rate]
        if not all(type(t) is str for t in texts) or not all(type(n) is int for n in numbers) or found.skip < 0:
            raise TypeError("a value of the wrong kind")
        if found.profile not in PROFILES:
            raise ValueError(f"no profile {found.profile!r}")
    except KeyError as error:
        raise UnsupportedSource(str(path), f"not a sidecar of this program (no {error}); {ELSE}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UnsupportedSource(str(path), f"not a sidecar of this program ({error}); {ELSE}") from error
    return found
