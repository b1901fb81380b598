"""Film's wear on the gray input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.training.aging import age, orthochromatic


def aged(luma, share, seed=1, ortho=None):
    """`age` under a fresh generator."""
    return age(luma, luma if ortho is None else ortho, share, torch.Generator().manual_seed(seed))


def test_a_share_of_the_batch_is_worn():
    """Share 0 changes nothing, share 1 every picture, half about half; the generator alone decides."""
    luma = torch.rand(32, 1, 24, 24)
    assert torch.equal(aged(luma, 0.0), luma)
    assert bool((aged(luma, 1.0) != luma).flatten(1).any(1).all())
    worn = (aged(luma, 0.5) != luma).flatten(1).any(1)
    assert 6 <= int(worn.sum()) <= 26
    assert torch.equal(aged(luma, 0.5), aged(luma, 0.5))
    assert not torch.equal(aged(luma, 0.5), aged(luma, 0.5, seed=2))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**30), st.sampled_from([(8, 8), (16, 40), (64, 64)]), st.sampled_from([0.0, 0.5, 1.0]))
def test_wear_stays_in_range(seed, size, level):
    """Black, gray, white or noise: the result is finite and in [0, 1], whatever is drawn."""
    luma = torch.cat([torch.full((4, 1, *size), level), torch.rand(4, 1, *size)])
    worn = aged(luma, 1.0, seed)
    assert bool(torch.isfinite(worn).all())
    assert 0 <= float(worn.min()) <= float(worn.max()) <= 1


def test_wear_leaves_the_picture_recognizable():
    """Over many draws the worn picture still follows the clean one: wear, not noise."""
    ramp = torch.linspace(0.2, 0.8, 64).repeat(64, 1)
    worn = aged((ramp + ramp.T).expand(200, 1, 64, 64) / 2, 1.0)
    clean = ((ramp + ramp.T) / 2).flatten()
    follows = [float(torch.corrcoef(torch.stack([one.flatten(), clean]))[0, 1]) for one in worn]
    assert sorted(follows)[10] > 0.6


def test_the_orthochromatic_picture_is_used():
    """Where an emulsion blind to red is drawn, the input moves toward it, for some pictures and not for all."""
    luma, ortho = torch.full((400, 1, 8, 8), 0.8), torch.full((400, 1, 8, 8), 0.2)
    darker = (aged(luma, 1.0, 3) - aged(luma, 1.0, 3, ortho)).mean((1, 2, 3)) > 0.02
    assert 0.35 < float(darker.float().mean()) < 0.65


def test_orthochromatic_film_is_blind_to_red():
    """Gray keeps its value; red is near black, green darker than white, blue lighter than panchromatic luma has it."""
    gray = torch.linspace(0, 1, 11).expand(3, 11)
    assert torch.allclose(orthochromatic(gray), gray[0], atol=1e-4)
    red, green, blue = (float(orthochromatic(torch.eye(3)[:, i : i + 1])) for i in range(3))
    assert red == pytest.approx(0.25, abs=0.02)
    assert blue > green > red
    assert blue > 0.7 > 0.114
