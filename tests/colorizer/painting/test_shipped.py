"""The shipped weights paint what they painted when they were measured."""

import numpy as np
import pytest

import colorizer
from tests.synthetic import texture

PAINTED = {
    "fast": [[132.9, 106.9, 85.1], [153.7, 126.2, 98.9], [142.1, 109.5, 81.2], [136.1, 108.0, 83.7]],
    "standard": [[134.9, 107.1, 78.7], [157.9, 125.0, 93.9], [143.4, 109.3, 79.0], [140.6, 106.4, 80.0]],
    "lite": [[139.9, 105.5, 73.9], [164.0, 123.2, 87.3], [147.0, 108.3, 74.7], [141.8, 106.8, 75.3]],
}
"""Mean R'G'B' over the quarters of a picture, upper left to lower right, by the weights."""


@pytest.mark.parametrize("name", PAINTED)
def test_shipped_weights_paint_as_measured(name):
    """To a code: no layer, mean or weight of theirs is read in another way than it was trained."""
    gray = (texture(3, 256, 192) * 255).astype(np.uint8)
    color = colorizer.colorize(gray, name, precision="fp32").astype(float)
    found = color.reshape(2, 96, 2, 128, 3).mean((1, 3)).reshape(4, 3)
    assert np.abs(found - PAINTED[name]).max() < 0.5
