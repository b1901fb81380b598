"""Two decoders of a sequence's pictures, FFmpeg and the reader of stills, and which of them a reel is read by.

FFmpeg makes another picture of some files without an error: of TIFF in tiles it makes black, half floats it reads as
integers, and 12-bit samples whose white is 0 as codes beyond their range; profiles and tone curves it passes over. So
the first picture of every structure (see `stills.structure`) is decoded by both. FFmpeg is taken where all samples of
all of these are the same; else the reader of stills, for all pictures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import av
import numpy as np

from colorizer.basis.errors import SourceError, UnreadableSource
from pipeline.containers.planes import luma_plane, pixel_layout, plane_view, repacked
from pipeline.reels.pictures import FFMPEG, MAX_PIXELS, STILLS, Pictures
from pipeline.stills.frame import Span, Still, read_still
from pipeline.stills.structure import structure
from pipeline.values.words import counted

SPANNED = 16
"""Pictures of a sequence of floats, evenly spread, that say what of all of them is black and white."""
FOREIGN = "xyz"
"""In the name of a pixel format whose colors the reader of stills does not know (digital cinema's X'Y'Z')."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who reads a sequence's pictures. index: of the first picture that can be read. still: that one, where the reader
    of stills reads it. span: of floats. remarks: what a person should know of the choice.
    """

    decoder: str
    index: int
    still: Still | None
    span: Span | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What both decoders make of a picture. error: the reader of stills' own."""

    index: int
    frame: av.VideoFrame | None
    still: Still | None
    error: SourceError | None

    @property
    def usable(self) -> bool:
        """Whether FFmpeg gives samples that are read here."""
        return self.frame is not None and pixel_layout(self.frame.format.name) is not None

    @property
    def apart(self) -> bool:
        """Whether the reader of stills has a picture that FFmpeg has not."""
        if self.still is None:
            return False
        return not self.usable or (FOREIGN not in self.frame.format.name and not alike(self.frame, self.still.frame))  # type: ignore[union-attr, arg-type]


def choose(pattern: str, first: int, count: int) -> Choice:
    """Who reads a sequence. All headers are read, and one picture of each structure is decoded twice.

    Raises SourceError, as the reader of stills says it, where no picture can be read.
    """
    pictures = Pictures(pattern, first, count)
    kinds = [structure(pictures.path(index)) for index in range(count)]
    seen: list[_Seen] = []
    for kind in dict.fromkeys(kinds):
        seen += _of_kind(pictures, [index for index in range(count) if kinds[index] == kind])
        if seen[-1].apart or _changes(seen):
            break
    readable = [each for each in seen if each.usable or each.still]
    if not readable:
        raise _reason(pattern, seen)
    odd = next((each for each in seen if each.apart), seen[-1] if _changes(seen) else None)
    several = _several(pictures, kinds)
    if odd is None:
        best = next(each for each in readable if each.usable)
        alone = [each for each in seen if each.usable and each.still is None]
        return Choice(FFMPEG, best.index, best.still, None, (*several, *_alone(pictures, alone)))
    best = next(each for each in readable if each.still)
    span, spanned = _span(pictures, [kinds.index(kind) for kind in dict.fromkeys(kinds)][:SPANNED])
    return Choice(STILLS, best.index, best.still, span, (_why(pictures, odd), *_how(best, span, spanned), *several))


def _of_kind(pictures: Pictures, indices: list[int]) -> list[_Seen]:
    """What is seen of pictures of one structure, up to the first that can be read."""
    found: list[_Seen] = []
    for index in indices:
        found.append(_seen(pictures, index))
        if found[-1].usable or found[-1].still:
            break
    return found


def _seen(pictures: Pictures, index: int) -> _Seen:
    frame, _ = pictures.frame(index)
    try:
        return _Seen(index, frame, read_still(pictures.path(index), MAX_PIXELS), None)
    except UnreadableSource:
        raise
    except SourceError as error:
        return _Seen(index, frame, None, error)


def _changes(seen: list[_Seen]) -> bool:
    """Whether FFmpeg gives the last one in another pixel format than those before, which the reader of stills may not
    do: big-endian samples are no others."""
    names = [each.frame.format.name for each in seen if each.usable and each.frame is not None]
    return bool(seen[-1].usable and seen[-1].still and names[-1] != names[0])


def alike(one: av.VideoFrame, other: av.VideoFrame) -> bool:
    """Whether two frames have the same samples: of R, G and B where both have them, else of luma."""
    layouts = [pixel_layout(frame.format.name) for frame in (one, other)]
    if (one.width, one.height) != (other.width, other.height) or None in layouts:
        return False
    a, b = (layout for layout in layouts if layout is not None)
    if a.bits != b.bits:
        return False
    if (a.kind, b.kind) == ("rgb", "rgb"):
        whole = [repacked(frame, a.planar) for frame in (one, other)]
        return all(np.array_equal(plane_view(whole[0], i), plane_view(whole[1], i)) for i in range(3))
    return np.array_equal(luma_plane(one, "bt601"), luma_plane(other, "bt601"))


def _span(pictures: Pictures, firsts: list[int]) -> tuple[Span | None, int]:
    """What some pictures' floats have for black and white, the lowest and the highest, and how many were asked.

    firsts: pictures that are asked in any case."""
    even = np.linspace(0, pictures.count - 1, min(SPANNED, pictures.count))
    chosen = sorted({*firsts, *(int(i) for i in even)})
    spans: list[Span] = []
    for index in chosen:
        try:
            still = read_still(pictures.path(index), MAX_PIXELS)
        except UnreadableSource:
            raise
        except SourceError:
            continue
        spans += [still.span] * (still.span is not None)  # type: ignore[list-item]
    return ((min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None), len(spans)


def _reason(pattern: str, seen: list[_Seen]) -> SourceError:
    """Why no picture can be read: what the reader of stills says of the first."""
    error = next((each.error for each in seen if each.error is not None), None)
    return error or SourceError(pattern, "not one frame can be decoded: all pictures are empty or damaged")


def _why(pictures: Pictures, odd: _Seen) -> str:
    name = pictures.path(odd.index).name
    does = "does not read" if not odd.usable else "sees another picture in" if odd.apart else "has another format for"
    return f"the pictures are read as scans are, since FFmpeg {does} {name}"


def _how(best: _Seen, span: Span | None, spanned: int) -> list[str]:
    """What codes are made of, where they are not those that are stored."""
    assert best.still is not None
    if span is not None:
        light = " of linear light, coded with the curve of sRGB" * best.still.linear
        return [f"{span[0]:.6g} to {span[1]:.6g} as black to white{light} ({counted(spanned, 'picture')} asked)"]
    return [] if best.still.exact or not best.still.page.tone else [best.still.page.tone]


def _alone(pictures: Pictures, alone: list[_Seen]) -> list[str]:
    """That no second decoder has seen a kind of picture."""
    return [
        f"{pictures.path(each.index).name} is read by FFmpeg alone; the reader of scans says: {each.error.what}"
        for each in alone
        if each.error is not None
    ]


def _several(pictures: Pictures, kinds: list[bytes | None]) -> list[str]:
    """That not all pictures are stored alike."""
    counts = Counter(kind for kind in kinds if kind is not None)
    if len(counts) < 2:
        return []
    usual, count = counts.most_common(1)[0]
    others = [pictures.path(i).name for i, kind in enumerate(kinds) if kind not in (usual, None)]
    named = ", ".join(others[:FEW]) + ", ..." * (len(others) > FEW)
    return [f"{count} of {counted(pictures.count, 'picture')} are stored alike; stored otherwise: {named}"]


FEW = 5
"""Pictures that a remark names."""
