"""Trial: what an output container holds, found by writing a small file and reading it back. Tried, not looked up."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

MUXERS = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}
TAGS = {".mkv": {}, ".mov": {"movflags": "use_metadata_tags"}, ".mp4": {"movflags": "use_metadata_tags"}}
"""Options of the muxers that decide which tags they hold."""


@dataclass(frozen=True, slots=True)
class Held:
    """What came back of a track's tags and flags and of a file's chapters."""

    tags: dict[str, str]
    flags: int
    chapters: tuple[dict[str, Any], ...]


def held(
    suffix: str, tags: Mapping[str, str] | None = None, flags: int = 0, chapters: Sequence[dict[str, Any]] = ()
) -> Held:
    """A tenth of a second of silence with these tags, flags and chapters, written and read again."""
    file = io.BytesIO()
    with av.open(file, "w", format=MUXERS[suffix], container_options=TAGS[suffix]) as trial:
        stream = trial.add_stream("pcm_s16le", rate=8000, layout="mono")
        stream.metadata.update(tags or {})
        stream.disposition = av.stream.Disposition(flags)
        if chapters:
            trial.set_chapters([dict(c) for c in chapters])  # type: ignore[misc]
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 8000, 0
        trial.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    with av.open(file) as made:
        back = made.streams.audio[0]
        return Held(dict(back.metadata), int(back.disposition), tuple(dict(c) for c in made.chapters()))
