"""Film tags: the tags of a Matroska file, which have targets, languages and tags inside them.

Carried whole into another Matroska file, or named where another container keeps their values under longer names or not
at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.containers.ebml import Node, number
from pipeline.containers.words import SIMPLE, TARGETS, Words

LEVEL, TYPE = 0x68CA, 0x63CA
TRACK, EDITION, CHAPTER, ATTACHMENT = 0x63C5, 0x63C9, 0x63C4, 0x63C6
NAME, STRING, LANGUAGE, BCP47, BINARY = 0x45A3, 0x4487, 0x447A, 0x447B, 0x4485
FILM = 50
"""The level of a tag that does not say it: the film itself (RFC 9559, 5.1.8.1.1.1)."""
MARKS = ("comment", "digital_source_type", "source_sha256")
"""Names of the tags by which an output's container says how it was made."""

NOT_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "timecode", "duration")
"""Container tags that describe the old file, not the film."""

NOT_STREAM_TAGS = ("encoder", "duration", "bps", "number_of_", "_statistics", "timecode", "vendor_id", "rotate")
"""How names of a track's tags begin that describe the old file."""

KINDS = {TRACK: "track", EDITION: "edition", CHAPTER: "chapter", ATTACHMENT: "attachment"}


@dataclass(frozen=True, slots=True)
class Targets:
    """UIDs of the output's for a source's; of the same kind of thing, one that is not there is in no output."""

    tracks: Mapping[int, int]
    attachments: Mapping[int, int]
    chapters: Collection[int]

    def of(self, node: Node) -> Node | None:
        """A UID as the output has it; None where what it is about is not there. 0 is all of a kind."""
        uid = int.from_bytes(node.data, "big")
        if not uid or node.kind not in KINDS:
            return node
        if node.kind in (EDITION, CHAPTER):
            return node if uid in self.chapters else None
        now = (self.tracks if node.kind == TRACK else self.attachments).get(uid)
        return number(node.kind, now) if now is not None else None


def carried(tags: Iterable[Node], targets: Targets, describes: Callable[[str, str, bool], bool]) -> list[Node]:
    """The tags of an output.

    describes: (name, value, whether it is of a track), whether a tag describes the old file and not the film. Tags of
    tracks, chapters and attachments that are not in the output go with these.
    """
    kept = []
    for tag in tags:
        at = _targets(tag)
        mine = at.each(targets.of)
        if _about(at) and not _about(mine):
            continue
        of_film = not _about(at) and at.number(LEVEL, FILM) == FILM and not at.of(TYPE)
        of_track = bool(at.of(TRACK))
        asked = of_film or of_track
        simple = [s for s in tag.of(SIMPLE) if not (asked and describes(s.text(NAME), plain(s.text(STRING)), of_track))]
        if simple:
            others = [n for n in tag.inside if n.kind not in (TARGETS, SIMPLE)]
            kept.append(replace(tag, inside=(mine, *others, *simple)))
    return kept


def named(tags: Iterable[Node]) -> Iterator[tuple[str, str]]:
    """Names and values of all tags, those inside others too."""
    for tag in tags:
        for simple in tag.of(SIMPLE):
            yield simple.text(NAME), plain(simple.text(STRING))
            yield from named([simple])


def without(tags: Iterable[Node], spoken: Callable[[str, str], str]) -> list[Node]:
    """The tags but for those of which `spoken` says something, by name and value, with all that is inside them."""

    def kept(node: Node) -> Node | None:
        if node.kind != SIMPLE:
            return node
        return None if spoken(node.text(NAME), plain(node.text(STRING))) else node.each(kept)

    return [left for tag in tags if (left := tag.each(kept)).of(SIMPLE) or not tag.of(SIMPLE)]


def missing(wanted: Sequence[Node], found: Sequence[Node]) -> list[str]:
    """Tags that an output lacks, by name and value."""
    left = Counter(found)
    lost = []
    for tag in wanted:
        if left[tag]:
            left[tag] -= 1
        else:
            lost += [str(w) for w in _words(tag)]
    return lost


def gone(tags: Sequence[Node], values: Iterable[str]) -> list[str]:
    """Tags whose values are not among those that another container has; of two of one value, one of them."""
    left = Counter(map(plain, values))
    lost = []
    for word in (w for tag in tags for w in _words(tag)):
        if left[word.value] and not word.binary:
            left[word.value] -= 1
        elif not any(v.startswith(f"{word.value} | ") for v in left):
            lost.append(str(word))
    return lost


def flattened(tags: Sequence[Node]) -> str:
    """What of the tags' order becomes a part of names, or goes, where a container has names and values only."""
    words = [w for tag in tags for w in _words(tag)]
    levels = {w.target for w in words if w.target}
    return ", ".join([*sorted(levels), *(w.path for w in words if "/" in w.path)])


@dataclass(frozen=True, slots=True)
class _Word:
    target: str
    path: str
    value: str
    language: str
    binary: bool

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.target, self.language)))
        return f"{self.path} {self.value!r}{f' ({where})' * bool(where)}"


def _words(tag: Node) -> Iterator[_Word]:
    at = _targets(tag)
    level = at.text(TYPE) or (str(at.number(LEVEL)) if at.number(LEVEL, FILM) != FILM else "")
    about = [KINDS[kind] for kind, _ in groupby(n.kind for n in at.inside if n.kind in KINDS)]
    for simple in tag.of(SIMPLE):
        yield from _word(simple, ", ".join(filter(None, (level, *about))), "")


def _word(simple: Node, target: str, above: str) -> Iterator[_Word]:
    path, language = above + simple.text(NAME), simple.text(BCP47) or simple.text(LANGUAGE, "und")
    data = simple.of(BINARY)
    value = f"{len(data[0].data)} bytes" if data else plain(simple.text(STRING))
    if value:
        yield _Word(target, path, value, language if language != "und" else "", bool(data))
    for inner in simple.of(SIMPLE):
        yield from _word(inner, target, f"{path}/")


def is_tag(key: str) -> bool:
    """Whether a container's tag says something of the film. QuickTime adds a language: encoder-eng."""
    return re.sub(r"-[a-z]{3}$", "", key.lower()) not in NOT_TAGS


def is_stream_tag(key: str) -> bool:
    """Whether a track's tag says something of the film."""
    return not key.lower().startswith(NOT_STREAM_TAGS)


def plain(text: str) -> str:
    """A tag's value as every container gives it back; keys are respelled (Matroska: GENERATED_BY), values are not."""
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


def count(tags: Iterable[Node]) -> int:
    """How many there are, those inside others too."""
    return sum(1 for tag in tags for _ in _words(tag))


def same_tracks(source: Words, output: Words, pairs: Iterable[tuple[int, int]], streams: int) -> dict[int, int]:
    """The output's UIDs for a source's tracks. pairs: streams of source and output; streams: of the source, no
    attachments. Empty where FFmpeg counts tracks in another way."""
    if len(source.tracks) != streams:
        return {}
    known = [(a, b) for a, b in pairs if a < len(source.tracks) and b < len(output.tracks)]
    return {source.tracks[a]: output.tracks[b] for a, b in known}


def same_attachments(source: Words, output: Words) -> dict[int, int]:
    """The output's UIDs for a source's attachments, by their names."""
    now = dict(output.attachments)
    return {uid: now[name] for name, uid in source.attachments if name in now}


def _targets(tag: Node) -> Node:
    return next(iter(tag.of(TARGETS)), Node(TARGETS))


def _about(targets: Node) -> list[Node]:
    return [n for n in targets.inside if n.kind in KINDS]
