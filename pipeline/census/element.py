"""Element: one part of a file by its own name and size; and reading that believes nothing that a header says.

A walk gives only what no rule knows: parts that belong to coding itself, and what another check compares, are rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar

MAX_DEPTH = 24
"""Of elements within elements; deeper ones are named as a whole."""
MAX_STEPS = 30_000_000
"""Headers that one walk reads; an hour of film has some 400,000."""
MAX_CONTENT = 1 << 20
"""Bytes of an element that are looked at."""


@dataclass(frozen=True, slots=True)
class Element:
    """A part of a file. name: its own, with those of the elements that it is in; size: bytes of its content.

    texts: what it says in words, in each way that it may be read. mark: a digest of its own name and content. track:
    the number that its container has for it, of an element that is a track. says: what it says, for a person.
    """

    name: str
    size: int
    texts: tuple[str, ...] = ()
    mark: bytes = field(default=b"", repr=False)
    track: int | None = None
    says: str = ""


def element(
    name: str, size: int, content: bytes, texts: Iterable[bytes] = (), track: int | None = None, says: str = ""
) -> Element:
    """An element by its content, as far as that was read. texts: parts of it that may be words.

    A name begins with two words that say what it is of: "MP4 box moov/udta/name".
    """
    own = name.split(" ", 2)[-1].rpartition("/")[2]
    mark = hashlib.blake2b(f"{own} {size} ".encode() + content, digest_size=16).digest()
    found = tuple(dict.fromkeys(word for text in texts for word in words(text)))
    return Element(name, size, found, mark, track, says)


def words(content: bytes) -> Iterator[str]:
    """What bytes may say, without the zeros and spaces at their ends."""
    for coding in ("utf-8", "utf-16", "mac-roman"):
        try:
            text = content.decode(coding).strip("\0 \r\n\t")
        except UnicodeDecodeError:
            continue
        if text:
            yield text


def printed(kind: bytes) -> str:
    """Four letters, or what stands in their place, as people may read them."""
    text = "".join(chr(c) if 32 < c < 127 or c in (0xA9, 0xA7) else "" if c == 32 else f"\\x{c:02x}" for c in kind)
    return text or "(blank)"


class File:
    """Bytes of an open file by their place: never beyond its end, never more than MAX_CONTENT.

    part: which parts of it a walk went through that does not go through all of it, in words.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = file.seek(0, 2)
        self.steps = 0
        self.part = ""

    def at(self, start: int, size: int) -> bytes:
        """Up to `size` bytes."""
        self.steps += 1
        if not 0 <= start < self.size:
            return b""
        self.file.seek(start)
        return self.file.read(max(0, min(size, MAX_CONTENT, self.size - start)))

    @property
    def tired(self) -> bool:
        """Whether so much was read that the rest is only named."""
        return self.steps > MAX_STEPS


Walk = Callable[[File], Iterator[Element]]


@dataclass(slots=True)
class Place:
    """A part that is being gone through. name: its path, "" for the whole file; at: what of it comes next.

    endless: its size is unknown, so the part that it is in goes on where it ends.
    """

    name: str
    at: int
    stop: int
    endless: bool = False


P = TypeVar("P", bound=Place)


def through(what: str, file: File, first: P, enter: Callable[[list[P]], Iterator[Element] | None]) -> Iterator[Element]:
    """Go through a file, parts within parts, without recursion.

    enter: reads what stands at the last place's `at`, moves that on and puts a part to go into behind the others; gives
    the elements that no rule knows, or None where no element can be.
    """
    places = [first]
    while places:
        place = places[-1]
        if place.at >= place.stop or file.tired:
            places.pop()
            if places and place.endless:
                places[-1].at = max(places[-1].at, place.at)
            elif file.tired and not places:
                yield from rest(what, place.at, place.stop, file)
            continue
        start = place.at
        found = enter(places)
        if found is None:
            place.at = place.stop
            yield from rest(f"{what} {place.name}".rstrip(), start, place.stop, file)
        else:
            yield from found


def rest(what: str, start: int, stop: int, file: File) -> Iterator[Element]:
    """What stands where no element can be, if anything does but zeros."""
    content = file.at(start, stop - start)
    if stop > start and content.strip(b"\0"):
        yield element(f"{what} bytes that are no element", stop - start, content)
