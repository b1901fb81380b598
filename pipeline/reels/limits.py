"""Limits: what a profile and a kind of file cannot hold of a reel, found before any work is done."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from colorizer.basis.errors import EncodeError
from pipeline.containers.codecs import has_encoder
from pipeline.containers.containers import Container
from pipeline.containers.profiles import PROFILES, Profile
from pipeline.reels.encode import configure
from pipeline.reels.plan import Plan
from pipeline.reels.reel import Reel
from pipeline.reels.scheduling import ordinary
from pipeline.reels.target import target_for


def check_profile(profile: Profile) -> None:
    """Raises EncodeError where FFmpeg here lacks the profile's encoder."""
    if not has_encoder(profile.codec.encoder):
        raise EncodeError(
            f"profile {profile.name} needs the encoder {profile.codec.encoder}, which FFmpeg lacks here; "
            "choose another --profile, or see chromatheque doctor"
        )


def check_limits(out: Path, reel: Reel, profile: Profile, container: Container) -> None:
    """Raises EncodeError for a reel that this profile and this kind of file cannot hold; tried, not looked up."""
    check_profile(profile)
    if reel.fields != "progressive":
        _check_fields(out, profile, container)
    if reel.rotation and not container.turns:
        others = _others(profile, lambda c: c.turns)
        raise EncodeError(f"{out}: {container.suffix} files do not say that a reel is turned; name it {others}")
    if reel.rate * container.tick > 1:
        others = _others(profile, lambda c: not c.tick)
        instead = f"name it {others}" if others else "choose --profile mezzanine and a .mov"
        raise EncodeError(
            f"{out}: {float(reel.rate):g} pictures a second, and {container.suffix} files count milliseconds, so that "
            f"two would have one time; {instead}"
        )
    trial: Any = av.open(io.BytesIO(), "w", format=container.muxer)
    try:
        stream = trial.add_stream(profile.codec.encoder, rate=container.rate_for(reel.rate))
        configure(stream.codec_context, reel, profile, target_for(reel, profile), container)
        with ordinary():
            trial.start_encoding()
    except (ValueError, av.FFmpegError) as error:
        size, rate = f"{reel.width} x {reel.height}", float(reel.rate)
        raise EncodeError(
            f"{out}: {profile.codec.name} in {container.suffix} files does not take pictures of {size} at {rate:g} a "
            "second; choose another --profile"
        ) from error
    finally:
        with suppress(ValueError, av.FFmpegError):  # MXF's muxer does not end a file without pictures
            trial.close()


def _check_fields(out: Path, profile: Profile, container: Container) -> None:
    """Raises EncodeError where neither the pictures nor the file can say that they are interlaced."""
    if profile.codec.fields == "none":
        others = ", ".join(p.name for p in PROFILES.values() if p.codec.fields != "none")
        raise EncodeError(f"{out}: the source is interlaced and {profile.codec.name} is not; choose --profile {others}")
    if container.fields is None:
        others = _others(profile, lambda c: c.fields is not None)
        raise EncodeError(f"{out}: {container.suffix} files do not say that a reel is interlaced; name it {others}")


def _others(profile: Profile, holds: Callable[[Container], bool]) -> str:
    return " or ".join(c.suffix for c in profile.containers if holds(c))


def check_times(out: Path, plan: Plan, profile: Profile, container: Container) -> None:
    """Raises EncodeError for frames at uneven times where a kind of file has one rate and no times.

    A source's own rounding, up to a tick of its time base, is even.
    """
    if container.timed:
        return
    base, rate = plan.reel.time_base, container.rate_for(plan.reel.rate)
    for n, pts in enumerate(plan.pts):
        if abs((pts - plan.pts[0]) * base - n / rate) > base:
            others = _others(profile, lambda c: c.timed)
            raise EncodeError(
                f"{out}: {container.suffix} files have one rate, and frame {n} is not at its time; name it {others}"
            )
