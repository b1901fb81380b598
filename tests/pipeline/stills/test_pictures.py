"""PNG, JPEG, JPEG 2000, WebP, DPX and OpenEXR as scans."""

import struct

import imagecodecs
import numpy as np
import pytest

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.metadata.headers import exr_size, jpeg2000_size, jpeg_segments, png_size, webp_size
from pipeline.stills.opening import open_scan
from tests.tiffs import noise, whole

LOSSLESS = {
    "a.png": imagecodecs.png_encode,
    "a.jp2": lambda samples: imagecodecs.jpeg2k_encode(samples, level=0),
    "a.j2k": lambda samples: imagecodecs.jpeg2k_encode(samples, level=0, codecformat="j2k"),
}


def put(path, data):
    """The path, with these bytes in it."""
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_gray_keeps_its_codes(tmp_path, name, kind):
    """Gray comes out as it went in, whatever the file is called; RGB has Rec. 601 luma; regions are cut from it."""
    gray, rgb = noise((33, 47), kind), noise((33, 47, 3), kind, 1)
    with open_scan(put(tmp_path / "gray", LOSSLESS[name](gray))) as reader:
        assert np.array_equal(reader.read(0, 0, 33, 47), gray)
        assert np.array_equal(reader.read(5, 7, 20, 30), gray[5:25, 7:37])
        assert (reader.scan.bits, reader.scan.kind, reader.scan.color) == (8 * gray.itemsize, "gray", False)
    with open_scan(put(tmp_path / "rgb", LOSSLESS[name](rgb))) as reader:
        assert np.abs(reader.read(0, 0, 33, 47) - rgb @ [0.299, 0.587, 0.114]).max() < 1
        assert reader.scan.color


def test_alpha_of_a_png_is_dropped_and_told(tmp_path):
    """Gray and RGB with transparency: the same luma as without."""
    gray, alpha = noise((20, 20), "u1"), noise((20, 20), "u1", 1)
    for channels in (1, 3):
        data = imagecodecs.png_encode(np.ascontiguousarray(np.dstack([gray] * channels + [alpha])))
        with open_scan(put(tmp_path / "a.png", data)) as reader:
            assert np.array_equal(reader.read(0, 0, 20, 20), gray)
            assert reader.scan.alpha
            assert [loss.name for loss in reader.scan.metadata.lost] == ["transparency"]


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_an_alpha_that_hides_nothing_is_no_loss(tmp_path, kind):
    """Full all over: whatever is drawn below, the picture is the same without it."""
    rgb = noise((20, 20, 3), kind)
    data = imagecodecs.png_encode(np.dstack([rgb, np.full((20, 20), np.iinfo(kind).max, kind)]))
    with open_scan(put(tmp_path / "a.png", data)) as reader:
        assert not reader.scan.alpha
        assert reader.scan.metadata.lost == ()


@pytest.mark.parametrize("subsampling", ["444", "420"])
def test_jpeg_gives_its_y(tmp_path, subsampling):
    """Of a color JPEG the coded Y is the luma; of a gray one its codes."""
    y, x = np.mgrid[0:60, 0:90] / 30
    rgb = np.stack([128 + 100 * np.sin(y), 128 + 100 * np.cos(x), 128 + 90 * np.sin(x + y)], -1).astype(np.uint8)
    data = imagecodecs.jpeg_encode(rgb, level=95, subsampling=subsampling)
    expected = imagecodecs.jpeg_decode(data, outcolorspace="GRAYSCALE")
    with open_scan(put(tmp_path / "a.jpg", data)) as reader:
        assert np.array_equal(reader.read(0, 0, 60, 90), expected)
        assert (reader.scan.kind, reader.scan.color) == ("YCbCr", True)
    data = imagecodecs.jpeg_encode(np.ascontiguousarray(rgb[..., 0]))
    assert np.array_equal(whole(put(tmp_path / "b.jpg", data)), imagecodecs.jpeg_decode(data))


def test_cmyk_jpeg_is_inverted_ink(tmp_path):
    """Photoshop's CMYK JPEG stores paper as 255: no ink is white, black ink black."""
    samples = np.zeros((16, 32, 4), np.uint8)
    samples[:, :16] = 255
    stream = bytes(imagecodecs.jpeg_encode(samples, colorspace="cmyk", outcolorspace="cmyk"))
    marker = b"\xff\xee" + struct.pack(">H", 14) + b"Adobe\0\x64\0\0\0\0\0"
    if b"Adobe" not in stream[:64]:
        stream = stream[:2] + marker + stream[2:]
    found = whole(put(tmp_path / "a.jpg", stream))
    assert found[8, 4] > 250
    assert found[8, 28] < 5


def test_lossless_webp(tmp_path):
    """Rec. 601 of the pixels."""
    rgb = noise((20, 30, 3), "u1")
    found = whole(put(tmp_path / "a.webp", imagecodecs.webp_encode(rgb, lossless=True)))
    assert np.abs(found - rgb @ [0.299, 0.587, 0.114]).max() < 1


def dpx(samples, descriptor):
    """A 16-bit big-endian DPX of (h, w) or (h, w, 3) samples (SMPTE 268M)."""
    head = bytearray(2048)
    height, width = samples.shape[:2]
    head[:4] = b"SDPX"
    struct.pack_into(">I8sI", head, 4, 2048, b"V1.0", 2048 + samples.nbytes)
    struct.pack_into(">HHII", head, 768, 0, 1, width, height)
    struct.pack_into(">BBBBHHI", head, 800, descriptor, 0, 0, 16, 0, 0, 2048)
    return bytes(head) + samples.astype(">u2").tobytes()


def test_dpx(tmp_path):
    """Codes of 16-bit DPX are kept: gray exactly, neutral RGB at its code."""
    gray = noise((20, 32))
    rgb = np.repeat(gray[..., None], 3, 2)
    for samples, descriptor in ((gray, 6), (rgb, 50)):
        with open_scan(put(tmp_path / "a.dpx", dpx(samples, descriptor))) as reader:
            assert np.array_equal(reader.read(0, 0, 20, 32), gray)
            assert (reader.scan.format, reader.scan.bits) == ("DPX", 16)


def packed_dpx(samples, descriptor, order=">", end=0):
    """A DPX of ten bits without filling, lines on whole words, bit by bit. end: bytes behind each line."""
    head = bytearray(2048)
    height, width = samples.shape[:2]
    head[:4] = b"SDPX" if order == ">" else b"XPDS"
    struct.pack_into(f"{order}I", head, 4, 2048)
    struct.pack_into(f"{order}HHII", head, 768, 0, 1, width, height)
    struct.pack_into(f"{order}BBBBHHII", head, 800, descriptor, 0, 0, 10, 0, 0, 2048, end)
    lines = b""
    for row in samples.reshape(height, -1):
        number = sum(int(code) << 10 * place for place, code in enumerate(row))
        words = [number >> 32 * n & 0xFFFFFFFF for n in range(-(-len(row) * 10 // 32))]
        lines += struct.pack(f"{order}{len(words)}I", *words) + bytes(end)
    return bytes(head) + lines


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("end", [0, 8])
def test_packed_dpx(tmp_path, order, end):
    """Ten bits without filling, which FFmpeg does not decode: every code of gray and of neutral RGB, in 16 bits; what
    ends too early is damaged."""
    gray = noise((20, 33), bits=10)
    wanted = np.rint(gray * (65535 / 1023)).astype(np.uint16)
    for samples, descriptor in ((gray, 6), (np.repeat(gray[..., None], 3, 2), 50)):
        data = packed_dpx(samples, descriptor, order, end)
        with open_scan(put(tmp_path / "a.dpx", data)) as reader:
            assert np.array_equal(reader.read(0, 0, 20, 33), wanted)
        with pytest.raises(DamagedSource, match="ends within the picture"):
            open_scan(put(tmp_path / "a.dpx", data[: -end - 1]))


def exr(light):
    """An uncompressed OpenEXR of one float channel Y."""
    height, width = light.shape

    def attribute(name, kind, value):
        return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value

    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    head = b"\x76\x2f\x31\x01\2\0\0\0"
    head += attribute(b"channels", b"chlist", b"Y\0" + struct.pack("<IIII", 2, 0, 1, 1) + b"\0")
    head += attribute(b"compression", b"compression", b"\0")
    head += attribute(b"dataWindow", b"box2i", box) + attribute(b"displayWindow", b"box2i", box)
    head += attribute(b"lineOrder", b"lineOrder", b"\0")
    head += attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1))
    head += attribute(b"screenWindowCenter", b"v2f", bytes(8))
    head += attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)) + b"\0"
    lines = [struct.pack("<iI", y, width * 4) + light[y].astype("<f4").tobytes() for y in range(height)]
    first = len(head) + 8 * height
    return head + b"".join(struct.pack("<Q", first + y * len(lines[0])) for y in range(height)) + b"".join(lines)


def test_what_is_not_read_is_not_called_damaged(tmp_path):
    """Run lengths of a DPX of ten bits, and newer compressions of an OpenEXR: sound, and not read."""
    data = bytearray(packed_dpx(noise((20, 32), bits=10), 6))
    data[806:808] = b"\0\1"
    new = bytearray(exr(np.ones((16, 16), np.float32)))
    new[new.index(b"compression\0compression\0") + 28] = 10
    for name, content in (("a.dpx", data), ("a.exr", new)):
        with pytest.raises(UnsupportedSource, match=r"is not read; convert it"):
            open_scan(put(tmp_path / name, bytes(content)))


def test_luminance_and_chroma_of_an_exr_are_named(tmp_path):
    """Channels of fewer samples are no damage: the message says what the file is, and what to do."""
    data = exr(np.ones((16, 16), np.float32))
    at = data.index(b"chlist\0") + 7
    (length,) = struct.unpack_from("<I", data, at)
    channel = struct.pack("<IIII", 2, 0, 2, 2)
    channels = b"BY\0" + channel + b"RY\0" + channel + data[at + 4 : at + 4 + length]
    sparse = data[:at] + struct.pack("<I", len(channels)) + channels + data[at + 4 + length :]
    wanted = r"a luminance/chroma OpenEXR \(fewer samples of BY and RY than pixels\), .* save it with R, G and B"
    with pytest.raises(UnsupportedSource, match=wanted):
        open_scan(put(tmp_path / "a.exr", sparse))


def test_exr_is_light(tmp_path):
    """OpenEXR holds linear light: 0.2140 is the middle gray of sRGB, within a code of 8 bits."""
    light = np.full((16, 16), 0.21404, np.float32)
    light[0, 0] = 1
    data = exr(light)
    assert exr_size(data)[:2] == (16, 16)
    with open_scan(put(tmp_path / "a.exr", data)) as reader:
        found = reader.read(0, 0, 16, 16)
        assert found[0, 0] == 65535
        assert abs(int(found[8, 8]) - 32768) < 200
        assert "linear light" in reader.scan.tone


@pytest.mark.parametrize(("name", "size"), [("png", png_size), ("webp", webp_size), ("jp2", jpeg2000_size)])
def test_sizes_are_read_from_headers(name, size):
    """Height, width and channels as encoded; None for other bytes, or too few."""
    rgb = noise((21, 34, 3), "u1")
    encode = {"png": imagecodecs.png_encode, "webp": imagecodecs.webp_encode, "jp2": imagecodecs.jpeg2k_encode}[name]
    data = bytes(encode(rgb))
    assert size(data)[:3] == (21, 34, 3)
    assert size(data[:20]) is None
    assert size(b"") is None
    for place in (1, 13):  # of a PNG: of its signature, and of its first chunk's name
        assert name != "png" or size(data[:place] + b"?" + data[place + 1 :]) is None


def test_segments_end_where_a_jpeg_ends():
    """Markers without a length are passed over, and what lies behind the end is no segment of the picture's."""
    comment = b"\xff\xfe\0\4no"
    data = b"\xff\xd8\xff\x01\xff\xd0" + comment + b"\xff\xff\xfe\0\4no\xff\xd9" + comment
    assert list(jpeg_segments(data)) == [(0xFE, b"no")] * 2


def test_nothing_is_allocated_because_a_header_says_so(tmp_path):
    """A header of 60000 x 60000 with little behind it is refused before a codec sees it."""
    data = bytearray(imagecodecs.png_encode(noise((8, 8), "u1")))
    data[16:24] = struct.pack(">II", 20000, 20000)
    with pytest.raises(DamagedSource, match="cannot be 20000 x 20000"):
        open_scan(put(tmp_path / "a.png", data))
    data[16:24] = struct.pack(">II", 60000, 60000)
    with pytest.raises(UnsupportedSource, match="decode to 3600000000 bytes"):
        open_scan(put(tmp_path / "b.png", data))
    with pytest.raises(UnsupportedSource, match="tiled TIFF"):
        open_scan(put(tmp_path / "c.png", imagecodecs.png_encode(noise((64, 64), "u1"))), max_bytes=100)


@pytest.mark.parametrize("name", ["a.png", "a.jp2", "a.jpg", "a.webp", "a.dpx", "a.exr"])
def test_cut_files_are_refused(tmp_path, name):
    """Half of a picture file is damaged, not half gray."""
    rgb = noise((64, 64, 3), "u1")
    encode = {
        "a.jpg": imagecodecs.jpeg_encode, "a.webp": imagecodecs.webp_encode,
        "a.dpx": lambda p: dpx(p[..., 0].astype(np.uint16), 6), "a.exr": lambda p: exr(p[..., 0] / np.float32(255)),
    }.get(name, LOSSLESS.get(name))  # fmt: skip
    data = bytes(encode(rgb))
    with pytest.raises(DamagedSource):
        open_scan(put(tmp_path / name, data[: len(data) // 2]))
