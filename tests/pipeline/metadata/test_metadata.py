"""What a scan says in words arrives with its types, and what cannot be carried is named."""

import struct
import zlib
from fractions import Fraction

import imagecodecs
import numpy as np
import pytest
import tifffile

from pipeline.metadata import metadata as scan_metadata
from pipeline.metadata.blocks import Blocks, from_blocks
from pipeline.metadata.metadata import Metadata
from pipeline.stills.opening import open_scan
from pipeline.values.loss import Loss
from tests.tiffs import built, noise, write

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- a plate --></x:xmpmeta>'
IPTC = bytes.fromhex("1c0205000548617262")


def scan_of(path):
    """The facts of a scan."""
    with open_scan(path) as reader:
        return reader.scan


def test_how_gray_was_made_of_dots_is_named(tmp_path):
    """Thresholding and the cells of a dither say it of the source's samples alone."""
    path = tmp_path / "a.tif"
    extra = [(263, 3, 1, 2, True), (264, 3, 1, 8, True), (265, 3, 1, 8, True)]
    tifffile.imwrite(path, noise((48, 64)), photometric="minisblack", metadata=None, extratags=extra)
    assert {loss.name for loss in scan_of(path).metadata.lost} == {"Thresholding", "CellWidth", "CellLength"}


def exif_block(order="<"):
    """A TIFF structure as Exif has it: Artist, Orientation, resolution, and an Exif directory with a maker's note."""

    def entry(code, kind, count, value):
        raw = value if isinstance(value, bytes) else struct.pack(order + "I", value)
        if kind == 3:
            raw = struct.pack(order + "HH", value, 0)
        return struct.pack(order + "HHI", code, kind, count) + raw

    main = [
        (274, 3, 1, 6),
        (282, 5, 1, 200),
        (283, 5, 1, 208),
        (296, 3, 1, 3),
        (315, 2, 4, b"Ann\0"),
        (34665, 4, 1, 120),
    ]
    below = [(33434, 5, 1, 216), (36864, 7, 4, b"0232"), (37500, 7, 4, b"note")]
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(main))
    block += b"".join(entry(*fields) for fields in main) + bytes(4)
    block = block.ljust(120, b"\0") + struct.pack(order + "H", len(below))
    block += b"".join(entry(*fields) for fields in below) + bytes(4)
    return block.ljust(200, b"\0") + struct.pack(order + "6I", 1200, 10, 300, 1, 1, 60)


def test_tiff_tags_arrive_with_their_types(tmp_path):
    """Catalogue texts, XMP, IPTC and resolution are carried byte for byte; tags of storage are not among them."""
    extra = [
        (269, 2, 0, "Plate 17", True), (315, 2, 0, "M. Brady", True), (33432, 2, 0, "public domain", True),
        (297, 3, 2, (3, 9), True), (700, 1, len(XMP), XMP, True), (33723, 7, len(IPTC), IPTC, True),
        (65000, 3, 1, 5, True),
    ]  # fmt: skip
    options = {"description": "glass negative", "software": "scanner 3", "datetime": "1999:01:02 03:04:05"}
    write(tmp_path / "a.tif", noise((8, 8)), extratags=extra, resolution=(1200.5, 600), resolutionunit=2, **options)
    scan = scan_of(tmp_path / "a.tif")
    assert scan.metadata.tags == {
        269: (2, b"Plate 17"), 270: (2, b"glass negative"), 297: (3, (3, 9)), 305: (2, b"scanner 3"),
        306: (2, b"1999:01:02 03:04:05"), 315: (2, b"M. Brady"), 33432: (2, b"public domain"),
    }  # fmt: skip
    assert (scan.metadata.xmp, scan.metadata.blobs[33723]) == (XMP, (7, IPTC))
    assert scan.resolution == (Fraction(2401, 2), 600, 2)
    assert len(scan.metadata.lost) == 1
    assert Metadata().xmp is None


@pytest.mark.parametrize("text", ["Fotografía de 1932".encode("latin-1"), "Дорога".encode(), b"two\0texts"])
def test_texts_keep_their_bytes(tmp_path, text):
    """What alphabet a text is in nobody says: its bytes are kept."""
    built(tmp_path / "a.tif", (2, 2), bytes(4), {270: text + b"\0", 305: b"abc"})
    assert scan_of(tmp_path / "a.tif").metadata.tags == {270: (2, text), 305: (2, b"abc")}


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_in_jpeg(tmp_path, order):
    """The camera's directory arrives with orientation and resolution; the maker's note is named as lost."""
    stream = bytes(imagecodecs.jpeg_encode(noise((16, 16), "u1")))
    blocks = [(0xE1, b"Exif\0\0" + exif_block(order)), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)]
    record = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
    blocks.append((0xED, b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\0\x02\0\0" + record))
    icc = imagecodecs.cms_profile("gray", gamma=1.8)
    blocks += [(0xE2, b"ICC_PROFILE\0\2\2" + icc[100:]), (0xE2, b"ICC_PROFILE\0\1\2" + icc[:100])]
    inserted = b"".join(bytes([0xFF, m]) + struct.pack(">H", len(c) + 2) + c for m, c in blocks)
    (tmp_path / "a.jpg").write_bytes(stream[:2] + inserted + stream[2:])
    scan = scan_of(tmp_path / "a.jpg")
    assert scan.metadata.tags == {315: (2, b"Ann")}
    assert scan.metadata.exif == {33434: (5, ((1, 60),)), 36864: (7, b"0232")}
    assert (scan.orientation, scan.resolution) == (6, (120, 300, 3))
    assert (scan.metadata.blobs[700][1], scan.metadata.blobs[33723][1]) == (XMP, IPTC)
    assert [loss.name for loss in scan.metadata.lost] == ["Photoshop resolution 0x03ED", "MakerNote"]
    assert (scan.icc, scan.tone) == (icc, "gray ICC profile applied")


def test_png_chunks(tmp_path):
    """Texts become the tags that mean the same; XMP, ICC and pixel size arrive; other texts are named."""
    stream = bytes(imagecodecs.png_encode(noise((16, 16))))
    icc = imagecodecs.cms_profile("gray", gamma=1.8)
    chunks = [
        (b"tEXt", b"Author\0Ann"), (b"tEXt", b"Warning\0hot"), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        (b"pHYs", struct.pack(">IIB", 47244, 23622, 1)), (b"iCCP", b"x\0\0" + zlib.compress(icc)),
    ]  # fmt: skip
    inserted = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    (tmp_path / "a.png").write_bytes(stream[:33] + inserted + stream[33:])
    scan = scan_of(tmp_path / "a.png")
    assert (scan.metadata.tags, scan.metadata.xmp) == ({315: (2, b"Ann")}, XMP)
    assert scan.resolution == (Fraction(47244, 100), Fraction(23622, 100), 3)
    assert (scan.icc, scan.metadata.lost) == (icc, (Loss("text Warning"),))


def test_webp_chunks(tmp_path):
    """Exif, XMP and ICC of an extended WebP arrive."""
    plain = bytes(imagecodecs.webp_encode(noise((16, 16, 3), "u1")))[12:]
    icc = imagecodecs.cms_profile("srgb")
    parts = [(b"ICCP", icc), (b"EXIF", exif_block()), (b"XMP ", XMP)]
    packed = [k + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for k, c in parts]
    head = b"VP8X" + struct.pack("<IBBBB", 10, 0b00101100, 0, 0, 0) + (15).to_bytes(3, "little") * 2
    body = b"WEBP" + head + packed[0] + plain + packed[1] + packed[2]
    (tmp_path / "a.webp").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    scan = scan_of(tmp_path / "a.webp")
    assert (scan.icc, scan.metadata.xmp, scan.orientation) == (icc, XMP, 6)


def test_values_beyond_the_file_are_named(tmp_path):
    """A text that the file does not hold is no reason to refuse the picture."""
    write(tmp_path / "a.tif", noise((8, 8)), description="words that are long enough")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        place = tiff.pages.first.tags[270].offset
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place + 8 : place + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "a.tif").write_bytes(data)
    scan = scan_of(tmp_path / "a.tif")
    assert scan.metadata.lost[0].name == "ImageDescription"
    assert 270 not in scan.metadata.tags


def test_words_have_a_limit(tmp_path, monkeypatch):
    """Texts are carried up to a number of bytes; one that does not fit is named."""
    monkeypatch.setattr(scan_metadata, "MAX_WORDS", 100)
    built(tmp_path / "a.tif", (2, 2), bytes(4), {270: b"a" * 60, 305: b"b" * 60, 315: b"c" * 30})
    metadata = scan_of(tmp_path / "a.tif").metadata
    assert set(metadata.tags) == {270, 315}
    assert metadata.lost == (Loss("Software", "60 bytes are too many"),)


@pytest.mark.parametrize(("tags", "expected"), [({282: 5, 283: 5}, None), ({274: 9}, 1), ({274: 0}, 1)])
def test_nonsense_is_as_good_as_nothing(tmp_path, tags, expected):
    """A resolution that is no fraction and an orientation beyond 8 are passed over."""
    scan = scan_of(built(tmp_path / "a.tif", (2, 2), bytes(4), tags))
    assert (scan.resolution if expected is None else scan.orientation) == expected


def test_repr_prints_no_bytes(tmp_path):
    """A scan can be printed: no profile, no metadata, no pixels."""
    write(tmp_path / "a.tif", np.zeros((4, 4), "u1"), iccprofile=imagecodecs.cms_profile("gray", gamma=1.8))
    assert len(repr(scan_of(tmp_path / "a.tif"))) < 500 + len(str(tmp_path))


def test_a_thumbnail_in_exif_is_named():
    """A second directory of an Exif block is a small picture of the source; it is not carried over."""
    first = b"II*\0\x08\0\0\0" + b"\1\0" + b"\x12\1\3\0\1\0\0\0\1\0\0\0"
    for following, named in ((b"\0\0\0\0", False), (b"\x1a\0\0\0\0\0\0\0\0\0", True)):
        metadata, _, _ = from_blocks(Blocks(exif=b"Exif\0\0" + first + following), "a.jpg")
        assert ("Exif thumbnail" in [loss.name for loss in metadata.lost]) == named
