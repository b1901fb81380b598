"""Measures agree with the numbers their authors published, and with what they mean at their ends."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colorizer.measures import quality

# Sharma, Wu and Dalal (2005), Table 1: L1 a1 b1 L2 a2 b2 ΔE00
SHARMA = """
50.0000   2.6772 -79.7751  50.0000   0.0000 -82.7485   2.0425
50.0000   3.1571 -77.2803  50.0000   0.0000 -82.7485   2.8615
50.0000   2.8361 -74.0200  50.0000   0.0000 -82.7485   3.4412
50.0000  -1.3802 -84.2814  50.0000   0.0000 -82.7485   1.0000
50.0000  -1.1848 -84.8006  50.0000   0.0000 -82.7485   1.0000
50.0000  -0.9009 -85.5211  50.0000   0.0000 -82.7485   1.0000
50.0000   0.0000   0.0000  50.0000  -1.0000   2.0000   2.3669
50.0000  -1.0000   2.0000  50.0000   0.0000   0.0000   2.3669
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0009   7.1792
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0010   7.1792
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0011   7.2195
50.0000   2.4900  -0.0010  50.0000  -2.4900   0.0012   7.2195
50.0000  -0.0010   2.4900  50.0000   0.0009  -2.4900   4.8045
50.0000  -0.0010   2.4900  50.0000   0.0010  -2.4900   4.8045
50.0000  -0.0010   2.4900  50.0000   0.0011  -2.4900   4.7461
50.0000   2.5000   0.0000  50.0000   0.0000  -2.5000   4.3065
50.0000   2.5000   0.0000  73.0000  25.0000 -18.0000  27.1492
50.0000   2.5000   0.0000  61.0000  -5.0000  29.0000  22.8977
50.0000   2.5000   0.0000  56.0000 -27.0000  -3.0000  31.9030
50.0000   2.5000   0.0000  58.0000  24.0000  15.0000  19.4535
50.0000   2.5000   0.0000  50.0000   3.1736   0.5854   1.0000
50.0000   2.5000   0.0000  50.0000   3.2972   0.0000   1.0000
50.0000   2.5000   0.0000  50.0000   1.8634   0.5757   1.0000
50.0000   2.5000   0.0000  50.0000   3.2592   0.3350   1.0000
60.2574 -34.0099  36.2677  60.4626 -34.1751  39.4387   1.2644
63.0109 -31.0961  -5.8663  62.8187 -29.7946  -4.0864   1.2630
61.2901   3.7196  -5.3901  61.4292   2.2480  -4.9620   1.8731
35.0831 -44.1164   3.7933  35.0232 -40.0716   1.5901   1.8645
22.7233  20.0904 -46.6940  23.0331  14.9730 -42.5619   2.0373
36.4612  47.8580  18.3852  36.2715  50.5065  21.2231   1.4146
90.8027  -2.0831   1.4410  91.1528  -1.6435   0.0447   1.4441
90.9257  -0.5406  -0.9208  88.6381  -0.8985  -0.7239   1.5381
 6.7747  -0.2908  -2.4247   5.8714  -0.0985  -2.2286   0.6377
 2.0776   0.0795  -1.1350   0.9033  -0.0636  -0.5514   0.9082
"""
PAIRS = np.array([[float(v) for v in line.split()] for line in SHARMA.split("\n") if line])


def test_ciede2000_reproduces_the_published_pairs():
    """All 34 pairs of the paper's supplementary data to their last digit, in either order."""
    assert PAIRS.shape == (34, 7)
    for first, second in ((PAIRS[:, :3], PAIRS[:, 3:6]), (PAIRS[:, 3:6], PAIRS[:, :3])):
        found = quality.ciede2000(first, second)
        assert np.abs(found - PAIRS[:, 6]).max() <= 5.1e-5


def test_ciede2000_agrees_with_scikit_image():
    """An independent implementation gives the same on random colors, and shapes broadcast by channel."""
    color = pytest.importorskip("skimage.color")
    rng = np.random.default_rng(0)
    first, second = rng.uniform([0, -100, -100], [100, 100, 100], (2, 40, 50, 3))
    found = quality.ciede2000(first, second)
    assert found.shape == (40, 50)
    assert np.abs(found - color.deltaE_ciede2000(first, second)).max() < 1e-9


colors = st.tuples(st.floats(0, 100), st.floats(-110, 110), st.floats(-110, 110))


@given(colors, colors)
def test_ciede2000_is_a_dissimilarity(first, second):
    """Zero from a color to itself, never negative, the same both ways."""
    assert float(quality.ciede2000(first, first)) == 0
    there, back = float(quality.ciede2000(first, second)), float(quality.ciede2000(second, first))
    assert there >= 0
    assert there == pytest.approx(back, abs=1e-6)


def test_psnr_of_known_errors():
    """An error of 0.1 everywhere is 20 dB, of 25.5 a*b* units 20 dB, none is infinite; RGB is clamped
    first.
    """
    zero = np.zeros((4, 5, 3))
    assert quality.psnr_rgb(zero, zero + 0.1) == pytest.approx(20)
    assert quality.psnr_ab(zero[..., :2], zero[..., :2] + 25.5) == pytest.approx(20)
    assert quality.psnr_rgb(zero, zero) == math.inf
    assert quality.psnr_rgb(zero, zero - 1) == math.inf


@given(arrays(np.float64, (3, 4, 3), elements=st.floats(0, 1)), st.floats(1e-3, 0.4))
def test_psnr_falls_as_the_error_grows(picture, error):
    """Doubling an error costs 20 log10(2) = 6.02 dB, whatever the picture."""
    near, far = quality.psnr(picture, picture + error, 1.0), quality.psnr(picture, picture + 2 * error, 1.0)
    assert near - far == pytest.approx(20 * math.log10(2), abs=1e-6)


@given(arrays(np.uint8, (6, 7, 1)))
def test_colorfulness_of_gray_is_zero(gray):
    """R = G = B scores 0, whatever it shows."""
    assert quality.colorfulness(np.repeat(gray, 3, 2)) == 0


def test_colorfulness_of_known_pictures():
    """Hasler and Suesstrunk's M3 by hand: one color scores 0.3 times its distance from gray; variety adds."""
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    assert quality.colorfulness(red) == pytest.approx(0.3 * math.hypot(255, 127.5))
    halves = red.copy()
    halves[:2] = (0, 255, 0)
    assert quality.colorfulness(halves) == pytest.approx(255 + 0.3 * 127.5)


pictures = arrays(np.float64, (13, 12, 3), elements=st.floats(0, 1))


@given(pictures, pictures)
def test_ssim_is_a_similarity(first, second):
    """1 from a picture to itself, never above, the same both ways."""
    assert quality.ssim(first, first) == pytest.approx(1, abs=1e-9)
    there = quality.ssim(first, second)
    assert -1 - 1e-9 <= there <= 1 + 1e-9
    assert there == pytest.approx(quality.ssim(second, first), abs=1e-12)


@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_ssim_agrees_with_scikit_image(peak):
    """An independent implementation with the paper's window gives the same, at either range."""
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(0)
    first = rng.uniform(0, peak, (40, 33, 3)).cumsum(1) % peak
    second = (first + rng.normal(0, peak / 10, first.shape)).clip(0, peak)
    wanted = metrics.structural_similarity(
        first, second, data_range=peak, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert quality.ssim(first, second, peak) == pytest.approx(wanted, abs=1e-12)


ab = arrays(np.float64, (30, 2), elements=st.floats(-110, 110))


def areas(distances, weights):
    """AuC by its definition: the weighted share of pixels within each threshold, averaged."""
    return 100 * np.mean([np.average(distances <= t, weights=weights) for t in range(151)])


@given(ab, ab, st.integers(0, 2**32 - 1))
def test_auc_is_the_mean_share_within_each_distance(first, second, seed):
    """As if counted pixel by pixel, raw and with weights of the pixels' kinds; counts of parts add up."""
    rng = np.random.default_rng(seed)
    kinds, weights = rng.integers(0, 4, 30), rng.uniform(0.1, 9, 4)
    distances = np.hypot(*(first - second).T)
    counts = quality.distance_counts(first, second, kinds, 4)
    assert counts.shape == (4, 152)
    assert quality.auc(counts) == pytest.approx(areas(distances, np.ones(30)))
    assert quality.auc(counts, weights) == pytest.approx(areas(distances, weights[kinds]))
    halves = [quality.distance_counts(first[s], second[s], kinds[s], 4) for s in (slice(11), slice(11, None))]
    assert np.array_equal(counts, sum(halves))


def test_auc_at_its_ends():
    """The truth itself scores 100, whatever the weights; colors 150 or more away next to nothing; 75 away half."""
    truth = np.zeros((5, 6, 2))
    kinds = np.arange(30).reshape(5, 6) % 3
    perfect = quality.distance_counts(truth, truth, kinds, 3)
    assert quality.auc(perfect) == quality.auc(perfect, [1, 50, 0.1]) == 100
    assert quality.auc(quality.distance_counts(truth, truth + 150, kinds, 3)) == 0
    away = quality.distance_counts(truth, truth + np.array([75, 0]), kinds, 3)
    assert quality.auc(away) == pytest.approx(100 * 76 / 151)


def test_rebalancing_lets_the_rare_count():
    """With weights 1 / p, a rare kind that is wrong costs as much as a common one."""
    counts = np.zeros((2, 152), np.int64)
    counts[0, 0], counts[1, 151] = 90, 10
    assert quality.auc(counts) == pytest.approx(90)
    assert quality.auc(counts, [1 / 90, 1 / 10]) == pytest.approx(50)


counts = arrays(np.int64, 12, elements=st.integers(0, 1000)).filter(lambda a: a.sum() > 0)


@given(counts, counts)
def test_js_divergence_is_bounded_and_symmetric(p, q):
    """Between 0 and ln 2, the same both ways, 0 from a distribution to itself at any count."""
    divergence = quality.js_divergence(p, q)
    assert 0 <= divergence <= math.log(2) + 1e-12
    assert divergence == pytest.approx(quality.js_divergence(q, p), abs=1e-12)
    assert quality.js_divergence(p, 3 * p) == pytest.approx(0, abs=1e-12)


def test_js_divergence_of_disjoint_distributions():
    """Ln 2 = 0.6931."""
    assert quality.js_divergence([1, 2, 0, 0], [0, 0, 5, 1]) == pytest.approx(math.log(2), abs=1e-12)


def test_consistency_of_a_still_clip_is_zero():
    """Identical frames score 0, from any iterable."""
    frame = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    assert quality.color_consistency(frame for _ in range(6)) == 0


def test_consistency_of_known_clips():
    """A clip that alternates between two disjoint colors scores ln 2 one frame apart and 0 two and four
    apart.
    """
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert quality.color_consistency([black, white] * 3) == pytest.approx(math.log(2) / 3)
    every_frame_new = [np.full((4, 4, 3), value, np.uint8) for value in range(6)]
    assert quality.color_consistency(every_frame_new) == pytest.approx(math.log(2))
    one_channel = [frame * np.array([1, 0, 0], np.uint8) for frame in every_frame_new]
    assert quality.color_consistency(one_channel) == pytest.approx(math.log(2) / 3)


def test_nonsense_is_refused():
    """Shapes that do not match, floats for 8-bit frames, short clips and empty distributions raise."""
    frame = np.zeros((4, 4, 3), np.uint8)
    for call in (
        lambda: quality.psnr_rgb(np.zeros((2, 2)), np.zeros((2, 3))),
        lambda: quality.ciede2000(np.zeros((4, 2)), np.zeros((4, 2))),
        lambda: quality.colorfulness(np.zeros((4, 4))),
        lambda: quality.ssim(np.zeros((10, 40, 3)), np.zeros((10, 40, 3))),
        lambda: quality.ssim(np.zeros((40, 40)), np.zeros((40, 40))),
        lambda: quality.auc(np.zeros((3, 152))),
        lambda: quality.auc(np.ones((3, 151))),
        lambda: quality.js_divergence([0, 0], [1, 0]),
        lambda: quality.js_divergence([-1, 2], [1, 0]),
        lambda: quality.color_consistency([frame] * 4),
        lambda: quality.color_consistency([frame / 255] * 5),
    ):
        with pytest.raises(ValueError):
            call()


@pytest.mark.parametrize("angle", [0, 44, 90, 179, 181, 300])
def test_one_hue_is_found_all_around(angle):
    """Wherever it lies on the circle; two that face one another are half each; a dark picture is none."""
    rng = np.random.default_rng(1)
    turns = np.deg2rad(angle + rng.uniform(-15, 15, (40, 60)))
    luma, cb, cr = np.full((40, 60), 120.0), 20 * np.cos(turns), 20 * np.sin(turns)
    assert quality.one_hue(luma, cb, cr) == (1.0, pytest.approx(20))
    sign = np.where(np.arange(60) % 2, 1, -1)
    assert quality.one_hue(luma, cb * sign, cr * sign)[0] == 0.5
    assert quality.one_hue(luma, cb / 10, cr / 10)[0] == 0.0
    assert quality.one_hue(luma / 10, cb, cr) == (0.0, 0.0)
