"""Wipes: a boundary moves over the picture, with one shot behind it and another before it, whatever its form.

Owns the decision whether some frames hold one. Each place has a cut of its own in a wipe: it shows one picture until
some frame and another from there on, and when that is, is a smooth function of where it is. In a dissolve all places
change slowly and together; in a pan each changes all the time; what crosses the picture leaves it as it was.
"""

from __future__ import annotations

import numpy as np

CELLS = 8
"""Places: CELLS x CELLS, each a vector of the areas within it."""

STILL = 0.6
"""Share of the areas that are taken to show the same from one frame to the next, when flicker is taken away."""

CHANGED = 0.12
"""Least mean square of a place's change, as a share of the picture's own variance."""

MOST = 0.25
"""Least share of places that change, each by a step of its own; where things move in both shots many do not."""

ALTERED, MUCH = 0.7, 0.08
"""Least share of places in which anything goes on: a mean square of MUCH, as a share of the picture's own variance.
What moves before a background leaves places as they are."""

STEP = 0.75
"""Least share of what goes on at such a place that a step explains; a ramp over all frames has 0.75 at most, noise
less."""

SMOOTH = 0.9
"""Least share of the variance of the steps' times that a quadratic function of the place explains, less what it would
of any times: 0.95 and more in wipes, in dissolves seldom above 0.7."""

SHORTEST = 5
"""Least frames from the first tenth of places to the last."""

LEAP = 0.4
"""Largest share of places that change from one frame to the next."""

_Y, _X = (np.mgrid[:CELLS, :CELLS].reshape(2, -1) / (CELLS - 1)) * 2 - 1
_FORMS = np.stack([np.ones_like(_X), _X, _Y, _X * _Y, _X**2, _Y**2], 1)


def wipe(areas: np.ndarray, lights: np.ndarray) -> tuple[int, int, float] | None:
    """First frame and end of a wipe that these frames show from before it until after it, and how sure it is, 0 to 1,
    or None.

    areas: of consecutive frames, float32 (n, s, s), s a multiple of CELLS. lights: (n, 2), what `light` says of each
    and the frame before it.
    """
    frames = _steadied(areas, lights)
    n, size = len(frames), frames.shape[1] // CELLS
    cells = frames.reshape(n, CELLS, size, CELLS, size).transpose(0, 1, 3, 2, 4).reshape(n, CELLS**2, size**2)
    at, explained, jump, going_on = _steps(cells)
    variance = float(np.mean([frame.var() for frame in (frames[0], frames[-1])]))
    changed = (explained >= STEP) & (jump >= CHANGED * variance)
    if changed.mean() < MOST or (going_on >= MUCH * variance).mean() < ALTERED:
        return None
    times = at[changed].astype(float)
    first, last = np.quantile(times, (0.1, 0.9))
    if last - first < SHORTEST or np.bincount(at[changed]).max() > LEAP * len(times):
        return None
    forms = _FORMS[changed]
    off = times - forms @ np.linalg.lstsq(forms, times, rcond=None)[0]
    degrees = (len(times) - 1) / (len(times) - _FORMS.shape[1])
    smooth = 1 - float(off.var() / times.var()) * degrees
    if smooth < SMOOTH:
        return None
    start, stop = np.quantile(times, (0.02, 0.98))
    if start < 2 or stop > n - 2:
        return None
    return int(start) - 1, int(np.ceil(stop)) + 1, smooth * float(changed.mean())


def light(before: np.ndarray, areas: np.ndarray) -> tuple[float, float]:
    """Gain and offset that bring a frame's areas to the light of the frame before, by those that change least."""
    one, other = before.ravel(), areas.ravel()
    gain, offset = 1.0, 0.0
    still: np.ndarray | slice = slice(None)
    for _ in range(2):
        a, b = one[still], other[still]
        gain = float(a.std()) / max(float(b.std()), 1e-3)
        offset = float(a.mean()) - gain * float(b.mean())
        keep = int(STILL * one.size)
        still = np.argpartition(np.abs(other * gain + offset - one), keep)[:keep]
    return gain, offset


def _steadied(areas: np.ndarray, lights: np.ndarray) -> np.ndarray:
    """The frames at the light of the first, (n, s, s)."""
    gain, offset, out = 1.0, 0.0, [areas[0]]
    for frame, (more, shift) in zip(areas[1:], lights[1:], strict=True):
        gain, offset = gain * more, gain * shift + offset
        out.append(frame * np.float32(gain) + np.float32(offset))
    return np.stack(out)


def _steps(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each cell: the frame from which another mean explains it best, the share of its variance that this explains,
    the mean square of the change, and that of all that goes on. cells: (n, places, numbers)."""
    n = len(cells)
    centered = cells - cells.mean(0)
    sums = np.cumsum(centered, 0)[:-1]
    before = np.arange(1, n)[:, None]
    gained = np.square(sums).sum(2) * (1 / before + 1 / (n - before))
    at = gained.argmax(0) + 1
    best = gained.max(0)
    whole = np.square(centered).sum((0, 2))
    jump = best * n / (at * (n - at)) / cells.shape[2]
    return at, best / np.maximum(whole, 1e-9), jump, whole / (n * cells.shape[2])
