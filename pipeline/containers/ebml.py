"""EBML: the elements that Matroska files are made of, found in files, read as trees, and written (RFC 8794).

Owns no meaning: which elements there are is Matroska's business.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from pipeline.values.ebml import CRC_32, SEGMENT, VOID

MAX_DEPTH = 16
"""Of a tree; nested deeper is damage, or hostile."""
MAX_NODES = 1 << 17
"""Of a tree: elements take two bytes in a file and some hundred here."""


@dataclass(frozen=True, slots=True)
class Element:
    """Where one EBML element lies: its header at `start`, its data from `body` to `stop` (exclusive)."""

    kind: int
    start: int
    body: int
    stop: int


@dataclass(frozen=True, slots=True)
class Node:
    """An element without its place: its data, or the elements inside it. Checksums and Void elements are left out."""

    kind: int
    data: bytes = field(default=b"", repr=False)
    inside: tuple[Node, ...] = ()

    def of(self, kind: int) -> list[Node]:
        """The elements of a kind inside it."""
        return [n for n in self.inside if n.kind == kind]

    def number(self, kind: int, default: int = 0) -> int:
        """The first unsigned integer of a kind inside it; an empty one has its default (RFC 8794, 6.1)."""
        found = next(iter(self.of(kind)), None)
        return int.from_bytes(found.data[:8], "big") if found is not None and found.data else default

    def text(self, kind: int, default: str = "") -> str:
        """The first text of a kind inside it."""
        found = next(iter(self.of(kind)), None)
        return found.data.decode("utf-8", "replace").rstrip("\0") if found is not None else default

    def having(self, kind: int, value: int) -> Node:
        """The same with another unsigned integer of a kind, in the place of the first."""
        made = number(kind, value)
        at = next((i for i, n in enumerate(self.inside) if n.kind == kind), len(self.inside))
        return replace(self, inside=(*self.inside[:at], made, *self.inside[at + 1 :]))

    def each(self, change: Callable[[Node], Node | None]) -> Node:
        """The same with the elements inside it as `change` makes them; those of which it makes None are gone."""
        return replace(self, inside=tuple(n for n in map(change, self.inside) if n is not None))

    def encoded(self) -> bytes:
        """As a file has it."""
        return element(self.kind, self.data or b"".join(n.encoded() for n in self.inside))

    def checked(self, width: int = 0) -> bytes:
        """As a file has it, with a checksum of what is inside in front (RFC 8794, 11.3.1). width: of its size."""
        data = b"".join(n.encoded() for n in self.inside)
        return element(self.kind, element(CRC_32, zlib.crc32(data).to_bytes(4, "little")) + data, width)


def number(kind: int, value: int) -> Node:
    """An unsigned integer."""
    return Node(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def tree(kind: int, data: bytes, masters: frozenset[int]) -> Node:
    """An element by its data, down to those that are not masters, which hold others.

    Raises ValueError for what is damaged, nested too deep, or made of too many.
    """
    left = MAX_NODES

    def grown(kind: int, data: bytes, depth: int) -> Node:
        nonlocal left
        left -= 1
        if left < 0 or depth > MAX_DEPTH:
            raise ValueError(f"the element {kind:X} is {'nested too deep' if left >= 0 else 'one of too many'}")
        if kind not in masters:
            return Node(kind, data)
        held = ((e.kind, data[e.body : e.stop]) for e in elements(io.BytesIO(data), 0, len(data)))
        return Node(kind, inside=tuple(grown(k, d, depth + 1) for k, d in held if k not in (CRC_32, VOID)))

    return grown(kind, data, 1)


def parse(data: bytes) -> list[Element]:
    """The elements side by side in some data."""
    return list(elements(io.BytesIO(data), 0, len(data)))


def first_two(found: Iterator[Element]) -> tuple[Element, Element]:
    """A file's head and what follows on it. Raises ValueError where there is no such thing."""
    first, second = next(found, None), next(found, None)
    if first is None or second is None:
        raise ValueError("not a Matroska file")
    return first, second


def elements(file: BinaryIO, start: int, stop: int) -> Iterator[Element]:
    """The elements side by side between two offsets. Raises ValueError where they do not fit."""
    while start < stop:
        head = read(file, start, min(start + 12, stop))  # an ID has at most 4 bytes, a size 8
        kind, n = vint(head, 0)
        length, k = vint(head, n)
        length -= 1 << 7 * k  # the length marker belongs to an ID's value, not to a size's
        body = start + n + k
        end = body + length
        if kind == SEGMENT:  # a live recording's says no size, that of a file which was cut off too large a one
            end = min(end, stop)
        if end > stop:
            raise ValueError(f"the element {kind:X} at byte {start} reaches beyond its parent")
        yield Element(kind, start, body, end)
        start = end


def vint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-size integer (RFC 8794, section 4) with its length marker, and its length in bytes."""
    if at >= len(data) or not data[at]:
        raise ValueError("an element header is damaged")
    n = 9 - data[at].bit_length()
    if at + n > len(data):
        raise ValueError("an element header is cut off")
    return int.from_bytes(data[at : at + n], "big"), n


def read(file: BinaryIO, start: int, stop: int) -> bytes:
    """Bytes between two offsets. Raises ValueError where the file ends before."""
    file.seek(start)
    data = file.read(stop - start)
    if len(data) != stop - start:
        raise ValueError(f"it ends at byte {start + len(data)}")
    return data


def size(n: int, width: int = 0) -> bytes:
    """A size as a variable-size integer of `width` bytes, or as few as hold it (all ones means unknown)."""
    width = width or next(w for w in range(1, 9) if n < (1 << 7 * w) - 1)
    return (n | 1 << 7 * width).to_bytes(width, "big")


def element(kind: int, data: bytes, width: int = 0) -> bytes:
    """An element's bytes. width: of its size."""
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + size(len(data), width) + data


def unsigned(kind: int, value: int) -> bytes:
    """The bytes of an unsigned integer."""
    return number(kind, value).encoded()


def void(length: int) -> bytes:
    """A Void element of exactly `length` bytes, header included; nothing for 0."""
    if length == 0:
        return b""
    if length < 2:
        raise ValueError("there is no room in its header")
    width = 1 if length < 128 else 8
    return bytes([VOID]) + size(length - 1 - width, width) + bytes(length - 1 - width)
