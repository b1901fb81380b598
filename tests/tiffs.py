"""What the tests of scans share: random samples, TIFFs written by tifffile, and TIFFs written byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile

from pipeline.stills.opening import open_scan


def noise(shape: tuple[int, ...], kind: str = "u2", seed: int = 0, bits: int | None = None) -> np.ndarray:
    """Random samples over the full range of a type, or of fewer bits."""
    top = 2 ** (bits or 8 * np.dtype(kind).itemsize)
    return np.random.default_rng(seed).integers(0, top, shape, np.uint64).astype(kind)


def whole(path: Path, page: int = 0) -> np.ndarray:
    """All luma codes of a scan."""
    with open_scan(path, page) as reader:
        return reader.read(0, 0, reader.scan.height, reader.scan.width)


def write(path: Path, samples: np.ndarray, **options: Any) -> Path:
    """A TIFF without tifffile's own description."""
    tifffile.imwrite(path, np.ascontiguousarray(samples), metadata=None, **options)
    return path


def built(path: Path, size: tuple[int, int], data: bytes, tags: dict[int, Any], order: str = "<") -> Path:
    """A TIFF of one strip and any tags: whole numbers as LONG, tuples of them as SHORT, bytes as ASCII.

    size: height, width. Compression and photometric interpretation are 1 unless the tags say otherwise.
    """
    fields = {256: size[1], 257: size[0], 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: size[0], 279: len(data), **tags}
    body = data + b"\0" * (len(data) % 2)
    entries = b""
    for code in sorted(fields):
        value = fields[code]
        if isinstance(value, int):
            entries += struct.pack(order + "HHII", code, 4, 1, value)
            continue
        kind, raw = (2, value) if isinstance(value, bytes) else (3, struct.pack(f"{order}{len(value)}H", *value))
        inside = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(order + "I", 8 + len(body))
        body += raw + b"\0" * (len(raw) % 2) if len(raw) > 4 else b""
        entries += struct.pack(order + "HHI", code, kind, len(value)) + inside
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(order + "I", 8 + len(body))
    path.write_bytes(head + body + struct.pack(order + "H", len(fields)) + entries + bytes(4))
    return path


def packed(path: Path, samples: np.ndarray, bits: int, white: bool = False, reversed_bits: bool = False) -> Path:
    """A gray TIFF of any depth; tifffile packs no odd ones."""
    rows = [np.unpackbits(row.astype(">u2").view(np.uint8).reshape(-1, 2), axis=1)[:, 16 - bits :] for row in samples]
    data = b"".join(np.packbits(row.reshape(-1)).tobytes() for row in rows)
    data = bytes(imagecodecs.bitorder_decode(data)) if reversed_bits else data
    return built(path, samples.shape, data, {258: bits, 262: 0 if white else 1, 266: 1 + reversed_bits}, ">")
