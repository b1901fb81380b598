"""The one integer luma, the weights it is made of, and the numbers that stand for color in files."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis import light

# typed off the standards once more: a test that used the module's own could not fail
REC = {
    "bt601": ("0.299", "0.114"), "bt709": ("0.2126", "0.0722"), "bt2020": ("0.2627", "0.0593"),
    "fcc": ("0.30", "0.11"), "smpte240m": ("0.212", "0.087"),
}  # fmt: skip
KINDS = st.sampled_from(("u1", "u2"))


def exactly(color, matrix="bt601"):
    """Luma of a color in fractions, rounded, halves up."""
    kr, kb = map(Fraction, REC[matrix])
    red, green, blue = map(int, color)
    return math.floor(kr * red + (1 - kr - kb) * green + kb * blue + Fraction(1, 2))


@pytest.mark.parametrize("matrix", REC)
def test_weights_are_the_standards(matrix):
    """Kr and Kb of BT.601, 709 and 2020; with Kg they are a whole, and the float weights are the same ones."""
    assert light.MATRICES[matrix] == tuple(map(float, REC[matrix]))
    assert sum(light.WEIGHTS[matrix]) == light.UNIT
    assert light.LUMA_WEIGHTS[matrix] == tuple(weight / light.UNIT for weight in light.WEIGHTS[matrix])
    assert set(light.WEIGHTS) == set(REC)


def test_luma_of_every_8_bit_color():
    """Of all 16,777,216 colors it is (299 R + 587 G + 114 B + 500) div 1000, between the least and the most."""
    green, blue = np.meshgrid(*[np.arange(256)] * 2, indexing="ij")
    for red in range(256):
        rgb = np.stack([np.full_like(green, red), green, blue], -1)
        luma = light.luma_codes(rgb.astype(np.uint8))
        assert luma.dtype == np.uint8
        assert np.array_equal(luma, (299 * red + 587 * green + 114 * blue + 500) // 1000)
        assert ((luma >= rgb.min(-1)) & (luma <= rgb.max(-1))).all()


@pytest.mark.parametrize("matrix", REC)
@given(kind=KINDS, data=st.data())
def test_luma_is_rounded_exactly(matrix, kind, data):
    """Of any color under any weights: the exact sum, halves up, and between the least and the most of the three."""
    color = data.draw(st.tuples(*[st.integers(0, np.iinfo(kind).max)] * 3))
    code = int(light.luma_codes(np.array(color, kind), matrix))
    assert code == exactly(color, matrix)
    assert min(color) <= code <= max(color)


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("matrix", REC)
def test_gray_keeps_its_code(matrix, kind):
    """R = G = B = n has luma n, for every n of 8 and of 16 bits."""
    codes = np.arange(np.iinfo(kind).max + 1).astype(kind)
    assert np.array_equal(light.luma_codes(np.stack([codes] * 3, -1), matrix), codes)


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535), st.sampled_from(sorted(REC)))
def test_planes_of_any_byte_order(red, green, blue, matrix):
    """Big-endian planes give what little-endian ones do, in native order."""
    planes = [np.array([code], ">u2") for code in (red, green, blue)]
    luma = light.luma_of_planes(*planes, matrix)
    assert luma.dtype.isnative
    assert luma.tolist() == [exactly((red, green, blue), matrix)]


@given(KINDS, st.sampled_from(sorted(REC)), st.data())
def test_green_gives_back_the_luma(kind, matrix, data):
    """The green that is solved for a color's luma, red and blue gives that luma again, and is near the color's own."""
    top = np.iinfo(kind).max
    red, green, blue = data.draw(st.tuples(*[st.integers(0, top)] * 3))
    luma = light.luma_codes(np.array([red, green, blue], kind), matrix)
    solved = int(light.green_for(luma, np.array(red, kind), np.array(blue, kind), matrix))
    assert exactly((red, solved, blue), matrix) == luma
    assert abs(solved - green) <= 1


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=9), st.sampled_from(sorted(REC)))
def test_luma_of_numbers_is_that_of_codes(colors, matrix):
    """Of numbers from 0 to 1 it is, but for rounding, that of their 16-bit codes."""
    codes = np.rint(np.array(colors) * 65535).astype(np.uint16)
    apart = light.luma_light(codes / 65535, matrix) * 65535 - light.luma_codes(codes, matrix)
    assert np.abs(apart).max() <= 0.5 + 1e-9


def test_no_color_has_every_luma():
    """What red and blue alone exceed, or leave too dark, asks for a green below 0 or above white."""
    black, white = np.array(0, np.uint8), np.array(255, np.uint8)
    assert light.green_for(black, white, white) < 0
    assert light.green_for(white, black, black) > 255


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_srgb_goes_both_ways(dtype):
    """The two directions undo each other from black to white, in numpy and in torch, and meet at the knee."""
    codes = np.linspace(0, 1, 10_001)
    there = light.srgb_to_light(codes)
    assert np.abs(light.light_to_srgb(there) - codes).max() < 1e-12
    assert (np.diff(there) > 0).all()
    assert light.srgb_to_light(np.array([0.0, 1.0])) == pytest.approx([0, 1])
    assert float(light.srgb_to_light(np.array(0.5))) == pytest.approx(0.214041, abs=1e-6)  # IEC 61966-2-1
    tensor = light.srgb_to_light(torch.tensor(codes, dtype=dtype), torch)
    assert torch.allclose(tensor.double(), torch.tensor(there), atol=1e-6)


def test_lightness_goes_both_ways():
    """CIE 15: gray of 18.42 % is L* 50; the two directions undo each other, also below the knee."""
    lights = np.linspace(0, 1, 10_001)
    scale = light.light_to_lightness(lights)
    assert np.abs(light.lightness_to_light(scale) - lights).max() < 1e-12
    assert 116 * float(light.light_to_lightness(np.array(0.184187))) - 16 == pytest.approx(50, abs=1e-3)


@pytest.mark.parametrize(
    ("mine", "ffmpegs", "names"),
    [
        (light.Matrix, Colorspace, {"BT709": "ITU709", "BT470BG": "ITU601", "SMPTE170M": "libswscale's is 5"}),
        (light.Primaries, ColorPrimaries, {}),
        (light.Transfer, ColorTrc, {}),
        (light.Range, ColorRange, {"LIMITED": "MPEG", "FULL": "JPEG"}),
    ],
)
def test_code_points_are_ffmpegs(mine, ffmpegs, names):
    """A name that FFmpeg's binding knows too has its number there."""
    theirs = {code: names.get(code.name, code.name) for code in mine}
    shared = {code: name for code, name in theirs.items() if name in ffmpegs.__members__}
    assert len(shared) >= 3
    assert all(ffmpegs[name].value == code for code, name in shared.items())


def test_a_tag_that_is_written_reads_as_its_weights():
    """MATRIX_TAGS and MATRIX_NAMES agree, and every name stands for numbers."""
    assert {name: light.MATRIX_NAMES[tag] for name, tag in light.MATRIX_TAGS.items()} == {name: name for name in REC}
    assert set(light.MATRIX_NAMES.values()) == set(light.WEIGHTS)
    assert set(light.PRIMARIES_NAMES.values()) == set(light.PRIMARIES)


@pytest.mark.parametrize(("lines", "matrix"), [(480, "bt601"), (576, "bt601"), (577, "bt709"), (1080, "bt709")])
def test_untagged_pictures_are_guessed_by_height(lines, matrix):
    """NTSC and PAL are Rec. 601, what is higher Rec. 709."""
    assert light.assumed_matrix(lines) == matrix
