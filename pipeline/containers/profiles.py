"""Profiles: how outputs are encoded, and what a source's luma becomes in each.

archive keeps every luma code (FFV1); mezzanine (ProRes 422 HQ) and access (H.264) are lossy by nature, so there the
codes that go into the encoder are the source's, exactly represented.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from colorizer.basis.errors import UnsupportedSource
from colorizer.color.color import Coding
from pipeline.reels.frames import YUV_DEPTHS
from pipeline.reels.reel import Reel


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


@dataclass(frozen=True, slots=True)
class Target:
    """What a reel's pictures become in a profile.

    coding: of the output's planes; chroma is found for it. rescale: the source is full range and the format cannot
    say so, so luma is mapped to the limited range (one to one where that has codes enough).
    """

    pix_fmt: str
    coding: Coding
    step_y: int
    step_x: int
    rescale: bool
    source: Coding

    def luma(self, codes: np.ndarray) -> np.ndarray:
        """Source luma codes as the output stores them; the very same codes where depth and range agree."""
        if self.rescale:
            black, white = self.coding.luma_range
            top = 2**self.source.bits - 1
            mapped = (codes.astype(np.uint32) * (2 * (white - black)) + top) // (2 * top) + black
            return mapped.astype(np.uint16)
        shift = self.coding.bits - self.source.bits
        if shift == 0:
            return codes
        if shift > 0:
            return codes.astype(np.uint16) << shift
        rounded = (codes.astype(np.uint32) + (1 << (-shift - 1))) >> -shift
        return np.minimum(rounded, 2**self.coding.bits - 1).astype(np.uint8 if self.coding.bits == 8 else np.uint16)


NAMES = {
    (2, 2): "yuv420p", (1, 2): "yuv422p", (1, 1): "yuv444p", (2, 1): "yuv440p", (1, 4): "yuv411p", (4, 4): "yuv410p",
}  # fmt: skip
"""Planar formats by luma samples per chroma sample (vertical, horizontal)."""

FEW_DEPTHS = {"yuv440p": (8, 10, 12), "yuv411p": (8,), "yuv410p": (8,)}


def target_for(reel: Reel, profile: Profile) -> Target:
    """The output's pixel format for a reel."""
    source = reel.coding

    def target(name: str, bits: int, steps: tuple[int, int]) -> Target:
        coding = Coding(bits, source.full_range, source.matrix, source.primaries)
        return Target(name + YUV_DEPTHS[bits], coding, *steps, False, source)

    if profile.name == "mezzanine":
        coding = Coding(10, False, source.matrix, source.primaries)
        return Target("yuv422p10le", coding, 1, 2, source.full_range, source)
    if profile.name == "access":
        odd = reel.width % 2 or reel.height % 2  # H.264 shares chroma between pairs of samples
        return target("yuv444p" if odd else "yuv420p", 8 if source.bits == 8 else 10, (1, 1) if odd else (2, 2))
    steps = archive_steps(reel)
    name = NAMES.get(steps, "yuv444p")
    bits = next((d for d in FEW_DEPTHS.get(name, tuple(YUV_DEPTHS)) if d >= source.bits), 0)
    if steps not in NAMES or not bits:
        name, steps, bits = "yuv444p", (1, 1), next(d for d in YUV_DEPTHS if d >= source.bits)
    return target(name, bits, steps)


def archive_steps(reel: Reel) -> tuple[int, int]:
    """Luma samples per chroma sample in the archive profile: the source's own; 4:2:0 for gray, none for RGB."""
    layout = reel.layout
    if layout.kind == "rgb":
        return 1, 1
    return (layout.step_y, layout.step_x) if layout.step_x else (2, 2)
