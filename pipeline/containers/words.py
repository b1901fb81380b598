"""Words: the chapters and tags of a Matroska file, read whole and written whole (RFC 9559, 5.1.7 and 5.1.8).

FFmpeg shows chapters flat, with one title each, hidden ones too, and tags as a list of names: whatever passes it loses
editions, nesting, languages, targets, and of two tags of one name the first.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from colorizer.basis.errors import JoinError
from pipeline.containers.ebml import Element, Node, elements, first_two, number, read, size, tree, void
from pipeline.values.ebml import EBML, SEGMENT, VOID

SEEK_HEAD, SEEK, SEEK_ID, SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
INFO, TITLE = 0x1549A966, 0x7BA9
TRACKS, TRACK_ENTRY, TRACK_UID, TRACK_TYPE, CODEC_ID = 0x1654AE6B, 0xAE, 0x73C5, 0x83, 0x86
LANGUAGE, LANGUAGE_TAG = 0x22B59C, 0x22B59D
ATTACHMENTS, ATTACHED_FILE, FILE_NAME, FILE_UID = 0x1941A469, 0x61A7, 0x466E, 0x46AE
CHAPTERS, EDITION, ATOM = 0x1043A770, 0x45B9, 0xB6
TAGS, TAG, TARGETS, SIMPLE = 0x1254C367, 0x7373, 0x63C0, 0x67C8

MASTERS = frozenset((CHAPTERS, EDITION, ATOM, 0x80, 0x8F, 0x6944, 0x6911, TAGS, TAG, TARGETS, SIMPLE))
"""Elements of chapters and tags that hold others: displays, tracks and menus of chapters among them."""
SHOWN = (1, 2, 0x11, 0x21)
"""Types of tracks that FFmpeg has streams for: picture, sound, subtitles, metadata."""
MAX_WORDS = 1 << 24
"""Bytes of chapters, or of tags; more is damage."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a file says beside its tracks. title: of its Info element. tags: of all its Tags elements. tracks: UIDs of
    what FFmpeg has as streams, in their order; languages: theirs by BCP 47, "" where it is not said; attachments: file
    names and UIDs."""

    title: str
    chapters: Node | None
    tags: tuple[Node, ...]
    tracks: tuple[int, ...]
    languages: tuple[str, ...]
    attachments: tuple[tuple[str, int], ...]


def read_words(path: Path) -> Words | None:
    """The words of a Matroska file; None for another file. Raises ValueError where they are damaged or too large."""
    with path.open("rb") as file:
        if file.read(4) != EBML.to_bytes(4, "big"):
            return None
        found = list(_top(file)[1])
        whole = [tree(e.kind, _within(file, e), MASTERS) for e in found if e.kind in (CHAPTERS, TAGS)]
        tracks = [entry for e in found if e.kind == TRACKS for entry in _tracks(_within(file, e))]
        info = next((_within(file, e) for e in found if e.kind == INFO), b"")
        return Words(
            tree(INFO, info, frozenset((INFO,))).text(TITLE),
            next((n for n in whole if n.kind == CHAPTERS), None),
            tuple(tag for n in whole if n.kind == TAGS for tag in n.of(TAG)),
            tuple(entry.number(TRACK_UID) for entry in tracks),
            tuple(entry.text(LANGUAGE_TAG) for entry in tracks),
            tuple(pair for e in found if e.kind == ATTACHMENTS for pair in _attachments(file, e)),
        )


def write_words(path: Path, chapters: Node | None, tags: Sequence[Node]) -> None:
    """Give a finished file these chapters instead of its own, and these tags beside its own, at its end.

    What was there becomes empty room, and the list at the beginning points to the new places. Raises JoinError, with
    the file untouched, where it is not laid out as FFmpeg writes it.
    """
    try:
        with path.open("r+b") as file:
            segment, level = _top(file)
            found = list(level)
            if segment.stop != file.seek(0, io.SEEK_END):
                raise ValueError("something follows on its segment")
            _rewrite(file, segment, found, chapters, tags)
    except ValueError as error:
        raise JoinError(f"{path}: cannot write chapters and tags: {error}; mux it again") from error


def _rewrite(
    file: BinaryIO, segment: Element, found: list[Element], chapters: Node | None, tags: Sequence[Node]
) -> None:
    old = [e for e in found if e.kind in (CHAPTERS, TAGS)]
    own = [tag for e in old if e.kind == TAGS for tag in tree(TAGS, _within(file, e), MASTERS).of(TAG)]
    both = Node(TAGS, inside=(*tags, *own))  # of two tags of one name FFmpeg shows the last
    new = [n for n in (chapters, both) if n is not None and n.inside]
    places, data = {}, b""
    for node in new:
        places[node.kind] = segment.stop - segment.body + len(data)
        data += node.checked()
    head = _seek_head(file, found, places)
    length = size(segment.stop - segment.body + len(data), segment.body - segment.start - 4)
    for at, part in [*head, *((e.start, void(e.stop - e.start)) for e in old), (segment.start + 4, length),
                     (segment.stop, data)]:  # fmt: skip
        file.seek(at)
        file.write(part)


def _seek_head(file: BinaryIO, found: list[Element], places: dict[int, int]) -> list[tuple[int, bytes]]:
    """The list of what is where, in the room of the old one, with these elements where they are now."""
    at = next((i for i, e in enumerate(found) if e.kind == SEEK_HEAD), None)
    if at is None:
        return []
    old = found[at]
    after = found[at + 1 : at + 2]
    stop = after[0].stop if after and after[0].kind == VOID else old.stop
    entries = tree(SEEK_HEAD, _within(file, old), frozenset((SEEK_HEAD, SEEK))).inside
    gone = {kind.to_bytes(4, "big") for kind in (CHAPTERS, TAGS)}
    kept = [e for e in entries if not (e.of(SEEK_ID) and e.of(SEEK_ID)[0].data in gone)]
    added = [
        Node(SEEK, inside=(Node(SEEK_ID, k.to_bytes(4, "big")), number(SEEK_POSITION, p))) for k, p in places.items()
    ]
    list_of_all = Node(SEEK_HEAD, inside=(*kept, *added))
    made = list_of_all.checked()
    if len(made) + 1 == stop - old.start:  # no Void has a length of one byte
        made = list_of_all.checked(2)
    if len(made) > stop - old.start:
        raise ValueError("there is no room in its header")
    return [(old.start, made + void(stop - old.start - len(made)))]


def _top(file: BinaryIO) -> tuple[Element, Iterator[Element]]:
    """The segment of a file, and what is in it, up to where it is damaged."""
    head, segment = first_two(elements(file, 0, file.seek(0, io.SEEK_END)))
    if head.kind != EBML or segment.kind != SEGMENT:
        raise ValueError("not a Matroska file")
    return segment, _readable(file, segment)


def _readable(file: BinaryIO, segment: Element) -> Iterator[Element]:
    """The elements up to where they can be walked, and of those behind what the list at the beginning names."""
    listed, stop = [], segment.body
    try:
        for e in elements(file, segment.body, segment.stop):
            listed += _listed(file, segment, e) if e.kind == SEEK_HEAD else []
            stop = e.stop
            yield e
    except ValueError:  # a live recording's clusters have no size
        for start in sorted(set(listed)):
            if stop < start < segment.stop:
                yield from _one(file, start, segment.stop)


def _listed(file: BinaryIO, segment: Element, found: Element) -> list[int]:
    """Where chapters, tags and attachments are said to be."""
    wanted = {kind.to_bytes(4, "big") for kind in (CHAPTERS, TAGS, ATTACHMENTS)}
    entries = tree(SEEK_HEAD, _within(file, found), frozenset((SEEK_HEAD, SEEK))).of(SEEK)
    return [segment.body + e.number(SEEK_POSITION) for e in entries if any(n.data in wanted for n in e.of(SEEK_ID))]


def _one(file: BinaryIO, start: int, stop: int) -> Iterator[Element]:
    with suppress(ValueError):
        found = next(elements(file, start, stop))
        if found.kind in (CHAPTERS, TAGS, ATTACHMENTS):
            yield found


def _within(file: BinaryIO, found: Element) -> bytes:
    if found.stop - found.body > MAX_WORDS:
        raise ValueError(f"its element {found.kind:X} claims {found.stop - found.body} bytes")
    return read(file, found.body, found.stop)


def _tracks(data: bytes) -> list[Node]:
    entries = tree(TRACKS, data, frozenset((TRACKS, TRACK_ENTRY))).of(TRACK_ENTRY)
    return [e for e in entries if e.number(TRACK_TYPE) in SHOWN and e.text(CODEC_ID)]


def _attachments(file: BinaryIO, found: Element) -> Iterator[tuple[str, int]]:
    """Names and UIDs; what the files hold is not read."""
    for one in elements(file, found.body, found.stop):
        if one.kind == ATTACHED_FILE:
            small = [e for e in elements(file, one.body, one.stop) if e.kind in (FILE_NAME, FILE_UID)]
            node = Node(ATTACHED_FILE, inside=tuple(Node(e.kind, _within(file, e)) for e in small))
            yield node.text(FILE_NAME), node.number(FILE_UID)
