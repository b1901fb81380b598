"""Steadiness: what follows the motion is steady, what does not costs its square, and hidden pixels do not count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colorizer.measures import steadiness

clips = arrays(np.float64, (4, 6, 7, 3), elements=st.floats(0, 1))
STILL = np.zeros((2, 6, 7))


def shift(rows, columns, shape=(40, 50)):
    """A flow that moves everything by so much."""
    return np.broadcast_to(np.array([rows, columns], float)[:, None, None], (2, *shape)).copy()


@given(clips)
def test_without_motion_the_warp_error_is_the_plain_squared_error(frames):
    """With zero flow every pixel counts, and E is the mean squared difference of neighbors, summed over
    the channels.
    """
    still = steadiness.motion(STILL, STILL)
    assert still.visible.all()
    plain = np.mean((frames[1:] - frames[:-1]) ** 2) * 3
    assert steadiness.warp_error(list(frames), [still] * 3) == pytest.approx(plain, abs=1e-15)


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_a_picture_that_only_moves_is_steady(rows, columns):
    """A pan by whole pixels scores 0 with its own flow, and more without; pixels that leave the picture are hidden."""
    wide = np.random.default_rng(0).uniform(0, 1, (60, 70, 3))
    first, second = wide[10:50, 10:60], wide[10 - rows : 50 - rows, 10 - columns : 60 - columns]
    move = steadiness.motion(shift(rows, columns), shift(-rows, -columns))
    assert move.visible.sum() == (40 - abs(rows)) * (50 - abs(columns))
    assert steadiness.warp_error([first, second], [move]) == 0
    if rows or columns:
        still = steadiness.motion(shift(0, 0), shift(0, 0))
        assert steadiness.warp_error([first, second], [still]) > 0.1


def test_warping_is_bilinear_and_repeats_the_border():
    """Halfway between two samples is their mean; beyond the border is the border."""
    ramp = np.tile(np.arange(5.0)[None, :, None], (3, 1, 1))
    assert steadiness.warp(ramp, shift(0, 0.5, (3, 5)))[1, :, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4]
    assert steadiness.warp(ramp, shift(9, -2, (3, 5)))[1, :, 0].tolist() == [0, 0, 0, 1, 2]


def test_what_is_hidden_does_not_count():
    """A region whose flow does not lead back, and the edge of a flow, are not visible; errors there cost nothing."""
    there, back = shift(0, 0), shift(0, 0)
    back[:, 10:20, 10:20] = 3
    astray = steadiness.motion(there, back)
    assert not astray.visible[10:20, 10:20].any()
    assert astray.visible.sum() == 40 * 50 - 100
    first, second = np.zeros((2, 40, 50, 3))
    second[10:20, 10:20] = 1
    assert steadiness.warp_error([first, second], [astray]) == 0
    torn = shift(0, 0)
    torn[1, :, 25:] = 1
    edge = steadiness.motion(torn, -torn)
    assert not edge.visible[:, 24].any()
    assert edge.visible[:, :24].all()


def test_nothing_visible_counts_as_nothing():
    """A step between two pictures that share nothing adds 0, as in the authors' program."""
    hidden = steadiness.Motion(STILL, np.zeros((6, 7), bool))
    assert steadiness.warp_error([np.zeros((6, 7, 3)), np.ones((6, 7, 3))], [hidden]) == 0


@given(arrays(np.float64, (5, 6, 2), elements=st.floats(-50, 50)), st.floats(-5, 5), st.floats(-5, 5))
def test_an_even_drift_does_not_flicker(frame, a, b):
    """Neither a still picture nor one whose color moves by the same step each time; every frame counts alike."""
    clip = [frame + i * np.array([a, b]) for i in range(6)]
    assert steadiness.flicker(clip) == pytest.approx(0, abs=1e-9)


@given(st.floats(0, 30), st.floats(0, 30))
def test_a_jump_to_and_fro_is_its_own_size(a, b):
    """A picture that alternates between two tints flickers by their distance; where in the picture does not matter."""
    dull, tinted = np.zeros((4, 4, 2)), np.zeros((4, 4, 2))
    tinted[:2] = 2 * a, 2 * b
    assert steadiness.flicker([dull, tinted] * 3) == pytest.approx(np.hypot(a, b))


def test_nonsense_is_refused():
    """Too few frames, too few motions, flows that do not match the picture or each other raise."""
    frame, still = np.zeros((6, 7, 3)), steadiness.motion(STILL, STILL)
    for call in (
        lambda: steadiness.warp_error([frame], []),
        lambda: steadiness.warp_error([frame] * 3, [still]),
        lambda: steadiness.warp_error([frame[:5]] * 2, [still]),
        lambda: steadiness.motion(STILL, STILL[:, :5]),
        lambda: steadiness.motion(STILL[0], STILL[0]),
        lambda: steadiness.flicker([frame[..., :2]] * 2),
    ):
        with pytest.raises(ValueError):
            call()
