"""Profiles: how outputs are encoded. A profile is one value; every choice and check asks it.

archive keeps every luma code (FFV1); the others are lossy by nature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from colorizer.basis.errors import UnsupportedSource
from pipeline.containers.codecs import AV1, DNXHR, FFV1, H264, HEVC, PRORES, PictureCodec
from pipeline.containers.containers import MATROSKA, MP4, MXF, QUICKTIME, WEBM, Container


@dataclass(frozen=True, slots=True)
class Profile:
    """An output format: a codec of pictures in the containers that it may be written to, the usual one first.

    psnr: luma peak signal-to-noise ratio, dB, below which a lossy output is refused by `verify`. DNxHR has a fixed
    rate: grain of a tenth of the range comes back with 32 dB, where the others spend more bytes.
    """

    name: str
    codec: PictureCodec
    containers: tuple[Container, ...]
    psnr: float
    meaning: str

    @property
    def suffix(self) -> str:
        """Of an output whose name is not chosen."""
        return self.containers[0].suffix

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of all outputs that this profile writes."""
        return tuple(c.suffix for c in self.containers)

    @property
    def lossless(self) -> bool:
        """Whether every luma code comes back."""
        return self.codec.lossless


PROFILES = {
    p.name: p
    for p in (
        Profile("archive", FFV1, (MATROSKA,), 0.0, "FFV1 version 3 with checksums in Matroska; luma bit for bit"),
        Profile("mezzanine", PRORES, (QUICKTIME,), 36.0, "ProRes 422 HQ, 10 bit, in QuickTime"),
        Profile("access", H264, (MP4,), 34.0, "H.264 in MP4, plays everywhere"),
        Profile("hevc", HEVC, (MP4, MATROSKA, QUICKTIME), 34.0, "H.265, 10 bit"),
        Profile("av1", AV1, (MATROSKA, WEBM, MP4), 34.0, "AV1, 10 bit"),
        Profile("dnxhr", DNXHR, (QUICKTIME, MXF), 30.0, "DNxHR HQ, of more than 8 bits HQX"),
    )
}
"""By name. Where several write files of one suffix, the first is its usual one."""


def usual_profiles() -> dict[str, Profile]:
    """The profile that each suffix picks unless another one is named."""
    usual: dict[str, Profile] = {}
    for profile in PROFILES.values():
        for suffix in profile.suffixes:
            usual.setdefault(suffix, profile)
    return usual


def profile_for(out: Path, name: str | None) -> Profile:
    """The profile named, or the one an output's suffix picks. Raises UnsupportedSource naming the choices."""
    suffix = out.suffix.lower()
    if name is not None:
        profile = PROFILES[name]
        if suffix not in profile.suffixes:
            writes = " or ".join(profile.suffixes)
            raise UnsupportedSource(str(out), f"profile {name} writes {writes} files; rename the output")
        return profile
    usual = usual_profiles()
    if suffix in usual:
        return usual[suffix]
    choices = ", ".join(f"{suffix} ({profile.name})" for suffix, profile in usual.items())
    raise UnsupportedSource(str(out), f"the output's suffix picks its format: {choices}")
