"""Cuts: the laws on synthetic film, and the cuts of real clips as seen by eye."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reels import shots
from pipeline.reels.shots import DELAY, CutDetector, signature
from tests.films import SIZE, codes, luma, needs_media, scene
from tests.takes import ours


def detect(signatures) -> list[int]:
    detector, cuts = CutDetector(), []
    for signs in signatures:
        cuts += detector.push(signs)
    return cuts + detector.flush()


def reference(signatures) -> list[int]:
    """The rule, written once more over the whole reel at once."""
    held = [np.asarray(s, int) for s in signatures]
    n, reach, edge = len(held), shots.REACH, shots.EDGE

    def apart(a, b) -> float:
        return np.count_nonzero(a * b < 0) / len(a)

    stood, run = np.zeros(143, int), 0
    for i in range(n):
        if not held[i].any():
            held[i], run = stood, 0
            continue
        run = run + 1 if run and apart(held[i - 1], held[i]) < shots.CUT else 1
        stood = held[i - 1] if run >= shots.STANDS else stood
    step = [0.0] + [apart(held[i - 1], held[i]) for i in range(1, n)]
    cuts = []
    for i in range(edge, n - edge + 1):
        around = [j for j in range(max(0, i - reach), min(n, i + reach + 1)) if j != i]
        if any(step[j] >= step[i] if j < i else step[j] > step[i] for j in around):
            continue
        begun = max(0, min(i - reach, n - 2 * reach - 1))
        lately = np.sort([step[j] for j in range(begun) if j not in cuts][-shots.LATELY :])
        calm = max([step[j] for j in around] + [lately[len(lately) * 19 // 20] if len(lately) else 0.0])
        if step[i] >= shots.CUT:
            clear = step[i] >= shots.PEAK * np.sort([step[j] for j in around])[-3]
        elif step[i] >= max(shots.FAINT, shots.FAINT_PEAK * calm):
            clear = True
        else:
            blend = i if step[i + 1] > step[i - 1] else i - 1
            a, b, c = held[blend - 1], held[blend], held[blend + 1]
            rest = np.sort([step[j] for j in around if j not in (blend, blend + 1)])
            clear = (
                apart(a, c) >= max(shots.BLENDED, shots.BLENDED_PEAK * rest[-2])
                and np.mean((a == c) & (b != a)) <= shots.BLENDED_OWN
                and step[i] >= shots.CUT / 2
            )
        before = np.sign(sum(held[max(0, i - reach - 1) : i]))
        after = np.sign(sum(held[i : i + reach + 1]))
        if clear and apart(before, after) >= min(shots.AGREED, shots.FAINT_AGREED * step[i]):
            cuts.append(i)
    return cuts


def old_film(seed: int, lengths: list[int], flicker: float = 0.12) -> list[np.ndarray]:
    """Scenes of these lengths with flicker, grain, weave, dirt, scratches and now and then a flash."""
    rng, frames, gain = np.random.default_rng(seed), [], 1.0
    h, w = SIZE
    for length in lengths:
        whole = scene(rng, (h + 8, w + 8))
        for _ in range(length):
            y, x = np.clip(rng.normal(4, 1.2, 2), 0, 8).astype(int)
            gain = 0.6 * (gain - 1) + 1 + rng.normal(0, 0.6 * flicker)
            frame = whole[y : y + h, x : x + w] * gain + rng.normal(0, 6, SIZE)
            for _ in range(3 * (rng.random() < 0.3)):
                y, x = rng.integers(0, h - 8), rng.integers(0, w - 8)
                frame[y : y + rng.integers(2, 8), x : x + rng.integers(2, 8)] = rng.choice([15, 235])
            if rng.random() < 0.1:
                x = rng.integers(0, w)
                frame[:, x : x + 2] = 230
            if rng.random() < 0.02:
                frame = frame * 0.3 + 180
            frames.append(codes(frame))
    return frames


def still(seed: int) -> np.ndarray:
    return codes(scene(np.random.default_rng(seed)))


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 50), (16, 16), (31, 33), (75, 100), (241, 496), (1080, 1920), (2160, 4096)]
)
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
def test_any_plane_has_a_signature(size, dtype):
    """A plane of any size and stored type gives 143 signs as int8, half of them up, with no warning."""
    plane = np.random.default_rng(1).integers(0, 2, size).cumsum(1) % 200
    signs = signature(plane.astype(dtype))
    assert signs.shape == (143,)
    assert signs.dtype == np.int8
    assert set(np.unique(signs)) <= ({-1, 1} if plane.std() > 20 else {-1, 0, 1})
    if plane.std() > 20 and dtype == "u1":
        assert (signs > 0).sum() == 71


@pytest.mark.parametrize(("gain", "offset"), [(1, 40), (2, 0), (2, 31), (0.5, 100)])
def test_gain_and_offset_change_no_sign(gain, offset):
    """Flicker is a gain and an offset: neither turns more than the few signs that lie on the fence."""
    dark = codes(scene(np.random.default_rng(3)) / 2)
    signs = signature(dark)
    assert np.mean(signature(codes(dark * gain + offset)) != signs) < 0.03


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_depth_changes_no_sign(bits):
    """The same picture in 8, 10, 12 or 16 bits has the same signs."""
    plane = still(4)
    deep = plane.astype(np.uint16) << (bits - 8)
    assert np.mean(signature(deep) != signature(plane)) < 0.02


@pytest.mark.parametrize(
    ("bits", "levels"),
    [(8, (0, 16, 120, 255)), (10, (0, 16, 120, 255)), (12, (120, 255)), (16, (16, 120, 255))],
)
def test_flat_planes_hold_no_picture(bits, levels):
    """Black, leader and white, with a little noise and shading, have no signs, whatever the depth.

    Left out are the near-black planes that pass for a lower depth, the limit which `signature` documents.
    """
    shade = np.random.default_rng(5).normal(0, 1.5, (240, 320)) + np.linspace(-2.5, 2.5, 320)
    for level in levels:
        plane = np.clip((level + shade) * 2 ** (bits - 8), 0, 2**bits - 1)
        assert not signature(plane.astype(np.uint8 if bits == 8 else np.uint16)).any()


@st.composite
def reels(draw):
    """Signatures of a made-up reel: scenes that drift at various speeds, black, flashes, blends, noise."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    part = st.tuples(st.sampled_from("sssbxh"), st.integers(1, 14), st.sampled_from([0, 0.01, 0.05, 0.2]))
    frames: list[np.ndarray] = []
    for kind, length, drift in draw(st.lists(part, max_size=10)):
        signs = rng.choice(np.array([-1, 1], np.int8), 143)
        if kind == "h" and frames:
            frames.append(np.where(rng.random(143) < 0.5, frames[-1], signs))
        for _ in range(1 if kind == "x" else length):
            signs = np.where(rng.random(143) < drift, -signs, signs)
            frames.append(signs * (kind != "b"))
    return frames


@settings(max_examples=300, deadline=None)
@given(reels())
def test_streaming_equals_offline(frames):
    """Cuts found a few frames behind are those that a look at the whole reel finds."""
    assert detect(frames) == reference(frames)


@settings(max_examples=100, deadline=None)
@given(reels(), reels())
def test_each_cut_once_within_delay(first, second):
    """Each cut comes once, ascending, at most DELAY frames late; after flush the next reel starts clean."""
    detector = CutDetector()
    for frames in (first, second):
        cuts = []
        for i, signs in enumerate(frames):
            found = detector.push(signs)
            assert all(0 <= i - cut <= DELAY for cut in found)
            cuts += found
        rest = detector.flush()
        assert all(len(frames) - cut <= DELAY for cut in rest)
        cuts += rest
        assert cuts == sorted(set(cuts)) == reference(frames)
        assert all(shots.EDGE <= cut <= len(frames) - shots.EDGE for cut in cuts)
    assert detector.flush() == []


def test_memory_is_bounded():
    """A long reel holds no more than a short one: no list of all its frames."""
    rng, detector = np.random.default_rng(6), CutDetector()
    tracemalloc.start()
    for i in range(12_000):
        if i == 2_000:
            before = tracemalloc.get_traced_memory()[0]
        detector.push(rng.choice(np.array([-1, 1], np.int8), 143))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000


@pytest.mark.parametrize("seed", range(4))
def test_clean_cuts_are_found_exactly(seed):
    """With 12% flicker, grain, weave, dirt, scratches and flashes, no cut is lost and none is added."""
    lengths = [40, 23, 60, 9, 31, 6, 50]
    frames = old_film(seed, lengths)
    assert detect(map(signature, frames)) == np.cumsum(lengths)[:-1].tolist()


def alike(rng, share, jitter, lengths):
    """Signatures of shots that differ in a share of their signs only; jitter: share that turns from frame to frame."""
    signs, frames = rng.choice(np.array([-1, 1], np.int8), 143), []
    for length in lengths:
        for _ in range(length):
            noise = rng.choice(143, round(jitter * 143), replace=False)
            frames.append(signs.copy())
            frames[-1][noise] *= -1
        turned = rng.choice(143, round(share * 143), replace=False)
        signs = signs.copy()
        signs[turned] *= -1
    return frames


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.32, 0.34, 0.36, 0.38]))
def test_a_cut_between_like_pictures_is_found_in_a_calm_reel(seed, share):
    """A third of the signs is enough where hardly any turn otherwise: to the frame, and nothing else."""
    frames = alike(np.random.default_rng(seed), share, 0.02, [30, 12, 25])
    assert detect(frames) == [30, 42]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_what_a_restless_reel_does_all_the_time_is_no_cut(seed, calm):
    """The same step every few frames, as of a camera that jolts, is no cut."""
    assert detect(alike(np.random.default_rng(seed), 0.3, 0.02, [calm] * 40)) == []


@pytest.mark.parametrize("seed", range(3))
def test_dirt_on_leader_is_no_picture(seed):
    """What shows in a frame or two between frames without a picture is not held: the one cut is at the next picture."""
    rng, reel = np.random.default_rng(seed), [still(seed)] * 20
    for _ in range(60):
        frame = rng.normal(200, 4, SIZE)
        for _ in range(rng.poisson(0.7)):
            y, x = rng.integers(0, (SIZE[0] - 6, SIZE[1] - 6))
            frame[y : y + 6, x : x + 6] = 15
        reel.append(codes(frame))
    assert list(ours([*reel, *[still(seed + 10)] * 20]).cuts) == [80]


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("flash", ["white", "black", "stretched", "another picture"])
def test_a_flash_is_no_cut(flash, frames):
    """One or two odd frames within a shot do not end it, and beside a cut they do not hide it."""
    a, b = still(7), still(8)
    odd = {
        "white": np.full_like(a, 250),
        "black": np.full_like(a, 16),
        "stretched": codes(a * 0.3 + 180),
        "another picture": still(9),
    }[flash]
    alone = [a] * 20 + [odd] * frames + [a] * 20
    reel = [a] * 20 + [odd] * frames + [a] * 6 + [b] * 6 + [odd] * frames + [b] * 20
    assert detect(map(signature, alone)) == list(ours(alone).cuts) == []
    assert detect(map(signature, reel)) == list(ours(reel).cuts) == [26 + frames]


def test_flat_frames_make_no_cuts():
    """Leader and black, noisy as they are, are not shredded: a whole reel of them is one shot."""
    rng = np.random.default_rng(10)
    reel = [codes(rng.choice([16, 120, 235]) + rng.normal(0, 4, SIZE)) for _ in range(80)]
    assert detect(map(signature, reel)) == []


def test_fades():
    """A fade in from black is one shot; from scene to scene, the cut is where the new one shows."""
    rng = np.random.default_rng(11)
    a, b = scene(rng), scene(rng)

    def shown(picture, light) -> np.ndarray:
        return signature(codes(16 + (picture - 16) * light + rng.normal(0, 2, SIZE)))

    ramp = np.linspace(0, 1, 25)
    fade_in = [shown(b, x) for x in ramp] + [shown(b, 1) for _ in range(30)]
    assert detect([shown(b, 0)] * 20 + fade_in) == []
    fade_out = [shown(a, 1) for _ in range(30)] + [shown(a, x) for x in ramp[::-1]]
    (cut,) = detect(fade_out + [shown(b, 0)] * 30 + fade_in)
    assert 85 < cut < 85 + 8


def test_a_blended_frame_does_not_hide_a_cut():
    """Where a changed frame rate blended one frame of both shots, the cut is at that frame or the next."""
    rng, found = np.random.default_rng(12), 0
    for _ in range(10):
        a, b = scene(rng), scene(rng)
        reel = [codes(p + rng.normal(0, 6, SIZE)) for p in [a] * 20 + [(a + b) / 2] + [b] * 20]
        cuts = detect(map(signature, reel))
        assert cuts in ([], [20], [21])
        found += len(cuts)
    assert found >= 9


def test_a_dissolve_is_left_whole():
    """One of 24 frames is never cut to pieces; what it is, is found elsewhere."""
    rng = np.random.default_rng(13)
    for _ in range(5):
        a, b = scene(rng), scene(rng)
        share = np.clip((np.arange(64) - 20) / 24, 0, 1)
        reel = [codes(a * (1 - x) + b * x + rng.normal(0, 6, SIZE)) for x in share]
        assert detect(map(signature, reel)) == []


@pytest.mark.media
@needs_media
@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("film_bw/abomb_blast_effects_part.mp4", [44, 134, 299]),
        ("film_bw/white_zombie_sar2_truncated.mp4", [46]),
        ("film_bw/tinted_slideshow.rm", [29, 53, 73, 87, 109]),
        ("film_bw/concert_near_bw_errors.mp4", [28, 79, 108]),
        ("film_bw/fade_from_black.mpg", []),
        ("video_odd/multishot_vfr.wmv", [79, 317, 388, 433, 461, 471]),
        ("video_odd/frag_overlap.mp4", [3]),
    ],
)
def test_real_cuts(name, cuts):
    """On real film and video the cuts are those that the eye sees, to the frame, and no others.

    The concert's last frame (162) is a shot of its own to the eye; one frame is taken for a flash.
    """
    assert list(ours(luma(name)).cuts) == cuts


@pytest.mark.media
@needs_media
def test_sports_clip():
    """Eleven cuts among whip pans, spray and three dissolves: all found, none added.

    Three shots begin with one or two frames of black or plain gray; their cuts are where the picture shows.
    """
    seen = [81, 207, 290, 336, 408, 488, 704, 785, 925, 1002, 1088]
    found = list(ours(luma("video_colour/sports_multishot_audio.mov")).cuts)
    assert found == [c + {207: 2, 408: 1, 704: 1}.get(c, 0) for c in seen]
