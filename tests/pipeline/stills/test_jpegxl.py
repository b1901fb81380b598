"""JPEG XL as scans: codes as stored, what the codestream's header says, and words in the container's boxes."""

import struct
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import DamagedSource, SourceError, UnsupportedSource
from pipeline.metadata.boxes import boxes
from pipeline.metadata.jpegxl_header import BARE, CONTAINER, LINEAR, SRGB, header_of
from pipeline.stills.formats.jpegxl import JPEGXL
from pipeline.stills.opening import open_scan
from pipeline.values.loss import Loss
from tests.synthetic import texture
from tests.tiffs import noise, whole

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
EXIF = b"II*\0\x08\0\0\0\1\0\x0e\1\2\0\4\0\0\0sea\0\0\0\0\0"
"""An ImageDescription, "sea"."""


def put(path, data):
    """The path, with these bytes in it."""
    path.write_bytes(bytes(data))
    return path


def box(kind, content):
    """A box of a container."""
    return struct.pack(">I", 8 + len(content)) + kind + content


FTYP = box(b"ftyp", b"jxl \0\0\0\0jxl ")


def encoded(samples, container=True, srgb=True, **options):
    """A JPEG XL file; lossless unless it is told how far it may be off.

    srgb: imagecodecs says of all but 8 bits that they are linear light; four bits of the header say otherwise.
    """
    options = options if "distance" in options else {"lossless": True, **options}
    data = bytes(imagecodecs.jpegxl_encode(np.ascontiguousarray(samples), usecontainer=False, **options))
    bare = data if data[:2] == BARE else b"".join(stream(data))
    if srgb and header_of(bare).transfer == LINEAR:
        bare = next(filter(None, (patched(bare, place) for place in range(16, 400))))
    return CONTAINER + FTYP + box(b"jxll", b"\x0a") + box(b"jxlc", bare) if container else bare


def stream(data):
    """The codestream's parts in a container."""
    return (bytes(c[4 * (kind == b"jxlp") :]) for kind, c in boxes(data) if kind in (b"jxlc", b"jxlp"))


def patched(bare, place):
    """The codestream with sRGB's number where linear light's is at some bit; None where it is not."""
    number = int.from_bytes(bare, "little")
    if number >> place & 15 != 6:
        return None
    changed = (number ^ (6 ^ 11) << place).to_bytes(len(bare), "little")
    return changed if header_of(changed) == replace(header_of(bare), transfer=SRGB) else None


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 70), width=st.integers(1, 70), bits=st.sampled_from([8, 9, 10, 12, 14, 16]),
    container=st.booleans(), channels=st.sampled_from([1, 2]), seed=st.integers(0, 99),
)  # fmt: skip
def test_gray_keeps_its_codes(tmp_path_factory, height, width, bits, container, channels, seed):
    """Of any size and depth the luma is the stored code, spread over 16 bits where it has other than 8 or 16; and
    what is said of it is what the header says."""
    samples = noise((height, width, channels), "u1" if bits == 8 else "u2", seed, bits)
    samples = samples if channels == 2 else samples[..., 0]
    data = encoded(samples, container, bitspersample=bits)
    assert JPEGXL.size(data) == (height, width, channels, bits)
    codes = samples[..., 0] if channels == 2 else samples
    top = 2**bits - 1
    wanted = codes if bits in (8, 16) else (codes.astype(np.uint32) * 65535 + top // 2) // top
    with open_scan(put(tmp_path_factory.getbasetemp() / "gray.jxl", data)) as reader:
        assert np.array_equal(reader.read(0, 0, height, width), wanted)
        scan = reader.scan
    assert (scan.format, scan.kind, scan.bits, scan.alpha) == ("JPEG XL", "gray", 8 if bits == 8 else 16, channels == 2)
    assert ("spread" in scan.tone) == (bits not in (8, 16))


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_rgb_has_rec_601_luma(tmp_path, kind):
    """Of RGB the integer luma of the stored codes, with transparency or without."""
    for channels in (3, 4):
        rgb = noise((33, 47, channels), kind)
        with open_scan(put(tmp_path / "rgb.jxl", encoded(rgb))) as reader:
            assert np.abs(reader.read(0, 0, 33, 47) - rgb[..., :3] @ [0.299, 0.587, 0.114]).max() < 1
            assert (reader.scan.color, reader.scan.alpha) == (True, channels == 4)


@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_linear_light_becomes_srgb(tmp_path, kind):
    """A file that says its samples are light is shown as light: 0.2140 is the middle gray of sRGB; the run says so."""
    light = np.array([[0, 0.21404, 1]])
    samples = light.astype(kind) if kind == "f4" else np.rint(light * 65535).astype(kind)
    with open_scan(put(tmp_path / "a.jxl", encoded(samples, srgb=False))) as reader:
        assert np.abs(reader.read(0, 0, 1, 3).astype(int) - [[0, 32768, 65535]]).max() < 10
        assert "linear light" in reader.scan.tone


@pytest.mark.parametrize("kind", ["f2", "f4"])
def test_floats_go_from_0_to_1(tmp_path, kind):
    """0 is black and 1 white, also where a lossy file passes them a little."""
    picture = texture(0, 64, 48).astype(kind)
    picture[:8, :8], picture[:8, 8:16] = 0, 1
    exact = whole(put(tmp_path / "f.jxl", encoded(picture))) / 65535
    assert np.abs(exact - picture.astype(np.float64)).max() <= (1e-3 if kind == "f2" else 1e-5)
    data = encoded(picture, srgb=False, distance=1.0)
    with open_scan(put(tmp_path / "f.jxl", data)) as reader:
        assert "0 to 1 as black to white" in reader.scan.tone
        light = reader.read(0, 0, 48, 64) / 65535
    assert np.abs(np.where(light < 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4) - picture).max() < 0.1


def test_lossy_gray_is_what_the_codec_gives(tmp_path):
    """Of a lossy file the decoded code is the stored one; there is no other."""
    picture = (texture(0, 96, 64) * 255).astype(np.uint8)
    data = encoded(picture, distance=1.0)
    assert np.array_equal(whole(put(tmp_path / "a.jxl", data)), imagecodecs.jpegxl_decode(data))


def test_a_jpeg_in_it_gives_its_y(tmp_path):
    """A JPEG that was packed without loss is taken out again: its coded Y is the luma, as of the JPEG itself."""
    y, x = np.mgrid[0:60, 0:90] / 30
    rgb = np.stack([128 + 100 * np.sin(y), 128 + 100 * np.cos(x), 128 + 90 * np.sin(x + y)], -1).astype(np.uint8)
    jpeg = imagecodecs.jpeg_encode(rgb, level=90, subsampling="420")
    wanted = whole(put(tmp_path / "a.jpg", jpeg))
    found = whole(put(tmp_path / "a.jxl", imagecodecs.jpegxl_encode_jpeg(bytes(jpeg), usecontainer=True)))
    assert np.array_equal(found, wanted)


def test_words_are_carried(tmp_path):
    """Exif and XMP of the container's boxes, also where Brotli packed them; what else is there is named."""
    data = encoded(noise((8, 9), "u1"))
    exif, xmp = b"\0\0\0\0" + EXIF, XMP
    packed = [box(b"brob", kind + bytes(imagecodecs.brotli_encode(c))) for kind, c in ((b"Exif", exif), (b"xml ", xmp))]
    for parts in ([box(b"Exif", exif), box(b"xml ", xmp)], packed):
        data = CONTAINER + FTYP + b"".join(parts)
        data += box(b"jumb", b"?") + box(b"jxlc", encoded(noise((8, 9), "u1"), container=False))
        with open_scan(put(tmp_path / "a.jxl", data)) as reader:
            assert reader.scan.metadata.tags[270] == (2, b"sea")
            assert reader.scan.metadata.xmp == XMP
            assert reader.scan.metadata.lost == (Loss("a JUMBF box"),)
    bare = encoded(noise((8, 9), "u1"), container=False)
    broken = CONTAINER + FTYP + box(b"jxlc", bare) + box(b"brob", b"Exif" + b"\xff" * 9)
    with open_scan(put(tmp_path / "b.jxl", broken)) as reader:
        assert reader.scan.metadata.lost == (Loss("a damaged Exif block"),)


def header(*fields):
    """A bare codestream's first bytes: (value, bits) fields, least bit first."""
    number, at = 0x0AFF, 16
    for value, count in fields:
        number |= value << at
        at += count
    return number.to_bytes(at // 8 + 40, "little")


SIZE = (1, 1), (3, 5), (0, 3), (5, 5)
"""32 high, 48 wide."""
PLAIN = (0, 1), (0, 2), (1, 1), (0, 2), (1, 1)
"""8 bits, no extra channels, XYB."""
SPOT = ((0, 1), (0, 2), (1, 1), (1, 2), (0, 1), (2, 2), (0, 4), (0, 1), (0, 2), (0, 2), (0, 2), (0, 64), (1, 1), (1, 1))
MOSAIC = (
    (0, 1), (0, 2), (1, 1), (1, 2), (0, 1), (2, 2), (3, 4), (0, 1), (0, 2), (0, 2), (0, 2), (1, 2), (2, 2), (1, 1),
)  # fmt: skip
"""As PLAIN, with a channel of a color filter's places."""
COLORS = {
    "PQ": ((0, 1), (0, 1), (0, 2), (1, 2), (1, 2), (0, 1), (2, 2), (14, 4)),
    "HLG": ((0, 1), (0, 1), (0, 2), (1, 2), (1, 2), (0, 1), (3, 2), (0, 6)),
}


@pytest.mark.parametrize("name", COLORS)
def test_high_dynamic_range_is_refused(tmp_path, name):
    """Codes of PQ and HLG mean other light than sRGB's: no picture of them may come out as if they did not."""
    data = header(*SIZE, (0, 1), (0, 1), *PLAIN, *COLORS[name])
    assert JPEGXL.size(data) == (32, 48, 3, 8)
    with pytest.raises(UnsupportedSource, match=name):
        open_scan(put(tmp_path / "a.jxl", data))


def test_what_the_header_says_in_other_ways(tmp_path):
    """Orientation, preview, animation, spot colors, custom whites: all are read past, and what is not read is told."""
    assert JPEGXL.size(header(*SIZE, (1, 1))) == (32, 48, 3, 8)
    assert JPEGXL.blocks(header(*SIZE, (0, 1), (1, 1), (5, 3), (0, 3), *PLAIN, (1, 1))).orientation == 6
    preview = (1, 1), (5, 3), (0, 1), (1, 1), (1, 1), (0, 2), (0, 3), (1, 2), (0, 1)
    assert JPEGXL.size(header(*SIZE, (0, 1), *preview, *PLAIN, (1, 1))) == (32, 48, 3, 8)
    custom = (0, 1), (0, 1), (1, 2), (2, 2), (0, 4), (0, 2), (9, 19), (1, 2), (9, 19), (0, 1), (2, 2), (11, 4)
    assert JPEGXL.size(header(*SIZE, (0, 1), (0, 1), *PLAIN, *custom)) == (32, 48, 1, 8)
    with pytest.raises(UnsupportedSource, match="channels of other kinds"):
        open_scan(put(tmp_path / "spot.jxl", header(*SIZE, (0, 1), (0, 1), *SPOT)))
    for channels in (PLAIN, MOSAIC, SPOT[:-1]):
        icc = JPEGXL.blocks(header(*SIZE, (0, 1), (0, 1), *channels, (0, 1), (1, 1), (0, 2)))
        assert icc.lost == (Loss("its ICC profile"),)


def test_animations_are_refused(tmp_path):
    """One picture of several is nobody's choice but a person's."""
    with pytest.raises(UnsupportedSource, match="animation"):
        open_scan(put(tmp_path / "a.jxl", encoded(noise((2, 20, 20, 3), "u1"))))


def test_memory_is_bounded(tmp_path):
    """What a header promises is held against limits before the codec is called."""
    data = encoded(np.zeros((300, 400), np.uint8))
    with pytest.raises(UnsupportedSource, match="decode to"):
        open_scan(put(tmp_path / "a.jxl", data), max_bytes=300 * 400 * 12)
    with pytest.raises(UnsupportedSource, match="more than the 1000 that are allowed"):
        open_scan(tmp_path / "a.jxl", max_pixels=1000)
    huge = header((0, 1), (3, 2), (2**29, 30), (0, 3), (3, 2), (2**29, 30), (1, 1))
    with pytest.raises(UnsupportedSource, match="allowed"):
        open_scan(put(tmp_path / "b.jxl", huge))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), container=st.booleans())
def test_damaged_files_are_told_in_one_line(tmp_path_factory, data, container):
    """Cut anywhere, or with a byte changed: a picture of the right size, or one line."""
    whole_file = encoded(noise((24, 31), "u2"), container)
    place = data.draw(st.integers(0, len(whole_file) - 1))
    if data.draw(st.booleans()):
        changed = whole_file[:place]
    else:
        changed = whole_file[:place] + bytes([data.draw(st.integers(0, 255))]) + whole_file[place + 1 :]
    path = put(tmp_path_factory.getbasetemp() / "damaged.jxl", changed)
    told = ""
    try:
        with open_scan(path, max_pixels=10**6, max_bytes=1 << 26) as reader:
            assert reader.read(0, 0, 1, 1).shape == (1, 1)
    except SourceError as error:
        told = str(error)
    assert "\n" not in told
    with pytest.raises(DamagedSource):
        open_scan(put(path, whole_file[: len(whole_file) * 2 // 3]))
