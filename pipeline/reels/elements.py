"""Elements of a reel's file that no rule knows: each is in the output, or named by its own name and size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.census.walks import walked
from pipeline.containers.film_tags import is_tag
from pipeline.reels.reel import Reel, open_source, readable
from pipeline.values.finding import Finding


def check_elements(reel: Reel, out: Path) -> list[Finding]:
    """A finding for each kind of element in the source that the output does not hold; both files are read anew.

    An element is held where the output has one of its own name and content, or says the same words in its tags and
    chapters. What the source's own tags say is compared with those of the output by another finding.
    """
    if reel.is_sequence:
        return []
    _, marks = walked(out)
    lost, _ = walked(Path(reel.uri), marks, _words(str(out)) | _tags(reel.uri))
    return [Finding(loss.name, False, loss.why) for loss in lost]


def _words(uri: str) -> set[str]:
    """All that a file says of itself, its tracks and its chapters."""
    with readable(uri), open_source(uri) as container:
        every: list[Any] = [container.metadata, *(s.metadata for s in container.streams)]
        every += [chapter["metadata"] for chapter in container.chapters()]
    return {value.strip("\0 \r\n\t") for tags in every for value in tags.values()}


def _tags(uri: str) -> set[str]:
    with readable(uri), open_source(uri) as container:
        return {value.strip("\0 \r\n\t") for key, value in container.metadata.items() if is_tag(key)}
