"""Heard: what a track of sound says when it is asked for its layout, and decoded; found in a process apart.

Valid tracks exist that end the process inside PyAV when they are asked; to take their packets is safe. Of such a track
nothing is known here, and whoever asks does with its packets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from colorizer.basis.errors import WorkerDied
from pipeline.reels.reel import open_source, readable
from pipeline.reels.sound_kinds import SoundKinds, sound_kinds
from pipeline.spread.apart import Answer, called

TRIES = 2
"""Deaths that are the track's fault; one may be an accident."""

PLACES = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}
"""What so many channels are taken for where a file only counts them (AVI, WMV, MXF): AAC and MP4 want to know."""


@dataclass(frozen=True, slots=True)
class Heard:
    """rate: samples per second, 0 if not said. layout: as `places`. bits: as `bits_of`. kinds: None if not decoded.

    said: the layout as FFmpeg reads it, `4 channels` where the file only counts them.
    """

    rate: int
    layout: str
    bits: int
    kinds: SoundKinds | None = None
    said: str = ""


def heard(uri: str, index: int, decode: bool) -> Heard | None:
    """What a track is; None where it ends the process that asks it. decode: all of it. Raises SourceError."""
    for _ in range(TRIES):
        try:
            facts, _ = called("pipeline.reels.heard:heard_apart", [uri, index, decode])
        except WorkerDied:
            continue
        kinds = facts["kinds"]
        if kinds is not None:
            at = tuple(Fraction(time) for time in kinds["at"])
            kinds = SoundKinds(tuple((rate, name) for rate, name in kinds["kinds"]), at, Fraction(kinds["seconds"]))
        return Heard(facts["rate"], facts["layout"], facts["bits"], kinds, facts["said"])
    return None


def heard_apart(values: Any, data: list[bytes]) -> Answer:
    """The other side of `heard`."""
    uri, index, decode = values
    with readable(uri), open_source(uri) as container:
        context: Any = container.streams[index].codec_context
        facts = {"rate": context.sample_rate or 0, "layout": places(context), "bits": bits_of(context), "kinds": None}
        facts["said"] = str(context.layout.name)
    if decode:
        found = sound_kinds(uri, index)
        facts["kinds"] = {"kinds": found.kinds, "at": list(map(str, found.at)), "seconds": str(found.seconds)}
    return facts, None


def places(context: Any) -> str:
    """Layout of a sound track's channels: as the file says, else by their number; "" where nothing is usual."""
    name, count = str(context.layout.name), int(context.layout.nb_channels)
    return PLACES.get(count, "") if name == f"{count} channels" else name


def bits_of(context: Any) -> int:
    """Bits that a sample of a lossless codec may need; floating point counts as a width of its own. 0: a lossy codec.

    PCM says it by its name, FLAC and ALAC in their headers, others only by the format that they are decoded to.
    """
    header = bytes(context.extradata or b"")
    if stored := re.match(r"pcm_[suf](\d+)", context.name):
        return int(stored[1])
    if context.name == "flac" and len(header) >= 34:
        return ((header[12] & 1) << 4 | header[13] >> 4) + 1  # RFC 9639, 8.2
    if context.name == "alac" and len(header) >= 36:
        return header[17]
    lossless = context.codec.lossless and context.format is not None
    return 8 * int(context.format.bytes) if lossless else 0
