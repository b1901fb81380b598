"""TIFFs that are sound and seldom: each is read as its writer meant it, or what is not read of it is named."""

import struct

import imagecodecs
import numpy as np
import pytest
import tifffile

from pipeline.metadata.metadata import name_of
from pipeline.metadata.tags import Tag
from pipeline.stills.opening import open_scan
from tests.tiffs import built, noise, whole, write


def facts(path):
    """Facts of a scan's first page."""
    with open_scan(path) as reader:
        return reader.scan


@pytest.mark.parametrize(
    ("options", "whose"), [({}, "tifffile"), ({"ome": True}, "OME-XML"), ({"imagej": True}, "ImageJ")]
)
def test_descriptions_of_a_shape_are_named_not_carried(tmp_path, options, whose):
    """What a program says there of planes and channels would be wrong of the output."""
    tifffile.imwrite(tmp_path / "a.tif", noise((24, 32), "u1"), **({"metadata": {"axes": "YX"}} | options))
    metadata = facts(tmp_path / "a.tif").metadata
    assert Tag.IMAGE_DESCRIPTION not in metadata.tags
    assert any(loss.name == "ImageDescription" and whose in str(loss) for loss in metadata.lost)


@pytest.mark.parametrize("text", [b"ImageJa, a village", b'{"title": "the shape of a vase"}', b"<OMEGA/>", b"OME"])
def test_descriptions_of_the_picture_are_carried(tmp_path, text):
    """Only what those programs write is left out."""
    built(tmp_path / "a.tif", (2, 2), bytes(4), {270: text + b"\0"})
    assert facts(tmp_path / "a.tif").metadata.tags[Tag.IMAGE_DESCRIPTION][1] == text


def test_planes_without_a_directory_are_named(tmp_path):
    """ImageJ's long stacks have one directory: planes behind the first are lost, and named."""
    stack = noise((5, 24, 32), "u1")
    tifffile.imwrite(tmp_path / "long.tif", stack, imagej=True, truncate=True)
    tifffile.imwrite(tmp_path / "usual.tif", stack, imagej=True)
    [loss] = [loss for loss in facts(tmp_path / "long.tif").metadata.lost if "planes" in loss.name]
    assert "4 more" in str(loss)
    assert facts(tmp_path / "usual.tif").pages == 5
    assert not [loss for loss in facts(tmp_path / "usual.tif").metadata.lost if "planes" in loss.name]


def test_text_in_utf8_is_carried_and_unknown_types_are_named(tmp_path):
    """Field type 129 is Exif 3.0's text; an entry of a type that nobody knows is named by its tag and type."""
    built(tmp_path / "a.tif", (2, 2), bytes(4), {270: "Straße\0".encode(), 315: b"Nadar\0"})
    data = (tmp_path / "a.tif").read_bytes()
    for code, kind in ((270, 129), (315, 200)):
        data = data.replace(struct.pack("<HH", code, 2), struct.pack("<HH", code, kind))
    (tmp_path / "a.tif").write_bytes(data)
    metadata = facts(tmp_path / "a.tif").metadata
    assert metadata.tags[Tag.IMAGE_DESCRIPTION] == (2, "Straße".encode())
    assert f"{name_of(315)} (of the unknown field type 200)" in map(str, metadata.lost)


@pytest.mark.parametrize("code", [50002, 52546])
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_jpeg_xl_in_a_tiff(tmp_path, code, kind):
    """By tifffile's number and by DNG's."""
    picture = noise((40, 48), kind)
    write(tmp_path / "a.tif", picture, tile=(32, 32), compression="jpegxl")
    data = (tmp_path / "a.tif").read_bytes()
    data = data.replace(struct.pack("<HHIH", 259, 3, 1, 50002), struct.pack("<HHIH", 259, 3, 1, code))
    (tmp_path / "a.tif").write_bytes(data)
    assert np.array_equal(whole(tmp_path / "a.tif"), picture)


@pytest.mark.parametrize(("across", "down"), [(1, 2), (2, 2), (4, 4)])
@pytest.mark.parametrize("lzw", [False, True])
def test_planes_of_fewer_cb_and_cr(tmp_path, across, down, lzw):
    """Y is as stored; Cb and Cr, smaller planes of their own, say whether there is color (TIFF 6.0, section 21)."""
    luma, small = noise((10, 13), "u1"), (-(-10 // down), -(-13 // across))
    planes = [luma, np.full(small, 128, np.uint8), np.full(small, 200, np.uint8)]
    parts = [imagecodecs.lzw_encode(p.tobytes()) if lzw else p.tobytes() for p in planes]
    counts = tuple(map(len, parts))
    offsets = tuple(8 + sum(counts[:n]) for n in range(3))
    tags = {258: (8, 8, 8), 259: 5 if lzw else 1, 262: 6, 277: 3, 284: 2, 530: (across, down)}
    built(tmp_path / "a.tif", (10, 13), b"".join(parts), {**tags, 273: offsets, 279: counts})
    assert np.array_equal(whole(tmp_path / "a.tif"), luma)
    assert facts(tmp_path / "a.tif").color


def test_an_old_jpeg_whose_stream_has_no_scan(tmp_path):
    """Tables and frame in the interchange stream, the scan's data in the strip, the scan's header nowhere."""
    picture = np.add.outer(np.arange(40), np.arange(48)).astype(np.uint8)
    stream = bytes(imagecodecs.jpeg_encode(picture, level=95))
    begin = stream.index(b"\xff\xda")
    length = int.from_bytes(stream[begin + 2 : begin + 4], "big")
    head, scan = stream[:begin], stream[begin + 2 + length : -2]
    tags = {259: 6, 273: 8 + len(head), 279: len(scan), 513: 8, 514: len(head)}
    built(tmp_path / "a.tif", (40, 48), head + scan, tags)
    assert np.array_equal(whole(tmp_path / "a.tif"), imagecodecs.jpeg_decode(stream))


def test_the_highest_code_that_a_file_names(tmp_path):
    """12 bits in 16: 4095 is white, and said. A picture's own highest sample, and one that is passed, are no white."""
    picture = noise((16, 16), bits=12)
    data = picture.astype("<u2").tobytes()
    for most, wanted in ((4095, np.rint(picture / 4095 * 65535)), (3000, picture), (1023, picture)):
        built(tmp_path / "a.tif", (16, 16), data, {258: 16, 281: most})
        assert np.array_equal(whole(tmp_path / "a.tif"), wanted)
        assert ("MaxSampleValue" in facts(tmp_path / "a.tif").tone) == (most == 4095)


def test_small_pictures_of_the_source_are_left_out_and_named(tmp_path):
    """File browsers would show the gray one in Photoshop's block; what else is in it stays, byte for byte."""

    def resource(number, content):
        return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + b"\0" * (len(content) % 2)

    first, small, last = resource(0x040A, b"\1"), resource(0x040C, b"a small picture"), resource(0x040B, b"http://a")
    for block, kept in ((first + small + last, first + last), (first + last, first + last), (small[:-4], small[:-4])):
        built(tmp_path / "a.tif", (2, 2), bytes(4), {34377: block})
        metadata = facts(tmp_path / "a.tif").metadata
        assert metadata.blobs[Tag.PHOTOSHOP][1] == kept
        assert ("Photoshop thumbnail" in [loss.name for loss in metadata.lost]) == (block != kept)
