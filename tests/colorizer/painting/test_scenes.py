"""What a picture shows, said where it is likely enough."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.networks import shipped, weights_file
from colorizer.painting.scenes import INDOORS, KINDS, MOST, NATURE, SURE, SURE_KIND, TOWN, is_kind, likely, said

ROOMS = ("kitchen", "office", "bedroom", "bar", "coast")


def test_every_scene_that_the_shipped_weights_know_has_a_kind():
    """None more, none less, and none is called as a kind is."""
    for name in shipped.names():
        path = shipped.shipped(name)
        assert path is not None
        assert set(weights_file.load(path).classes) == set(KINDS)
    assert not any(map(is_kind, KINDS))
    assert {*KINDS.values()} == {INDOORS, NATURE, TOWN}


@pytest.mark.parametrize(
    ("odds", "told"),
    [
        ((0.6, 0.3, 0.05, 0.05, 0.0), (("kitchen", 0.6),)),
        ((0.4, 0.3, 0.2, 0.05, 0.05), (("indoors", 0.95),)),
        ((0.3, 0.2, 0.1, 0.1, 0.3), ()),
        ((0.1, 0.1, 0.1, 0.1, 0.6), (("coast", 0.6),)),
    ],
)
def test_a_scene_is_said_or_its_kind_or_nothing(odds, told):
    """A tag of 22 % under a portrait is laughed at."""
    assert said(likely(np.array(odds, np.float32), ROOMS)) == told


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=40), st.booleans())
def test_nothing_unlikely_is_said(weights, known):
    """Of any probabilities and names, known or one's own: at most one tag, and that a likely one."""
    odds = np.array(weights) / sum(weights)
    names = [*KINDS][: len(odds)] if known else [f"own {n}" for n in range(len(odds))]
    tags = likely(odds, names)
    assert [share for name, share in tags if not is_kind(name)] == sorted(odds.round(3), reverse=True)[:MOST]
    assert sum(is_kind(name) for name, _ in tags) == known
    told = said(tags)
    assert len(told) <= 1
    assert all(share >= (SURE_KIND if is_kind(name) else SURE) for name, share in told)


def test_a_network_without_names_says_nothing():
    """Its card has none."""
    assert likely(np.ones(3) / 3, ()) == ()
    assert said(()) == ()
