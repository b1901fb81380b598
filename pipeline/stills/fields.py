"""Reads the fields of a TIFF page into a Layout, and refuses what is not read or makes no sense.

What a header claims is held against the file's bytes here and in `places`, before anything is allocated for it.
"""

from __future__ import annotations

import numpy as np
from tifffile import COMPRESSION, FILLORDER, PHOTOMETRIC, PLANARCONFIG, PREDICTOR, SAMPLEFORMAT

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.metadata.directory import COPY, Directory
from pipeline.metadata.tags import Tag
from pipeline.stills.layout import (
    CARRIES_OWN_HEADER,
    CODECS,
    CONVERT,
    FACSIMILE,
    MODELS,
    PREDICTED,
    SGI_LOGS,
    PageLayout,
)
from pipeline.stills.old_jpeg import has_stream
from pipeline.stills.places import in_pieces, with_segments
from pipeline.values.words import counted

NUMBERS: dict[int, str] = {
    SAMPLEFORMAT.UINT: "uint", SAMPLEFORMAT.INT: "int", SAMPLEFORMAT.IEEEFP: "float", SAMPLEFORMAT.VOID: "uint",
}  # fmt: skip
COMPLEX: dict[int, str] = {SAMPLEFORMAT.COMPLEXINT: "complex integer", SAMPLEFORMAT.COMPLEXIEEEFP: "complex"}
PREDICTORS = (PREDICTOR.NONE, PREDICTOR.HORIZONTAL, PREDICTOR.FLOATINGPOINT)


def page_layout(page: Directory, max_pixels: int, max_bytes: int) -> PageLayout:
    """The layout of a page, checked. Raises UnsupportedSource or DamagedSource."""
    path = page.tiff.path
    height, width = page.number(Tag.IMAGE_LENGTH, 0), page.number(Tag.IMAGE_WIDTH, 0)
    if height < 1 or width < 1:
        raise DamagedSource(path, f"says it is {width} x {height} pixels; {COPY}")
    if height * width > max_pixels:
        raise UnsupportedSource(
            path, f"says it is {width} x {height} pixels, more than the {max_pixels} that are allowed; "
            "allow more if that is true"
        )  # fmt: skip
    if page.number(Tag.IMAGE_DEPTH, 1) != 1:
        raise UnsupportedSource(path, "a volume with depth, not a picture; export one slice of it")
    compression = page.number(Tag.COMPRESSION, COMPRESSION.NONE)
    if compression not in CODECS:
        raise UnsupportedSource(path, f"compression {compression} is not read; {CONVERT}")
    samples = page.number(Tag.SAMPLES_PER_PIXEL, 3 if compression == COMPRESSION.OJPEG else 1)
    photometric = page.number(Tag.PHOTOMETRIC_INTERPRETATION, _usual(compression, samples))
    if compression == COMPRESSION.OJPEG and photometric == PHOTOMETRIC.RGB:
        photometric = PHOTOMETRIC.YCBCR  # as libtiff takes it: old-style JPEG writers say RGB and store YCbCr
    if photometric not in MODELS:
        raise UnsupportedSource(path, f"photometric interpretation {photometric} is not read; {CONVERT}")
    model, channels = MODELS[photometric]
    if "Lab" in model and samples < 3:
        channels = 1
    if not channels <= samples <= 64:
        raise DamagedSource(path, f"says it is {model} and has {counted(samples, 'sample')} per pixel; {COPY}")
    whole = compression == COMPRESSION.OJPEG and has_stream(page)
    tiled = Tag.TILE_WIDTH in page and not whole
    tile_width = page.number(Tag.TILE_WIDTH, 0) if tiled else width
    tile_height = (
        page.number(Tag.TILE_LENGTH, 0)
        if tiled
        else height
        if whole
        else min(page.number(Tag.ROWS_PER_STRIP, height), height)
    )
    if tile_width < 1 or tile_height < 1:
        raise DamagedSource(path, f"tiles or strips of {tile_width} x {tile_height} pixels; {COPY}")
    bits, number = _depth(page, model, compression, channels)
    subsampling = page.numbers(Tag.YCBCR_SUB_SAMPLING) if model == "YCbCr" else None
    across, down = (2, 2) if subsampling is None or len(subsampling) < 2 else map(int, subsampling[:2])
    layout = PageLayout(
        path, page.tiff.order, height, width, model, photometric, channels, samples, bits, number, compression,
        page.number(Tag.PREDICTOR, PREDICTOR.NONE) if compression in PREDICTED else PREDICTOR.NONE,
        page.number(Tag.PLANAR_CONFIGURATION, PLANARCONFIG.CONTIG) == PLANARCONFIG.SEPARATE and samples > 1,
        page.number(Tag.FILL_ORDER, FILLORDER.MSB2LSB) == FILLORDER.LSB2MSB,
        (across, down) if model == "YCbCr" else (1, 1), tiled, tile_height, tile_width,
        *(np.zeros(0, np.uint64),) * 2, page.number(Tag.T4_OPTIONS, 0) if compression == COMPRESSION.CCITT_T4 else 0,
    )  # fmt: skip
    _check_combination(layout)
    return in_pieces(with_segments(page, layout, max_bytes), max_bytes)


def _usual(compression: int, samples: int) -> int:
    """What a page without PhotometricInterpretation is taken for."""
    if compression in (COMPRESSION.OJPEG, COMPRESSION.JPEG) and samples == 3:
        return PHOTOMETRIC.YCBCR
    if samples >= 3:
        return PHOTOMETRIC.RGB
    return PHOTOMETRIC.MINISWHITE if compression in FACSIMILE else PHOTOMETRIC.MINISBLACK


def _depth(page: Directory, model: str, compression: int, channels: int) -> tuple[int, str]:
    path = page.tiff.path
    if compression in SGI_LOGS:
        return (16 if model == "LogL" else 24 if compression == COMPRESSION.SGILOG24 else 32), "uint"
    depths, formats = page.numbers(Tag.BITS_PER_SAMPLE), page.numbers(Tag.SAMPLE_FORMAT)
    bits = 8 if depths is None and compression == COMPRESSION.OJPEG else 1 if depths is None else int(depths[0])
    if depths is not None and len({int(n) for n in depths}) > 1:
        raise UnsupportedSource(path, f"samples of different depth ({', '.join(map(str, depths[:8]))} bits); {CONVERT}")
    of = SAMPLEFORMAT.UINT if formats is None else int(formats[0])
    if formats is not None and len({int(n) for n in formats[:channels]}) > 1 and "Lab" not in model:
        raise UnsupportedSource(path, f"samples of different formats ({', '.join(map(str, formats[:8]))}); {CONVERT}")
    number = NUMBERS.get(of)
    if "Lab" in model:
        number = "uint"  # L is; a and b are signed in CIELab whatever SampleFormat says (TIFF 6.0 section 23)
    known = {"uint": (*range(1, 17), 32, 64), "int": (8, 16, 32, 64), "float": (16, 24, 32, 64)}
    if number is None or bits not in known[number]:
        kind = COMPLEX.get(of, number or f"format {of}")
        raise UnsupportedSource(path, f"{bits}-bit {kind} samples are not read; convert it to 16-bit TIFF first")
    return bits, number


def _check_combination(layout: PageLayout) -> None:
    path, bits, codec = layout.path, layout.bits, CODECS[layout.compression][0]
    plain = {"palette": bits <= 16, "YCbCr": bits == 8, "Lab": bits in (8, 16), "ICC Lab": bits in (8, 16),
             "ITU Lab": bits in (8, 16)}  # fmt: skip
    if not plain.get(layout.model, True) or (layout.model == "palette" and layout.format != "uint"):
        raise UnsupportedSource(path, f"{layout.words}: this depth is not read; {CONVERT}")
    if layout.model.startswith("Log") != (layout.compression in SGI_LOGS):
        raise UnsupportedSource(path, f"{layout.words}: this pair is not read; {CONVERT}")
    if layout.model.startswith("Log") and layout.planes:
        raise UnsupportedSource(path, f"{layout.words} in planes is not read; {CONVERT}")
    if layout.compression in FACSIMILE and (bits != 1 or layout.step != 1):
        raise DamagedSource(
            path, f"{layout.words} with {counted(layout.samples, 'sample')}: {codec} is for 1 bit; {COPY}"
        )
    if layout.compression == COMPRESSION.THUNDERSCAN and (bits != 4 or layout.step != 1):
        raise DamagedSource(path, f"{layout.words}: ThunderScan is for 4-bit gray; {COPY}")
    if layout.compression in CARRIES_OWN_HEADER and (layout.format != "uint" or bits not in (8, 12, 16)):
        raise DamagedSource(path, f"{layout.words}: no such thing; {COPY}")
    across, down = layout.subsampling
    if across not in (1, 2, 4) or down not in (1, 2, 4):
        raise UnsupportedSource(path, f"YCbCr subsampling {across} x {down} is not read; {CONVERT}")
    units = across * down > 1 and not layout.planes
    if layout.predictor not in PREDICTORS or (layout.predictor != PREDICTOR.NONE and units):
        raise UnsupportedSource(path, f"predictor {layout.predictor} is not read; {CONVERT}")
    if (layout.predictor == PREDICTOR.HORIZONTAL and bits not in (8, 16, 32, 64)) or (
        layout.predictor == PREDICTOR.FLOATINGPOINT and (layout.format != "float" or bits not in (16, 32, 64))
    ):
        raise UnsupportedSource(path, f"{layout.words} with predictor {layout.predictor} is not read; {CONVERT}")
