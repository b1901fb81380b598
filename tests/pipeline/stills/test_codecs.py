"""Compressions that are pictures or line codings of their own, held against other decoders or against their rules."""

import io

import imagecodecs
import numpy as np
import pytest
import tifffile

from colorizer.basis.errors import DamagedSource
from pipeline.metadata.directory import Tiff
from pipeline.stills.codecs import samples_of
from pipeline.stills.fields import page_layout
from pipeline.stills.lines import luminance
from pipeline.stills.opening import open_scan
from tests.tiffs import built, noise, whole, write


def smooth(height, width, seed=0):
    """A soft colorful picture, uint8 (h, w, 3), which JPEG keeps nearly."""
    y, x = np.mgrid[0:height, 0:width] / 40
    return np.stack([128 + 110 * np.sin(y + seed), 128 + 110 * np.cos(x), 128 + 100 * np.sin(x + y)], -1).astype(
        np.uint8
    )


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("storage", [{"tile": (48, 64)}, {"rowsperstrip": 16}])
def test_jpeg_luma_is_the_y_that_was_coded(tmp_path, subsampling, storage):
    """Of YCbCr JPEG the luma is Y itself, as another decoder of the same tiles gives it; chroma may be coarse."""
    rgb = smooth(100, 150)
    options = {"photometric": "rgb", "compression": "jpeg", "subsampling": subsampling, **storage}
    with open_scan(write(tmp_path / "a.tif", rgb, **options)) as reader:
        luma = reader.read(0, 0, 100, 150)
        assert (reader.scan.kind, reader.scan.color) == ("YCbCr", True)
    assert np.abs(luma - rgb @ [0.299, 0.587, 0.114]).max() < 12
    shown = tifffile.imread(tmp_path / "a.tif") @ [0.299, 0.587, 0.114]
    assert np.abs(luma - shown).mean() < 0.7  # the other way rounds and clips R, G and B in between


def test_gray_and_rgb_jpeg(tmp_path):
    """Gray JPEG gives its own codes; JPEG that codes R, G and B as such gives Rec. 601 of them."""
    rgb = smooth(64, 80)
    gray = np.ascontiguousarray(rgb[..., 1])
    write(tmp_path / "a.tif", gray, photometric="minisblack", compression="jpeg", tile=(32, 32))
    assert np.array_equal(whole(tmp_path / "a.tif"), tifffile.imread(tmp_path / "a.tif"))
    coded = imagecodecs.jpeg_encode(rgb, colorspace="rgb", outcolorspace="rgb")
    built(tmp_path / "b.tif", (64, 80), bytes(coded), {258: (8, 8, 8), 259: 7, 262: 2, 277: 3})
    expected = imagecodecs.jpeg_decode(coded, colorspace="rgb", outcolorspace="rgb") @ [0.299, 0.587, 0.114]
    assert np.abs(whole(tmp_path / "b.tif") - expected).max() < 1


@pytest.mark.parametrize("alpha", [False, True])
def test_webp_in_tiff(tmp_path, alpha):
    """Lossless WebP tiles give Rec. 601 of the pixels, also when all is opaque and the codec dropped the alpha."""
    rgb = np.dstack([smooth(64, 64), *([np.full((64, 64), 255, np.uint8)] if alpha else [])])
    options = {"extrasamples": ["unassalpha"]} if alpha else {}
    args = {"compression": "webp", "compressionargs": {"lossless": True}, "tile": (32, 32)}
    write(tmp_path / "a.tif", rgb, photometric="rgb", **args, **options)
    assert np.abs(whole(tmp_path / "a.tif") - rgb[..., :3] @ [0.299, 0.587, 0.114]).max() < 1


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2), (4, 2), (1, 2), (4, 4)])
def test_ycbcr_data_units(tmp_path, across, down):
    """Uncompressed YCbCr: the Y samples of each unit land where TIFF 6.0 section 21 puts them, at any picture size."""
    height, width = 21, 30
    rows, columns = -(-height // down), -(-width // across)
    luma = noise((rows * down, columns * across), "u1")
    units = luma.reshape(rows, down, columns, across).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    data = np.dstack([units, np.full((rows, columns, 2), 128, np.uint8)]).tobytes()
    tags = {258: (8, 8, 8), 262: 6, 277: 3, 530: (across, down)}
    with open_scan(built(tmp_path / "a.tif", (height, width), data, tags)) as reader:
        assert np.array_equal(reader.read(0, 0, height, width), luma[:height, :width])
        assert not reader.scan.color


def test_ycbcr_of_limited_range_is_spread(tmp_path):
    """ReferenceBlackWhite says which Y is black and which white."""
    data = np.dstack([np.uint8([[16, 235, 126, 0]]), np.full((1, 4, 2), 128, np.uint8)]).tobytes()
    tags = {258: (8, 8, 8), 262: 6, 277: 3, 530: (1, 1), 532: (16, 235, 128, 240, 128, 240)}
    assert whole(built(tmp_path / "a.tif", (1, 4), data, tags)).tolist() == [[0, 255, 128, 0]]


def test_ccitt_lines(tmp_path):
    """Modified Huffman lines by TIFF 6.0 section 10, and T.6 lines that repeat a white line."""
    rle = bytes([0b10110110, 0b10110110])  # white 4, black 4; each row from a byte of its own
    assert whole(built(tmp_path / "a.tif", (2, 8), rle, {258: 1, 259: 2, 262: 0})).tolist() == [[255] * 4 + [0] * 4] * 2
    reverse = bytes([0b01101101, 0b01101101])
    built(tmp_path / "b.tif", (2, 8), reverse, {258: 1, 259: 2, 262: 0, 266: 2})
    assert whole(tmp_path / "b.tif").tolist() == [[255] * 4 + [0] * 4] * 2
    t6 = bytes([0b11100000, 0b00000001, 0b00000000, 0b00010000])  # V0 for each of three lines, then EOFB
    assert (whole(built(tmp_path / "c.tif", (3, 16), t6, {258: 1, 259: 4, 262: 0})) == 255).all()


def test_thunderscan_runs_and_differences(tmp_path):
    """A raw 5, a run of two of it, +1 and -1 and nothing, then +3 and skip: 4-bit codes, spread over 8."""
    data = bytes([0b11000101, 0b00000010, 0b01011110, 0b10011100])
    found = whole(built(tmp_path / "a.tif", (1, 6), data, {258: 4, 259: 32809}))
    assert (found // 17).tolist() == [[5, 5, 5, 6, 5, 8]]
    with pytest.raises(DamagedSource, match="end early"):
        open_scan(built(tmp_path / "b.tif", (2, 6), data, {258: 4, 259: 32809}))


def test_sgi_log_luminance(tmp_path):
    """Runs and literals of LogL, plane by plane; light by the formula in steps of 1/256 of an octave."""
    codes = np.uint16([[0x4000, 0x4000, 0x4000, 0x3F80]])
    data = bytes([129, 0x40, 1, 0x3F]) + bytes([130 - 2 + 1, 0x00, 1, 0x80])
    built(tmp_path / "a.tif", (1, 4), data, {258: 16, 259: 34676, 262: 32844})
    with (tmp_path / "a.tif").open("rb") as file:
        page = next(Tiff(file, "a").chain())
        assert np.array_equal(samples_of(data, page_layout(page, 100, 100), 1, 4, None)[..., 0], codes)
    assert luminance(codes, True)[0] == pytest.approx(np.exp2((codes[0] + 0.5) / 256 - 64))
    found = whole(tmp_path / "a.tif")
    assert found[0, 0] == 65535
    assert found[0, 3] < 60000


@pytest.mark.parametrize("standing", ["whole stream", "tables apart"])
def test_old_style_jpeg(tmp_path, standing):
    """A whole JPEG stream behind JPEGInterchangeFormat, or bare scan data with its tables elsewhere: the same luma."""
    gray = smooth(48, 64)[..., 0]
    stream = bytes(imagecodecs.jpeg_encode(np.ascontiguousarray(gray)))
    expected = imagecodecs.jpeg_decode(stream)
    tags = {259: 6, 262: 1, 512: 1}
    if standing == "whole stream":
        built(tmp_path / "a.tif", (48, 64), stream, {**tags, 513: 8, 514: len(stream)})
    else:
        quantization, dc, ac = stream.index(b"\xff\xdb") + 5, stream.index(b"\xff\xc4\0\x1f\0") + 5, 0
        ac = stream.index(b"\xff\xc4\0\xb5\x10") + 5
        start = stream.index(b"\xff\xda") + 10
        places = {519: 8 + quantization, 520: 8 + dc, 521: 8 + ac}
        built(tmp_path / "a.tif", (48, 64), stream, {**tags, **places, 273: 8 + start, 279: len(stream) - start})
    assert np.array_equal(whole(tmp_path / "a.tif"), expected)


def test_a_cut_jpeg_is_not_shown_as_gray(tmp_path):
    """libjpeg fills what is missing with gray and says nothing; a strip that ends early is refused."""
    stream = io.BytesIO()
    stream.write(imagecodecs.jpeg_encode(np.ascontiguousarray(smooth(64, 64)[..., 0])))
    cut = stream.getvalue()[: stream.tell() // 2]
    with pytest.raises(DamagedSource, match=r"strip 1 of 1.*ends early"):
        open_scan(built(tmp_path / "a.tif", (64, 64), cut, {259: 7}))


def test_a_picture_inside_must_fit_its_tile(tmp_path):
    """A JPEG that is larger than its strip is refused before it is decoded."""
    stream = bytes(imagecodecs.jpeg_encode(np.ascontiguousarray(smooth(640, 640)[..., 0])))
    with pytest.raises(DamagedSource, match="640 x 640 where 64 x 64"):
        open_scan(built(tmp_path / "a.tif", (64, 64), stream, {259: 7}))
