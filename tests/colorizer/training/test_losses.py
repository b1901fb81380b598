"""Losses are what their papers say, and gradients go where they should."""

import math

import pytest
import torch
from torch.nn import functional as F

from colorizer.networks import bins as chroma_bins
from colorizer.training import losses


def test_regression_is_the_mean_square_of_the_published_coding():
    """A perfect logit costs 0; an error of 20 a*b* units is 0.1 in p and costs 0.01; targets beyond 100
    clamp.
    """
    ab = torch.empty(2, 2, 4, 4).uniform_(-60, 60)
    perfect = torch.logit((ab / 100 + 1) / 2)
    assert float(losses.regression(perfect, ab)) == pytest.approx(0, abs=1e-12)
    assert float(losses.regression(perfect, ab + 20)) == pytest.approx(0.01, rel=1e-4)
    vivid = torch.full((1, 2, 2, 2), 40.0)
    assert float(losses.regression(vivid, torch.full((1, 2, 2, 2), 127.0))) == pytest.approx(0, abs=1e-12)


def test_bins_is_the_weighted_soft_cross_entropy(centers):
    """Zhang 2016, Eq. 2 and 3, written out densely: sum v(Z) · -sum Z log softmax, over the sum of v."""
    table = chroma_bins.soft_encoding(centers)
    logits, weight = torch.randn(2, 313, 3, 5), torch.rand(313) + 0.1
    clear = (table[1][:, 0] > table[1][:, 1] + 1e-3).nonzero()[:, 0]  # no tie for the nearest bin
    codes = clear[torch.randint(0, len(clear), (2, 3, 5))]
    dense = torch.zeros(2, 3, 5, 313).scatter_(3, table[0][codes], table[1][codes])
    each = -(dense * F.log_softmax(logits, 1).permute(0, 2, 3, 1)).sum(3)
    v = weight[dense.argmax(3)]
    expected = float((each * v).sum() / v.sum())
    assert float(losses.bins(logits, codes, table, weight)) == pytest.approx(expected, rel=1e-5)


def test_bins_of_know_nothing_is_log_of_their_number(centers):
    """Equal logits cost ln 313 whatever the color and the weights."""
    table = chroma_bins.soft_encoding(centers)
    codes = torch.randint(0, 65536, (1, 4, 4))
    found = losses.bins(torch.zeros(1, 313, 4, 4), codes, table, torch.rand(313) + 0.1)
    assert float(found) == pytest.approx(math.log(313), rel=1e-5)


def test_scene_counts_labeled_pictures_only():
    """Unlabeled pictures (-1) change neither the loss nor any gradient but their own, which is 0."""
    logits = torch.randn(4, 6, requires_grad=True)
    labels = torch.tensor([2, -1, 5, -1])
    some = losses.scene(logits, labels)
    some.backward()
    alone = losses.scene(logits[::2].detach(), labels[::2])
    assert some.item() == pytest.approx(alone.item())
    assert bool((logits.grad[1::2] == 0).all())
    assert bool((logits.grad[::2] != 0).all())


def test_scene_without_labels_is_zero_and_can_be_trained_on():
    """A batch of unlabeled pictures costs 0 and has gradients (all 0), not NaN."""
    logits = torch.randn(3, 6, requires_grad=True)
    nothing = losses.scene(logits, torch.full((3,), -1))
    nothing.backward()
    assert nothing.item() == 0
    assert torch.equal(logits.grad, torch.zeros(3, 6))


def test_half_precision_logits_are_measured_in_single(centers):
    """Autocast hands over bfloat16; every loss is computed and returned in float32."""
    table = chroma_bins.soft_encoding(centers)
    half = torch.randn(1, 2, 4, 4).bfloat16()
    assert losses.regression(half, torch.zeros(1, 2, 4, 4)).dtype == torch.float32
    codes = torch.randint(0, 65536, (1, 2, 2))
    assert losses.bins(torch.randn(1, 313, 2, 2).bfloat16(), codes, table, torch.ones(313)).dtype == torch.float32
    assert losses.scene(torch.randn(2, 3).bfloat16(), torch.tensor([0, 1])).dtype == torch.float32
