"""What a PNG, JPEG or WebP holds beside its picture, and no rule knows, is named by its own name and size."""

import io
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from colorizer.basis.errors import DamagedSource
from pipeline.metadata.blocks import jpeg_blocks, png_blocks, webp_blocks
from pipeline.metadata.headers import jpeg_end
from pipeline.stills.opening import open_scan
from tests.tiffs import noise, whole

UNKNOWN = [f"zz{a}{b}".encode() for a in "ABCD" for b in "xyz"]


def chunk(kind, content):
    """A PNG chunk."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def segment(marker, content):
    """A JPEG segment."""
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg(shape=(16, 24), **options):
    """A small JPEG."""
    return bytes(imagecodecs.jpeg_encode(noise(shape, "u1"), **options))


def test_unknown_chunks_of_a_png_are_named(tmp_path):
    """Twelve of them, and gAMA; not what decodes the picture."""
    plain = bytes(imagecodecs.png_encode(noise((8, 9), "u1")))
    more = b"".join(chunk(kind, bytes(5)) for kind in (*UNKNOWN, b"gAMA"))
    (tmp_path / "a.png").write_bytes(plain[:33] + more + plain[33:])
    with open_scan(tmp_path / "a.png") as reader:
        lost = [str(loss) for loss in reader.scan.metadata.lost]
    assert lost == [f"PNG chunk {kind.decode()} (5 bytes)" for kind in (*UNKNOWN, b"gAMA")]
    assert not png_blocks(plain).lost


@pytest.mark.parametrize("gamma", [1.0, 0.55556])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("rgb", [False, True])
def test_gamma_of_a_png_is_applied(tmp_path, gamma, kind, rgb):
    """Codes are light to that power, as viewers that honor gAMA show them; said. With sRGB beside it, it counts not."""
    picture = noise((8, 9), kind)
    plain = bytes(imagecodecs.png_encode(np.dstack([picture] * 3) if rgb else picture))
    told = chunk(b"gAMA", round(gamma * 100_000).to_bytes(4, "big"))
    (tmp_path / "a.png").write_bytes(plain[:33] + told + plain[33:])
    (tmp_path / "b.png").write_bytes(plain[:33] + told + chunk(b"sRGB", b"\0") + plain[33:])
    top = np.iinfo(kind).max
    light = (picture / top) ** (1 / gamma)
    wanted = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * top
    assert np.abs(whole(tmp_path / "a.png") - wanted).max() <= 1
    assert np.array_equal(whole(tmp_path / "b.png"), picture)
    with open_scan(tmp_path / "a.png") as reader:
        assert reader.scan.tone == f"gamma {gamma:.5g} applied"


def srgb(light):
    """Codes of light, 0 to 1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def with_chunks(path, picture, *chunks):
    """A PNG with chunks behind its header."""
    plain = bytes(imagecodecs.png_encode(picture))
    path.write_bytes(plain[:33] + b"".join(chunk(*c) for c in chunks) + plain[33:])
    return path


@pytest.mark.parametrize(("transfer", "light"), [(8, lambda at: at), (4, lambda at: at**2.2), (5, lambda at: at**2.8)])
@pytest.mark.parametrize("rgb", [False, True])
def test_the_transfer_of_a_png_is_applied(tmp_path, transfer, light, rgb):
    """Codes stand for light as cICP says, whatever gAMA and sRGB beside it say; that is said, and nothing is named."""
    picture = noise((8, 9), "u2")
    others = (b"gAMA", (50_000).to_bytes(4, "big")), (b"sRGB", b"\0")
    told = b"cICP", bytes([1, transfer, 0, 1])
    path = with_chunks(tmp_path / "a.png", np.dstack([picture] * 3) if rgb else picture, told, *others)
    assert np.abs(whole(path) - srgb(light(picture / 65535)) * 65535).max() <= 1
    with open_scan(path) as reader:
        assert reader.scan.tone.endswith(" applied")
        assert reader.scan.metadata.lost == ()


@pytest.mark.parametrize(("transfer", "paper", "name"), [(16, 0.580689, "PQ"), (18, 0.75, "HLG")])
def test_high_dynamic_range_of_a_png_is_applied(tmp_path, transfer, paper, name):
    """White of paper stays white where nothing is brighter; else the brightest is white, and how bright is said."""
    told = b"cICP", bytes([9, transfer, 0, 1])
    ramp = np.linspace(0, round(paper * 65535), 64).round().astype("u2").reshape(8, 8)
    path = with_chunks(tmp_path / "a.png", ramp, told)
    codes = whole(path)
    assert codes[0, 0] == 0
    assert codes.max() >= 0.995 * 65535
    assert (np.diff(codes.ravel().astype(int)) > 0).all()
    with open_scan(path) as reader:
        assert reader.scan.tone.startswith(f"{name} applied")
        assert reader.scan.metadata.lost == ()
    bright = np.full((8, 8), 65535, "u2")
    bright[0, 0] = round(paper * 65535)
    path = with_chunks(tmp_path / "b.png", bright, told)
    factor = {16: 10000 / 203, 18: 1000 / 203}[transfer]
    assert abs(whole(path)[0, 0] / 65535 - srgb(np.float64(1 / factor))) < 0.01
    with open_scan(path) as reader:
        assert "times the light of paper as white" in reader.scan.tone


@pytest.mark.parametrize(("content", "rgb", "words"), [
    ((9, 13, 0, 1), True, "primaries 9, transfer 13, matrix 0, full range; not applied"),
    ((9, 16, 0, 1), True, "primaries 9, transfer 16, matrix 0, full range; only its transfer is applied"),
    ((1, 16, 0, 0), False, "primaries 1, transfer 16, matrix 0, narrow range; not applied"),
    ((1, 17, 0, 1), False, "primaries 1, transfer 17, matrix 0, full range; not applied"),
    ((1, 13, 0, 1), True, ""), ((9, 13, 0, 1), False, ""),
])  # fmt: skip
def test_what_a_png_says_of_colors_is_applied_or_named(tmp_path, content, rgb, words):
    """Primaries of colors, narrow range and unknown transfers are named; those of sRGB and of gray say nothing."""
    picture = noise((8, 9), "u1")
    path = with_chunks(tmp_path / "a.png", np.dstack([picture] * 3) if rgb else picture, (b"cICP", bytes(content)))
    with open_scan(path) as reader:
        assert [str(loss) for loss in reader.scan.metadata.lost] == [f"PNG chunk cICP (4 bytes: {words})"] * bool(words)


def test_primaries_of_a_png_are_named_where_they_are_others(tmp_path):
    """Those of sRGB are every output's; those of BT.2020 are named."""
    ways = {(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000): [],
            (31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600): ["PNG chunk cHRM (32 bytes)"]}  # fmt: skip
    for colors, lost in ways.items():
        content = b"".join(n.to_bytes(4, "big") for n in colors)
        path = with_chunks(tmp_path / "a.png", noise((8, 9), "u1"), (b"cHRM", content))
        with open_scan(path) as reader:
            assert list(map(str, reader.scan.metadata.lost)) == lost


def test_second_blocks_are_named():
    """Of two Exif blocks, XMP packets or IPTC blocks the first is carried, the other named; the same twice is one."""
    resource, adobe = b"8BIM\x04\x04\0\0" + (4).to_bytes(4, "big"), b"http://ns.adobe.com/xap/1.0/\0"
    kinds = {
        "JPEG segment APP1 Exif (7 bytes)": (0xE1, b"Exif\0\0", (b"1", b"2")),
        "JPEG segment APP1 http://ns.adobe.com/xap/1.0/ (30 bytes)": (0xE1, adobe, (b"1", b"2")),
        "IPTC block (4 bytes beside another)": (0xED, b"Photoshop 3.0\0" + resource, (b"\x1c\x02aa", b"\x1c\x02bb")),
    }
    plain = jpeg()
    for name, (marker, head, (one, other)) in kinds.items():
        first, second = segment(marker, head + one), segment(marker, head + other)
        assert [str(x) for x in jpeg_blocks(plain[:2] + first + second + plain[2:]).lost] == [name]
        if marker == 0xE1:
            assert jpeg_blocks(plain[:2] + first + first + plain[2:]).lost == ()


def test_a_thumbnail_in_the_first_segment_of_a_jpeg_is_named():
    """JFIF has room for one of colors."""
    content = b"JFIF\0\1\2\1\0\x48\0\x48\2\1" + bytes(6)
    assert list(map(str, jpeg_blocks(b"\xff\xd8" + segment(0xE0, content)).lost)) == ["JFIF thumbnail (2 x 1)"]


def test_what_follows_a_png_is_named():
    """Bytes behind its last chunk, whatever they look like; a second Exif block and packet of XMP."""
    plain = bytes(imagecodecs.png_encode(noise((8, 9), "u1")))
    xmp = [chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text) for text in (b"one", b"other")]
    more = chunk(b"eXIf", b"1") + chunk(b"eXIf", b"22") + b"".join(xmp)
    found = png_blocks(plain[:33] + more + plain[33:] + b"behind the end.")
    assert (found.exif, found.xmp) == (b"1", b"one")
    assert list(map(str, found.lost)) == [
        "text XML:com.adobe.xmp", "bytes behind the end of the PNG picture (15 bytes)", "PNG chunk eXIf (2 bytes)",
    ]  # fmt: skip


def test_unknown_segments_of_a_jpeg_are_named():
    """Fourteen kinds, by marker, first word and size; not what decodes the picture."""
    plain = jpeg()
    markers = [*range(0xE1, 0xEE), 0xF7]
    data = plain[:2] + b"".join(segment(n, b"Word\0" + bytes(n - 0xE0)) for n in markers) + plain[2:]
    lost = [str(loss) for loss in jpeg_blocks(data).lost]
    assert len(lost) == 14
    assert lost[4] == "JPEG segment APP5 Word (10 bytes)"
    assert lost[-1] == "JPEG segment marker FFF7 Word (28 bytes)"
    assert not jpeg_blocks(plain).lost


def test_photoshops_resources_are_named():
    """Twelve, and none of them is the IPTC record."""
    numbers = [0x0404, 0x040A, *range(0x0500, 0x050B)]
    blocks = b"".join(b"8BIM" + n.to_bytes(2, "big") + bytes(2) + (2).to_bytes(4, "big") + b"xy" for n in numbers)
    plain = jpeg()
    found = jpeg_blocks(plain[:2] + segment(0xED, b"Photoshop 3.0\0" + blocks) + plain[2:])
    assert found.iptc == b"xy"
    assert len(found.lost) == 12
    assert str(found.lost[0]) == "Photoshop copyright flag 0x040A (2 bytes)"


def test_unknown_chunks_of_a_webp_are_named():
    """Twelve of them, by their letters."""
    plain = bytes(imagecodecs.webp_encode(noise((8, 9, 3), "u1"), lossless=True))
    data = plain + b"".join(kind + (4).to_bytes(4, "little") + b"abcd" for kind in UNKNOWN)
    assert [str(loss) for loss in webp_blocks(data).lost] == [f"WebP chunk {k.decode()} (4 bytes)" for k in UNKNOWN]
    assert not webp_blocks(plain).lost


def test_further_pictures_are_named():
    """Of an animated PNG, and of a WebP."""
    pictures = [Image.fromarray(noise((8, 9, 3), "u1", n)) for n in range(3)]
    for kind, read, name in (("PNG", png_blocks, "PNG chunk fdAT"), ("WEBP", webp_blocks, "WebP chunk ANMF")):
        made = io.BytesIO()
        pictures[0].save(made, kind, save_all=True, append_images=pictures[1:])
        assert any(loss.name == name and "picture" in loss.why for loss in read(made.getvalue()).lost)


@pytest.mark.parametrize(
    ("behind", "kind"), [(bytes(9000), "padding"), (jpeg((8, 8)), "another JPEG"), (b"\0\0\0\x18ftypmp42", "movie")]
)
def test_what_follows_a_jpeg_is_named(tmp_path, behind, kind):
    """A sound picture is read whatever stands behind it."""
    (tmp_path / "a.jpg").write_bytes(jpeg() + behind)
    with open_scan(tmp_path / "a.jpg") as reader:
        [lost] = reader.scan.metadata.lost
    assert f"{len(behind)} bytes" in lost.why
    assert kind in lost.why
    assert np.array_equal(whole(tmp_path / "a.jpg"), imagecodecs.jpeg_decode(jpeg()))


def test_a_thumbnails_end_is_not_the_pictures(tmp_path):
    """A picture that was cut off is damaged, even though a whole one stands in its Exif block."""
    plain = jpeg((64, 64))
    data = plain[:2] + segment(0xE1, b"Exif\0\0" + jpeg((8, 8))) + plain[2:]
    assert jpeg_end(data) == len(data)
    (tmp_path / "a.jpg").write_bytes(data[:-200])
    with pytest.raises(DamagedSource, match="ends within"):
        whole(tmp_path / "a.jpg")


def test_components_called_r_g_b_are_rgb(tmp_path):
    """Without a marker of JFIF or Adobe, as libjpeg takes it."""
    made = io.BytesIO()
    rgb = np.kron(noise((4, 4, 3), "u1"), np.ones((8, 8, 1), "u1"))
    Image.fromarray(rgb).save(made, "JPEG", quality=95, keep_rgb=True)
    data = made.getvalue()
    at = data.find(b"\xff\xee")
    data = data[:at] + data[at + 16 :] if at > 0 else data
    (tmp_path / "a.jpg").write_bytes(data)
    with open_scan(tmp_path / "a.jpg") as reader:
        assert reader.scan.kind == "RGB"
    assert np.abs(whole(tmp_path / "a.jpg") - rgb @ [0.299, 0.587, 0.114]).mean() < 4


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_walks(data):
    """Any bytes behind a format's first ones."""
    for read, mark in ((jpeg_blocks, b"\xff\xd8"), (png_blocks, b"\x89PNG\r\n\x1a\n"), (webp_blocks, b"RIFF0000WEBP")):
        read(mark + data)
