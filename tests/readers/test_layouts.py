"""Sound of more than two channels in every profile's output: where its speakers stand, in other readers' words."""

import json

import av
import numpy as np
import pytest

from pipeline.containers.profiles import PROFILES
from tests.endtoend import color
from tests.readers.programs import ffprobe, mediainfo, needs
from tests.synthetic import write_reel

LAYOUTS = {"5.1": 6, "5.1(side)": 6, "4.0": 4}
USUAL = ("5.1", "4.0")
"""What players take so many channels for, where a file only counts them."""
SPEAKERS = {"Lb": "Ls", "Rb": "Rs"}
"""AAC and QuickTime have one number for 5.1, whose speakers some readers place beside and some behind."""
CORE = [("archive", ".mkv"), ("mezzanine", ".mov"), ("access", ".mp4")]
PAIRS = [
    pytest.param(p.name, c.suffix, marks=[] if (p.name, c.suffix) in CORE else [pytest.mark.slow])
    for p in PROFILES.values()
    for c in p.containers
]
RATE = 48000


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A reel with a track of sound for each layout, another tone in each channel."""
    folder = tmp_path_factory.mktemp("layouts")
    film, out = write_reel(folder / "film.mov", 12, (256, 128)), folder / "in.mov"
    with av.open(str(film)) as pictures, av.open(str(out), "w") as made:
        picture = made.add_stream_from_template(pictures.streams.video[0])
        sounds = [made.add_stream("pcm_s16le", rate=RATE, layout=layout) for layout in LAYOUTS]
        for packet in pictures.demux(pictures.streams.video[0]):
            if packet.size:
                packet.stream = picture
                made.mux(packet)
        for sound, (layout, channels) in zip(sounds, LAYOUTS.items(), strict=True):
            at = np.arange(RATE // 2)[:, None] * np.linspace(0.03, 0.2, channels)
            samples = np.rint(8000 * np.sin(at)).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, "s16", layout)
            frame.sample_rate, frame.pts = RATE, 0
            for part in (frame, None):
                made.mux(sound.encode(part))
    return out


def by_ffprobe(path):
    return [s.get("channel_layout", "unknown") for s in ffprobe(path)["streams"] if s["codec_type"] == "audio"]


def by_mediainfo(path):
    """MediaInfo's names of speakers, in no order: the order is each format's own."""
    tracks = (t for t in mediainfo(path) if t["@type"] == "Audio")
    return [sorted(SPEAKERS.get(s, s) for s in t.get("ChannelLayout", "").split()) for t in tracks]


def channels_in(path):
    return [s["channels"] for s in ffprobe(path)["streams"] if s["codec_type"] == "audio"]


@needs("ffprobe", "mediainfo")
@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_speakers_stand_where_they_stood(tmp_path, source, tiny, name, suffix):
    """As FFprobe and MediaInfo say, or the sidecar names the track. No channel is gone, whatever is forgotten of it."""
    assert by_ffprobe(source) == list(LAYOUTS)
    out = tmp_path / f"out{suffix}"
    color(source, out, tiny, profile=name)
    story = json.loads(out.with_name(f"{out.name}.json").read_text())
    told = [*story["not_carried_over"], *(f"audio {t['index']} {t['why']}" for t in story["tracks"] if t["why"])]
    assert channels_in(out) == list(LAYOUTS.values())
    for read, silence in ((by_ffprobe, "unknown"), (by_mediainfo, [])):
        for layout, was, now in zip(LAYOUTS, read(source), read(out), strict=True):
            usual = now == silence and layout in USUAL
            assert now == was or usual or any(layout in text for text in told), (read.__name__, layout, was, now)
