"""A format of picture files that are decoded whole, as a value: how it is known, how large it is, what its codec gives.

One more format is one more file in `formats`, with a Format in it, and its line in `table`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pipeline.metadata.blocks import Blocks
from pipeline.metadata.headers import Size
from pipeline.stills.tones import Tone

HEAD = 64
"""First bytes of a file, by which it is recognized."""


class Decoded(NamedTuple):
    """What a codec gave. samples: (h, w, n). words: how codes came about where they are not the stored ones.

    notes: what a person should know. alpha: whether there is transparency that is not among the samples.
    """

    samples: np.ndarray
    tone: Tone
    words: str = ""
    notes: tuple[str, ...] = ()
    alpha: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of picture file.

    suffixes: of file names, by which a walk takes a file for a scan; what is in a file decides how it is read.
    recognizes: whether its first HEAD bytes are of this kind. size: of the file's bytes, None where they make no sense.
    decode: of the file's bytes, its path and size; raises anything where the bytes are no picture. blocks: what it says
    of itself. ratio: more decoded bytes than one byte of the file can stand for. overhead: bytes per pixel that the
    codec takes besides its samples.
    """

    name: str
    suffixes: tuple[str, ...]
    recognizes: Callable[[bytes], bool]
    size: Callable[[bytes], Size | None]
    decode: Callable[[bytes, str, Size], Decoded]
    blocks: Callable[[bytes], Blocks]
    ratio: int
    overhead: int = 0


def starts(*marks: bytes) -> Callable[[bytes], bool]:
    """Recognizes a file that begins with one of the marks."""
    return lambda head: head.startswith(marks)


def plain(samples: Any, bits: int) -> Decoded:
    """Whole numbers (h, w) or (h, w, n) as gray or RGB by their number. bits: of those that are wider than 8."""
    array = np.asarray(samples)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.dtype.kind != "u" or array.dtype.itemsize > 2:
        shape = " x ".join(map(str, array.shape[1::-1]))
        raise ValueError(f"{shape} pixels of {array.dtype}, which are neither gray nor RGB of 8 or 16 bits")
    model = "RGB" if array.shape[2] >= 3 else "gray"
    return Decoded(array, Tone(model, bits if array.dtype.itemsize == 2 else 8))
