"""Sound that becomes another in mid-tape: detected, converted to one rate, said, and as long as it was."""

import json
import re
from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.containers.containers import CONTAINERS
from pipeline.reels import tracks
from pipeline.reels.reel import probe
from pipeline.reels.sound_kinds import sound_kinds
from pipeline.reels.track_fidelity import check_tracks
from tests.endtoend import MEDIA
from tests.synthetic import write_reel

TAPE = MEDIA / "faults" / "dv_ntsc_audio_48k_then_32k.dv"


def mpeg_audio(rate, seconds):
    """Packets of a tone in MP2, which say their own rate."""
    encoder = av.CodecContext.create("mp2", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "stereo", "s16"
    encoder.time_base = Fraction(1, rate)
    wave = (8000 * np.sin(np.arange(round(rate * seconds)) / rate * 6283)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    parts = [p for f in (frame, None) for p in av.AudioResampler("s16", "stereo", rate, 1152).resample(f)]
    return [bytes(p) for part in [*parts, None] for p in encoder.encode(part) if p.size]


@pytest.fixture(scope="module")
def broadcast(tmp_path_factory):
    """A transport stream whose sound is 32 kHz for half a second, then 48 kHz."""
    folder = tmp_path_factory.mktemp("sound-kinds")
    plain, path = write_reel(folder / "plain.mkv", 24, codec="mpeg2video"), folder / "broadcast.ts"
    with av.open(str(plain)) as a, av.open(str(path), "w", format="mpegts") as b:
        picture = b.add_stream_from_template(a.streams.video[0])
        sound = b.add_stream("mp2", rate=32000, layout="stereo")
        b.start_encoding()
        queue = [p for p in a.demux(video=0) if p.size]
        time = Fraction(0)
        for rate in (32000, 48000):
            for data in mpeg_audio(rate, 0.5):
                packet = av.Packet(data)
                packet.stream, packet.time_base = sound, Fraction(1, 90000)
                packet.pts = packet.dts = round(time * 90000)
                packet.duration = round(Fraction(1152, rate) * 90000)
                time += Fraction(1152, rate)
                queue.append(packet)
        for packet in sorted(queue, key=lambda p: p.dts * p.time_base):
            if packet.stream is not sound:
                packet.stream = picture
            b.mux(packet)
    return path


def fate_of(made):
    """What the sidecar says of the sound."""
    return next(
        t for t in json.loads(made.with_name(made.name + ".json").read_text())["tracks"] if t["kind"] == "audio"
    )


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_sound_of_two_rates_becomes_one(studio, broadcast, tmp_path, suffix):
    """The higher rate holds all of it; that it changes is said, and it is as long as it was.

    FFmpeg's MP2 decoder gives the first frame behind a change its old rate: which comes first is not asked here.
    """
    made = tmp_path / f"out{suffix}"
    result = studio.color(broadcast, made)
    told = [finding.what for finding in result.findings.values() if not finding.holds]
    other = [what for what in told if "its sound changes" not in what]
    fate = fate_of(made)
    refused = ["packets of audio 1 (mp2)"] * bool(fate["rejected"])  # of the new sound, where two rates meet
    assert other == [*refused, "time code of each group of pictures"]  # of MPEG-2, which no output holds
    assert (fate["how"], fate["rate"]) == ("converted", 48000)
    assert re.search(r"its sound changes from \d+ Hz stereo to \d+ Hz stereo at 0.\d+ s", fate["why"])
    assert any("its sound changes from" in loss for loss in result.lost)
    was, now = sound_kinds(str(broadcast), 1), sound_kinds(str(made), 1)
    assert len(was.kinds) == 2
    assert now.kinds == ((48000, "stereo"),)
    assert abs(was.seconds - now.seconds) < Fraction(1, 20)


@pytest.mark.media
@pytest.mark.skipif(not TAPE.exists(), reason=f"no media at {MEDIA}")
def test_a_tape_that_was_recorded_over(studio, tmp_path):
    """DV of 48 and then 32 kHz: PCM does not say its rate, so that a copy would play 1.5 times too fast."""
    made = tmp_path / "tape.mkv"
    result = studio.color(TAPE, made)
    assert result.findings["length of audio 1 (pcm_s16le)"].holds
    with av.open(str(made)) as container:
        [stream] = container.streams.audio
        heard = sum(f.samples for f in container.decode(stream))
        assert abs(heard / stream.rate - 10 * 1001 / 30000) < 0.01


def test_a_copy_under_a_wrong_label_is_found(studio, broadcast, tmp_path, monkeypatch):
    """Had the change been overlooked, the length of the sound would tell."""
    made = tmp_path / "right.mkv"
    studio.color(broadcast, made)
    reel, out = probe(str(broadcast)), probe(str(made))
    with av.open(str(broadcast)) as source:
        fates = tracks.decide(source, reel, CONTAINERS[".mkv"])
    short = tmp_path / "short.mkv"
    with av.open(str(made)) as a, av.open(str(short), "w") as b:
        streams = [b.add_stream_from_template(s) for s in a.streams]
        packets = [p for p in a.demux() if p.size]
        for packet in packets[: len(packets) * 3 // 4]:
            packet.stream = streams[packet.stream.index]
            b.mux(packet)
    span = Fraction(0), Fraction(1)
    for path, holds in ((out.uri, True), (str(short), False)):
        found = check_tracks(reel, probe(path), fates, CONTAINERS[".mkv"], span, False)
        assert [f.holds for f in found if f.what.startswith("length of")] == [holds]
