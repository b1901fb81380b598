"""Language tags: what a Matroska track says of its language and region by BCP 47, such as de-CH (RFC 9559, 12.1).

FFmpeg neither reads nor writes them. An output's track gets, as its language, a text as long as both elements are, and
in the finished file both take its place: no other byte moves.

    stream.metadata["language"] = language_tags.reserve("ger", "de-CH")   # before the first packet
    ...                                                                   # mux, close
    language_tags.put(path)
"""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.containers.ebml import element, parse
from pipeline.containers.matroska import TRACK_ENTRY, change_tracks, whole_tracks
from pipeline.containers.words import LANGUAGE, LANGUAGE_TAG
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

    def tagged(tracks: bytes) -> bytes:
        inside = [_entry(tracks[e.start : e.stop], e.kind) for e in parse(tracks) if e.kind != CRC_32]
        return whole_tracks(inside, tracks)

    change_tracks(path, "language tags", tagged)


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
