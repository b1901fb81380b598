"""Photoshop's block of image resources: numbered contents, one after the other (Photoshop File Formats, 2019)."""

from __future__ import annotations

from collections.abc import Iterator

THUMBNAILS = (0x0409, 0x040C)
"""Small pictures of the source, which file browsers would go on to show gray."""


def resources(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Numbers, contents and whole bytes of a block's resources, as far as they are there; b"" for one that is cut."""
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        start = at + 6 + ((data[at + 6] + 2) & ~1)
        size = int.from_bytes(data[start : start + 4], "big")
        end = start + 4 + (size + 1 & ~1)
        whole = data[at:end] if start + 4 + size <= len(data) else b""
        yield int.from_bytes(data[at + 4 : at + 6], "big"), data[start + 4 : start + 4 + size], whole
        at = end


def without_thumbnail(data: bytes) -> tuple[bytes, int]:
    """A block without the pictures in it, and how many bytes they had. A block that is not whole stays as it is."""
    found = list(resources(data))
    if sum(len(whole) for _, _, whole in found) != len(data):
        return data, 0
    gone = sum(len(content) for number, content, _ in found if number in THUMBNAILS)
    return b"".join(whole for number, _, whole in found if number not in THUMBNAILS) if gone else data, gone
