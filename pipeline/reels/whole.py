"""Whole: chapters and tags of a Matroska source, as they are in a Matroska output, or named where another has less."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from av.stream import Disposition

from pipeline.containers import editions, film_tags
from pipeline.containers.chapters import TICK
from pipeline.containers.containers import Container
from pipeline.containers.ebml import Node
from pipeline.containers.film_tags import MARKS, Targets, is_stream_tag, is_tag
from pipeline.containers.language_tags import is_tag as is_language_tag
from pipeline.containers.words import Words, read_words, write_words
from pipeline.reels.reel import is_pattern, readable
from pipeline.storage.atomic import writable
from pipeline.values.claims import claim, why_not
from pipeline.values.finding import Finding

Span = tuple[Fraction, Fraction, Fraction]
"""Seconds at which a piece begins and ends, and that are taken off its times."""

FFMPEGS = ("language", "title", "stereo_mode", "alpha_mode", "filename", "mimetype")
"""What FFmpeg says of a stream that is no tag in a Matroska file."""


def words_of(uri: str) -> Words | None:
    """The words of a Matroska source; None of another one, and of one in which they are damaged."""
    try:
        return _words(uri)
    except ValueError:
        return None


FRESH = 100_000_000
"""Nanoseconds within which a file may be written again and look the same by its times, which go in steps."""


def _words(uri: str) -> Words | None:
    """Of a file that stays as it is they are looked for once: a film of hours has many thousand elements to pass."""
    if is_pattern(uri):
        return None
    with readable(uri):
        now = Path(uri).stat()
        if time.time_ns() - now.st_mtime_ns < FRESH:
            return read_words(Path(uri))
        return _read(uri, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns))


@lru_cache(maxsize=4)
def _read(uri: str, stamp: tuple[int, ...]) -> Words | None:
    return read_words(Path(uri))


def chapters_for(source: Any, uri: str, container: Container) -> list[Any]:
    """Chapters that FFmpeg is to write: none where they are written whole afterwards."""
    words = words_of(uri)
    if words is None:
        return list(source.chapters())
    if container.whole or words.chapters is None:
        return []
    return editions.flat(words.chapters, Fraction(source.duration or 0, 1_000_000))


def tags_for(source: Any, uri: str, container: Container) -> dict[str, str]:
    """Tags of the film that FFmpeg is to write, those that describe the old file left out."""
    words = words_of(uri) if container.whole else None
    tags = {k: v for k, v in source.metadata.items() if is_tag(k) and not claimed_in(k, v)}
    if words is None:
        return tags
    kept = {k: v for k, v in tags.items() if k.lower() in (*MARKS, CREATED)}
    return {**kept, "title": words.title} if words.title else kept


def stream_tags_for(like: Any, uri: str, container: Container) -> dict[str, str]:
    """The same of a stream."""
    whole = container.whole and words_of(uri) is not None
    tags = {k: v for k, v in like.metadata.items() if not claimed_in(k, v)}
    return {k: v for k, v in tags.items() if not whole or k.lower() in FFMPEGS}


def language_tags_of(source: Any, uri: str, container: Container) -> dict[int, str]:
    """Languages by BCP 47 that a Matroska output takes over from a Matroska source, by index of its streams."""
    words = words_of(uri) if container.whole else None
    if words is None or len(words.languages) != _streams(source):
        return {}
    return {index: tag for index, tag in enumerate(words.languages) if is_language_tag(tag)}


def claimed_in(key: str, value: str) -> str:
    """The words by which a tag speaks of the source's own bytes; "" if it does not. Our own mark names the source."""
    return "" if key.lower() in (*MARKS, *FFMPEGS) else claim(key, value)


def check_claims(source: Any, uri: str) -> list[Finding]:
    """Tags that are not carried since they speak of the source's own bytes, each of them once."""
    words = words_of(uri)
    of_streams = ((k, film_tags.plain(v)) for of in (source, *source.streams) for k, v in of.metadata.items())
    tags = film_tags.named(words.tags) if words is not None else of_streams
    found = {(key.upper(), value): (key, claimed) for key, value in tags if (claimed := claimed_in(key, value))}
    return [Finding(f"tag {key}", False, why_not(claimed)) for key, claimed in found.values()]


def write_whole(
    source: Any, uri: str, out: Path, pairs: list[tuple[int, int]], said: Mapping[str, str], piece: Span | None
) -> None:
    """Give a Matroska output its Matroska source's chapters and tags. pairs: streams of both; said: the output's own.

    Raises JoinError, StorageError.
    """
    words = words_of(uri)
    with writable(out):
        if words is not None and (made := read_words(out)) is not None:
            write_words(out, _chapters(words, piece), _tags(words, made, source, pairs, said, piece))


def check_whole(
    source: Any, output: Any, uris: tuple[str, str], container: Container, pairs: list[tuple[int, int]],
    piece: Span | None,
) -> list[Finding]:  # fmt: skip
    """Chapters and tags of a Matroska source against what its output has; nothing of another source."""
    try:
        words = _words(uris[0])
    except ValueError as error:
        return [Finding("chapters and tags", False, f"cannot be read whole: {error}")]
    if words is None:
        return check_track_tags(source, output, pairs)
    if not container.whole:
        return _reduced(words, output, container)
    try:
        made = _words(uris[1])
    except ValueError as error:
        made, why = None, f" ({error})"
    if made is None:
        return [Finding("chapters and tags", False, f"no Matroska file{why}")]
    wanted = _tags(words, made, source, pairs, output.metadata, piece)
    slack = 2 * TICK if piece is not None else Fraction(0)
    return [_check_chapters(_chapters(words, piece), made.chapters, slack), _check_tags(wanted, made)]


CREATED = "creation_time"
OF_FORMATS = (*FFMPEGS, "name", "handler_name", "file_package_umid", "file_package_name", "data_type")
"""What containers say of streams that is no word about the film, or is compared elsewhere. A track's creation_time is
neither: QuickTime has one of each track, and where it is not the film's, which FFmpeg writes for all, it is gone."""


def check_track_tags(source: Any, output: Any, pairs: list[tuple[int, int]]) -> list[Finding]:
    """Tags of tracks of a source that is no Matroska file, each by its value; nothing where it has none."""
    values = {film_tags.plain(v) for of in (output, *output.streams) for v in of.metadata.values()}
    wanted = [
        (index, key, film_tags.plain(value))
        for index, _ in pairs
        for key, value in source.streams[index].metadata.items()
        if is_stream_tag(key)
        and key.lower() not in OF_FORMATS
        and film_tags.plain(value)
        and not claimed_in(key, value)
    ]
    found = []
    for what, mine in (
        ("tags of tracks", [w for w in wanted if w[1].lower() != CREATED]),
        ("times of creation of tracks", [w for w in wanted if w[1].lower() == CREATED]),
    ):
        gone = [f"{key} {value!r} of track {index}" for index, key, value in mine if value not in values]
        if mine:
            found.append(Finding(what, not gone, f"missing: {'; '.join(gone)}" if gone else str(len(mine))))
    return found


def _check_chapters(wanted: Node | None, found: Node | None, slack: Fraction) -> Finding:
    alike = editions.same(wanted, found, slack)
    detail = f"{editions.count(wanted)}, as the source has them"
    if not alike:
        detail = f"{editions.count(wanted)} in the source, {editions.count(found)} in the output, or they differ"
    return Finding("chapters", alike, detail)


def _check_tags(wanted: list[Node], made: Words) -> Finding:
    missing = film_tags.missing(wanted, made.tags)
    detail = f"{film_tags.count(wanted)}, with targets, languages and what is inside them"
    return Finding("tags", not missing, f"missing: {'; '.join(missing)}" if missing else detail)


def _reduced(words: Words, output: Any, container: Container) -> list[Finding]:
    """What a container that is no Matroska file does not hold."""
    suffix, found = container.suffix, []
    if words.chapters is not None:
        found += [Finding(what, False, detail) for what, detail in editions.unheld(words.chapters, suffix)]
    targets = Targets(_same(words.tracks), _same(u for _, u in words.attachments), editions.uids(words.chapters))
    tags = film_tags.carried(film_tags.without(words.tags, claimed_in), targets, _describes({}))
    values = [v for of in (output, *output.streams) for v in of.metadata.values()]
    if gone := film_tags.gone(tags, values):
        found.append(Finding("tags", False, f"{'; '.join(gone)}; {suffix} files do not hold them"))
    if flat := film_tags.flattened(tags):
        found.append(Finding("targets and nesting of tags", False, f"{flat}: parts of names in {suffix} files"))
    return found


def _same(uids: Iterable[int]) -> dict[int, int]:
    return {uid: uid for uid in uids}


def _chapters(words: Words, piece: Span | None) -> Node | None:
    return editions.cut(words.chapters, *piece) if piece is not None else words.chapters


def _tags(
    words: Words, made: Words, source: Any, pairs: list[tuple[int, int]], said: Mapping[str, str], piece: Span | None
) -> list[Node]:
    tracks = film_tags.same_tracks(words, made, pairs, _streams(source))
    targets = Targets(tracks, film_tags.same_attachments(words, made), editions.uids(_chapters(words, piece)))
    return film_tags.carried(film_tags.without(words.tags, claimed_in), targets, _describes(said))


def _streams(source: Any) -> int:
    """Streams of a Matroska source that are tracks of its own, which come before all others."""
    covers = Disposition.attached_pic
    return sum(s.type != "attachment" and not int(s.disposition) & covers for s in source.streams)


def _describes(said: Mapping[str, str]) -> Callable[[str, str, bool], bool]:
    """Whether a tag is of the old file, or is one that the output's own mark of the same name repeats."""
    own = {k.lower(): film_tags.plain(v) for k, v in said.items() if k.lower() in MARKS}

    def describes(name: str, value: str, of_track: bool) -> bool:
        repeated = f"{own.get(name.lower(), '')} | ".startswith(f"{value} | ") and name.lower() in own
        return repeated or not (is_stream_tag if of_track else is_tag)(name)

    return describes
