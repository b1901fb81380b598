"""Two old line codings that no library here knows: SGI's logarithmic luminance and ThunderScan's 4-bit gray.

Both go byte by byte, so they are slow (some 5 MB/s); files in them are small. Sources: Ward Larson 1998 and libtiff's
tif_luv.c; libtiff's tif_thunder.c.
"""

from __future__ import annotations

import numpy as np


def sgi_log(data: bytes, rows: int, width: int, planes: int) -> np.ndarray:
    """Logarithmic luminance as 16-bit numbers, (rows, width, 1): 1 sign bit, then log2 L in steps of 1/256.

    planes: bytes per pixel, 2 for LogL and 4 for LogLuv, whose first two are the same luminance. Each row is so many
    planes of bytes, most significant first, run-length coded. Raises ValueError at an early end.
    """
    out = np.empty((rows, planes, width), np.uint8)
    at = 0
    for line in out.reshape(rows * planes, width):
        filled = 0
        while filled < width:
            if at + 1 >= len(data):
                raise ValueError("the lines end early")
            head = data[at]
            if head >= 128:
                count = min(head - 126, width - filled)
                line[filled : filled + count] = data[at + 1]
                at += 2
            else:
                count = min(head, width - filled, len(data) - at - 1)
                line[filled : filled + count] = np.frombuffer(data, np.uint8, count, at + 1)
                at += 1 + head
            filled += count
    return (out[:, 0].astype(np.uint16) << 8 | out[:, 1])[..., None]


def sgi_log24(data: bytes, rows: int, width: int) -> np.ndarray:
    """Luminance of 24-bit LogLuv, (rows, width, 1): the upper 10 of 24 bits, log2 L in steps of 1/64 from 2^-12."""
    if len(data) < rows * width * 3:
        raise ValueError("the lines end early")
    pixels = np.frombuffer(data, np.uint8, rows * width * 3).reshape(rows, width, 3).astype(np.uint16)
    return (pixels[..., :1] << 2) | (pixels[..., 1:2] >> 6)


def luminance(codes: np.ndarray, wide: bool) -> np.ndarray:
    """Linear luminance, float32, of `sgi_log` (wide) or `sgi_log24` codes; 0 where the code says black."""
    steps, lowest = (256, -64) if wide else (64, -12)
    size = codes & 0x7FFF if wide else codes
    light = np.exp2((size.astype(np.float32) + 0.5) / steps + lowest)
    return np.where((size == 0) | (wide & (codes > 0x7FFF)), np.float32(0), light)


DELTAS = {1: ((0, 1, None, -1), (4, 2, 0)), 2: ((0, 1, 2, 3, None, -3, -2, -1), (3, 0))}
"""By a code's upper two bits: what its fields add to the last pixel (None: nothing follows), and where they are."""


def thunderscan(data: bytes, rows: int, width: int) -> np.ndarray:
    """4-bit gray, (rows, width, 1), from runs and differences to the last pixel. Raises ValueError at an early end."""
    lines, at = [], 0
    for _ in range(rows):
        line, last = bytearray(), 0
        while len(line) < width:
            if at >= len(data):
                raise ValueError("the lines end early")
            code, at = data[at], at + 1
            kind = code >> 6
            if kind == 0:
                line += bytes([last]) * min(code & 0x3F, width - len(line))
            elif kind == 3:
                last = code & 0x0F
                line.append(last)
            else:
                table, shifts = DELTAS[kind]
                for shift in shifts:
                    delta = table[code >> shift & (len(table) - 1)]
                    if delta is not None and len(line) < width:
                        last = (last + delta) & 0x0F
                        line.append(last)
        lines.append(bytes(line))
    return np.frombuffer(b"".join(lines), np.uint8).reshape(rows, width, 1)
