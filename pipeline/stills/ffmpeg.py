"""Stills that FFmpeg decodes: a file's picture as a frame, a frame's planes as samples."""

from __future__ import annotations

import av
import av.error
import numpy as np

from colorizer.basis.errors import UnsupportedSource
from pipeline.stills.layout import CONVERT
from pipeline.values.file_url import local


def frame_of(path: str, kind: str, name: str) -> av.VideoFrame:
    """The picture in a file. kind: FFmpeg's name of the format; name: for people.

    Raises UnsupportedSource where FFmpeg knows the kind and has no decoder for it (of some it says "not permitted"),
    FFmpeg's own errors, StopIteration.
    """
    try:
        with av.open(local(path), format=kind) as container:
            return next(container.decode(video=0))
    except (av.error.PatchWelcomeError, av.error.PermissionError) as error:
        raise UnsupportedSource(path, f"a kind of {name} that is not read; {CONVERT}") from error


def planes_of(frame: av.VideoFrame, kind: np.dtype) -> list[np.ndarray]:
    """A frame's planes as they lie, each of its own size; big-endian ones are turned. kind: of a sample."""
    stored = kind.newbyteorder(">" if frame.format.name.endswith("be") else "<")
    rows = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
            :, : plane.width * kind.itemsize
        ]
        for plane in frame.planes
    ]
    return [np.ascontiguousarray(row).view(stored).astype(kind) for row in rows]


def samples_of(frame: av.VideoFrame, kind: np.dtype) -> np.ndarray:
    """A frame's planes of one size as (h, w, n); those of "gbr" formats as R, G, B."""
    planes = planes_of(frame, kind)
    if frame.format.name.startswith("gb"):
        planes = [planes[2], planes[0], planes[1], *planes[3:]]
    return np.stack(planes, -1)
