"""Polarity: what looks like a negative, and that only weights with a probe of their own say so."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from colorizer.networks.shipped import names
from colorizer.networks.weights_file import load
from colorizer.painting import polarity
from colorizer.painting.colorizer import Colorizer
from colorizer.painting.polarity import evidence, looks_negative, tones
from tests.synthetic import texture, tiny_weights

PROBES = Path(polarity.__file__).parents[1] / "probes" / "polarity.safetensors"


def test_probes_are_small_and_of_shipped_weights():
    """One for each digest, as many numbers as a look and the tones have, and an offset."""
    shipped = {load(name).digest: load(name).config.look_length for name in names()}
    probes = load_file(PROBES)
    assert probes
    for digest, numbers in probes.items():
        assert numbers.shape == (shipped[digest] + 14 + 1,)
        assert np.isfinite(numbers).all()
    assert PROBES.stat().st_size < 5000


def test_other_weights_say_nothing(tmp_path):
    """No probe, no evidence, and nothing that looks like a negative."""
    painter = Colorizer(load(tiny_weights(tmp_path / "tiny.safetensors")))
    side = painter.look_size
    picture = np.zeros((side, side), np.uint8)
    assert evidence(painter, picture[None]) is None
    assert not looks_negative(painter, picture)


@pytest.mark.parametrize("picture", [np.zeros((96, 96)), np.full((96, 96), 255), texture(0, 96, 96) * 255])
def test_tones_are_numbers_of_any_picture(picture):
    """Of flat ones too; turned around, what is light and what is skewed changes its sign."""
    codes = picture.round().astype(np.uint8)[None]
    both = tones(np.concatenate([codes, 255 - codes]))
    assert both.shape == (2, 14)
    assert np.isfinite(both).all()
    assert np.allclose(both[0, 8:], -both[1, 8:], atol=0.01)
    assert np.allclose(both[0, :7], 1 - both[1, 6::-1], atol=0.01)
