"""Polarity: what looks like a negative, told by a small network of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.painting import polarity
from colorizer.painting.polarity import DETECTOR, SIDE, evidence, looks_negative
from tests.synthetic import texture


def scene(side: int) -> np.ndarray:
    """A light sky over dark hills, uint8 (side, side)."""
    y, x = np.mgrid[:side, :side] / side
    hills = y > 0.55 + 0.12 * np.sin(7 * x) + 0.05 * np.sin(19 * x + 1)
    ground = 0.12 + 0.2 * texture(0, side, side)
    return (np.where(hills, ground, 0.9 - 0.3 * y) * 255).astype(np.uint8)


def on_film(picture: np.ndarray, base: int) -> np.ndarray:
    """A picture on perforated film of this base, and the lamp through the perforations: uint8, square."""
    side = len(picture)
    edge = side // 6
    film = np.full((side + 2 * edge,) * 2, base, np.uint8)
    film[edge:-edge, edge:-edge] = picture
    holes = np.arange(len(film)) % (len(film) // 12) < len(film) // 24
    for rows in (slice(edge // 4, -edge // 4 + edge), slice(-edge + edge // 4, -(edge // 4))):
        film[rows, holes] = 255
    return film


def test_it_is_small():
    """It comes with every installation."""
    assert DETECTOR.stat().st_size < 200_000


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_turned_around_is_the_opposite(side, seed, least):
    """Of pictures of any size, flat ones too: a number, and minus it of the picture turned around."""
    picture = np.random.default_rng(seed).integers(least, 256, (side, side), dtype=np.uint8)
    one, other = evidence(np.stack([picture, 255 - picture]))
    assert np.isfinite(one)
    assert np.isclose(one, -other, atol=1e-3)


def test_a_picture_says_the_same_in_any_company():
    """The shots of a reel are looked at several pictures at a time."""
    pictures = np.stack([scene(96), 255 - scene(96), np.zeros((96, 96), np.uint8)])
    assert np.allclose(evidence(pictures), [evidence(p[None])[0] for p in pictures], atol=1e-3)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_are_none(level):
    """A fade's black, a white leader: neither looks like a negative."""
    assert not looks_negative(np.full((1, SIDE, SIDE), level, np.uint8))


def test_a_negative_on_film():
    """Clear film with perforations around a dark sky is one; the positive on black film is none, nor is a print with a
    white margin."""
    assert looks_negative(on_film(255 - scene(192), 228)[None])
    assert not looks_negative(on_film(scene(192), 20)[None])
    assert not looks_negative(np.pad(scene(192), 16, constant_values=250)[None])


def test_most_pictures_of_a_scene_decide(monkeypatch):
    """By their evidence on average: one odd picture of eight says nothing."""
    monkeypatch.setattr(polarity, "evidence", lambda pictures: np.float32([9, -3, -3, -3, -3, -3, -3, -3]))
    assert not looks_negative(np.zeros((8, 1, 1), np.uint8))
