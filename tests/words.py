"""Chapters and tags as catalogers write them with Matroska's own tools: nested, hidden, in two languages, targeted."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av

from pipeline.containers import language_tags, matroska
from pipeline.containers.ebml import Node, number
from pipeline.containers.editions import (
    DISPLAY,
    EDITION_DEFAULT,
    EDITION_HIDDEN,
    EDITION_UID,
    LANGUAGE,
    START,
    STOP,
    STRING,
    UID,
)
from pipeline.containers.film_tags import BINARY, LEVEL, TRACK, TYPE
from pipeline.containers.film_tags import LANGUAGE as TAG_LANGUAGE
from pipeline.containers.film_tags import NAME as TAG_NAME
from pipeline.containers.film_tags import STRING as TAG_STRING
from pipeline.containers.words import ATOM, CHAPTERS, EDITION, SIMPLE, TAG, TARGETS, read_words, write_words


def text(kind: int, value: str) -> Node:
    """A text."""
    return Node(kind, value.encode())


def atom(uid: int, start: int, stop: int | None, titles: dict[str, str], *inside: Node) -> Node:
    """A chapter. start, stop: milliseconds; titles: by language."""
    times = [number(START, start * 10**6), *([number(STOP, stop * 10**6)] if stop is not None else [])]
    shown = [Node(DISPLAY, inside=(text(STRING, t), text(LANGUAGE, lang))) for lang, t in titles.items()]
    return Node(ATOM, inside=(number(UID, uid), *times, *shown, *inside))


def simple(name: str, value: str | bytes, language: str = "", *inside: Node) -> Node:
    """A tag."""
    held = Node(BINARY, value) if isinstance(value, bytes) else text(TAG_STRING, value)
    said = (text(TAG_LANGUAGE, language),) if language else ()
    return Node(SIMPLE, inside=(text(TAG_NAME, name), *said, held, *inside))


def tag(*simples: Node, level: int = 0, kind: str = "", track: int = 0) -> Node:
    """Tags about one thing."""
    at = [number(LEVEL, level)] * bool(level) + [text(TYPE, kind)] * bool(kind) + [number(TRACK, track)] * bool(track)
    return Node(TAG, inside=(Node(TARGETS, inside=tuple(at)), *simples))


NESTED = atom(102, 250, 500, {"eng": "Nested"})
FIRST = atom(101, 0, 500, {"eng": "First reel", "ger": "Erste Rolle"}, NESTED)
SHOWN = Node(EDITION, inside=(number(EDITION_UID, 11), number(EDITION_DEFAULT, 1), FIRST,
                              atom(103, 500, None, {"eng": "Second reel"})))  # fmt: skip
HIDDEN = Node(EDITION, inside=(number(EDITION_UID, 12), number(EDITION_HIDDEN, 1),
                               atom(201, 750, None, {"eng": "Hidden note"})))  # fmt: skip
EDITIONS = Node(CHAPTERS, inside=(SHOWN, HIDDEN))

FILM = tag(
    simple("SUBJECT", "Harbors", "eng"), simple("SUBJECT", "Steamships", "eng"),
    simple("ACTOR", "A. Person", "eng", simple("CHARACTER", "Pilot")), simple("SEAL", b"\0\1\2"),
)  # fmt: skip
SHOT = tag(simple("TITLE", "Pier, from the north", "ger"), level=30, kind="SHOT")
TRACK_TAG = tag(simple("SOUND_ENGINEER", "B. Person"), simple("BPS", "768000"), track=2)
TAGS = (FILM, SHOT, TRACK_TAG)


def in_languages(
    source: Path, path: Path, languages: Mapping[int, tuple[str, str]], sar: Fraction = Fraction(1)
) -> Path:
    """A Matroska file's packets in a new one, where tracks have languages by ISO 639-2 and BCP 47, by their index."""
    with av.open(str(source)) as old, av.open(str(path), "w") as made:
        streams = [made.add_stream_from_template(s) for s in old.streams]
        streams[0].metadata["title"] = matroska.reserve("")
        for index, both in languages.items():
            streams[index].metadata["language"] = language_tags.reserve(*both)
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    language_tags.put(path)
    matroska.set_display_size(path, sar)
    return path


def cataloged(path: Path) -> Path:
    """Give a Matroska file these chapters and tags, and its first sound track's maker."""
    found = read_words(path)
    assert found is not None
    sound = tag(simple("SOUND_ENGINEER", "B. Person"), simple("BPS", "768000"), track=found.tracks[1])
    write_words(path, EDITIONS, (FILM, SHOT, sound))
    return path
