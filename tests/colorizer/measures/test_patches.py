"""Patches are found where luma is smooth and the truth has none, and nowhere else."""

import numpy as np
import pytest

from colorizer.measures.patches import Patches, cells, smooth_pairs

SIDE = 64


def chroma(half=0.0):
    """a*b* of one color, the right half of which differs by so much, (SIDE, SIDE, 2)."""
    ab = np.full((SIDE, SIDE, 2), 5.0)
    ab[:, SIDE // 2 :, 0] += half
    return ab


def figures(luma, ab, truth):
    patches = Patches()
    patches.add(luma, ab, truth)
    return patches.figures()


def test_the_truth_itself_scores_one_and_invents_nothing():
    """Painted as it was, variance is the truth's, and no edge is ours alone."""
    rng = np.random.default_rng(0)
    ab = rng.normal(0, 10, (SIDE, SIDE, 2))
    found = figures(np.full((SIDE, SIDE), 0.5), ab, ab)
    assert found == {"patch_score": pytest.approx(1), "invented_edges": 0}


def test_gray_scores_nothing():
    """Without chroma there is no variance and no edge."""
    found = figures(np.full((SIDE, SIDE), 0.5), np.zeros((SIDE, SIDE, 2)), chroma(40))
    assert found["invented_edges"] == 0
    assert found["patch_score"] != found["patch_score"] or found["patch_score"] == 0


@pytest.mark.parametrize(("step", "share"), [(40.0, 2 / 28), (6.0, 0.0)])
def test_a_stain_on_an_even_wall_is_counted(step, share):
    """Across a stain's border two of 14 pairs a row step, of 28 with those down; a faint one is none."""
    found = figures(np.full((SIDE, SIDE), 0.5), chroma(step), chroma())
    assert found["invented_edges"] == pytest.approx(share)


def test_an_edge_of_luma_excuses_an_edge_of_chroma():
    """Where luma steps too, or the truth has the edge, nothing is invented."""
    luma = np.full((SIDE, SIDE), 0.4)
    luma[:, SIDE // 2 :] = 0.6
    assert figures(luma, chroma(40), chroma())["invented_edges"] == 0
    assert figures(np.full((SIDE, SIDE), 0.5), chroma(40), chroma(30))["invented_edges"] == 0


def test_nothing_smooth_is_no_figure():
    """Over noise there is nothing to be measured."""
    luma = np.random.default_rng(1).random((SIDE, SIDE))
    assert all(value != value for value in figures(luma, chroma(40), chroma()).values())


def test_cells_hold_their_pixels():
    """Cell (i, j) holds the pixels of its square, whatever is left over is dropped; pairs are two cells shorter."""
    plane = np.arange(10 * 13, dtype=float).reshape(10, 13)
    parts = cells(plane, 4)
    assert parts.shape == (2, 3, 16)
    assert np.array_equal(parts[1, 2], plane[4:8, 8:12].ravel())
    down, across = smooth_pairs(np.zeros((32, 40)))
    assert (down.shape, across.shape) == ((6, 10), (8, 8))
    assert down.all()
    assert across.all()
