"""Fidelity: the proof that an output keeps its source's picture, sound, timing and tags.

Decodes the output anew and compares; the same checks run before an output gets its final name and in `verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np

from colorizer.errors import SourceError
from pipeline.decode import Damage, Reader
from pipeline.finding import Finding
from pipeline.frames import luma_digest
from pipeline.plan import Plan, rising
from pipeline.profiles import PROFILES, Target, target_for
from pipeline.reels import Reel, probe
from pipeline.survey import reached, seconds
from pipeline.track_fidelity import check_tracks
from pipeline.tracks import Carried


@dataclass(frozen=True, slots=True)
class Shown:
    """A source frame as the check needs it: the luma itself only where the format is lossy."""

    pts: int | None
    digest: str
    luma: np.ndarray | None


def planned(plan: Plan) -> Iterator[Shown]:
    """What a plan says of its frames."""
    return (Shown(pts, digest, None) for pts, digest in zip(plan.pts, plan.digests, strict=True))


def decoded(reel: Reel, start: str = "", stop: str = "") -> Iterator[Shown]:
    """The frames of a reel, decoded now."""
    begin = seconds(start, reel.rate) if start else Fraction(0)
    end = seconds(stop, reel.rate) if stop else None
    origin: int | None = None
    with Reader(reel) as reader:
        for frame in reader:
            origin = frame.pts if origin is None else origin
            time = (
                (frame.pts - origin) * reel.time_base
                if frame.pts is not None and origin is not None
                else frame.index / reel.rate
            )
            if end is not None and reached(time, end, reel):
                return
            if reached(time, begin, reel):
                yield Shown(frame.pts, luma_digest(frame.luma), frame.luma)


def check_picture(reel: Reel, shown: Iterable[Shown], out: Path, profile_name: str) -> list[Finding]:
    """Frame count, luma and times of an output against its source."""
    profile = PROFILES[profile_name]
    target = target_for(reel, profile)
    result, damage = probe(str(out)), Damage()
    differing: list[int] = []
    worst, counts, times_in, times_out = 200.0, [0, 0], [], []
    with Reader(result, damage) as reader:
        for index, (a, b) in enumerate(zip_longest(shown, reader)):
            counts[0] += a is not None
            counts[1] += b is not None
            if a is not None:
                times_in.append(a.pts)
            if b is not None:
                times_out.append(b.pts)
            if a is None or b is None:
                continue
            if profile.lossless:
                if target.coding.bits == reel.coding.bits:
                    same = luma_digest(b.luma) == a.digest
                else:
                    assert a.luma is not None, "a format that stores luma in more bits needs the source's luma"
                    same = np.array_equal(target.luma(a.luma), b.luma)
                if not same:
                    differing.append(index)
            elif a.luma is not None:
                worst = min(worst, psnr(target, target.luma(a.luma), b.luma))
    findings = [Finding("frames", counts[0] == counts[1], f"{counts[0]} in the source, {counts[1]} in the output")]
    if profile.lossless:
        detail = f"every frame's luma digest is the source's ({counts[0]} frames)"
        if differing:
            detail = f"{len(differing)} frames differ, first {differing[:5]}"
        findings.append(Finding("luma", not differing and counts[0] == counts[1], detail))
    else:
        findings.append(
            Finding(
                "luma",
                worst >= profile.psnr,
                f"lossy by format; worst frame {worst:.1f} dB (at least {profile.psnr:g})",
            )
        )
    findings.append(_check_times(reel, result, times_in, times_out))
    findings.append(
        Finding(
            "decodes cleanly",
            not damage.any(),
            "no damaged frame or packet" if not damage.any() else str(damage),
        )
    )
    return findings


def psnr(target: Target, wanted: np.ndarray, got: np.ndarray) -> float:
    """Luma PSNR in dB, peak = white minus black."""
    if wanted.shape != got.shape:
        return 0.0
    black, white = target.coding.luma_range
    error = float(np.mean((wanted.astype(np.float32) - got.astype(np.float32)) ** 2))
    return 10 * float(np.log10((white - black) ** 2 / error)) if error > 0 else 200.0


def _check_times(reel: Reel, out: Reel, times_in: list[int | None], times_out: list[int | None]) -> Finding:
    if not times_in or len(times_in) != len(times_out):
        return Finding("times", False, "frame counts differ, so times cannot be compared")
    step = max(1, round(1 / (reel.rate * reel.time_base)))
    a, _ = rising(times_in, step)
    b = [t if t is not None else -1 for t in times_out]
    worst = max(
        abs((x - a[0]) * reel.time_base - (y - b[0]) * out.time_base) for x, y in zip(a, b, strict=True)
    )  # both relative to the first frame
    allowed = max(out.time_base, Fraction(0)) if out.time_base != reel.time_base else Fraction(0)
    return Finding(
        "times",
        worst <= allowed,
        f"largest difference {float(worst) * 1000:.3f} ms (at most {float(allowed) * 1000:.3f})",
    )


def check_tags(reel: Reel, out: Path) -> list[Finding]:
    """Aspect, rotation, fields, time code and color tags. A tag the source leaves open may be set."""
    result = probe(str(out))
    pairs = [
        ("size", (reel.width, reel.height), (result.width, result.height)),
        ("sample aspect", reel.aspect, result.aspect),
        ("rotation", reel.rotation, result.rotation),
        ("fields", reel.fields, result.fields),
        ("time code", reel.timecode or result.timecode, result.timecode),
    ]
    names = ("range", "primaries", "transfer", "matrix")
    unset = (0, 2, 2, 2)
    for i, name in enumerate(names):
        source = reel.tags[i]
        special = name == "matrix" and source == 0
        rescaled = name == "range" and reel.coding.full_range and not result.coding.full_range
        # H.264 writes no range beside unset colors, and its readers then take limited (H.264, E.2.1)
        implied = name == "range" and (source, result.tags[i], result.codec) == (1, 0, "h264")
        if source != unset[i] and not special and not implied and not (rescaled and out.suffix == ".mov"):
            pairs.append((f"color {name}", source, result.tags[i]))
    return [Finding(what, a == b, f"{a}" if a == b else f"{a} became {b}") for what, a, b in pairs]


def check(
    reel: Reel, out: Path, profile_name: str, shown: Iterable[Shown], declared: list[Carried] | None, piece: bool
) -> list[Finding]:  # fmt: skip
    """Everything. Raises SourceError if the output cannot even be opened."""
    if not out.exists():
        raise SourceError(str(out), "no such file")
    return [
        *check_picture(reel, shown, out, profile_name),
        *check_tags(reel, out),
        *check_tracks(reel, out, declared, piece),
    ]
