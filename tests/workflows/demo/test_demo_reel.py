"""The demo's reel and its contact sheet."""

from fractions import Fraction
from itertools import islice, pairwise

import av
import imagecodecs
import numpy as np
import pytest

from colorizer.basis.errors import ColorizeError, UnsupportedSource
from colorizer.basis.light import Range
from workflows.demo import demo_reel
from workflows.sheets.sheet import THUMBNAIL, contact_sheet

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


def clip(path, colorspace, codes, pix_fmt="yuv444p", color_range=1, size=(64, 48), sar=None, frames=6):
    """A reel of plain color: three planes of one code each, two shots of different luma."""
    with av.open(path, "w") as out:
        video = out.add_stream("prores_ks" if path.suffix == ".mov" else "ffv1", rate=24)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.codec_context.colorspace, video.codec_context.color_range = colorspace, color_range
        if sar:
            video.codec_context.sample_aspect_ratio = sar
        for index in range(frames):
            frame = av.VideoFrame(*size, pix_fmt)
            for number, (plane, code) in enumerate(zip(frame.planes, codes, strict=False)):
                shade = code + 40 * (index >= frames // 2) * (number == 0)
                plane.update(bytes([shade]) * plane.buffer_size)
            frame.pts, frame.colorspace, frame.color_range = index, colorspace, color_range
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def tiles(path, rows):
    """The two pictures' center pixels of every row of a sheet."""
    sheet = imagecodecs.png_decode(path.read_bytes())
    step = sheet.shape[0] // rows
    return [
        [sheet[step // 2 + row * step, sheet.shape[1] * column // 4].tolist() for column in (1, 3)]
        for row in range(rows)
    ]


def test_the_sheet_shows_before_and_after(tmp_path):
    """A row per shot, source left, colored right, each converted by its own matrix and range."""
    source, colored, out = tmp_path / "a.mkv", tmp_path / "b.mkv", tmp_path / "sheet.png"
    clip(source, 6, (100, 128, 128))
    clip(colored, 1, (100, 90, 170))
    contact_sheet(source, colored, [3], out)
    assert imagecodecs.png_decode(out.read_bytes()).shape[2] == 3
    (before, after), (before_2, after_2) = tiles(out, 2)
    assert before == [98, 98, 98]  # (100 - 16) · 255 / 219
    assert before_2 == [144, 144, 144]
    assert after == pytest.approx([173, 84, 18], abs=1)  # BT.709, by hand
    assert after_2 == pytest.approx([219, 131, 65], abs=1)


def test_a_limited_gray_source_is_not_shown_flat(tmp_path):
    """Gray tagged as limited range is shown with black at 16, which swscale does not do by itself."""
    source, out = tmp_path / "a.mkv", tmp_path / "sheet.png"
    clip(source, 2, (100,), pix_fmt="gray")
    contact_sheet(source, source, [], out)
    assert tiles(out, 1)[0][0] == [144, 144, 144]


def test_wide_reels_and_odd_pixels_fit(tmp_path):
    """Frames are shown at their display shape and at most THUMBNAIL wide; cuts past the end are ignored."""
    source, out = tmp_path / "a.mov", tmp_path / "sheet.png"
    clip(source, 1, (100, 128, 128), pix_fmt="yuv422p10le", size=(720, 480), sar=Fraction(32, 27))
    contact_sheet(source, source, [0, 3, 99], out)
    high, wide, _ = imagecodecs.png_decode(out.read_bytes()).shape
    assert wide == 2 * THUMBNAIL + 6 * 6
    assert high == 2 * 270 + 6 * 6


def test_reels_that_do_not_match_are_refused(tmp_path):
    """A source shorter than its colored reel is another reel: said by name."""
    source, colored = tmp_path / "a.mkv", tmp_path / "b.mkv"
    clip(source, 1, (100, 128, 128), frames=2)
    clip(colored, 1, (100, 128, 128), frames=9)
    with pytest.raises(UnsupportedSource, match="no frame"):
        contact_sheet(source, colored, [5], tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()
