"""Boxes of ISO base media files: JPEG XL's container, and HEIF with AVIF and HEIC in it (ISO 14496-12, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator

MAX_BOXES = 100_000
"""In one file or box; real ones have a few dozen."""


def boxes(data: bytes | memoryview, start: int = 0, stop: int | None = None) -> Iterator[tuple[bytes, memoryview]]:
    """(kind, content) of the boxes that lie next to each other in a part of some bytes.

    Content is a view that is cut where the bytes end. What is no box ends the list.
    """
    view = memoryview(data)
    at, stop = start, len(view) if stop is None else min(stop, len(view))
    for _ in range(MAX_BOXES):
        if at + 8 > stop:
            return
        size, kind, head = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8]), 8
        if size == 1 and at + 16 <= stop:
            size, head = int.from_bytes(view[at + 8 : at + 16], "big"), 16
        if size == 0:  # up to the end
            size = stop - at
        if size < head:
            return
        yield kind, view[at + head : min(at + size, stop)]
        at += size


def brands(head: bytes) -> set[bytes]:
    """Major and compatible brands in the first bytes of a file, as far as they go; none where it begins otherwise."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
