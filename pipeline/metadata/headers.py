"""Sizes in the headers of picture files, read before a codec allocates what they say.

Each function takes a file's first bytes, or all of them, and gives height, width, samples per pixel and bits per
sample, or None if the bytes are not such a picture.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

Size = tuple[int, int, int, int]
AFTER_SCAN = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""A marker that ends a scan's coded data: no stuffed zero, no restart, no fill byte (ISO 10918-1, B.1.1.2)."""


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker codes and contents up to the first scan or the end (ISO 10918-1, B.1.1.4)."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in (0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or marker == 0xD9:
            return
        yield marker, data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return
        at += 2 + length


def jpeg_end(data: bytes) -> int | None:
    """Bytes of a JPEG stream up to and with its end marker, found by walking its scans; None if it ends before that.

    End markers within segments (of thumbnails) and behind the end (of further pictures) are not taken for it.
    """
    at = 2
    while at + 2 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker in (0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if marker == 0xDA:
            found = AFTER_SCAN.search(data, at)
            at = found.start() if found else len(data)
    return None


def jpeg_size(data: bytes) -> Size | None:
    """Of a JPEG stream's frame header; lossless and arithmetic ones too, which the codec may refuse."""
    for marker, content in jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(content) >= 6:
            bits, height, width, samples = struct.unpack_from(">BHHB", content)
            return (height, width, samples, bits) if height and width and samples else None
    return None


def png_size(data: bytes) -> Size | None:
    """Of a PNG's IHDR; a palette counts as three samples, which is what the codec makes of it."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height, bits, kind = struct.unpack_from(">IIBB", data, 16)
    samples = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(kind)
    return (height, width, samples, bits if kind != 3 else 8) if height and width and samples and bits else None


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Chunks of a PNG (its section 5.3), those of the picture without their content; what follows on the last one has
    the kind b"".
    """
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        yield kind, b"" if kind == b"IDAT" else data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND" and at < len(data):
            yield b"", data[at:]
            return


def webp_size(data: bytes) -> Size | None:
    """Of a WebP's first chunk (RFC 9649)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return int.from_bytes(body[7:10], "little") + 1, int.from_bytes(body[4:7], "little") + 1, 3, 8
    if kind == b"VP8L" and body[0] == 0x2F:
        packed = int.from_bytes(body[1:5], "little")
        return (packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1, 3, 8
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return (height & 0x3FFF, width & 0x3FFF, 3, 8) if height & 0x3FFF and width & 0x3FFF else None
    return None


def jpeg2000_size(data: bytes) -> Size | None:
    """Of a JPEG 2000 codestream's SIZ marker, bare or in a JP2 file (ISO 15444-1, A.5.1)."""
    start = data.find(b"\xff\x4f\xff\x51", 0, 1 << 20)
    if start < 0 or len(data) < start + 43:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    samples, depth = struct.unpack_from(">HB", data, start + 40)
    if right <= left or bottom <= top or not 0 < samples <= 64:
        return None
    return bottom - top, right - left, samples, (depth & 0x7F) + 1


def dpx_size(data: bytes) -> Size | None:
    """Of a DPX header (SMPTE 268M): samples by the descriptor of its first element."""
    order = {b"SDPX": ">", b"XPDS": "<"}.get(data[:4])
    if order is None or len(data) < 808:
        return None
    width, height = struct.unpack_from(order + "II", data, 772)
    samples = {50: 3, 51: 4, 52: 4}.get(data[800], 1)
    return (height, width, samples, data[803]) if height and width and data[803] else None


def exr_size(data: bytes) -> Size | None:
    """Of an OpenEXR header: the display window, which is what comes out, and how many channels there are."""
    found, _ = _exr_header(data)
    size = _window(found.get(b"displayWindow", b"")) if _window(found.get(b"dataWindow", b"")) else None
    channels = max(1, len(found.get(b"channels", b"")) // 18)  # a name of one letter, its 0, 16 bytes
    return (*size, channels, 16) if size else None


def _window(box: bytes) -> tuple[int, int] | None:
    """Height and width of a window of an OpenEXR."""
    if len(box) != 16:
        return None
    left, top, right, bottom = struct.unpack("<iiii", box)
    return (bottom - top + 1, right - left + 1) if bottom >= top and right >= left else None


EXR_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""Lines of a block by OpenEXR's compression."""


def exr_is_cut(data: bytes) -> bool:
    """Whether blocks of lines of an OpenEXR are not in the file; of tiled and multi-part files this says nothing."""
    found, end = _exr_header(data)
    size, compression = _window(found.get(b"dataWindow", b"")), found.get(b"compression", b"\0")
    if size is None or data[5] & 0x12 or compression[0] not in EXR_LINES:
        return False
    blocks = -(-size[0] // EXR_LINES[compression[0]])
    if len(data) < end + 8 * blocks:
        return True
    places = struct.unpack_from(f"<{blocks}Q", data, end)
    return any(at + 8 > len(data) or at + 8 + struct.unpack_from("<I", data, at + 4)[0] > len(data) for at in places)


def exr_sparse(data: bytes) -> list[str]:
    """Channels of an OpenEXR that have fewer samples than its picture has pixels, as luminance/chroma pictures have."""
    channels, at, found = _exr_header(data)[0].get(b"channels", b""), 0, []
    while (end := channels.find(b"\0", at)) > at and end + 17 <= len(channels):
        if struct.unpack_from("<ii", channels, end + 9) != (1, 1):  # after type, linearity and reserved bytes
            found.append(channels[at:end].decode("latin-1")[:79])
        at = end + 17
    return found


def exr_attributes(data: bytes) -> dict[bytes, tuple[bytes, bytes]]:
    """Attributes of the first header by name: type and value."""
    return _exr_read(data)[0]


def _exr_header(data: bytes) -> tuple[dict[bytes, bytes], int]:
    """Attributes of the first header, and where it ends."""
    found, end = _exr_read(data)
    return {name: value for name, (_, value) in found.items()}, end


def _exr_read(data: bytes) -> tuple[dict[bytes, tuple[bytes, bytes]], int]:
    found: dict[bytes, tuple[bytes, bytes]] = {}
    head, at = data[: 1 << 16], 8
    if data[:4] != b"\x76\x2f\x31\x01":
        return found, 0
    while at < len(head) and head[at]:
        named = head.find(b"\0", at)
        typed = head.find(b"\0", named + 1)
        if named < 0 or typed < 0:
            break
        length = int.from_bytes(head[typed + 1 : typed + 5], "little")
        found[head[at:named]] = head[named + 1 : typed], head[typed + 5 : typed + 5 + length]
        at = typed + 5 + length
    return found, at + 1
