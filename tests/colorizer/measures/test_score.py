"""Scores behave: perfection is perfect, and the luma baseline holds means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.measures.score import LumaTable, Tally, Truth
from colorizer.training.picture_files import SIDE, planes_of


def picture(seed):
    """A colorful square, uint8 (SIDE, SIDE, 3): patches of a few strong colors."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.repeat(np.repeat(patches, SIDE // 4, 0), SIDE // 4, 1)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=40))
def test_a_table_holds_means(pixels):
    """Each luma code that was seen gets the mean a*b* of its pixels, every other one lies between its neighbors'."""
    planes = np.array(pixels, np.uint8).T[:, None]
    table = LumaTable()
    table.add(planes)
    colors = table.colors()
    for code in set(planes[0].ravel().tolist()):
        wanted = planes[1:, planes[0] == code].astype(float).mean(1) - 128
        assert colors[code] == pytest.approx(wanted)
    assert colors.min() >= planes[1:].min() - 128.0
    assert colors.max() <= planes[1:].max() - 128.0


def test_a_table_keeps_luma():
    """What a table shows at a luma code has that luma, and can be shown."""
    table = LumaTable()
    table.add(planes_of(picture(7)))
    shown = table.shown()
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert np.abs(shown @ [0.299, 0.587, 0.114] - np.arange(256) / 255).max() < 2e-3


def test_a_perfect_painter_is_perfect():
    """The truth against itself: no difference, all pixels within every distance, SSIM 1."""
    tally, square = Tally(), picture(3)
    tally.add(square / 255, Truth.of(square))
    found = tally.figures(np.ones(len(tally.distances)))
    assert found["psnr_rgb"] == found["psnr_ab"] == np.inf
    assert found["ssim"] == pytest.approx(1)
    assert found["delta_e2000"] == found["delta_e2000_p95"] == found["colorfulness_error"] == 0
    assert found["auc"] == found["auc_rebalanced"] == 100
