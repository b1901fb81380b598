"""Strips and tiles: how much decoded luma is kept."""

import io
from types import SimpleNamespace

from pipeline.stills.segments import CACHE, Segments


def test_a_row_of_tiles_is_kept_whole():
    """Else a picture that is read line by line would decode each tile for each line."""

    def kept(tile_height, tile_width, across):
        layout = SimpleNamespace(tile_height=tile_height, tile_width=tile_width, grid=(1, across))
        return Segments(io.BytesIO(), layout, None).cache(2)

    assert kept(256, 256, 4) == CACHE
    row = 4096 * 4096 * 40 * 2
    assert row > CACHE
    assert kept(4096, 4096, 40) == 2 * row
    assert kept(4096, 4096 * 40, 1) == row
