"""Which field of an interlaced picture is shown first: by the decoded frame's own flags, and by the container's word.

FFmpeg's field orders TB and BT (4 and 5) mean, in QuickTime and Matroska, that the fields alternate in the frame and
the top one, or the bottom one, is shown first (QuickTime File Format, `fiel`: 9 and 14 as all programs write and read
them; Matroska, FieldOrder 9 and 14). In MXF they are what their letters say: stored first, then shown first.
"""

from __future__ import annotations

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
        return ("tff" if _is_top_first(frame) else "bff"), ""
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


def _is_top_first(frame: av.VideoFrame) -> bool:
    """PyAV has no attribute for this flag; a filter that lets such frames through has."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    chosen, sink = graph.add("select", "eq(interlace_type,TOPFIRST)"), graph.add("buffersink")
    source.link_to(chosen)
    chosen.link_to(sink)
    graph.configure()
    graph.push(frame)
    try:
        graph.pull()
    except (BlockingIOError, EOFError):  # av.error.BlockingIOError is one: the filter kept the frame back
        return False
    return True
