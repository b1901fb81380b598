"""A plate is colored in bands, and nobody can tell where they met."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from colorizer.color.upsample import guided_upsample
from colorizer.networks import weights_file as weights
from colorizer.networks.tiling import paint_tiled
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.geometry import NATIVE, Geometry
from colorizer.painting.plate import (
    Preview,
    color_native,
    color_rows,
    plate_lines,
    plate_look,
    size_for,
    stored,
    survey_plate,
    upright,
)
from tests.synthetic import tiny_weights


@pytest.fixture(scope="module")
def colorizer(tmp_path_factory):
    """Tiny random weights, on the CPU, in float32."""
    return Colorizer(weights.load(str(tiny_weights(tmp_path_factory.mktemp("w") / "tiny.safetensors"))))


def scan(height, width, bits=16, seed=0):
    """A smooth picture with some grain, codes of `bits` bits."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.random((1, 1, 9, 9), np.float32))
    smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0, 0].numpy()
    y = (smooth + 0.02 * rng.standard_normal((height, width))).clip(0, 1)
    return np.rint(y * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def surveyed(colorizer, luma, working_size, **facts):
    """The plate of a whole picture."""
    preview = Preview(*luma.shape, 8 * luma.dtype.itemsize)
    preview.add(luma)
    return survey_plate(colorizer, preview, working_size, **facts)


def luminance(rgb):
    """Rec. 601 luma of codes."""
    return rgb.astype(float) @ [0.299, 0.587, 0.114]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([8, 16]), st.data())
def test_a_preview_is_the_mean_however_it_is_fed(height, width, bits, data):
    """Fed in any bands, a preview holds the mean of every cell, those at the edges of what is left there."""
    luma = scan(height, width, bits)
    preview = Preview(height, width, bits)
    preview.factor = data.draw(st.integers(1, 9))
    k = preview.factor
    preview._sums = np.zeros((-(-height // k), -(-width // k)))
    at = 0
    while at < height:
        count = data.draw(st.integers(1, 20))
        preview.add(luma[at : at + count])
        at += count
    found = preview.luma()[0, 0].numpy()
    for i, j in ((0, 0), (found.shape[0] - 1, found.shape[1] - 1)):
        cell = luma[i * k : (i + 1) * k, j * k : (j + 1) * k]
        assert found[i, j] == pytest.approx(cell.mean() / (2**bits - 1), abs=1e-6)


def test_a_preview_fits_in_memory():
    """A plate of 3.6 gigapixels and a long strip are both seen in some megapixels."""
    for height, width in ((60_000, 60_000), (3_000, 900_000), (40, 10_000_000)):
        preview = Preview(height, width, 16)
        assert preview._sums.size <= 9e6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_undo_each_other(orientation):
    """`stored` undoes `upright`, and upright is what TIFF 6.0 says of the first row and column."""
    x = torch.arange(6).view(1, 1, 2, 3)
    assert torch.equal(stored(upright(x, orientation), orientation), x)
    first = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    seen = upright(x, orientation)[0, 0]
    assert seen.shape == ((3, 2) if orientation > 4 else (2, 3))
    assert int(seen[first[orientation]]) == 0
    if orientation in (5, 6, 7, 8):  # the stored first row is a column
        column = seen[:, first[orientation][1]].tolist()
        assert column == [0, 1, 2] if orientation in (5, 6) else [2, 1, 0]


@settings(max_examples=15, deadline=None)
@given(
    st.integers(8, 90), st.integers(8, 90), st.sampled_from([8, 16]), st.sampled_from([NATIVE, 32]),
    st.integers(1, 8), st.integers(1, 4),
)  # fmt: skip
def test_luma_survives(colorizer, height, width, bits, size, orientation, cut):
    """Whatever the size, depth, orientation and bands: the luma of what comes out is within half a code."""
    luma = scan(height, width, bits, seed=height)
    luma[0, :2] = 0, 2**bits - 1
    plate = surveyed(colorizer, luma, size, orientation=orientation)
    step = max(8, height // cut // 8 * 8)
    for top in range(0, height, step):
        rows = luma[top : top + step]
        if size == NATIVE:
            rgb = color_native(colorizer, plate, reader(luma), top, min(height, top + step), 32)
        else:
            rgb = color_rows(colorizer, plate, rows, top)
        assert rgb.dtype == luma.dtype
        assert np.abs(luminance(rgb) - rows).max() <= 0.5


def reader(luma):
    """A function that reads rectangles, strictly inside."""

    def read(top, left, height, width):
        assert 0 <= top < top + height <= luma.shape[0]
        assert 0 <= left < left + width <= luma.shape[1]
        return luma[top : top + height, left : left + width]

    return read


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_bands_are_the_whole(colorizer, orientation):
    """Cut anywhere, the rows of a plate are what one call gives for all of them, to a code of 16 bits."""
    luma = scan(700, 500)
    plate = surveyed(colorizer, luma, 64, orientation=orientation)
    whole = color_rows(colorizer, plate, luma, 0).astype(int)
    assert np.ptp(whole, 2).max() > 200
    for cuts in ((1, 2, 350), (333,), (699,)):
        edges = [0, *cuts, 700]
        parts = [color_rows(colorizer, plate, luma[a:b], a) for a, b in pairwise(edges)]
        assert np.abs(np.concatenate(parts).astype(int) - whole).max() <= 1


def test_a_plate_is_colored_as_a_frame_is(colorizer):
    """What is not larger than a preview gets the chroma that `guided_upsample` gives a frame of a film."""
    luma = scan(300, 420)
    plate = surveyed(colorizer, luma, 64)
    y = torch.from_numpy(luma.astype(np.float32) / 65535)[None, None]
    small = torch.cat(colorizer.small(y, plate.coding, Geometry(step_y=1, step_x=1), plate.look, 64), 1)
    cb, cr = guided_upsample(small, y)[0]
    solver = colorizer.solver(plate.coding)
    wanted = solver.show(y[0, 0], *solver.fit(y[0, 0], cb, cr)) * 65535
    found = color_rows(colorizer, plate, luma, 0).astype(float)
    assert np.abs(found[..., 0] - wanted[0].numpy()).max() < 2
    assert np.abs(found[..., 2] - wanted[2].numpy()).max() < 2


@pytest.mark.parametrize("tile", [64, 128, 256])
def test_native_tiles_are_the_whole(colorizer, tile):
    """At native size any tile and any rows at a time give what one tile over everything gives: nearly all codes of 16
    bits are equal, and none is further off than the color search at the gamut's edge is fine.
    """
    luma = scan(301, 411)
    plate = surveyed(colorizer, luma, NATIVE)
    whole = color_native(colorizer, plate, reader(luma), 0, 301, 512).astype(int)
    assert np.ptp(whole, 2).max() > 200
    edges = [0, 64, 200, 301]
    parts = [color_native(colorizer, plate, reader(luma), a, b, tile) for a, b in pairwise(edges)]
    apart = np.abs(np.concatenate(parts).astype(int) - whole)
    assert apart.max() <= 65535 / 1024
    assert (apart > 1).mean() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("tile", [256, 512, 1024])
def test_exact_tiles_at_full_size(colorizer, tile):
    """2504 x 1904 pixels, in float32: a*b*/100 of tiles and of the whole differ by at most 1e-5."""
    y = torch.from_numpy(scan(1904, 2504).astype(np.float32) / 65535)[None, None]
    look = torch.rand(1, colorizer.weights.config.channels(256))
    whole = colorizer.network.paint(y, look)
    tiled = paint_tiled(colorizer.network, y, look, tile)
    assert float((whole - tiled).abs().max()) / 100 <= 1e-5


def test_no_seam_is_left(colorizer):
    """Color steps across the edges of bands and tiles are no larger than those elsewhere (a flat scan would show)."""
    luma = np.full((256, 256), 30_000, np.uint16)
    luma += scan(256, 256, 8, 3)
    plate = surveyed(colorizer, luma, NATIVE)
    parts = [color_native(colorizer, plate, reader(luma), a, a + 64, 64) for a in range(0, 256, 64)]
    chroma = np.concatenate(parts).astype(float)[..., 0] - luma
    down, across = np.abs(np.diff(chroma, axis=0)).mean(1), np.abs(np.diff(chroma, axis=1)).mean(0)
    for steps in (down, across):
        seams = steps[[63, 127, 191]]
        others = np.delete(steps, [63, 127, 191])[32:-32]
        assert seams.max() <= 1.5 * others.max() + 1


@pytest.mark.parametrize("weights_name", ["lite", "fast"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_small_picture_is_painted_alike_in_any_company(weights_name, precision):
    """Small pictures go through the network together, and none gets another bit for those beside it, nor for where it
    stands among them."""
    colorizer = Colorizer(weights.load(weights_name), precision=precision)
    previews = []
    for seed in range(5):
        previews.append(Preview(30, 41, 8))
        previews[-1].add(scan(30, 41, 8, seed))
    looks = [plate_look(colorizer, preview)[0] for preview in previews]

    def lines(*places):
        chosen = [previews[i] for i in places], 192, 1, 1.0, [looks[i] for i in places]
        return plate_lines(colorizer, *chosen)

    together = lines(0, 1, 2, 3, 4)
    for place, mine in enumerate(together):
        assert torch.equal(lines(place)[0], mine)
    assert all(map(torch.equal, lines(4, 2, 0), (together[4], together[2], together[0])))


def test_a_small_picture_is_enlarged_twice_at_most(colorizer):
    """Beyond that nothing is seen more; a large one, and native size, are as they were asked for."""
    assert [size_for(192, *shape) for shape in ((30, 40), (96, 500), (500, 96), (3, 2), (2000, 3000))] == [
        60, 192, 192, 32, 192,
    ]  # fmt: skip
    assert size_for(NATIVE, 30, 40) == NATIVE
    few = surveyed(colorizer, scan(30, 40, 8), 192)
    assert torch.equal(few.lines, surveyed(colorizer, scan(30, 40, 8), 60 * 2).lines)
    with pytest.raises(ValueError, match="at most 1 are"):
        plate_lines(colorizer, [Preview(300, 400, 8)] * 2, 192, 1, 1.0, [few.look] * 2)
