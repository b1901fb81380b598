"""Decoding of what a file holds, in a process apart: a codec that ends its process ends a try, never the run.

Samples that are stored as they are need no codec, and are taken here.
"""

from __future__ import annotations

import numpy as np
from tifffile import COMPRESSION

from colorizer.basis.errors import WorkerDied
from pipeline.metadata.headers import Size
from pipeline.spread.apart import called
from pipeline.stills.codecs import samples_of
from pipeline.stills.format import Decoded, Format
from pipeline.stills.layout import CODECS, PageLayout
from pipeline.stills.tones import Tone

WHOLE = (8, 16, 32, 64)
"""Bits of samples that are numbers without being unpacked."""
WIDEST = 8
"""Bytes of a sample at most."""
MORE = 4
"""Samples that a codec may add to those of a pixel: colors of a palette, transparency."""
ADVICE = "it may be damaged: take another copy, or store it uncompressed"


def segment(data: bytes, layout: PageLayout, rows: int, columns: int, tables: bytes | None, name: str) -> np.ndarray:
    """`codecs.samples_of`, apart where a codec is needed. name: of the segment, for an error. Raises WorkerDied too."""
    if layout.compression == COMPRESSION.NONE and layout.bits in WHOLE:
        return samples_of(data, layout, rows, columns, tables)
    fields = {name: getattr(layout, name) for name in layout.__slots__ if name not in ("offsets", "counts")}
    asked = {"layout": fields, "rows": rows, "columns": columns}
    most = rows * columns * layout.step * WIDEST
    try:
        _, samples = called("pipeline.stills.codecs:segment_apart", asked, [data, *filter(None, [tables])], most)
    except WorkerDied as error:
        codec = CODECS[layout.compression][0]
        raise WorkerDied(f"{layout.path}: {name}, {codec}: {error}; {ADVICE}") from error
    assert samples is not None
    return samples


def picture(format: Format, data: bytes, path: str, size: Size) -> Decoded:
    """A picture file's samples, decoded apart. Raises SourceError, WorkerDied, and Failed with a codec's own words."""
    asked = {"format": format.name, "path": path, "size": size}
    most = size[0] * size[1] * (size[2] + MORE) * WIDEST
    try:
        answer, samples = called("pipeline.stills.table:picture_apart", asked, [data], most)
    except WorkerDied as error:
        raise WorkerDied(f"{path}: {format.name}: {error}; {ADVICE}") from error
    assert samples is not None
    return Decoded(samples, Tone(**answer["tone"]), answer["words"], tuple(answer["notes"]), answer["alpha"])
