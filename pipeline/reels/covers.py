"""Covers of a film: pictures beside the moving one, carried as attachments or in boxes, whichever a container has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from av.stream import Disposition

from pipeline.containers.containers import CONTAINERS, Container
from pipeline.reels.reel import open_source, packets_of, readable
from pipeline.values.finding import Finding
from pipeline.values.words import in_bytes

COVER = "cover"
"""The kind of a cover's fate."""
TYPES = {
    "mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp"),
    "gif": ("gif", "image/gif"), "tiff": ("tif", "image/tiff"), "webp": ("webp", "image/webp"),
}  # fmt: skip
"""Suffix and media type by FFmpeg's names of codecs."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover. index: of its stream; codec: FFmpeg's name; name, kind: of its file, made up where it has none."""

    index: int
    codec: str
    name: str
    kind: str
    data: bytes = field(repr=False)


def is_cover(stream: Any) -> bool:
    """Whether a stream is a picture beside the film, and none of its own."""
    return bool(int(stream.disposition) & Disposition.attached_pic)


def unheld(codec: str, container: Container) -> str:
    """Why an output of this kind does not hold a cover of this codec; "" if it does."""
    if container.attachments and codec in TYPES:
        return ""
    if codec in container.cover_kinds:
        return ""
    if container.attachments or container.cover_kinds:
        return f"{container.suffix} files hold no cover that is {codec or 'of an unknown kind'}"
    those = ", ".join(c.suffix for c in CONTAINERS.values() if c.attachments or c.cover_kinds)
    return f"only {those} files hold covers"


def covers_of(uri: str, indices: Sequence[int]) -> list[Cover]:
    """The covers that are these streams of a file, in this order; those without a picture left out.

    Raises SourceError, UnreadableSource.
    """
    found: dict[int, Cover] = {}
    with readable(uri), open_source(uri) as container:
        streams = [container.streams[index] for index in indices]
        for packet in packets_of(container, streams) if streams else ():
            stream: Any = packet.stream
            if packet.size and stream.index not in found:
                found[stream.index] = _cover(stream, bytes(packet), len(found))
            if len(found) == len(streams):
                break
    return [found[index] for index in indices if index in found]


def _cover(stream: Any, data: bytes, number: int) -> Cover:
    codec = stream.codec_context.name if stream.codec_context else ""
    suffix, kind = TYPES.get(codec, ("bin", "application/octet-stream"))
    name = PurePosixPath(str(stream.metadata.get("filename", ""))).name
    usual = f"cover{f'_{number + 1}' * bool(number)}.{suffix}"
    return Cover(stream.index, codec, name or usual, str(stream.metadata.get("mimetype", "")) or kind, data)


def check_covers(source: str, output: str, indices: Sequence[int]) -> list[Finding]:
    """Whether each cover of a source is in an output, byte for byte. indices: streams of the source."""
    if not indices:
        return []
    with readable(output), open_source(output) as container:
        there = [s.index for s in container.streams.video if is_cover(s)]
    have = Counter(sha256(cover.data).digest() for cover in covers_of(output, there))
    missing = []
    for cover in covers_of(source, indices):
        digest = sha256(cover.data).digest()
        missing += [cover] if not have[digest] else []
        have[digest] -= 1
    gone = ", ".join(f"{cover.name} ({in_bytes(len(cover.data))})" for cover in missing)
    return [Finding("covers", not missing, f"not in the output: {gone}" if missing else f"{len(indices)}, identical")]
