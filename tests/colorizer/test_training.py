"""Training learns, resumes, and refuses a checkpoint that is not its own; batches follow their rules."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from colorizer import bins as chroma_bins
from colorizer import losses, training
from colorizer.dataset import SIDE, UNLABELED, Pictures
from colorizer.errors import TrainingError
from colorizer.network import NetworkConfig
from colorizer.training import Recipe, Trainer

TINY = NetworkConfig(width=0.0625, head="mean", look_size=64)
RECIPE = Recipe(minutes=10, warmup=0.0, rate=5e-3, average=0.9)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(training, "STAGES", ((1.01, 64, 12),))


@pytest.fixture(scope="module")
def pictures():
    """Dark pictures are blue and of class 0, light ones orange and of class 1; every seventh is
    unlabeled.
    """
    rng = np.random.default_rng(0)
    planes = np.empty((42, 3, SIDE, SIDE), np.uint8)
    labels = np.arange(42) % 2
    for plane, label in zip(planes, labels, strict=True):
        plane[0] = rng.integers(40, 80, (SIDE, SIDE)) + 120 * label
        plane[1:] = np.array([[[128]], [[78]]] if label == 0 else [[[158]], [[178]]])
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
    return float((ab - torch.nn.functional.avg_pool2d(whole[:, 1:] - 128, 2)).square().mean())


def test_training_learns(pictures):
    """In a hundred tiny steps every loss falls, and the averaged network's error on clean pictures halves."""
    trainer, lines = Trainer(TINY, pictures, RECIPE), []
    before = score(trainer, pictures)
    trainer.run(lines.append, steps(100))
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


def test_a_run_ends_with_its_minutes(pictures):
    """Without being stopped, a run ends when the recipe's wall time is spent."""
    trainer = Trainer(TINY, pictures, replace(RECIPE, minutes=0.01))
    trainer.run(lambda line: None)
    assert 0.6 <= trainer.seconds < 30
    done = trainer.step
    trainer.run(lambda line: None)
    assert trainer.step == done


def test_a_killed_run_resumes(pictures, tmp_path):
    """From its checkpoint a run has the same counters, clock, weights, average and optimizer, and goes on."""
    path = tmp_path / "run.pt"
    first = Trainer(TINY, pictures, RECIPE, path)
    first.run(lambda line: None, steps(5))
    again = Trainer(TINY, pictures, RECIPE, path)
    assert (again.step, again.samples, again.seconds) == (5, 60, first.seconds)
    for mine, theirs in ((again.network, first.network), (again.average, first.average)):
        state = theirs.state_dict()
        assert all(torch.equal(v, state[k]) for k, v in mine.state_dict().items())
    moments = first.optimizer.state_dict()["state"]
    resumed = again.optimizer.state_dict()["state"]
    assert all(torch.equal(resumed[k]["exp_avg"], moments[k]["exp_avg"]) for k in moments)
    again.run(lambda line: None, steps(3))
    assert (again.step, again.samples) == (8, 96)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("other", ["recipe", "network", "data"])
def test_a_checkpoint_of_another_run_is_refused(pictures, tmp_path, other):
    """Another recipe, network or number of pictures raises before anything is overwritten."""
    path = tmp_path / "run.pt"
    Trainer(TINY, pictures, RECIPE, path).save_checkpoint()
    kept = path.read_bytes()
    config = replace(TINY, width=0.125) if other == "network" else TINY
    recipe = replace(RECIPE, seed=1) if other == "recipe" else RECIPE
    data = replace(pictures, planes=pictures.planes[1:]) if other == "data" else pictures
    with pytest.raises(TrainingError, match="checkpoint of another run"):
        Trainer(config, data, recipe, path)
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


def test_the_flatten_head_is_refused(pictures):
    """Crops of several sizes cannot feed a head made for 224 pixels."""
    with pytest.raises(TrainingError, match="mean head"):
        Trainer(NetworkConfig(width=0.0625), pictures, RECIPE)


def test_the_rate_is_one_cycle():
    """It rises linearly to the peak at the end of the warm-up and falls to nearly nothing at the end of the
    run.
    """
    recipe = Recipe(rate=1.0, warmup=0.1)
    rates = [recipe.rate_at(share) for share in np.linspace(0, 1, 101)]
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert all(a < b for a, b in pairwise(rates[2:11]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert 0 < rates[0] <= 0.02
    assert 0 < rates[-1] < 0.005
    assert recipe.rate_at(1.5) == rates[-1]


def test_crops_keep_picture_and_label_together(pictures):
    """Crops have the asked side, come from where color and label agree, and depend on the generator
    alone.
    """
    planes, labels = training.crops(pictures, 96, 20, np.random.default_rng(3))
    assert planes.shape == (20, 3, 96, 96)
    assert (planes.dtype, labels.dtype) == (torch.uint8, torch.int64)
    light = planes[:, 0].float().mean((1, 2)) > 120
    assert torch.equal(planes[:, 2, 0, 0] > 128, light)
    assert torch.equal(labels[labels >= 0], light[labels >= 0].long())
    again = training.crops(pictures, 96, 20, np.random.default_rng(3))
    assert torch.equal(planes, again[0])
    assert torch.equal(labels, again[1])


def test_age_wears_a_share_of_the_batch():
    """Share 0 changes nothing, share 1 every picture; the result stays in [0, 1] and follows the
    generator.
    """
    luma = torch.rand(16, 1, 24, 24)

    def aged(share):
        return training.age(luma, share, torch.Generator().manual_seed(1))

    assert torch.equal(aged(0.0), luma)
    assert bool((aged(1.0) != luma).flatten(1).any(1).all())
    worn = (aged(0.5) != luma).flatten(1).any(1)
    assert 2 <= int(worn.sum()) <= 14
    assert 0 <= float(aged(1.0).min()) <= float(aged(1.0).max()) <= 1
    assert torch.equal(aged(0.5), aged(0.5))


def test_loss_weights_count(pictures):
    """A term of weight 0 leaves its head as it was born: without scene loss the classifier does not move."""
    recipe = replace(RECIPE, decay=0.0, loss=losses.LossWeights(scene=0.0))
    trainer = Trainer(TINY, pictures, recipe)
    born = trainer.network.classifier[-1].weight.detach().clone()
    trainer.run(lambda line: None, steps(3))
    assert torch.equal(trainer.network.classifier[-1].weight, born)
