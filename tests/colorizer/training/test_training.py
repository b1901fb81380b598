"""Training learns, resumes, and refuses a checkpoint that is not its own; batches follow their rules."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from colorizer.basis.errors import TrainingError
from colorizer.networks import bins as chroma_bins
from colorizer.networks.iizuka2016 import Iizuka2016, Iizuka2016Config
from colorizer.training.dataset import SIDE, UNLABELED, Pictures
from colorizer.training.recipe import PAPER, Recipe, Stage
from colorizer.training.training import Trainer

TINY = Iizuka2016Config(width=0.0625, head="mean", look_size=64)
RECIPE = Recipe(samples=100 * 12, stages=(Stage(1.0, 64, 12),), warmup=0.0, rate=5e-3, average=0.9, dropout=0.0)


@pytest.fixture(scope="module")
def pictures():
    """Dark pictures are blue and of class 0, light ones orange and of class 1; every seventh is
    unlabeled.
    """
    rng = np.random.default_rng(0)
    planes = np.empty((42, 4, SIDE, SIDE), np.uint8)
    labels = np.arange(42) % 2
    for plane, label in zip(planes, labels, strict=True):
        plane[0] = plane[3] = rng.integers(40, 80, (SIDE, SIDE)) + 120 * label
        plane[1:3] = np.array([[[128]], [[78]]] if label == 0 else [[[158]], [[178]]])
    labels[::7] = UNLABELED
    return Pictures(planes, labels.astype(np.int16), ("night", "day"), {})


def steps(count):
    """A `stop` for `Trainer.run` after so many steps."""
    asked = iter(range(count + 1))
    return lambda: next(asked) == count


def score(trainer, pictures):
    """Mean squared error of the averaged network's chroma on clean pictures, in a*b* units."""
    network = trainer.averaged().eval()
    whole = torch.from_numpy(pictures.planes[:, :, :64, :64]).float()
    with torch.no_grad():
        luma = whole[:, :1] / 255
        ab = network.paint(luma, network.look(luma)[0])
    return float((ab - torch.nn.functional.avg_pool2d(whole[:, 1:3] - 128, 2)).square().mean())


def test_training_learns(pictures):
    """In a hundred tiny steps every loss falls, and the averaged network's error on clean pictures halves."""
    trainer, lines = Trainer(TINY, pictures, RECIPE), []
    before = score(trainer, pictures)
    trainer.run(lines.append)
    assert [line.step for line in lines] == [50, 100]
    assert [line.samples for line in lines] == [600, 1200]
    assert lines[1].regression < 0.75 * lines[0].regression
    assert lines[1].scene < lines[0].scene
    assert lines[1].bins == 0
    assert score(trainer, pictures) < before / 2
    assert 0 < lines[0].minutes < lines[1].minutes
    assert lines[1].samples_per_second > 0


def test_the_bins_head_learns_too(pictures, centers, monkeypatch):
    """With bins their cross-entropy falls below that of knowing nothing, and the averaged network keeps the
    centers.
    """
    monkeypatch.setattr(chroma_bins, "bin_centers", lambda: centers)
    config = replace(TINY, bins=313, output="bins")
    trainer, lines = Trainer(config, pictures, RECIPE), []
    trainer.run(lines.append, steps(50))
    assert lines[0].bins < np.log(313)
    assert torch.equal(trainer.averaged().centers, centers)


def test_a_run_ends_with_its_budget(pictures):
    """A run ends when its samples, or its minutes of wall time, are spent, and does nothing when run again."""
    timed = Trainer(TINY, pictures, replace(RECIPE, samples=0, minutes=0.01))
    timed.run(lambda line: None)
    assert 0.6 <= timed.seconds < 30
    counted = Trainer(TINY, pictures, replace(RECIPE, samples=30))
    counted.run(lambda line: None)
    assert (counted.step, counted.samples) == (3, 36)
    for trainer in (timed, counted):
        done = trainer.step
        trainer.run(lambda line: None)
        assert trainer.step == done


def same(first, second):
    """Whether two state dicts hold equal tensors."""
    return first.keys() == second.keys() and all(torch.equal(v, second[k]) for k, v in first.items())


def test_a_stopped_run_resumes_exactly(pictures, tmp_path):
    """Stopped twice and resumed, a run has the losses, weights, average and result of one that was left alone."""
    config = replace(TINY, bins=313)
    recipe = replace(RECIPE, dropout=0.2, stages=(Stage(0.6, 64, 12), Stage(1.0, 96, 8)))
    alone, lines = Trainer(config, pictures, recipe), []
    alone.run(lines.append)
    path, again = tmp_path / "run.pt", []
    for stop in (steps(23), steps(40), lambda: False):
        trainer = Trainer(config, pictures, recipe, path)
        trainer.run(again.append, stop)
    assert [(n.step, n.samples, n.side) for n in again] == [(n.step, n.samples, n.side) for n in lines]
    assert [(n.regression, n.bins, n.scene) for n in again] == [(n.regression, n.bins, n.scene) for n in lines]
    assert same(trainer.network.state_dict(), alone.network.state_dict())
    assert same(trainer.averaged().state_dict(), alone.averaged().state_dict())
    assert list(tmp_path.iterdir()) == [path]


def test_seeds_give_runs(pictures):
    """The same seed gives the same weights, another seed others."""
    recipe = replace(RECIPE, samples=60)
    states = []
    for seed in (3, 3, 4):
        trainer = Trainer(TINY, pictures, replace(recipe, seed=seed))
        trainer.run(lambda line: None)
        states.append(trainer.network.state_dict())
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def test_the_published_recipe_trains(pictures):
    """ADADELTA on 224 px crops of 256 px pictures, no average: the network that was trained is the one that is kept."""
    large = replace(pictures, planes=np.tile(pictures.planes, (1, 1, 2, 2)))
    recipe = Recipe(samples=8, **PAPER | {"stages": (Stage(1.0, 224, 4),)})
    trainer = Trainer(Iizuka2016Config(width=0.0625), large, recipe)
    before = [p.clone() for p in trainer.network.parameters()]
    trainer.run(lambda line: None)
    assert trainer.step == 2
    assert all(not torch.equal(p, b) for p, b in zip(trainer.network.out.parameters(), before[-2:], strict=True))
    kept = dict(trainer.averaged().named_parameters())
    assert all(torch.allclose(kept[n], p) for n, p in trainer.network.named_parameters())


@pytest.mark.parametrize("other", ["recipe", "network", "data", "weights of sources", "start"])
def test_a_checkpoint_of_another_run_is_refused(pictures, tmp_path, other):
    """Another recipe, network or number of pictures raises before anything is overwritten."""
    path = tmp_path / "run.pt"
    Trainer(TINY, pictures, RECIPE, path).save_checkpoint(path)
    kept = path.read_bytes()
    config = replace(TINY, width=0.125) if other == "network" else TINY
    recipe = replace(RECIPE, seed=1) if other == "recipe" else RECIPE
    data = replace(pictures, planes=pictures.planes[1:], labels=pictures.labels[1:]) if other == "data" else pictures
    data = replace(data, shares=((21, 2.0), (21, 1.0))) if other == "weights of sources" else data
    start = Iizuka2016(replace(TINY, norm=False, classes=2)) if other == "start" else None
    with pytest.raises(TrainingError, match="checkpoint of another run"):
        Trainer(config, data, recipe, path, start=start)
    assert path.read_bytes() == kept


def test_an_unreadable_checkpoint_is_refused(pictures, tmp_path):
    """A damaged checkpoint raises and says what to do; it is never taken for a fresh start."""
    path = tmp_path / "run.pt"
    path.write_bytes(b"half a checkpoint")
    with pytest.raises(TrainingError, match="remove it to start anew"):
        Trainer(TINY, pictures, RECIPE, path)


def test_a_diverging_run_stops(pictures):
    """A loss that is not a number raises at the next report instead of training on."""
    trainer = Trainer(TINY, pictures, RECIPE)
    torch.nn.init.constant_(trainer.network.out.bias, float("nan"))
    with pytest.raises(TrainingError, match="not a number at step 50"):
        trainer.run(lambda line: None)


def test_what_cannot_be_trained_is_refused(pictures):
    """Crops that the flatten head cannot take, pictures of another size, no budget or two: each is a clear error."""
    with pytest.raises(TrainingError, match="mean head"):
        Trainer(Iizuka2016Config(width=0.0625), pictures, RECIPE)
    with pytest.raises(TrainingError, match="wants 256 px pictures, not 128"):
        Trainer(TINY, pictures, replace(RECIPE, side=256))
    for budget in ({}, {"samples": 5, "minutes": 1.0}):
        with pytest.raises(TrainingError, match="one of them"):
            Recipe(**budget)
    with pytest.raises(TrainingError, match="into 5 parts"):
        Recipe(samples=9, parts=5)
    with pytest.raises(TrainingError, match="smaller than a stage"):
        Recipe(samples=9, side=100)


def test_the_rate_is_one_cycle():
    """It rises linearly to the peak at the end of the warm-up and falls to nearly nothing at the end of the run."""
    recipe = Recipe(samples=1, rate=1.0, warmup=0.1)
    rates = [recipe.rate_at(share) for share in np.linspace(0, 1, 101)]
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert all(a < b for a, b in pairwise(rates[2:11]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert 0 < rates[0] <= 0.02
    assert 0 < rates[-1] < 0.005
    assert recipe.rate_at(1.5) == rates[-1]
    assert {replace(recipe, optimizer="adadelta").rate_at(share) for share in (0, 0.5, 1)} == {1.0}
