"""Profiles: how outputs are encoded.

archive keeps every luma code (FFV1); mezzanine (ProRes 422 HQ) and access (H.264) are lossy by nature.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from colorizer.basis.errors import UnsupportedSource


@dataclass(frozen=True, slots=True)
class Profile:
    """An output format. options: of the encoder; threads: fixed, since x264's output depends on it.

    H.264 does without B-frames: segments then join at any length, with decoding times that need no repair.

    psnr: luma peak signal-to-noise ratio, dB, below which a lossy output is refused by `verify`.
    """

    name: str
    suffix: str
    codec: str
    options: tuple[tuple[str, str], ...]
    threads: int
    lossless: bool
    psnr: float
    meaning: str


PROFILES = {
    p.name: p
    for p in (
        Profile(
            "archive", ".mkv", "ffv1",
            (("level", "3"), ("g", "1"), ("slicecrc", "1"), ("coder", "1"), ("context", "0")), 2, True, 0.0,
            "FFV1 version 3 with checksums in Matroska; luma bit for bit",
        ),
        Profile(
            "mezzanine", ".mov", "prores_ks", (("profile", "3"), ("vendor", "apl0")), 2, False, 36.0,
            "ProRes 422 HQ, 10 bit, in QuickTime",
        ),
        Profile(
            "access", ".mp4", "libx264", (("preset", "medium"), ("crf", "16"), ("bf", "0")), 2, False, 34.0,
            "H.264 in MP4, plays everywhere",
        ),
    )
}  # fmt: skip


def profile_for(out: Path, name: str | None) -> Profile:
    """The profile named, or the one an output's suffix picks. Raises UnsupportedSource naming the choices."""
    if name is not None:
        profile = PROFILES[name]
        if out.suffix.lower() != profile.suffix:
            raise UnsupportedSource(str(out), f"profile {name} writes {profile.suffix} files; rename the output")
        return profile
    for profile in PROFILES.values():
        if out.suffix.lower() == profile.suffix:
            return profile
    choices = ", ".join(f"{p.suffix} ({p.name})" for p in PROFILES.values())
    raise UnsupportedSource(str(out), f"the output's suffix picks its format: {choices}")
