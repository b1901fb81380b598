"""The grids of luma and chroma."""

import pytest
import torch

from colorizer.painting.geometry import Geometry
from colorizer.painting.grids import cell_means, chroma_grid


def test_chroma_grid_sites():
    """Left-sited chroma sees luma around its own column; centered chroma sees the mean of its group."""
    y = torch.arange(8.0)[None, None, None].expand(1, 1, 2, 8)
    assert chroma_grid(y, Geometry(cosited=True)).flatten().tolist() == [0.25, 2.0, 4.0, 6.0]
    assert chroma_grid(y, Geometry(cosited=False)).flatten().tolist() == [0.5, 2.5, 4.5, 6.5]


@pytest.mark.parametrize(("down", "across"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 5), (4, 1)])
def test_cell_means_are_means(down, across):
    """Every cell's mean, as avg_pool2d gives it, up to rounding."""
    y = torch.rand(2, 1, 12 * down, 7 * across)
    wanted = torch.nn.functional.avg_pool2d(y, (down, across))
    assert torch.allclose(cell_means(y, down, across), wanted, atol=1e-6)
