"""Chroma bins are the published 313, and their tables are distributions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorizer.networks import bins


@pytest.fixture(scope="module")
def table(centers):
    return bins.soft_encoding(centers)


def test_the_rule_gives_309_bins_and_the_published_set_four_more(centers):
    """The corner rule finds 309, none of them in EXTRA; with EXTRA there are 313."""
    points = {tuple(map(int, row)) for row in centers.tolist()}
    assert len(points) == len(centers) == 313
    assert len(points - set(bins.EXTRA)) == 309


def test_bins_lie_where_the_published_ones_do(centers):
    """Sorted by a then b, a in -90..100, b in -110..100, one unbroken run of b for each a."""
    rows = [tuple(map(int, row)) for row in centers.tolist()]
    assert rows == sorted(rows)
    assert (min(a for a, _ in rows), max(a for a, _ in rows)) == (-90, 100)
    assert (min(b for _, b in rows), max(b for _, b in rows)) == (-110, 100)
    runs = {a: [b for x, b in rows if x == a] for a, _ in rows}
    assert all(run == list(range(run[0], run[-1] + 10, 10)) for run in runs.values())
    assert (runs[0][0], runs[0][-1]) == (-70, 100)
    assert (runs[100][0], runs[100][-1]) == (-90, 0)


def test_soft_encoding_rows_are_distributions(table):
    """Each of the 65536 rows has five different bins, nearest first, with weights that sum to
    1.
    """
    index, weight = table
    assert index.shape == weight.shape == (65536, 5)
    torch.testing.assert_close(weight.sum(1), torch.ones(65536), rtol=0, atol=1e-6)
    assert bool((weight[:, :-1] >= weight[:, 1:]).all())
    assert bool((index.sort(1)[0].diff(dim=1) > 0).all())


@given(st.integers(-128, 127), st.integers(-128, 127))
def test_soft_encoding_follows_its_formula(centers, table, a, b):
    """Row (a + 128)·256 + (b + 128) holds exp(-d²/2σ²) of the five nearest bins, σ = 5, normalized."""
    index, weight = (t[(a + 128) * 256 + b + 128] for t in table)
    square = ((centers.double() - torch.tensor([a, b])) ** 2).sum(1)
    nearest = square.sort()[0][:5]
    torch.testing.assert_close(square[index], nearest, rtol=0, atol=0.5)  # ties may come in any order
    expected = torch.exp(-(square[index] - nearest[0]) / 50)
    torch.testing.assert_close(weight.double(), expected / expected.sum(), rtol=1e-3, atol=1e-4)


def test_soft_encoding_of_a_center_is_mostly_that_bin(centers, table):
    """A color on a bin is that bin's before its neighbors'."""
    rows = ((centers[:, 0] + 128) * 256 + centers[:, 1] + 128).long()
    assert torch.equal(table[0][rows, 0], torch.arange(313))


@pytest.mark.parametrize("uniform", [0.25, 0.5, 0.85, 1.0])
def test_rebalancing_has_mean_one_and_favors_the_rare(centers, uniform):
    """Sum p̃·w = 1; the commoner a bin the smaller its weight; all-uniform weighs alike."""
    histogram = np.zeros(65536, np.int64)
    histogram[128 * 256 + 128] = 9000
    histogram[148 * 256 + 148] = 900
    histogram[78 * 256 + 108] = 1
    w = bins.rebalancing(histogram, centers, uniform).double()
    index, _ = bins.soft_encoding(centers, neighbors=1)
    p = torch.zeros(313, dtype=torch.float64)
    p.index_add_(0, index[:, 0], torch.from_numpy(histogram).double())
    kernel = torch.exp(-(torch.cdist(centers, centers).double() ** 2) / 50)
    p = (kernel / kernel.sum(0)) @ p
    p /= p.sum()
    assert float((p * w).sum()) == pytest.approx(1, abs=1e-5)
    if uniform == 1.0:
        torch.testing.assert_close(w, torch.ones(313).double(), rtol=0, atol=1e-6)
        return
    assert bool((w[p.argsort()].diff() <= 1e-4).all())
    ratio = w.max() / w[p.argmax()]
    assert float(ratio) == pytest.approx(1 + (1 - uniform) * float(p.max()) * 313 / uniform, rel=1e-3)
