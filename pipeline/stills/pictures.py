"""Picture files that are decoded whole, whatever their format: what a header says is checked before a codec is called.

The format is chosen by the first bytes, and its codec called only after the header's size was held against the limits
and against the length of the file. (imagecodecs.imread tries every codec; on some bytes one takes the process with it.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

import numpy as np

from colorizer.basis.errors import ColorizeError, DamagedSource, UnsupportedSource
from pipeline.metadata.blocks import Blocks, from_blocks
from pipeline.metadata.directory import COPY
from pipeline.metadata.headers import Size
from pipeline.stills import decoding
from pipeline.stills.format import HEAD, Decoded, Format
from pipeline.stills.places import UNBACKED
from pipeline.stills.reader import TRANSPARENCY, ScanPage, ScanReader
from pipeline.stills.table import FORMATS
from pipeline.stills.tones import COLORED, Tone, gamma_curve, range_of, spread, thinned, with_profile
from pipeline.stills.transfers import transfer_curve

TILED = "allow more memory, or store it as tiled TIFF, which is read by region"


def open_picture(file: BinaryIO, path: str, max_pixels: int, max_bytes: int, keep: bool = False) -> ScanReader:
    """A reader of a picture file, which is decoded here. keep: its `whole`, too.

    Raises UnsupportedSource or DamagedSource.
    """
    length = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD)
    picture = next((p for p in FORMATS if p.recognizes(head)), None)
    if picture is None:
        kinds = ", ".join(p.name for p in FORMATS)
        raise UnsupportedSource(path, f"not a scan: none of TIFF, {kinds}; a moving picture is a reel")
    if length > max_bytes:
        raise UnsupportedSource(
            path, f"a {picture.name} of {length} bytes is more than the {max_bytes} that may be held; {TILED}"
        )
    file.seek(0)
    data = file.read()
    size = picture.size(data)
    if size is None:
        raise DamagedSource(path, f"its {picture.name} header makes no sense; {COPY}")
    _check_size(path, picture, size, length, max_pixels, max_bytes)
    try:
        decoded = decoding.picture(picture, data, path, size)
    except (ColorizeError, MemoryError):
        raise
    except Exception as error:  # every codec has errors of its own; all mean that the bytes are no picture
        raise DamagedSource(
            path, f"cannot be decoded ({picture.name}: {str(error) or type(error).__name__}); {COPY}"
        ) from error
    return _reader(path, picture, decoded, picture.blocks(data), keep)


def _check_size(
    path: str, picture: Format, size: Size, length: int, max_pixels: int, max_bytes: int
) -> None:  # fmt: skip
    height, width, samples, bits = size
    if height * width > max_pixels:
        raise UnsupportedSource(
            path, f"says it is {width} x {height} pixels, more than the {max_pixels} that are allowed; "
            "allow more if that is true"
        )  # fmt: skip
    decoded = height * width * (samples * (1 if bits <= 8 else 2) + picture.overhead)
    if decoded > max_bytes:
        raise UnsupportedSource(
            path,
            f"{width} x {height} pixels decode to {decoded} bytes, more than the {max_bytes} that may be held; {TILED}",
        )
    if decoded > UNBACKED and decoded // picture.ratio > length:
        raise DamagedSource(path, f"{length} bytes cannot be {width} x {height} pixels of {picture.name}; {COPY}")


def _reader(path: str, picture: Format, decoded: Decoded, blocks: Blocks, keep: bool) -> ScanReader:
    samples, tone, words, notes, alpha = decoded
    if tone.needs_range:
        low, high = range_of([thinned(samples)], tone)
        tone = replace(tone, low=low, high=high)
        words = f"{low:.6g} to {high:.6g} as black to white" + (", linear light" if tone.linear else "")
    elif tone.bits not in (8, 16) and not words:
        words = spread(tone)
    if blocks.transfer:
        curve, applied = transfer_curve(
            tone.luma_bits, blocks.transfer, tone.codes(thinned(samples)[..., : tone.channels])
        )
        tone, words = replace(tone, curve=curve), ", ".join(filter(None, (words, applied)))
    elif blocks.icc:
        try:
            tone, applied = with_profile(tone, blocks.icc)
            words = ", ".join(filter(None, (words, applied)))
        except Exception as error:  # lcms' own: the picture is whole, its profile is not
            notes = (*notes, f"its ICC profile cannot be used ({error}); not applied")
    elif blocks.gamma:
        tone = replace(tone, curve=gamma_curve(tone.luma_bits, blocks.gamma))
        words = ", ".join(filter(None, (words, f"gamma {blocks.gamma:.5g} applied")))
    metadata, orientation, resolution = from_blocks(blocks, path)
    channels = {"RGB": 3, "YCbCr": 3, "CMYK": 4}.get(tone.model, 1)
    if alpha := alpha or not _opaque(samples[..., channels:], tone):
        metadata = replace(metadata, lost=(*metadata.lost, TRANSPARENCY))
    few = thinned(samples)
    luma = tone.luma(samples)
    number = {"uint": "", "float": "float "}[tone.format]
    scan = ScanPage(
        path, picture.name, 0, 1, luma.shape[0], luma.shape[1], orientation, tone.luma_bits, tone.model,
        f"{tone.bits}-bit {number}{tone.model}, {picture.name}", tone.colored(few) > COLORED,
        alpha, resolution, blocks.icc, words, metadata, notes,
    )  # fmt: skip
    whole = (lambda: (samples, tone)) if keep else None
    held = luma.nbytes + (samples.nbytes if keep else 0)
    return ScanReader(scan, lambda y, x, h, w: luma[y : y + h, x : x + w].copy(), lambda: None, held, whole)


def _opaque(alpha: np.ndarray, tone: Tone) -> bool:
    """Whether nothing shows through a picture: it has no alpha, or one that is full all over, which is no loss."""
    if not alpha.size:
        return True
    full = 1 if tone.format == "float" else 2**tone.bits - 1
    return bool(alpha.min() == alpha.max() >= full)
