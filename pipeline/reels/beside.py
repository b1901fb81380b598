"""What a frame carries beside its samples, such as captions: counted by name, since no output holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av

from pipeline.values.finding import Finding

KINDS = {
    "A53_CC": "closed captions", "AFD": "active format description", "S12M_TIMECODE": "time code of each frame",
    "GOP_TIMECODE": "time code of each group of pictures", "MASTERING_DISPLAY_METADATA": "HDR mastering display",
    "CONTENT_LIGHT_LEVEL": "HDR light level", "DYNAMIC_HDR_PLUS": "HDR10+", "DOVI_RPU_BUFFER": "Dolby Vision",
    "DOVI_METADATA": "Dolby Vision", "DYNAMIC_HDR_VIVID": "HDR Vivid", "AMBIENT_VIEWING_ENVIRONMENT": "ambient light",
    "FILM_GRAIN_PARAMS": "parameters of film grain", "SPHERICAL": "spherical projection", "ICC_PROFILE": "ICC profile",
}  # fmt: skip
"""FFmpeg's kinds of side data that say something of the film, in words. Left out: what decoders say of their work, what
is carried (display matrix, stereo mode), and what encoders say of themselves."""


def beside(frame: av.VideoFrame) -> set[str]:
    """What a frame carries beside its samples, by name."""
    try:
        held: Any = frame.side_data
        return {KINDS[kind.type.name] for kind in held if kind.type.name in KINDS}
    except ValueError:  # a kind that PyAV has no name for, such as Exif's of a picture
        return set()


def check_beside(found: Mapping[str, int]) -> list[Finding]:
    """A finding for each kind that a source's frames carry, with how many do."""
    return [
        Finding(name, False, f"in {count} frame{'s' * (count != 1)}; no output holds it")
        for name, count in sorted(found.items())
    ]
