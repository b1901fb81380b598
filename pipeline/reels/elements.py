"""Elements of a reel's file that no rule knows: each is in the output, or named by its own name and size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.census.walks import walked
from pipeline.containers.film_tags import is_stream_tag, is_tag
from pipeline.reels.reel import Reel, open_source, readable
from pipeline.values.finding import Finding


def check_elements(reel: Reel, out: Path) -> list[Finding]:
    """A finding for each kind of element in the source that the output does not hold, and one that says which parts of
    the source were gone through; both files are read anew.

    An element is held where the output has one of its own name and content, or says the same words in its tags and
    chapters. What the source's own tags say is compared with those of the output by another finding, and what becomes
    of its tracks by others.
    """
    if reel.is_sequence:
        return []
    marks = walked(out).marks
    tags, tracks = _listed(reel.uri)
    found = walked(Path(reel.uri), marks, _words(str(out)) | tags | _of_display(reel), tracks)
    part = found.part or "all of the source"
    if not found.kind:
        part = f"{reel.format} files have no walk; what FFmpeg lists of them is compared"
    return [Finding("census", True, part), *(Finding(loss.name, False, loss.why) for loss in found.lost)]


def _of_display(reel: Reel) -> set[str]:
    """What the pictures say of their display, which another finding compares. What the container says beside them, and
    they do not, is in no output."""
    return {reel.hdr.display, reel.hdr.levels, *reel.hdr.levels.split(", ")} - {""}


def _words(uri: str) -> set[str]:
    """All that a file says of itself, its tracks and its chapters."""
    with readable(uri), open_source(uri) as container:
        every: list[Any] = [container.metadata, *(s.metadata for s in container.streams)]
        every += [chapter["metadata"] for chapter in container.chapters()]
    return {value.strip("\0 \r\n\t") for tags in every for value in tags.values()}


def _listed(uri: str) -> tuple[set[str], set[int]]:
    """Texts of a source's tags that are compared, and its containers' own numbers of tracks whose fate is told."""
    with readable(uri), open_source(uri) as container:
        texts = [value for key, value in container.metadata.items() if is_tag(key)]
        texts += [v for s in container.streams for k, v in s.metadata.items() if is_stream_tag(k)]
        return {text.strip("\0 \r\n\t") for text in texts}, {s.id for s in container.streams if s.type != "data"}
