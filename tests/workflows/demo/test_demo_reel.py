"""The demo's reel."""

from itertools import islice, pairwise

import av
import numpy as np
import pytest

from colorizer.basis.errors import ColorizeError
from colorizer.basis.light import Range
from workflows.demo import demo_reel

pytest.importorskip("skimage", reason="the demo extra is not installed")


@pytest.fixture(scope="module")
def reel(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "reel.mp4"
    demo_reel.make_reel(path)
    return path


@pytest.fixture(scope="module")
def planes(reel):
    """Every frame's three planes as stored, and its color range."""
    with av.open(reel) as file:
        return [
            (frame.to_ndarray(format="yuv420p"), int(frame.color_range), frame.pts * frame.time_base)
            for frame in file.decode(video=0)
        ]


def test_the_reel_is_a_reel(reel, planes):
    """Size, rate, number of frames and even time stamps as stated; sound as long as the picture."""
    assert len(planes) == demo_reel.FRAMES == sum(take.frames for take in demo_reel.TAKES)
    assert [float(time) for *_, time in planes] == pytest.approx([i / 24 for i in range(demo_reel.FRAMES)])
    with av.open(reel) as file:
        video, sound = file.streams.video[0], file.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (640, 480, 24)
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        heard = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(sound)])
    assert abs(heard.size / demo_reel.SAMPLE_RATE - demo_reel.FRAMES / 24) < 0.1
    assert 0.02 < heard.std() < 0.3
    assert np.abs(heard).max() < 0.99


def test_the_reel_is_black_and_white(planes):
    """Chroma is exactly neutral in every frame, luma stays in range and uses most of it."""
    for picture, color_range, _ in planes:
        luma, chroma = picture[:480], picture[480:]
        assert (chroma == 128).all()
        assert color_range == Range.LIMITED
        assert luma.min() >= 10
        assert luma.max() <= 240
        assert np.percentile(luma, 99) - np.percentile(luma, 1) > 60


def test_the_cuts_are_where_they_are_said(planes):
    """The largest steps from frame to frame are the cuts, far above anything flicker, grain and dust do."""
    small = [picture[:480].reshape(60, 8, 80, 8).mean((1, 3)) for picture, *_ in planes]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(small)]
    cuts = sorted(np.argsort(steps)[-len(demo_reel.CUTS) :] + 1)
    assert tuple(cuts) == demo_reel.CUTS
    assert min(steps[c - 1] for c in cuts) > 3 * max(s for i, s in enumerate(steps) if i + 1 not in cuts)


def test_the_same_seed_makes_the_same_reel():
    """Luma and sound come out equal a second time."""
    for first, second in zip(islice(demo_reel.frames(), 3), islice(demo_reel.frames(), 3), strict=True):
        assert np.array_equal(first, second)
    assert np.array_equal(demo_reel.soundtrack(), demo_reel.soundtrack())


def test_views_stay_inside_their_photographs():
    """No camera move shows what lies beyond a photograph's edge, gate weave included."""
    for take in demo_reel.TAKES:
        high, wide = demo_reel._photograph(take.photograph).shape
        for x, y, width in (take.first, take.last):
            half = width / 2, width * demo_reel.HEIGHT / demo_reel.WIDTH / 2
            assert half[0] - 1 <= x <= wide - half[0] + 1, take
            assert half[1] - 1 <= y <= high - half[1] + 1, take


def test_missing_photographs_name_the_command(monkeypatch):
    """Without scikit-image the demo says what to install instead of downloading or failing obscurely."""
    monkeypatch.setattr(demo_reel, "find_spec", lambda name: None)
    with pytest.raises(ColorizeError, match="pip install"):
        next(demo_reel.frames())
