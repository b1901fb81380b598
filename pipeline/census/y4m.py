"""Words of a Y4M file's header, and of its first frame's (mjpegtools, yuv4mpeg(5))."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.census.element import Element, File, element, printed

HEAD = 4096
KNOWN = (b"W", b"H", b"F", b"I", b"A", b"C", b"XYSCSS=", b"XCOLORRANGE=")
"""How words begin that say how pictures are stored and shown."""


def words_of(file: File) -> Iterator[Element]:
    """The words that no rule knows."""
    file.part = "the header, and that of the first frame"
    line, _, more = file.at(0, HEAD).partition(b"\n")
    for word in line.split(b" ")[1:]:
        if word and not word.startswith(KNOWN):
            yield element(f"Y4M word {printed(word[:64])}", len(word), word, [word[1:]])
    for word in more.partition(b"\n")[0].split(b" ")[1:] if more.startswith(b"FRAME") else []:
        if word:
            yield element(f"Y4M word of a frame {printed(word[:64])}", len(word), word)
