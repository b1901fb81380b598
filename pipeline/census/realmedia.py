"""Chunks of RealMedia files: those of coding and those that FFmpeg gives as tags are rules (RealMedia File Format)."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.census.element import Element, File, element, printed, rest

KNOWN = (b".RMF", b"PROP", b"CONT", b"DATA", b"INDX")
"""CONT has title, author, copyright and comment, which FFmpeg lists."""
STREAM = b"MDPR"
PLAYED = ("video/x-pn-realvideo", "audio/x-pn-realaudio", "audio/x-ralf-mpeg4-generic", "audio/X-MP3-draft-00")
LOGICAL = "logical-"
"""How kinds begin of streams that stand for several, and of the list of words about the file, which FFmpeg lists."""
USUAL = (b"Video Stream", b"Audio Stream", b"The Video Stream", b"The Audio Stream")


def chunks_of(file: File) -> Iterator[Element]:
    """The elements that no rule knows."""
    at = 0
    while at + 8 <= file.size and not file.tired:
        head = file.at(at, 10)
        kind, size = head[:4], int.from_bytes(head[4:8], "big")
        if kind == b"DATA" and not size:  # of a live recording
            return
        if size < 8 or not kind.strip(b"\0"):
            break
        end = min(at + size, file.size)
        if kind == STREAM:
            yield from _stream(file.at(at, end - at))
        elif kind not in KNOWN:
            content = file.at(at + 8, end - at - 8)
            yield element(f"RM chunk {printed(kind)}", end - at - 8, content, [content])
        at += size
    yield from rest("RM", at, file.size, file)


def _stream(chunk: bytes) -> Iterator[Element]:
    """A stream's name, and the whole of one that is neither picture nor sound."""
    number, at = int.from_bytes(chunk[10:12], "big"), 40
    name, at = _short(chunk, at)
    kind, at = _short(chunk, at)
    if name and name not in USUAL:
        yield element(f"RM stream {number}/name", len(name), name, [name])
    word = kind.decode("latin-1")
    if word not in PLAYED and not word.startswith(LOGICAL):
        content = chunk[at + 4 :]
        yield element(f"RM stream {number}/{''.join(c for c in word if ' ' < c <= '~')[:64]}", len(content), content)


def _short(data: bytes, at: int) -> tuple[bytes, int]:
    """A text behind a byte of its length, and what follows it."""
    end = at + 1 + (data[at] if at < len(data) else 0)
    return data[at + 1 : end].strip(b"\0 "), end
