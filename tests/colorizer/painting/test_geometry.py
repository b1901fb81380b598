"""How stored planes are seen, and the grids of luma and chroma."""

import pytest
import torch

from colorizer.painting.geometry import Geometry, cell_means, chroma_grid


def test_anamorphic_picture_is_seen_at_its_shape():
    """The working grid has the display's aspect, not the storage's, and is never empty or unbounded."""
    assert Geometry(aspect=2.0).working_shape(240, 160, 96) == (96, 128)
    assert Geometry(aspect=0.5, rotation=90).working_shape(240, 160, 96) == (96, 288)
    assert min(Geometry().working_shape(8, 4000, 96)) >= 8
    assert max(Geometry(aspect=20).working_shape(8, 100_000, 4096)) <= 16384


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
