"""One strip or tile: compressed bytes to samples, never more than the layout announced.

imagecodecs does the work. What each codec raises, or quietly gives instead of a picture, becomes DamagedSource in
`segments`, which knows the strip's number. Source: TIFF 6.0, sections 9 to 11, 13, 14, 21 and 22.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
from tifffile import COMPRESSION, PREDICTOR

from pipeline.metadata.headers import jpeg2000_size, jpeg_size, webp_size
from pipeline.metadata.jpegxl_header import jpegxl_size
from pipeline.spread.apart import Answer
from pipeline.stills.layout import JPEG_2000, JPEG_XL, PageLayout
from pipeline.stills.lines import sgi_log, sgi_log24, thunderscan

NO_PLACES = np.zeros(0, np.uint64)


class Undecodable(Exception):
    """Bytes that are not what the layout says; the message says what is the matter, for the caller to say where."""


def samples_of(data: bytes, layout: PageLayout, rows: int, columns: int, tables: bytes | None) -> np.ndarray:
    """Samples of a segment: (rows, columns, samples), native order, as stored except that predictors are undone.

    rows, columns: the part that lies in the picture. tables: JPEGTables. JPEG YCbCr stays YCbCr. Raises Undecodable, or
    whatever the codec raises.
    """
    if layout.compression in PICTURES:
        return _picture(data, layout, rows, columns, tables)
    if layout.reversed_bits:
        data = bytes(imagecodecs.bitorder_decode(data))
    height = layout.tile_height if layout.tiled else rows
    if layout.compression in BILEVEL:
        lines = BILEVEL[layout.compression](data, height, layout.tile_width, layout.options)
        return np.asarray(lines)[:rows, :columns, None]
    if layout.compression == COMPRESSION.THUNDERSCAN:
        return thunderscan(data, height, layout.tile_width)[:rows, :columns]
    if layout.compression == COMPRESSION.SGILOG:
        return sgi_log(data, height, layout.tile_width, layout.bits // 8)[:rows, :columns]
    if layout.compression == COMPRESSION.SGILOG24:
        return sgi_log24(data, height, layout.tile_width)[:rows, :columns]
    size = layout.segment_bytes(height)
    stored = UNPACKED[layout.compression](data, size)
    if len(stored) < size and layout.tiled:  # some writers leave out what of a tile lies below the picture
        height, size = rows, layout.segment_bytes(rows)
    if len(stored) < size:
        raise Undecodable(f"{len(stored)} of {size} bytes")
    exact = memoryview(stored)[:size]
    if layout.units:
        return _data_units(exact, layout, height)[:rows, :columns]
    return _numbers(exact, layout, height)[:rows, :columns]


def segment_apart(values: Any, data: list[bytes]) -> Answer:
    """`samples_of` for who asks from another process: a layout without its places, rows, columns, bytes, tables."""
    fields = values["layout"]
    fields["subsampling"] = tuple(fields["subsampling"])
    layout = PageLayout(**fields, offsets=NO_PLACES, counts=NO_PLACES)
    return None, samples_of(data[0], layout, values["rows"], values["columns"], data[1] if data[1:] else None)


def _numbers(stored: memoryview, layout: PageLayout, rows: int) -> np.ndarray:
    """Numbers of any depth, rows ending at whole bytes, predictors undone."""
    bits, shape = layout.bits, (rows, layout.tile_width, layout.step)
    if bits == 24:
        return np.asarray(imagecodecs.float24_decode(bytes(stored), byteorder=layout.order)).reshape(shape)
    if bits not in (8, 16, 32, 64):
        kind = np.dtype("u1" if bits <= 8 else "u2")
        return np.asarray(
            imagecodecs.packints_decode(bytes(stored), kind, bits, runlen=layout.tile_width * layout.step)
        ).reshape(shape)
    kind = np.dtype({"uint": "u", "int": "i", "float": "f"}[layout.format] + str(bits // 8))
    if layout.predictor == PREDICTOR.FLOATINGPOINT:  # works on bytes, most significant first whatever the file's order
        raw = np.frombuffer(stored, kind).reshape(shape)
        return np.asarray(imagecodecs.floatpred_decode(raw, axis=-2))
    samples = np.frombuffer(stored, kind.newbyteorder(layout.order)).astype(kind).reshape(shape)
    if layout.predictor == PREDICTOR.HORIZONTAL:
        whole = samples.view(f"u{bits // 8}")
        np.cumsum(whole, axis=1, dtype=whole.dtype, out=whole)
    return samples


def _data_units(stored: memoryview, layout: PageLayout, rows: int) -> np.ndarray:
    """YCbCr with fewer Cb and Cr than Y: units of Y samples, one Cb, one Cr (TIFF 6.0 section 21)."""
    across, down = layout.subsampling
    high, wide = -(-rows // down), -(-layout.tile_width // across)
    units = np.frombuffer(stored, np.uint8).reshape(high, wide, across * down + 2)
    luma = units[..., :-2].reshape(high, wide, down, across).transpose(0, 2, 1, 3).reshape(high * down, wide * across)
    chroma = units[..., -2:].repeat(down, 0).repeat(across, 1)
    return np.dstack([luma[..., None], chroma])


def _picture(data: bytes, layout: PageLayout, rows: int, columns: int, tables: bytes | None) -> np.ndarray:
    """A segment that is a picture file of its own: JPEG, JPEG 2000, WebP."""
    size_of, decode = PICTURES[layout.compression]
    if layout.compression == COMPRESSION.OJPEG:  # libjpeg makes do without an end, and old writers often left it out
        data, tables = (tables or b"") + data + b"\xff\xd9", None
    size = size_of(data)
    if size is None:
        raise Undecodable("no picture in it")
    height, width = size[:2]
    if height > layout.tile_height or width > layout.tile_width or height < rows or width < columns:
        raise Undecodable(f"a picture of {width} x {height} where {columns} x {rows} are wanted")
    samples = np.asarray(decode(data, layout, tables))
    if not samples.size:
        raise Undecodable("a kind that the codec does not read")
    samples = samples[..., None] if samples.ndim == 2 else samples
    if layout.compression == COMPRESSION.WEBP and samples.shape[2] == 3 and layout.step == 4:
        samples = np.dstack([samples, np.full_like(samples[..., :1], 255)])  # WebP drops an alpha that is all opaque
    whole = samples[:rows, :columns]
    if whole.shape != (rows, columns, layout.step) or whole.dtype.itemsize != (1 if layout.bits == 8 else 2):
        kind = f"{samples.dtype.itemsize * 8}-bit samples, {samples.shape[2]} a pixel"
        raise Undecodable(f"{samples.shape[1]} x {samples.shape[0]} pixels of {kind}")
    return whole


def _jpeg(data: bytes, layout: PageLayout, tables: bytes | None) -> Any:
    if b"\xff\xd9" not in data[-64:]:
        raise Undecodable("the picture ends early")  # libjpeg would fill the rest with gray and say nothing
    if layout.step == 1:
        inside = outside = "GRAYSCALE"
    elif layout.model == "YCbCr":
        inside = outside = "YCBCR"
    elif layout.model == "CMYK":
        inside = outside = "CMYK"
    else:
        # a JFIF marker says YCbCr even where the page says RGB
        inside, outside = ("YCBCR" if b"JFIF" in data[:64] else "RGB"), "RGB"
    if layout.samples - layout.channels and layout.step > 1:
        inside = outside = "UNKNOWN"
    found = jpeg_size(data)
    bits = found[3] if found and found[3] > 8 else None
    return imagecodecs.jpeg_decode(data, tables=tables, colorspace=inside, outcolorspace=outside, bitspersample=bits)


def _jpeg2000(data: bytes, layout: PageLayout, tables: bytes | None) -> Any:
    return imagecodecs.jpeg2k_decode(data)


def _webp(data: bytes, layout: PageLayout, tables: bytes | None) -> Any:
    return imagecodecs.webp_decode(data)


def _jpegxl(data: bytes, layout: PageLayout, tables: bytes | None) -> Any:
    return imagecodecs.jpegxl_decode(data, numthreads=1)


def _deflated(data: bytes, size: int) -> bytes:
    # zlib itself: imagecodecs refuses a strip with one byte too many
    return zlib.decompressobj().decompress(data, size)


def _xz(data: bytes, size: int) -> bytes:
    return lzma.LZMADecompressor(memlimit=1 << 28).decompress(data, size)


def _lzw(data: bytes, size: int) -> bytes | bytearray:
    return imagecodecs.lzw_decode(data, out=size)


def _packbits(data: bytes, size: int) -> bytes | bytearray:
    return imagecodecs.packbits_decode(data, out=size + 128)


def _zstandard(data: bytes, size: int) -> bytes | bytearray:
    return imagecodecs.zstd_decode(data, out=size)


UNPACKED: dict[int, Callable[[bytes, int], bytes | bytearray]] = {
    COMPRESSION.NONE: lambda data, size: data, COMPRESSION.LZW: _lzw, COMPRESSION.ADOBE_DEFLATE: _deflated,
    COMPRESSION.DEFLATE: _deflated, COMPRESSION.PACKBITS: _packbits, COMPRESSION.LZMA: _xz,
    COMPRESSION.ZSTD_DEPRECATED: _zstandard, COMPRESSION.ZSTD: _zstandard,
}  # fmt: skip
BILEVEL: dict[int, Callable[[bytes, int, int, int], Any]] = {
    COMPRESSION.CCITTRLE: lambda data, rows, width, _: imagecodecs.ccittrle_decode(data, rows, width),
    COMPRESSION.CCITT_T4: lambda data, rows, width, options: imagecodecs.ccittfax3_decode(
        data, rows, width, t4options=options
    ),
    COMPRESSION.CCITT_T6: lambda data, rows, width, _: imagecodecs.ccittfax4_decode(data, rows, width),
}
PICTURES: dict[int, tuple[Callable[[bytes], tuple[int, int, int, int] | None], Callable[..., Any]]] = {
    COMPRESSION.OJPEG: (jpeg_size, _jpeg), COMPRESSION.JPEG: (jpeg_size, _jpeg),
    **dict.fromkeys(JPEG_2000, (jpeg2000_size, _jpeg2000)), COMPRESSION.WEBP: (webp_size, _webp),
    **dict.fromkeys(JPEG_XL, (jpegxl_size, _jpegxl)),
}  # fmt: skip
