"""What the headers of DPX and OpenEXR frames say, element by element: carried, or named by its own name and size."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

from pipeline.metadata.blocks import Blocks
from pipeline.metadata.headers import exr_attributes
from pipeline.metadata.tags import Tag
from pipeline.values.loss import Loss
from pipeline.values.words import in_bytes

DPX_TEXTS = (
    ("file name", 36, 100), ("creation time", 136, 24), ("creator", 160, 100), ("project", 260, 200),
    ("copyright", 460, 200), ("description of the picture", 820, 32), ("source file name", 1432, 100),
    ("source time", 1532, 24), ("input device", 1556, 32), ("input device's serial number", 1588, 32),
    ("film manufacturer", 1664, 2), ("film type", 1666, 2), ("perforation offset", 1668, 2), ("film prefix", 1670, 6),
    ("film count", 1676, 4), ("film format", 1680, 32), ("frame identification", 1732, 32), ("slate", 1764, 100),
)  # fmt: skip
"""Fields of text in a DPX header: name, place, bytes (SMPTE 268M-2003)."""
DPX_NUMBERS = (
    ("encryption key", 660, "I"), ("frame position", 1712, "I"), ("sequence length", 1716, "I"),
    ("held count", 1720, "I"), ("film frame rate", 1724, "f"), ("shutter angle", 1728, "f"), ("time code", 1920, "I"),
    ("user bits", 1924, "I"), ("television frame rate", 1940, "f"), ("gamma", 1948, "f"), ("orientation", 768, "H"),
    ("x offset", 1408, "I"), ("y offset", 1412, "I"), ("x center", 1416, "f"), ("y center", 1420, "f"),
    ("original width", 1424, "I"), ("original height", 1428, "I"), ("border at left", 1620, "H"),
    ("border at right", 1622, "H"), ("border at top", 1624, "H"), ("border at bottom", 1626, "H"),
    ("interlace", 1928, "B"), ("field number", 1929, "B"), ("video signal", 1930, "B"),
    ("horizontal sample rate", 1932, "f"), ("vertical sample rate", 1936, "f"), ("time offset", 1944, "f"),
    ("black level", 1952, "f"), ("black gain", 1956, "f"), ("breakpoint", 1960, "f"), ("white level", 1964, "f"),
    ("integration time", 1968, "f"), ("reference low code", 784, "I"), ("reference low quantity", 788, "f"),
    ("reference high code", 792, "I"), ("reference high quantity", 796, "f"),
)  # fmt: skip
"""Fields of numbers that are named where they are set; all bits set, or 0, stand for not set."""
DPX_SIZE = {1424: 772, 1428: 776}
"""Where the size is told that the picture was taken from, and where its own is: the same says nothing."""
DPX_HIGH = 792
"""Code of the reference high quantity; the highest of all says nothing."""
DPX_CODINGS = (("transfer", 801), ("colorimetry", 802))
DPX_LIGHT = {1: "printing density", 2: "linear", 3: "logarithmic", 10: "depth, linear", 11: "depth, homogeneous"}
"""Of transfer and colorimetry those that are none of television's; codes are taken as stored, and no output says so."""
DPX_ASPECT = 1628
"""Two numbers: a pixel's width and height in parts of each other."""


def dpx_blocks(data: bytes) -> Blocks:
    """Copyright and pixel aspect of a DPX; all other fields that are set are named."""
    order = ">" if data[:4] == b"SDPX" else "<"
    texts, lost = [], []
    for name, at, size in DPX_TEXTS:
        text = data[at : at + size].split(b"\0")[0].rstrip(b"\xff ")
        if text and name == "copyright":
            texts.append((Tag.COPYRIGHT, text))
        elif text:
            lost.append(Loss(f"DPX {name}", in_bytes(len(text))))
    for name, at, kind in DPX_NUMBERS:
        raw = data[at : at + struct.calcsize(kind)]
        own = data[DPX_SIZE[at] : DPX_SIZE[at] + 4] if at in DPX_SIZE else b""
        if at == DPX_HIGH and len(data) > 803 and data[803] <= 32:
            own = struct.pack(f"{order}I", 2 ** data[803] - 1)
        if len(raw) == struct.calcsize(kind) and set(raw) not in ({0}, {255}) and raw != own:
            (value,) = struct.unpack(order + kind, raw)
            lost += [] if math.isnan(value) else [Loss(f"DPX {name}", f"{value:g}")]  # no number is "not set", too
    for name, at in DPX_CODINGS:
        if data[at : at + 1] and data[at] in DPX_LIGHT:
            lost.append(Loss(f"DPX {name}", DPX_LIGHT[data[at]]))
    user = int.from_bytes(data[28:32], "big" if order == ">" else "little")
    if 0 < user < len(data):
        lost.append(Loss("DPX user data", in_bytes(user)))
    return Blocks(texts=tuple(texts), resolution=_dpx_aspect(data, order), lost=tuple(lost))


def _dpx_aspect(data: bytes, order: str) -> tuple[Fraction, Fraction, int] | None:
    """Pixels across and down in the same length, where they are not square."""
    if len(data) < DPX_ASPECT + 8:
        return None
    wide, high = struct.unpack_from(order + "II", data, DPX_ASPECT)
    return (Fraction(high), Fraction(wide), 1) if 0 < wide < 1 << 31 and 0 < high < 1 << 31 and wide != high else None


EXR_STRUCTURE = frozenset({
    b"channels", b"compression", b"dataWindow", b"displayWindow", b"lineOrder", b"screenWindowCenter",
    b"screenWindowWidth", b"tiles", b"type", b"version", b"chunkCount", b"pixelAspectRatio", b"xDensity", b"comments",
})  # fmt: skip
"""Attributes that say how samples are stored, and those that are carried."""
MULTI_PART = 0x10


def exr_blocks(data: bytes) -> Blocks:
    """Comments, pixel aspect and density of an OpenEXR's first part; all other attributes and parts are named."""
    found = exr_attributes(data)
    lost = [
        Loss(f"OpenEXR {name.decode('latin-1')[:79]}", f"{kind.decode('latin-1')[:79]}, {in_bytes(len(value))}")
        for name, (kind, value) in found.items()
        if name not in EXR_STRUCTURE
    ]
    if data[5] & MULTI_PART:
        lost.append(Loss("further parts of the OpenEXR file", "only the first is read"))
    windows = [found[name][1] for name in (b"dataWindow", b"displayWindow") if name in found]
    if len(set(windows)) > 1 and all(len(window) == 16 for window in windows):
        inner, outer = (struct.unpack("<iiii", window) for window in windows)
        if inner[0] < outer[0] or inner[1] < outer[1] or inner[2] > outer[2] or inner[3] > outer[3]:
            lost.append(Loss("what of the picture lies outside its display window", f"the data window is {inner}"))
    comments = found.get(b"comments", (b"", b""))[1]
    texts = ((Tag.IMAGE_DESCRIPTION, comments),) if comments else ()
    return Blocks(texts=texts, resolution=_exr_resolution(found), lost=tuple(lost))


def _exr_resolution(found: dict[bytes, tuple[bytes, bytes]]) -> tuple[Fraction, Fraction, int] | None:
    """Pixels per inch where it is said, else only the ratio of a pixel that is not square."""
    aspect, density = (_float(found.get(name, (b"", b""))[1]) for name in (b"pixelAspectRatio", b"xDensity"))
    aspect = aspect or Fraction(1)
    if density:
        return density, density * aspect, 2
    return (Fraction(1), aspect, 1) if aspect != 1 else None


def _float(value: bytes) -> Fraction | None:
    """A positive number, about; None for nonsense."""
    number = struct.unpack("<f", value)[0] if len(value) == 4 else 0.0
    return Fraction(number).limit_denominator(10_000) or None if math.isfinite(number) and 0 < number < 1e6 else None
