"""Limits: what a profile and a kind of file cannot hold of a reel, found before any work is done."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av

from colorizer.basis.errors import EncodeError
from pipeline.containers.codecs import has_encoder
from pipeline.containers.containers import Container
from pipeline.containers.profiles import PROFILES, Profile
from pipeline.reels.encode import configure
from pipeline.reels.reel import Reel
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
    try:
        with av.open(io.BytesIO(), "w", format=container.muxer) as trial:
            stream: Any = trial.add_stream(profile.codec.encoder, rate=reel.rate)
            configure(stream.codec_context, reel, profile, target_for(reel, profile), container)
            trial.start_encoding()
    except (ValueError, av.FFmpegError) as error:
        size, rate = f"{reel.width} x {reel.height}", float(reel.rate)
        raise EncodeError(
            f"{out}: {profile.codec.name} in {container.suffix} files does not take pictures of {size} at {rate:g} a "
            "second; choose another --profile"
        ) from error


def _check_fields(out: Path, profile: Profile, container: Container) -> None:
    """Raises EncodeError where neither the pictures nor the file can say that they are interlaced."""
    if profile.codec.fields == "none":
        others = ", ".join(p.name for p in PROFILES.values() if p.codec.fields != "none")
        raise EncodeError(f"{out}: the source is interlaced and {profile.codec.name} is not; choose --profile {others}")
    if container.fields is None:
        others = " or ".join(c.suffix for c in profile.containers if c.fields is not None)
        raise EncodeError(f"{out}: {container.suffix} files do not say that a reel is interlaced; name it {others}")
