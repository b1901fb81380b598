"""Language tags: what a Matroska track says of its language and region by BCP 47, such as de-CH (RFC 9559, 12.1).

FFmpeg neither reads nor writes them. An output's track gets, as its language, a text as long as both elements are, and
in the finished file both take its place: no other byte moves.

    stream.metadata["language"] = language_tags.reserve("ger", "de-CH")   # before the first packet
    ...                                                                   # mux, close
    language_tags.put(path)
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from colorizer.basis.errors import JoinError
from pipeline.containers.ebml import element, parse
from pipeline.containers.matroska import TRACK_ENTRY, find_tracks
from pipeline.containers.words import LANGUAGE, LANGUAGE_TAG
from pipeline.storage.atomic import writable
from pipeline.values.ebml import CRC_32

MARK = "~+~+"
"""As long as the header of the second element."""
TAG = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,8}")
"""The form that tags have (RFC 5646, 2.1)."""


def is_tag(text: str) -> bool:
    """Whether a text is one that is written; any other is named as lost."""
    return TAG.fullmatch(text) is not None


def reserve(language: str, tag: str) -> str:
    """The language to give a stream before muxing. language: by ISO 639-2, for readers that know no tags."""
    return f"{language}{MARK}{tag}"


def put(path: Path) -> None:
    """Write the language tags of all tracks that were muxed with `reserve`, in place, at the length that is there.

    Raises JoinError, with the file untouched, where it is not laid out as a muxer writes it, and StorageError.
    """
    try:
        with writable(path), path.open("r+b") as file:
            tracks = find_tracks(file)
            file.seek(tracks.body)
            old = file.read(tracks.stop - tracks.body)
            new = _whole(b"".join(_entry(old[e.start : e.stop], e.kind) for e in parse(old) if e.kind != CRC_32), old)
            if len(new) != len(old):
                raise ValueError("its Tracks element would change length")
            file.seek(tracks.body)
            file.write(new)
    except ValueError as error:
        raise JoinError(f"{path}: cannot write language tags: {error}; mux it again") from error


def _whole(data: bytes, old: bytes) -> bytes:
    """What is in Tracks, with a checksum in front if there was one (RFC 8794, 11.3.1)."""
    if all(e.kind != CRC_32 for e in parse(old)):
        return data
    return element(CRC_32, zlib.crc32(data).to_bytes(4, "little")) + data


def _entry(raw: bytes, kind: int) -> bytes:
    [whole] = parse(raw)
    if kind != TRACK_ENTRY:
        return raw
    data = raw[whole.body :]
    return raw[: whole.body] + b"".join(_languages(data[e.start : e.stop], e.kind) for e in parse(data))


def _languages(raw: bytes, kind: int) -> bytes:
    [whole] = parse(raw)
    language, mark, tag = raw[whole.body :].partition(MARK.encode())
    return element(LANGUAGE, language) + element(LANGUAGE_TAG, tag) if kind == LANGUAGE and mark else raw
