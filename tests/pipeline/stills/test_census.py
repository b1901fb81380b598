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
