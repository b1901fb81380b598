"""Training over a pretrained encoder: what moves and when, gists that are found once, exact resume."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from colorizer.basis.atomic import scratch_of
from colorizer.basis.errors import TrainingError
from colorizer.networks.iizuka2016 import Iizuka2016Config
from colorizer.networks.lite import LiteConfig
from colorizer.training import gists
from colorizer.training.dataset import SIDE, Pictures
from colorizer.training.recipe import Recipe, Stage
from colorizer.training.training import Trainer

TINY = LiteConfig(look_size=32, bins=0, output="regression")
RECIPE = Recipe(
    samples=80, stages=(Stage(1.0, 32, 8),), warmup=0.0, average=0.9, thawed=0.5, more=4, zoom=(1.0, 4.0), encoder=0.5
)


@pytest.fixture
def pictures():
    """Noise with colors and labels, some of it unlabeled."""
    rng = np.random.default_rng(0)
    planes = rng.integers(60, 190, (24, 4, SIDE, SIDE), np.uint8)
    return Pictures(planes, (np.arange(24) % 3 - 1).astype(np.int16), ("night", "day"), {})


@pytest.fixture
def plant(pictures, tmp_path):
    """Random numbers for an encoder, and their gists."""

    def planted(network):
        torch.manual_seed(7)
        for parameter in (p for part in (network.early, network.late, network.head) for p in part.parameters()):
            parameter.data.mul_(2)
        network.deep.load_state_dict({k: v for k, v in network.late.state_dict().items() if k[0] in "01"})
        return gists.find(network, pictures, tmp_path / "gists")

    return planted


def steps(count):
    """A `stop` for `Trainer.run` after so many steps."""
    asked = iter(range(count + 1))
    return lambda: next(asked) == count


def state(trainer, *parts):
    """Copies of the parameters of some parts."""
    return {k: v.clone() for k, v in trainer.network.named_parameters() if k.startswith(parts)}


def moved(trainer, before):
    """Names of the parameters that are not what they were."""
    now = dict(trainer.network.named_parameters())
    return {k for k, v in before.items() if not torch.equal(v, now[k])}


def test_the_encoder_thaws_by_the_recipe(pictures, plant):
    """Frozen at first, then painting's 1 x 1 convolutions learn; the shared stages and the look's never do."""
    trainer = Trainer(TINY, pictures, RECIPE, plant=plant)
    encoder, decoder = state(trainer, "early", "late", "head", "deep"), state(trainer, "decode", "scene", "out")
    trainer.run(lambda line: None, steps(5))
    assert not moved(trainer, encoder)
    assert moved(trainer, decoder) == set(decoder)
    trainer.run(lambda line: None)
    assert trainer.step == 10
    changed = moved(trainer, encoder)
    assert changed == {k for k in encoder if k.startswith("deep") and ".depth." not in k}


def test_a_stopped_run_resumes_exactly(pictures, plant, tmp_path):
    """Stopped before and after the thaw, a run ends with the weights of one that was left alone."""
    recipe = replace(RECIPE, thinning=2)
    config = replace(TINY, bins=313, output="mixed")
    alone = Trainer(config, pictures, recipe, plant=plant)
    alone.run(lambda line: None)
    path = tmp_path / "run.pt"
    for stop in (steps(3), steps(5), lambda: False):
        trainer = Trainer(config, pictures, recipe, path, plant=plant)
        trainer.run(lambda line: None, stop)
    mine, theirs = trainer.averaged().state_dict(), alone.averaged().state_dict()
    assert all(torch.equal(v, theirs[k]) for k, v in mine.items())


def test_a_network_starts_as_the_finished_one(pictures, plant):
    """Begun from finished weights it says what they say, with normalization of its own; other weights are refused."""
    config = replace(TINY, classes=2, bins=313, output="mixed")
    first = Trainer(config, pictures, RECIPE, plant=plant)
    first.run(lambda line: None)
    finished = first.averaged().folded()
    begun = Trainer(config, pictures, RECIPE, plant=plant, start=finished).network.eval()
    luma, gist = first._examples(1)[0]
    with torch.no_grad():
        ours, theirs = (net.guess(luma, gist[: len(luma)]) for net in (begun, finished))
    for mine, other in ((ours.half, theirs.half), (ours.quarter, theirs.quarter)):
        assert other.std() > 0.01
        assert (mine - other).abs().mean() < 0.1 * other.std()
    assert begun.edges.norm is not None
    with pytest.raises(TrainingError, match="differ in look_size"):
        Trainer(config, pictures, RECIPE, plant=plant, start=replace(finished.config, look_size=64).build())
    with pytest.raises(TrainingError, match="are of iizuka2016"):
        Trainer(config, pictures, RECIPE, plant=plant, start=Iizuka2016Config(width=0.0625, norm=False).build())


def test_the_encoder_must_be_given(pictures):
    """Without an encoder nothing is trained."""
    with pytest.raises(TrainingError, match="starts from a pretrained encoder"):
        Trainer(TINY, pictures, RECIPE)
    with pytest.raises(TrainingError, match="not multiples of 16"):
        Trainer(TINY, pictures, replace(RECIPE, stages=(Stage(1.0, 40, 8),)))


def test_gists_are_found_once(pictures, tmp_path):
    """One per picture, as the network says it; kept, taken up where finding them stopped, and new for another size."""
    network = TINY.build().eval()
    found = gists.find(network, pictures, tmp_path)
    assert found.shape == (24, network.gist_length)
    said = network.gist(gists.worn(pictures.planes[16:], 32, 16)).detach().half().numpy()
    assert np.array_equal(found[16:], said)
    kept = next(tmp_path.glob("*.f16"))
    half = kept.rename(scratch_of(kept, ""))
    half.write_bytes(half.read_bytes()[: 20 * 2 * network.gist_length])  # a batch of 16 and a torn one
    seen = []
    assert np.array_equal(gists.find(network, pictures, tmp_path, seen.append), found)
    before = kept.stat().st_mtime_ns
    gists.find(network, pictures, tmp_path)
    assert kept.stat().st_mtime_ns == before
    gists.find(replace(TINY, look_size=64).build().eval(), pictures, tmp_path)
    assert len(list(tmp_path.glob("*.f16"))) == 2


def test_the_encoders_rate_rises_from_nothing():
    """Zero until the thaw, then up to its share, and no further."""
    recipe = replace(RECIPE, thawed=0.2, encoder=0.1)
    assert recipe.encoder_rate(0.0) == recipe.encoder_rate(0.2) == 0
    assert 0 < recipe.encoder_rate(0.21) < recipe.encoder_rate(0.22) < 0.1
    assert recipe.encoder_rate(0.3) == recipe.encoder_rate(1.0) == pytest.approx(0.1)
    with pytest.raises(TrainingError, match="not a recipe"):
        replace(recipe, parts=4, more=6)
