"""Batches are a function of recipe and step: nothing that happened before decides what a step sees."""

import numpy as np
import pytest
import torch

from colorizer.training.batches import Batches
from colorizer.training.dataset import SIDE, Pictures
from colorizer.training.recipe import PAPER, Recipe, Stage

STAGE = Stage(1.0, 96, 20)


def numbered(count, shares=()):
    """Pictures whose every plane is their own number, labeled by it too."""
    planes = np.empty((count, 4, SIDE, SIDE), np.uint8)
    planes[:] = np.arange(count)[:, None, None, None]
    return Pictures(planes, np.arange(count, dtype=np.int16), ("x",), {}, shares)


@pytest.fixture(scope="module")
def noise():
    """Pictures of noise, each with its own level."""
    rng = np.random.default_rng(0)
    planes = rng.integers(0, 40, (30, 4, SIDE, SIDE)) + 5 * np.arange(30)[:, None, None, None]
    return Pictures(planes.astype(np.uint8), np.arange(30, dtype=np.int16), ("x",), {})


def batches(pictures, **changes):
    """The batches of a small recipe."""
    return Batches(pictures, Recipe(samples=1000, stages=(STAGE,), **changes))


def test_crops_keep_picture_and_label_together():
    """A crop has the asked side and comes from the picture whose label stands beside it."""
    for step in range(5):
        (batch,) = batches(numbered(50)).parts(step, 20 * step, STAGE, 0.0)
        assert batch.planes.shape == (20, 4, 96, 96)
        assert (batch.planes.dtype, batch.labels.dtype) == (torch.uint8, torch.int64)
        assert torch.equal(batch.planes[:, 0, 0, 0].long(), batch.labels)
        assert bool((batch.planes.flatten(1) == batch.planes[:, :1, 0, 0]).all())


def test_an_epoch_sees_every_picture_once():
    """However batches divide it, an epoch is a permutation, and the next one another."""
    made = batches(numbered(50))
    seen = torch.cat([made.parts(n, 20 * n, STAGE, 0.0)[0].labels for n in range(5)]).tolist()
    assert sorted(seen[:50]) == sorted(seen[50:]) == list(range(50))
    assert seen[:50] != seen[50:]


def test_weights_of_sources_decide_how_often_they_are_drawn():
    """A source of a quarter of the pictures with weight 3 makes half of what is seen."""
    made = batches(numbered(200, ((50, 3.0), (150, 1.0))))
    seen = torch.cat([made.parts(n, 20 * n, STAGE, 0.0)[0].labels for n in range(100)])
    assert abs(float((seen < 50).float().mean()) - 0.5) < 0.05


def test_a_step_does_not_depend_on_the_past(noise):
    """Read ahead from step 0 or from step 7, by one thread or three, step 7 and later are the same."""
    recipe = Recipe(samples=400, stages=(Stage(0.5, 64, 10), Stage(1.0, 96, 8)))

    def read(step, samples, threads, count):
        ahead = Batches(noise, recipe).ahead(step, samples, lambda: 0.0, threads)
        found = [next(ahead)[0] for _ in range(count)]
        ahead.close()
        return found

    whole = read(0, 0, 1, 25)
    assert {tuple(b.planes.shape) for b in whole} == {(10, 4, 64, 64), (8, 4, 96, 96)}
    later = read(7, 70, 3, 18)
    for mine, theirs in zip(later, whole[7:], strict=True):
        assert torch.equal(mine.planes, theirs.planes)
        assert torch.equal(mine.labels, theirs.labels)
        assert mine.share == theirs.share


def test_parts_make_up_the_batch(noise):
    """The parts of a batch, in one worker or one per worker, are its pictures, none twice."""
    whole = batches(noise).parts(3, 60, STAGE, 0.0)[0]
    parts = batches(noise, parts=4).parts(3, 60, STAGE, 0.0)
    assert sorted(torch.cat([p.labels for p in parts]).tolist()) == sorted(whole.labels.tolist())
    recipe = Recipe(samples=1000, stages=(STAGE,), parts=4)
    for rank, part in enumerate(parts):
        (mine,) = Batches(noise, recipe, rank, 4).parts(3, 60, STAGE, 0.0)
        assert torch.equal(mine.planes, part.planes)


def test_the_published_crop_is_cut_not_resized():
    """224 of 256 pixels, at their own scale: every pixel of the crop is one of the picture's."""
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8), (3, 4, 256, 256))
    pictures = Pictures(ramp, np.zeros(3, np.int16), ("x",), {})
    (batch,) = Batches(pictures, Recipe(samples=9, **PAPER)).parts(0, 0, Stage(1.0, 224, 6), 0.0)
    steps = batch.planes[:, 0, 0].int().diff(dim=1).abs()
    assert batch.planes.shape[-1] == 224
    assert bool((steps == 1).all())
