"""Headers of DPX, OpenEXR and JP2: what is carried, and that every other element is named by its own name."""

import struct
from fractions import Fraction

import pytest

from pipeline.metadata.frame_blocks import DPX_NUMBERS, DPX_TEXTS, dpx_blocks, exr_blocks
from pipeline.metadata.headers import exr_size
from pipeline.metadata.jp2_blocks import XMP, jp2_blocks
from pipeline.metadata.tags import Tag

UNKNOWN = [f"archive{n}" for n in range(12)]


def names(blocks):
    """What is lost, by name."""
    return [loss.name for loss in blocks.lost]


def exr(attributes, flags=0):
    """An OpenEXR's header."""
    window = struct.pack("<iiii", 0, 0, 9, 4)
    found = {"dataWindow": ("box2i", window), "displayWindow": ("box2i", window), **attributes}
    data = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value
        for name, (kind, value) in found.items()
    )
    return b"\x76\x2f\x31\x01" + bytes([2, flags, 0, 0]) + data + b"\0"


def test_attributes_of_an_openexr():
    """Aspect, density and comments are carried; twelve attributes that no rule knows, and further parts, are named."""
    told = {
        "pixelAspectRatio": ("float", struct.pack("<f", 2)), "xDensity": ("float", struct.pack("<f", 300)),
        "comments": ("string", b"Reel 4"), **dict.fromkeys(UNKNOWN, ("string", b"x")),
    }  # fmt: skip
    blocks = exr_blocks(exr(told, 0x10))
    assert blocks.resolution == (300, 600, 2)
    assert blocks.texts == ((Tag.IMAGE_DESCRIPTION, b"Reel 4"),)
    assert names(blocks) == [*(f"OpenEXR {name}" for name in UNKNOWN), "further parts of the OpenEXR file"]
    assert exr_blocks(exr({"pixelAspectRatio": ("float", struct.pack("<f", 2))})).resolution == (1, 2, 1)


def test_windows_of_an_openexr():
    """The display window is what comes out; what of the data lies outside it is named, what lies within is not."""
    for box, lost in (((2, 1, 12, 6), True), ((2, 1, 8, 3), False)):
        data = exr({"dataWindow": ("box2i", struct.pack("<iiii", *box))})
        assert exr_size(data)[:2] == (5, 10)
        assert any("display window" in name for name in names(exr_blocks(data))) == lost


@pytest.mark.parametrize("order", [">", "<"])
def test_every_field_of_a_dpx_is_carried_or_named(order):
    """All texts and numbers of the header, one by one; sizes and codes that are the picture's own say nothing."""
    plain = bytearray((b"SDPX" if order == ">" else b"XPDS") + bytes(2044))
    struct.pack_into(f"{order}II", plain, 772, 64, 48)
    plain[803] = 10
    for name, at, size in DPX_TEXTS:
        data = bytes(plain[:at] + b"word"[:size] + plain[at + min(4, size) :])
        blocks = dpx_blocks(data)
        assert names(blocks) == ([] if name == "copyright" else [f"DPX {name}"])
        assert bool(blocks.texts) == (name == "copyright")
    for name, at, kind in DPX_NUMBERS:
        data = bytearray(plain)
        struct.pack_into(order + kind, data, at, 7)
        assert names(dpx_blocks(bytes(data))) == [f"DPX {name}"]
    struct.pack_into(f"{order}II", plain, 1424, 64, 48)
    struct.pack_into(f"{order}I", plain, 792, 1023)
    assert dpx_blocks(bytes(plain)).lost == ()
    plain[801:803] = 1, 3
    assert list(map(str, dpx_blocks(bytes(plain)).lost)) == [
        "DPX transfer (printing density)", "DPX colorimetry (logarithmic)",
    ]  # fmt: skip


def test_a_second_block_of_a_jp2_is_named():
    """The first packet of XMP is carried; another one is named."""
    data = b"".join(
        struct.pack(">I4s", 8 + len(content), kind) + content
        for kind, content in ((b"jP  ", b"\r\n\x87\n"), (b"uuid", XMP + b"one"), (b"uuid", XMP + b"other"))
    )
    assert jp2_blocks(data).xmp == b"one"
    assert names(jp2_blocks(data)) == ["JP2 box uuid"]


@pytest.mark.parametrize(("mark", "order"), [(b"SDPX", ">"), (b"XPDS", "<")])
def test_fields_of_a_dpx(mark, order):
    """Copyright and pixel aspect are carried; every other field that is set is named, none that is not."""
    data = bytearray(mark + bytes(2044))
    data[660:664] = b"\xff" * 4
    struct.pack_into(f"{order}f", data, 1724, float("nan"))
    assert dpx_blocks(bytes(data)).lost == ()
    for at, text in ((36, b"a.dpx"), (160, b"scanner"), (260, b"project"), (460, b"an archive"), (1764, b"slate")):
        data[at : at + len(text)] = text
    struct.pack_into(order + "I", data, 1716, 24)
    struct.pack_into(order + "f", data, 1724, 18)
    struct.pack_into(order + "II", data, 1628, 2, 1)
    blocks = dpx_blocks(bytes(data))
    assert blocks.texts == ((Tag.COPYRIGHT, b"an archive"),)
    assert blocks.resolution == (1, 2, 1)
    named = {"DPX file name", "DPX creator", "DPX project", "DPX slate", "DPX sequence length", "DPX film frame rate"}
    assert set(names(blocks)) == named


def box(kind, content):
    """A box of a JP2."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def test_boxes_of_a_jp2():
    """XMP and pixel size are carried; twelve boxes that no rule knows are named, in the header too."""
    size = box(b"res ", box(b"resc", struct.pack(">HHHHbb", 300, 1, 400, 1, 2, 2)))
    kinds = [b"unk" + bytes([97 + n]) for n in range(12)]
    stream = b"\xff\x4f" + struct.pack(">HHH", 0xFF64, 8, 1) + b"note" + b"\xff\x90"
    data = (
        box(b"jP  ", b"\r\n\x87\n") + box(b"jp2h", box(b"ihdr", bytes(14)) + size + box(kinds[0], b"1"))
        + box(b"uuid", XMP + b"<x/>") + b"".join(box(kind, b"12") for kind in kinds[1:]) + box(b"jp2c", stream)
    )  # fmt: skip
    blocks = jp2_blocks(data)
    assert blocks.xmp == b"<x/>"
    assert blocks.resolution == (Fraction(400), Fraction(300), 3)
    assert set(names(blocks)) == {*(f"JP2 box {kind.decode()}" for kind in kinds), "JP2 box comment"}
    assert names(jp2_blocks(stream[:2] + b"\xff\x51\0\x02" + stream[2:])) == ["JPEG 2000 comment"]
