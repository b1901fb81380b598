"""Sound that ends the process that asks for it: its packets are copied, or it is lost; either is named."""

import json

import av
import numpy as np
import pytest

from pipeline.reels.heard import Heard, heard
from tests.endtoend import color, verify
from tests.synthetic import write_reel


@pytest.fixture
def deadly(apart_with):
    """Every track ends the process that asks for its layout."""
    apart_with("tests.dying_sound")


def test_sound_is_asked_apart(tmp_path, monkeypatch):
    """Rate, layout and bits as its header says; kinds where it is decoded; also by a path from here."""
    write_reel(tmp_path / "a.mkv", 12, audio=1)
    monkeypatch.chdir(tmp_path)
    found = heard("a.mkv", 1, decode=False)
    assert found == Heard(44100, "mono", 16, None, "1 channels")
    assert heard("a.mkv", 1, decode=True).kinds.seconds > 0


def packets(path):
    """The sound's packets."""
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


@pytest.mark.parametrize(("suffix", "how"), [(".mkv", "copied"), (".mp4", "lost")])
def test_deadly_sound_is_copied_not_decoded_and_named(studio, tmp_path, deadly, suffix, how):
    """Where the container takes its packets they are there, byte for byte; where not, it is lost; both are said."""
    source, made = write_reel(tmp_path / "a.mkv", 12, audio=1), tmp_path / f"out{suffix}"
    result = studio.color(source, made)
    assert [f for f in result.findings.values() if not f.right] == []
    [fate] = [t for t in json.loads(made.with_name(made.name + ".json").read_text())["tracks"] if t["kind"] == "audio"]
    assert fate["how"] == how
    assert any("it ends the program that asks for its sound" in loss for loss in result.lost)
    if how == "copied":
        assert packets(made) == packets(source)


@pytest.mark.parametrize(("suffix", "said"), [(".mkv", ["quad became 4"]), (".mov", [])])
def test_places_of_channels_that_a_file_only_counts_are_named(studio, tmp_path, suffix, said):
    """Matroska reads four channels back as others than two in front and two behind."""
    plain, path, out = write_reel(tmp_path / "plain.mov", 6), tmp_path / "quad.mov", tmp_path / f"out{suffix}"
    with av.open(str(plain)) as source, av.open(str(path), "w") as made:
        video = made.add_stream_from_template(source.streams.video[0])
        sound = made.add_stream("pcm_s16le", rate=8000)
        sound.codec_context.layout = "quad"
        made.start_encoding()
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                made.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4 * 2000), np.int16), "s16", "quad")
        frame.sample_rate, frame.pts = 8000, 0
        made.mux([*sound.encode(frame), *sound.encode(None)])
    lost = color(str(path), out, studio.weights).lost
    assert [word for text in lost for word in said if word in text and "places" in text] == said
    assert any("places" in text for text in lost) == bool(said)
    assert verify(path, out)[0] == 0
