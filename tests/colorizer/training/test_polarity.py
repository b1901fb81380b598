"""What the detector of negatives is taught: positives and negatives in many tones, at edges that tell or do not."""

import numpy as np
import pytest
import torch
from PIL import Image

from colorizer.painting.polarity import SIDE
from colorizer.training.polarity import (
    BATCH,
    CACHED,
    edged,
    exposed,
    held_out,
    load,
    measured,
    pictures,
    printed,
    teach,
)
from tests.synthetic import texture


def planes(count):
    """As `load` gives them."""
    both = [[texture(i, CACHED, CACHED, shot) for shot in (0, 1)] for i in range(count)]
    return (np.array(both) * 255).astype(np.uint8)


@pytest.fixture
def batch():
    """Pictures that rise to the right."""
    ramp = torch.linspace(0.05, 0.95, SIDE).expand(BATCH, 1, SIDE, SIDE)
    return ramp, torch.Generator().manual_seed(3)


@pytest.mark.parametrize(("kind", "sign"), [(printed, 1), (exposed, -1)])
def test_light_stays_light_or_becomes_dark(batch, kind, sign):
    """Whatever the curve, it runs one way; and values are a picture's."""
    made = kind(*batch)
    assert made.shape == (BATCH, 1, SIDE, SIDE)
    assert made.min() >= 0
    assert made.max() <= 1
    assert (sign * made.diff(dim=3) > -1e-6).all()
    assert (sign * (made[..., -1] - made[..., 0]) > 0.1).all()


def test_edges_lie_around_some(batch):
    """Most pictures have none; of those that have one something is left."""
    ramp, generator = batch
    made = edged(ramp, torch.arange(BATCH) % 2 == 1, generator)
    same = sum(bool(torch.equal(one, other)) for one, other in zip(made, ramp, strict=True))
    assert same == 0 or 0.5 * BATCH < same < 0.9 * BATCH
    assert made.shape == ramp.shape
    assert made.std((1, 2, 3)).min() > 0.05


def test_pictures_are_drawn_from_what_is_cached(tmp_path):
    """Read once: the second time the shard may be gone."""
    (tmp_path / "shard").mkdir()
    for i in range(3):
        rgb = np.stack([texture(i, 120, 100, shot) * 255 for shot in range(3)], -1).astype(np.uint8)
        Image.fromarray(rgb).save(tmp_path / "shard" / f"{i}.png")
    cache = tmp_path / "small.npy"
    first = load([tmp_path / "shard"], 2, cache)
    assert first.shape == (2, 2, CACHED, CACHED)
    assert np.array_equal(first, load([tmp_path / "gone"], 2, cache))


def test_a_lesson_of_seconds():
    """It runs, says numbers, and of held-out pictures so many are taken for negatives as may be."""
    few = planes(BATCH)
    drawn = next(pictures(few, torch.Generator().manual_seed(0)))
    assert drawn.shape == (BATCH, 1, SIDE, SIDE)
    detector = teach(few, 0.01)
    assert [values.shape for values in held_out(few[:10]).values()] == [(10, 1, SIDE, SIDE)] * 3
    assert measured(detector, few[:40], 0.25).count("as they are 25.0%") == 1
