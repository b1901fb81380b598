"""Cuts, found from the luma of the frames as they stream by; survives flicker, dirt, flashes and grain.

Owns the signature of a frame and the decision what is a cut. Does not decode, and builds no shots from cuts.

A frame is reduced to the signs of its low frequencies: old film breathes in brightness and contrast, and no
sign changes when it does. Two frames of one scene agree in nearly all signs, two unrelated pictures in half. A step
that signs leave open is a cut if the pictures on its two sides are each far more alike than they are to the other's.

What it cannot do: dissolves and wipes, which have no first frame of the new shot, have files of their own.
A light that goes out and on again on the same scene is no cut, whatever the length of the dark.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from pipeline.reels.cleaned import FLAT, normalized

SIDE = 32
"""The plane is averaged over SIDE x SIDE areas."""

ORDER = 12
"""The signs are of ORDER x ORDER frequencies, less the mean: 143."""

CUT = 0.38
"""Share of signs that turn at a cut: 0.42 to 0.56 on real footage, against less than 0.1 in a calm scene."""

AGREED = 0.30
"""The same share between the majorities before and after: a flash comes back to the picture that it left."""

PEAK = 1.7
"""A cut stands this far above the third strongest of its neighbors; a whip pan is a run of strong steps."""

FAINT = 0.2
"""Share of signs that turn at a cut between two pictures that are alike in the large; weak evidence too."""

FAINT_PEAK = 3.0
"""Such a step stands this far above all its neighbors, and above what its reel has been doing of late."""

FAINT_AGREED = 0.8
"""The majorities before and after differ by this share of such a step."""

LATELY = 240
"""Steps, before those around and without cuts, that say what a reel has been doing of late: the strongest but one in
twenty."""

JUMP, LITTLE = 0.7, 0.5
"""Mean square of the change from the picture before to the one after, normalized: unrelated pictures have 2, cuts 0.7
to 2.5. At least JUMP at a step that signs leave open; at one that signs call a cut, LITTLE or more, or it stands out as
a faint one must."""

APART = 25.0
"""Such a change is this many times the mean square of what each side's frames differ from their mean: 38 and more at
such cuts, and less than 18 in whip pans and spray, which may change as much."""

FAINT_APART = 16.0
"""The same at a faint step; a camera that jolts has less."""

STANDS = 4
"""Frames in a row that agree and are then held while no picture shows: dirt on leader agrees with none."""

BESIDE = 3
"""Frames on either side whose mean is the picture before, or after."""

BLENDED = 0.42
"""Share of signs that turn over two half steps: a changed frame rate blended one frame of both shots."""

BLENDED_OWN = 0.04
"""Most signs that such a frame has from neither shot; a jolt of the camera, also two half steps, has more."""

BLENDED_PEAK = 4.0
"""Two half steps are weak evidence: they must stand this far above the second strongest step around them."""

REACH = 4
"""Frames on either side that a step is compared with. Cuts are therefore at least REACH + 1 frames apart."""

EDGE = 3
"""Fewest frames before the first cut and after the last one: less could be a flash."""

DELAY = REACH
"""A cut at frame i is returned by the push of frame i + DELAY at the latest, or by flush."""

_COSINES = np.cos(np.pi * (2 * np.arange(SIDE) + 1) * np.arange(ORDER)[:, None] / (2 * SIDE)).astype(np.float32)
_ACROSS = 256  # more samples than this across a plane do not change a sign


def signature(luma: np.ndarray) -> np.ndarray:
    """The signs of a frame's areas: `signs(areas(luma))`.

    >>> signature(np.full((1080, 1920), 16, np.uint8)).any()
    False
    """
    return signs(areas(luma))


def areas(luma: np.ndarray) -> np.ndarray:
    """Means over SIDE x SIDE areas of nearly equal size, float32 (SIDE, SIDE), in 8-bit codes.

    luma: codes as stored, uint8 or uint16 (h, w), of any size from 1 × 1 up; an axis shorter than SIDE repeats its
    samples. The depth of uint16 codes is guessed from their peak: a near-black 12-bit plane may pass for a picture,
    which costs at most a cut missed beside it.
    """
    height, width = luma.shape
    plane: np.ndarray = luma[:: max(1, height // _ACROSS), :: max(1, width // _ACROSS)].astype(np.float32)
    code = _code(luma.dtype, plane)
    for axis in (0, 1):
        edges = np.linspace(0, plane.shape[axis], SIDE + 1).astype(int)
        # An empty area (equal edges) is one sample to reduceat, so its divisor is 1.
        sizes = np.maximum(np.diff(edges), 1).astype(np.float32)
        sums = np.add.reduceat(plane, edges[:-1], axis)
        plane = sums / (sizes[:, None] if axis == 0 else sizes)
    return (plane / code).astype(np.float32)


def signs(areas: np.ndarray) -> np.ndarray:
    """The signs of the areas' low frequencies, int8 (143,): +1 or -1; all 0 if they hold no picture.

    A gain or an offset on all codes changes nothing, save where codes round or clip.
    """
    if areas.std() < FLAT:
        return np.zeros(ORDER * ORDER - 1, np.int8)
    waves = (_COSINES @ areas @ _COSINES.T).ravel()[1:]
    return np.where(waves > np.median(waves), 1, -1).astype(np.int8)


def _code(dtype: np.dtype, plane: np.ndarray) -> float:
    """How many of the plane's codes make an 8-bit code; in uint16 the peak tells 10, 12 or 16 bits."""
    if dtype.itemsize == 1:
        return 1.0
    peak = plane.max()
    return 4.0 if peak < 1024 else 16.0 if peak < 4096 else 256.0


class CutDetector:
    """Finds the cuts of one reel from the signatures of its frames, in order, a few frames behind.

    A cut is the index of the first frame of the new shot; after black, of the first frame with a picture. Holds
    2·REACH + 2 frames and LATELY numbers, however long the reel. After `flush` it is ready for another reel.

    >>> detector, cuts = CutDetector(), []
    >>> for frame in frames:
    ...     plane = areas(frame)
    ...     cuts += detector.push(signs(plane), plane)
    >>> cuts += detector.flush()
    """

    _stood: np.ndarray

    def __init__(self) -> None:
        self._clear()

    def push(self, signature: np.ndarray, areas: np.ndarray | None = None) -> list[int]:
        """Takes the next frame's signature, and its areas, without which signs alone decide.

        Returns the cuts that it settles, ascending (mostly none).
        """
        if len(self._steps) == self._steps.maxlen and self._count - len(self._steps) != self._last_cut:
            self._lately.append(self._steps[0])
        last = self._signatures[-1] if self._signatures else signature
        if not signature.any():
            signature, self._agreed = self._stood, 0  # no picture: what stood last still holds
        else:
            self._agreed = self._agreed + 1 if self._agreed and apart(last, signature) < CUT else 1
            if self._agreed >= STANDS:
                self._stood = last  # not this one: it may be what a median left of a picture's last frame
        self._steps.append(apart(last, signature))
        self._signatures.append(signature)
        self._shown.append(None if areas is None else normalized(areas))
        self._count += 1
        return self._settle(REACH)

    def flush(self) -> list[int]:
        """The reel has ended: returns the cuts among its last DELAY frames, and forgets the reel."""
        cuts = [cut for ahead in range(REACH - 1, EDGE - 2, -1) for cut in self._settle(ahead)]
        self._clear()
        return cuts

    def _clear(self) -> None:
        self._signatures: deque[np.ndarray] = deque(maxlen=2 * REACH + 2)
        self._shown: deque[np.ndarray | None] = deque(maxlen=2 * REACH + 2)
        self._steps: deque[float] = deque(maxlen=2 * REACH + 1)
        self._lately: deque[float] = deque(maxlen=LATELY)
        self._count, self._last_cut = 0, 0
        self._agreed = 0
        self._stood = np.zeros(ORDER * ORDER - 1, np.int8)

    def _restless(self) -> float:
        """The strongest step of late that is no cut, but one in twenty; 0 at a reel's beginning."""
        return sorted(self._lately)[len(self._lately) * 19 // 20] if self._lately else 0.0

    def _settle(self, ahead: int) -> list[int]:
        """[i] if frame i, `ahead` frames before the last one, is a cut, else []."""
        cut = self._count - 1 - ahead
        if cut < EDGE:
            return []
        steps = list(self._steps)
        at = len(steps) - 1 - ahead
        step, before, after = steps[at], steps[max(0, at - REACH) : at], steps[at + 1 :]
        if step < CUT / 2 or step <= max(before) or step < max(after):
            return []
        signatures = list(self._signatures)
        at = len(signatures) - 1 - ahead
        change = self._change(at)
        jump, own = change or (np.inf, 0.0)  # without areas signs alone decide
        faint = step >= max(FAINT, FAINT_PEAK * max(*before, *after, self._restless())) and jump >= FAINT_APART * own
        if faint or (change and step >= FAINT and jump >= max(JUMP, APART * own)):
            stands_out = True
        elif step >= CUT:
            stands_out = step >= PEAK * sorted(before + after)[-3] and jump >= LITTLE
        elif jump < JUMP:
            stands_out = False
        elif after[0] > before[-1]:
            stands_out = _blended(signatures[at - 1 : at + 2], before + after[1:])
        else:
            stands_out = _blended(signatures[at - 2 : at + 1], before[:-1] + after)
        if not stands_out:
            return []
        old, new = signatures[max(0, at - REACH - 1) : at], signatures[at:]
        if apart(majority(old), majority(new)) < min(AGREED, FAINT_AGREED * step):
            return []
        self._last_cut = cut
        return [cut]

    def _change(self, at: int) -> tuple[float, float] | None:
        """Mean squares: of the change from what is shown before to what is shown from the frame there on, and of what
        frames differ from the mean of their side. None without areas."""
        shown = list(self._shown)
        sides = [[p for p in part if p is not None] for part in (shown[max(0, at - BESIDE) : at], shown[at:][:BESIDE])]
        if not all(sides):
            return None
        one, other = map(np.array, sides)
        own = np.mean([np.square(side - side.mean(0)).mean() for side in (one, other)])
        return float(np.square(one.mean(0) - other.mean(0)).mean()), float(own)


def _blended(signatures: list[np.ndarray], around: list[float]) -> bool:
    """Whether the second of three frames is a blend of two shots, given the steps around the three."""
    old, blend, new = signatures
    whole = apart(old, new)
    own = float(np.count_nonzero((old == new) & (blend != old))) / old.size
    return whole >= BLENDED and own <= BLENDED_OWN and whole >= BLENDED_PEAK * sorted(around)[-2]


def majority(signatures: list[np.ndarray]) -> np.ndarray:
    """What most of the frames say, sign by sign; 0 where they are even."""
    return np.sign(np.sum(signatures, axis=0, dtype=np.int8))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Share of signs that are opposite; a sign that is not known (0) opposes nothing."""
    return float(np.count_nonzero(one * other < 0)) / one.size
