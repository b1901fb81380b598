"""Holding: what a kind of file holds, found by writing a small one and reading it back. Tried, not looked up."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from pipeline.containers.containers import Container


@dataclass(frozen=True, slots=True)
class Held:
    """What came back of a track's tags and flags and of a file's chapters."""

    tags: dict[str, str]
    flags: int
    chapters: tuple[dict[str, Any], ...]


def held(
    container: Container,
    tags: Mapping[str, str] | None = None,
    flags: int = 0,
    chapters: Sequence[dict[str, Any]] = (),
) -> Held:
    """A tenth of a second of silence with these tags, flags and chapters, written and read again."""
    if not container.labels:
        return Held({}, 0, ())
    file = io.BytesIO()
    with av.open(file, "w", format=container.muxer, container_options=dict(container.options)) as trial:
        codec = container.trial
        stream: Any = trial.add_stream(codec.encoder, rate=(rate := codec.rate_for(8000)), layout="mono")
        stream.codec_context.format = codec.wave
        stream.metadata.update(tags or {})
        stream.disposition = av.stream.Disposition(flags)
        if chapters:
            trial.set_chapters([dict(c) for c in chapters])  # type: ignore[misc]
        frame = av.AudioFrame.from_ndarray(np.zeros((1, rate // 10), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = rate, 0
        trial.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    with av.open(file) as made:
        back = made.streams.audio[0]
        return Held(dict(back.metadata), int(back.disposition), tuple(dict(c) for c in made.chapters()))
