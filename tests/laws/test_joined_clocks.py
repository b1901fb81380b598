"""Law 2: a broadcast or a DVD whose clock begins anew on its way keeps its length, and its sound stays beside it."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.endtoend import MEDIA, color, story, verify
from tests.synthetic import write_reel

RATE, FRAMES = Fraction(25), 25


def joined(folder, suffix, parts=2, audio=("mp2",), **more):
    """Films one after the other in one file, each with a clock that begins where the first one's did."""
    whole = folder / f"in{suffix}"
    options = {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}, "rate": RATE, **more}
    pieces = [
        write_reel(folder / f"{n}{suffix}", range(n * FRAMES, (n + 1) * FRAMES), audio=list(audio), **options)
        for n in range(parts)
    ]
    whole.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return whole


def lasts(path, kind):
    """Seconds from the first packet of a track to the last one's end, and the largest step between two."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        times = sorted(float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None)
    steps = [b - a for a, b in pairwise(times)]
    return times[-1] - times[0], max(steps), min(steps)


@pytest.mark.parametrize(("suffix", "out", "parts"), [
    (".ts", ".mkv", 4), (".ts", ".mov", 2), (".ts", ".mp4", 2), (".vob", ".mkv", 2), (".vob", ".mp4", 3),
])  # fmt: skip
def test_what_follows_is_behind_what_came_before(tmp_path, tiny, suffix, out, parts):
    """Each frame is shown for its time; all of the sound is there, as long as the picture; where it was is said."""
    source, made = joined(tmp_path, suffix, parts), tmp_path / f"out{out}"
    result = color(source, made, tiny)
    assert story(made).stamps == list(range(parts * FRAMES))
    length, longest, shortest = lasts(made, "video")
    assert length == pytest.approx(parts - 1 / 25, abs=0.06 * parts)
    assert shortest == pytest.approx(0.04, abs=0.002)
    assert longest < 0.11
    length, longest, _ = lasts(made, "audio")
    assert length == pytest.approx(parts, abs=0.06 * parts)
    assert longest < 0.11
    [note] = [text for text in result.plan.notes if "begins anew" in text]
    assert note.count(",") == parts - 1
    assert result.plan.retimed == 0
    assert not result.plan.seekable
    assert [text for text in result.lost if "time code of each group" not in text] == []
    code, told = verify(source, made)
    assert code == 0, told


def test_a_piece_behind_the_jump(tmp_path, tiny):
    """Times of a piece are those of the whole film."""
    source, made = joined(tmp_path, ".ts"), tmp_path / "out.mkv"
    color(source, made, tiny, start="1.5", stop="1.9")
    stamps = story(made).stamps
    assert len(stamps) in (10, 11)
    assert set(stamps) <= set(range(34, 49))
    assert verify(source, made)[0] == 0


def test_a_clock_that_stays_one_is_left(tmp_path, tiny):
    """A film as broadcasts are, with pictures that come in another order than they are shown."""
    source, made = joined(tmp_path, ".ts", 1), tmp_path / "out.mkv"
    result = color(source, made, tiny)
    assert result.plan.seekable
    assert not any("begins anew" in text for text in result.plan.notes)
    assert story(made).times == pytest.approx([n / 25 for n in range(FRAMES)], abs=0.05)


@pytest.mark.parametrize(
    ("codec", "out"), [("ac3", ".mkv"), ("ac3", ".mov"), ("ac3", ".mp4"), ("aac", ".mp4"), ("mp2", ".mp4")]
)
def test_sound_of_another_rate_behind_a_jump_is_all_there(tmp_path, tiny, codec, out):
    """A resampler's clock is another where the source's rate is; every packet that the encoder makes is taken."""
    parts = [
        write_reel(
            tmp_path / f"{n}.ts", range(n * FRAMES, (n + 1) * FRAMES), codec="mpeg2video", rate=RATE, audio=[codec],
            sample_rate=rate, options={"bf": "0"},
        )
        for n, rate in enumerate((48000, 32000))
    ]  # fmt: skip
    source, made = tmp_path / "in.ts", tmp_path / f"out{out}"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    result = color(source, made, tiny)
    assert not any("refused" in text for text in result.lost)
    assert heard(made) == pytest.approx(heard(source), abs=0.05)
    assert heard(made) > 1.95
    assert verify(source, made)[0] == 0


def heard(path):
    """Seconds of sound that decode."""
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.skipif(not (MEDIA / "faults").exists(), reason=f"no media at {MEDIA}")
@pytest.mark.media
def test_a_clock_that_jumps_within_a_group_of_pictures(tmp_path, tiny):
    """Decoding times that FFmpeg makes up run on where the clock has begun anew; 24 frames are 0.8 seconds."""
    made = tmp_path / "out.mkv"
    result = color(MEDIA / "faults" / "mpeg2_with_eia608_captions_GA94.vob", made, tiny)
    assert result.plan.retimed == 0
    with av.open(str(made)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert times == pytest.approx([n * 1001 / 30000 for n in range(24)], abs=0.002)


def sounding(path, numbers, layout):
    """A broadcast of a second with AC-3 sound of a layout."""
    silent = write_reel(path.with_suffix(".mpg"), numbers, codec="mpeg2video", rate=RATE, options={"bf": "0"})
    channels = av.AudioLayout(layout).nb_channels
    with av.open(str(silent)) as read, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(read.streams.video[0])
        sound = out.add_stream("ac3", rate=48000, layout=layout)
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        wave = 0.3 * np.sin(np.arange(48000) * 0.05) * np.linspace(0.2, 1, 48000)
        for begin in range(0, 48000 - 1535, 1536):
            part = np.tile(wave[begin : begin + 1536].astype(np.float32), (channels, 1))
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = 48000, begin
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("layouts", [("stereo", "5.1"), ("5.1", "stereo")])
def test_sound_that_goes_on_with_other_channels(tmp_path, tiny, layouts):
    """It becomes the widest of them, and is as loud there as it was: nothing but the change is named."""
    source, made = tmp_path / "in.ts", tmp_path / "out.mkv"
    numbers = [range(n * FRAMES, (n + 1) * FRAMES) for n in range(2)]
    parts = [sounding(tmp_path / f"{n}.ts", numbers[n], layouts[n]) for n in range(2)]
    source.write_bytes(b"".join(parts))
    result = color(source, made, tiny)
    assert [text for text in result.lost if "samples in the source" in text] == []
    assert any("its sound changes" in text for text in result.lost)
    with av.open(str(made)) as container:
        assert container.streams.audio[0].layout.name in ("5.1", "5.1(side)")
    assert verify(source, made)[0] == 0
