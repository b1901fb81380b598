"""Which field of an interlaced picture is shown first: by the decoded frame's own flags, and by the container's word.

FFmpeg's field orders TB and BT (4 and 5) mean, in QuickTime and Matroska, that the fields alternate in the frame and
the top one, or the bottom one, is shown first (QuickTime File Format, `fiel`: 9 and 14 as all programs write and read
them; Matroska, FieldOrder 9 and 14). In MXF they are what their letters say: stored first, then shown first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

from pipeline.containers.matroska import unflagged_fields

PROGRESSIVE = "progressive"
ALTERNATING = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}
LITERAL = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}


UNFLAGGED = {
    "tff": "interlaced, top field first (it gives this order of fields and no flag that it has any)",
    "bff": "interlaced, bottom field first (it gives this order of fields and no flag that it has any)",
}
"""What is assumed of a Matroska file that was merged by a program which drops the flag; a person should know."""


def fields_of(uri: str, stream: Any, frame: av.VideoFrame) -> tuple[str, str]:
    """ "tff", "bff" or "progressive" of a stream and its first frame, and what of that is assumed; the frame knows best
    where it is marked."""
    if frame.interlaced_frame:
        return FieldReader().word(frame), ""
    if word := container_word(stream):
        return word, ""
    word = _unflagged(uri, stream)
    return word or PROGRESSIVE, UNFLAGGED.get(word, "")


def _unflagged(uri: str, stream: Any) -> str:
    if "matroska" not in stream.container.format.name:
        return ""
    try:
        with Path(uri).open("rb") as file:
            pictures = [s.index for s in stream.container.streams.video]  # in the order of the tracks, then covers
            return unflagged_fields(file, pictures.index(stream.index))
    except (ValueError, OSError):  # a damaged file says nothing
        return ""


def container_word(stream: Any) -> str:
    """What the container alone says, or what its demuxer took from the essence; "" where that is nothing."""
    meaning = LITERAL if "mxf" in stream.container.format.name else ALTERNATING
    return meaning.get(int(stream.codec_context.field_order or 0), "")


def contradicted(stream: Any, fields: str) -> tuple[str, ...]:
    """What a person should know where the container names another first field than the pictures, which are believed."""
    if fields == PROGRESSIVE or container_word(stream) in ("", fields):
        return ()
    first, other = (("top", "bottom"), ("bottom", "top"))[fields == "bff"]
    return (
        f"its pictures say that the {first} field comes first, the file says the {other}: the pictures are believed",
    )


class FieldReader:
    """Says of frames of one size and format, one by one, which of their fields is shown first."""

    def __init__(self) -> None:
        self._graph: Any = None

    def word(self, frame: av.VideoFrame) -> str:
        """ "tff", "bff" or "progressive", by the frame's own flags."""
        if not frame.interlaced_frame:
            return PROGRESSIVE
        return "tff" if self._is_top_first(frame) else "bff"

    def _is_top_first(self, frame: av.VideoFrame) -> bool:
        """PyAV has no attribute for this flag; a filter that lets such frames through has."""
        if self._graph is None:
            self._graph = _chosen(frame)
        self._graph.push(frame)
        try:
            self._graph.pull()
        except (BlockingIOError, EOFError):  # av.error.BlockingIOError is one: the filter kept the frame back
            return False
        return True


def _chosen(frame: av.VideoFrame) -> Any:
    """A graph that lets frames through whose top field is first."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    chosen, sink = graph.add("select", "eq(interlace_type,TOPFIRST)"), graph.add("buffersink")
    source.link_to(chosen)
    chosen.link_to(sink)
    graph.configure()
    return graph


def runs_of(words: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Where frames of another word begin, and the word; nothing where all have the same."""
    found = [(i, word) for i, word in enumerate(words) if not i or words[i - 1] != word]
    return tuple(found) if len(found) > 1 else ()


def words_in(runs: Sequence[tuple[int, str]], start: int, stop: int) -> tuple[str, ...]:
    """The words of frames [start, stop); nothing where there are no runs."""
    found: list[str] = []
    if not runs:
        return ()
    for (begin, word), end in zip(runs, [*(begin for begin, _ in runs[1:]), stop], strict=True):
        found += [word] * max(0, min(end, stop) - max(begin, start))
    return tuple(found)


def told(words: Sequence[str]) -> str:
    """How many frames have which word.

    >>> told(["progressive", "tff", "tff"])
    '1 progressive, 2 tff'
    """
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))
