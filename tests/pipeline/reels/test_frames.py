"""Luma out of every pixel format, exactly as stored."""

import hashlib
import math
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from colorizer.basis.light import MATRICES
from pipeline.containers.planes import PixelLayout, luma_plane, pixel_layout, plane_view, repacked
from pipeline.reels.frames import Frame, has_color, luma_digest
from tests.synthetic import fill

LAYOUTS = {
    "gray": PixelLayout("luma", "gray", 8, 0, 0, False),
    "gray10le": PixelLayout("luma", "gray10le", 10, 0, 0, False),
    "gray16be": PixelLayout("luma", "gray16be", 16, 0, 0, False),
    "ya8": PixelLayout("convert", "gray", 8, 0, 0, True),
    "ya16be": PixelLayout("convert", "gray16le", 16, 0, 0, True),
    "yuv420p": PixelLayout("luma", "yuv420p", 8, 2, 2, False),
    "yuvj422p": PixelLayout("luma", "yuvj422p", 8, 1, 2, False),
    "yuv422p10le": PixelLayout("luma", "yuv422p10le", 10, 1, 2, False),
    "yuv444p12be": PixelLayout("luma", "yuv444p12be", 12, 1, 1, False),
    "yuv440p": PixelLayout("luma", "yuv440p", 8, 2, 1, False),
    "yuv411p": PixelLayout("luma", "yuv411p", 8, 1, 4, False),
    "yuv410p": PixelLayout("luma", "yuv410p", 8, 4, 4, False),
    "yuva420p": PixelLayout("luma", "yuva420p", 8, 2, 2, True),
    "yuva444p16le": PixelLayout("luma", "yuva444p16le", 16, 1, 1, True),
    "nv12": PixelLayout("luma", "nv12", 8, 2, 2, False),
    "nv24": PixelLayout("luma", "nv24", 8, 1, 1, False),
    "p010le": PixelLayout("convert", "yuv420p10le", 10, 2, 2, False),
    "y210le": PixelLayout("convert", "yuv422p10le", 10, 1, 2, False),
    "yuyv422": PixelLayout("convert", "yuv422p", 8, 1, 2, False),
    "vuya": PixelLayout("convert", "yuv444p", 8, 1, 1, True),
    "yuv444p10msble": PixelLayout("convert", "yuv444p10le", 10, 1, 1, False),
    "rgb24": PixelLayout("rgb", "gbrp", 8, 0, 0, False),
    "rgba": PixelLayout("rgb", "gbrp", 8, 0, 0, True),
    "rgb565le": PixelLayout("rgb", "gbrp", 8, 0, 0, False),
    "gbrp12be": PixelLayout("rgb", "gbrp12le", 12, 0, 0, False),
    "gbrap16le": PixelLayout("rgb", "gbrp16le", 16, 0, 0, True),
    "rgb48be": PixelLayout("rgb", "gbrp16le", 16, 0, 0, False),
    "pal8": PixelLayout("rgb", "gbrp", 8, 0, 0, False),
    "monow": PixelLayout("rgb", "gbrp", 8, 0, 0, False),
}
REFUSED = ["gbrpf32le", "grayf32be", "grayf16le", "bayer_rggb8", "cuda", "gray32le", "rgb96le", "y210be", "uyyvyy411"]
EVERY = sorted(av.video.format.names)
KINDS = {kind: [n for n in EVERY if (found := pixel_layout(n)) and found.kind == kind] for kind in ("luma", "convert")}
RGB = {
    "rgb24": 8, "bgr24": 8, "0rgb": 8, "rgba": 8, "abgr": 8, "gbrp": 8, "gbrap": 8, "gbrp9le": 9, "gbrp9be": 9,
    "gbrp10le": 10, "gbrp10be": 10, "gbrap10le": 10, "x2rgb10le": 10, "gbrp10msble": 10, "gbrp12le": 12, "gbrp12be": 12,
    "gbrap12be": 12, "gbrp14le": 14, "gbrap14be": 14, "gbrp16le": 16, "gbrp16be": 16, "gbrap16le": 16, "gbrap16be": 16,
    "rgb48le": 16, "rgb48be": 16, "bgr48be": 16, "rgba64le": 16, "bgra64be": 16,
}  # fmt: skip
SIZES = [(64, 48), (35, 27), (9, 8)]


def codes(bits, size, seed=0):
    """Random codes over the whole range, its ends among them."""
    made = np.random.default_rng(seed).integers(0, 2**bits, size[::-1]).astype(np.uint8 if bits == 8 else np.uint16)
    made[0, :2] = 0, 2**bits - 1
    return made


def planar(pix_fmt, luma, bits, tag=0):
    """A frame with this luma and random chroma."""
    frame = av.VideoFrame(luma.shape[1], luma.shape[0], pix_fmt)
    fill(frame, 0, luma)
    for number in range(1, len(frame.planes)):
        plane = frame.planes[number]
        samples = plane.width * (2 if pix_fmt.startswith("nv") else 1)
        fill(frame, number, codes(bits, (samples, plane.height), number))
    frame.color_range = tag
    return frame


@pytest.mark.parametrize("pix_fmt", LAYOUTS)
def test_a_layout_says_where_luma_is(pix_fmt):
    """Kind, planar form, depth, chroma steps and transparency of a format are what its name says."""
    assert pixel_layout(pix_fmt) == LAYOUTS[pix_fmt]


@pytest.mark.parametrize("pix_fmt", REFUSED)
def test_formats_without_readable_luma_have_no_layout(pix_fmt):
    """Float, Bayer, hardware and 32-bit formats, and those FFmpeg cannot unpack, are known as unreadable."""
    assert pixel_layout(pix_fmt) is None
    if pix_fmt.startswith("gray"):
        with pytest.raises(ValueError, match="no luma"):
            luma_plane(av.VideoFrame(16, 16, pix_fmt), "bt709")
        assert not has_color(av.VideoFrame(16, 16, pix_fmt))


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("kind", ["luma", "convert"])
def test_luma_is_exact_in_every_yuv_and_gray_format(kind, size):
    """Whatever the depth, byte order, chroma, line padding or range tag: the codes that went in come out."""
    assert len(KINDS["luma"]) > 85
    assert len(KINDS["convert"]) > 40
    for pix_fmt in KINDS[kind]:
        layout = pixel_layout(pix_fmt)
        luma = codes(layout.bits, size)
        for tag in (0, 1, 2):
            frame = planar(pix_fmt if kind == "luma" else layout.planar, luma, layout.bits, tag)
            if kind == "convert":
                frame = repacked(frame, pix_fmt)
                frame.color_range = tag
            got = luma_plane(frame, "bt709")
            assert np.array_equal(got, luma), (pix_fmt, tag)
            assert got.dtype == luma.dtype
            assert got.flags.c_contiguous
            assert got.dtype.isnative


def test_luma_is_a_copy():
    """What a caller holds does not change when the decoder takes its buffer back."""
    frame = planar("yuv420p", codes(8, (64, 48)), 8)
    held = luma_plane(frame, "bt709")
    fill(frame, 0, np.zeros((48, 64), np.uint8))
    assert np.array_equal(held, codes(8, (64, 48)))


@pytest.mark.parametrize("pix_fmt", ["gray", "yuv420p", "yuv422p10le", "gbrp10le"])
def test_planes_stored_upside_down_are_read_upright(pix_fmt):
    """A negative line size, as FFmpeg's vflip and some AVI decoders make it, flips nothing in our copy."""
    bits = pixel_layout(pix_fmt).bits
    luma = codes(bits, (35, 27))
    frame = av.VideoFrame(35, 27, pix_fmt)
    for plane in range(len(frame.planes)):
        shape = frame.planes[plane].height, frame.planes[plane].width
        fill(frame, plane, luma if shape == luma.shape else np.full(shape, 1 << (bits - 1), luma.dtype))
    graph = av.filter.Graph()
    base = Fraction(1, 24)
    chain = [graph.add_buffer(width=35, height=27, format=av.VideoFormat(pix_fmt), time_base=base)]
    chain += [graph.add("vflip"), graph.add("buffersink")]
    chain[0].link_to(chain[1])
    chain[1].link_to(chain[2])
    graph.configure()
    frame.pts, frame.time_base = 0, base
    graph.push(frame)
    flipped = graph.pull()
    assert flipped.planes[0].line_size < 0
    assert np.array_equal(luma_plane(flipped, "bt709"), luma[::-1])


@pytest.mark.parametrize("pix_fmt", RGB)
@settings(max_examples=8)
@given(data=st.data())
def test_neutral_rgb_keeps_its_code(pix_fmt, data):
    """R = G = B = n gives luma n, for every matrix, every depth and every way to pack RGB."""
    bits = RGB[pix_fmt]
    kind = np.uint8 if bits == 8 else np.uint16
    values = data.draw(stn.arrays(kind, (8, 11), elements=st.integers(0, 2**bits - 1)))
    matrix = data.draw(st.sampled_from(sorted(MATRICES)))
    direct = pix_fmt.startswith(("gbrp", "gbrap")) and "msb" not in pix_fmt
    frame = av.VideoFrame(11, 8, pix_fmt if direct else pixel_layout(pix_fmt).planar)
    for plane in range(len(frame.planes)):
        fill(frame, plane, values)
    if not direct:
        frame = repacked(frame, pix_fmt)
    frame.color_range = data.draw(st.sampled_from([0, 1, 2]))
    assert np.array_equal(luma_plane(frame, matrix), values)


@given(st.tuples(*[st.integers(0, 65535)] * 3), st.sampled_from(sorted(MATRICES)))
def test_rgb_luma_is_the_matrix_product(rgb, matrix):
    """Y' of any R'G'B' is Kr·R + Kg·G + Kb·B, rounded exactly, halves up."""
    frame = av.VideoFrame(8, 8, "gbrp16le")
    for plane, value in enumerate((rgb[1], rgb[2], rgb[0])):
        fill(frame, plane, np.full((8, 8), value, np.uint16))
    kr, kb = (Fraction(str(weight)) for weight in MATRICES[matrix])
    exact = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]
    assert (luma_plane(frame, matrix) == math.floor(exact + Fraction(1, 2))).all()


@pytest.mark.parametrize(("source", "extracted"), [("gray", "gray"), ("yuv420p", "gray"), ("yuv422p10be", "gray10le")])
def test_a_digest_is_the_one_ffmpeg_prints(tmp_path, source, extracted):
    """luma_digest equals the MD5 that FFmpeg's own framemd5 writes for the extracted plane."""
    bits = pixel_layout(source).bits
    luma = codes(bits, (35, 27))
    mine = luma_digest(luma_plane(planar(source, luma, bits), "bt709"))
    listing = tmp_path / "frames.md5"
    with av.open(str(listing), "w", format="framemd5") as out:
        stream = out.add_stream("rawvideo", rate=24)
        stream.width, stream.height, stream.pix_fmt = 35, 27, extracted
        picture = av.VideoFrame(35, 27, extracted)
        fill(picture, 0, luma)
        picture.pts = 0
        out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    lines = [line for line in listing.read_text().splitlines() if not line.startswith("#")]
    theirs = lines[0].split(",")[-1].strip()
    assert mine == theirs
    assert mine == hashlib.md5(luma.astype("u1" if bits == 8 else "<u2").tobytes()).hexdigest()


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "nv12", "yuyv422", "rgb24", "gbrp12le", "p010le"])
def test_color_is_told_from_gray(pix_fmt):
    """A gray picture has no color, a picture with a fifth of it strongly tinted has."""

    def picture(tint):
        frame = av.VideoFrame(64, 48, "yuv444p")
        chroma = np.full((48, 64), 128, np.uint8)
        chroma[:, :14] += tint
        for plane, values in enumerate((codes(8, (64, 48)) // 2 + 60, np.full((48, 64), 128, np.uint8), chroma)):
            fill(frame, plane, values)
        return frame

    assert not has_color(picture(0).reformat(format=pix_fmt))
    assert has_color(picture(42).reformat(format=pix_fmt))
    assert not has_color(picture(42).reformat(format="gray"))


def test_plane_view_shares_the_frames_memory():
    """A view costs no copy and sees what is written into the frame later."""
    frame = planar("yuv444p12be", codes(12, (35, 27)), 12)
    view = plane_view(frame, 0)
    fill(frame, 0, np.full((27, 35), 77, np.uint16))
    assert (view == 77).all()
    assert view.shape == (27, 35)


def test_a_frame_prints_without_its_pixels():
    """repr stays one line whatever the size of the picture."""
    assert (
        repr(Frame(3, 42, np.zeros((1000, 1000), np.uint8)))
        == "Frame(index=3, pts=42, duration=0, fields='progressive')"
    )
