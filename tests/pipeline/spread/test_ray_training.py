"""Training on a Ray cluster learns what training in one process learns."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from colorizer.basis.errors import TrainingError
from colorizer.networks.iizuka2016 import Iizuka2016Config
from colorizer.training.dataset import SIDE, Pictures
from colorizer.training.recipe import Recipe, Stage
from colorizer.training.training import Trainer
from pipeline.spread.ray_training import Run, fit

CONFIG = Iizuka2016Config(width=0.0625, head="mean", look_size=64)
RECIPE = Recipe(samples=600, stages=(Stage(0.5, 64, 8), Stage(1.0, 96, 4)), rate=3e-3, average=0.9, parts=2, aged=0.0)
pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]  # of Ray itself


@pytest.fixture
def ray_home():
    """A folder with a short name: Ray puts sockets in it."""
    with tempfile.TemporaryDirectory(prefix="ct-") as folder:
        yield Path(folder)


def pictures():
    """Noise of several colors; the same on every machine."""
    rng = np.random.default_rng(0)
    planes = rng.integers(60, 190, (40, 4, SIDE, SIDE)).astype(np.uint8)
    return Pictures(planes, (np.arange(40) % 3 - 1).astype(np.int16), ("a", "b"), {})


def broken():
    """Pictures that cannot be had."""
    raise TrainingError("the shard is gone")


def test_two_workers_learn_what_one_learns(tmp_path, ray_home):
    """Two workers with half of every batch each end with the losses and weights of one with two parts per batch."""
    alone, lines = Trainer(CONFIG, pictures(), RECIPE), []
    alone.run(lines.append)
    seen = []
    run = Run(CONFIG, RECIPE, pictures)
    state = fit("local", run, str(tmp_path / "storage"), "run", seen.append, temp=ray_home)
    together = Trainer(CONFIG, pictures(), RECIPE)
    together.restore(state)
    assert (together.step, together.samples) == (alone.step, alone.samples)
    assert [line.step for line in seen] == [line.step for line in lines]
    for mine, theirs in zip(seen, lines, strict=True):
        assert mine.regression == pytest.approx(theirs.regression, rel=0.02)
        assert mine.scene == pytest.approx(theirs.scene, rel=0.02)
    moved = torch.cat([p.detach().flatten() for p in alone.network.parameters()])
    begun = torch.cat([p.detach().flatten() for p in Trainer(CONFIG, pictures(), RECIPE).network.parameters()])
    other = torch.cat([p.detach().flatten() for p in together.network.parameters()])
    assert float((moved - other).norm()) < 0.05 * float((moved - begun).norm())


def test_a_failing_run_is_one_clear_error(tmp_path, ray_home):
    """What goes wrong in a worker reaches the caller as one TrainingError that says it."""
    run = Run(CONFIG, replace(RECIPE, parts=1), broken)
    with pytest.raises(TrainingError, match="the shard is gone"):
        fit("local", run, str(tmp_path / "storage"), "run", lambda line: None, retries=0, temp=ray_home)
