"""Sound, subtitles and data: copied, converted or lost by name, in every output."""

import json
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from pipeline.containers.containers import CONTAINERS, MATROSKA, QUICKTIME
from pipeline.reels.reel import probe
from pipeline.reels.tracks import Carried, accepts, decide, samples_digest
from tests.endtoend import verify
from tests.synthetic import SAMPLES, with_equal_times, write_reel

SOUNDS = {
    ".mkv": ["pcm_s16le", "pcm_u8", "pcm_s24le", "mp3", "vorbis", "aac", "flac", "ac3", "opus", "mp2"],
    ".mov": ["pcm_s16le", "pcm_u8", "pcm_s24le", "mp3", "aac", "ac3", "alac"],
    ".mp4": ["mp3", "aac", "flac", "ac3", "opus", "alac"],
}
OUTPUTS = [".mkv", ".mov", ".mp4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tracks")


@pytest.fixture(scope="module")
def sources(folder):
    """A reel of each container with every sound codec it takes."""
    return {suffix: write_reel(folder / f"sound{suffix}", 18, audio=codecs) for suffix, codecs in SOUNDS.items()}


def packets(path, kind):
    """Bytes and times of all packets of each stream of a kind."""
    found = {}
    with av.open(str(path)) as container:
        for stream in container.streams:
            if stream.type == kind:
                found[stream.index] = []
        for packet in container.demux():
            if packet.size and packet.stream.index in found:
                found[packet.stream.index].append((bytes(packet), packet.pts * packet.time_base))
    return list(found.values())


def sidecar_of(made):
    """What lies beside an output."""
    return json.loads(made.with_name(made.name + ".json").read_text())


@pytest.mark.parametrize("suffix", OUTPUTS)
def test_packets_of_one_time_are_all_there(studio, tmp_path, suffix):
    """Of a broadcast's MP3: where a container takes no two packets of one time, the second follows on the first. So all
    are there, each at its time but for those that had none of their own."""
    source, out = tmp_path / "in.ts", tmp_path / f"out{suffix}"
    equal = with_equal_times(write_reel(tmp_path / "plain.ts", 50, audio=["mp3"]), source)
    result = studio.color(source, out)
    assert all(f.holds for f in result.findings.values() if not f.what.startswith("MPEG-TS"))
    [was], [now] = packets(source, "audio"), packets(out, "audio")
    assert [data for data, _ in was] == [data for data, _ in now]
    assert sum(b == a for (_, a), (_, b) in pairwise(was)) == equal > 5
    times = [time for _, time in now]
    if suffix != ".mkv":
        assert all(abs(b - a - Fraction(1152, SAMPLES)) < Fraction(1, 1000) for a, b in pairwise(times))
    assert verify(source, out)[0] == 0


@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("source", SOUNDS)
def test_sound_goes_through(studio, sources, folder, source, out):
    """Every sound track is in the output: byte for byte where the container takes its codec, else converted and
    said so; never lost, never out of step with the picture."""
    made = folder / f"{source[1:]}-sound{out}"
    result = studio.color(sources[source], made)
    assert all(f.right for f in result.findings.values())
    assert all("compressed with loss, as aac" in text for text in result.lost)
    before, after = packets(sources[source], "audio"), packets(made, "audio")
    assert len(before) == len(after) == len(SOUNDS[source])
    reel = probe(str(sources[source]))
    with av.open(str(sources[source])) as container:
        fates = decide(container, reel, CONTAINERS[out])
    for fate, codec, a, b in zip(fates, SOUNDS[source], before, after, strict=True):
        if fate.how == "copied":
            assert [data for data, _ in a] == [data for data, _ in b], codec
            origin = a[0][1], b[0][1]
            assert all(
                abs((x - origin[0]) - (y - origin[1])) <= Fraction(1, 900) for (_, x), (_, y) in zip(a, b, strict=True)
            )
        else:
            assert fate.how == "converted"
            assert CONTAINERS[out].sound_for(codec).encoder in fate.why
            named = any(text.startswith(f"audio {fate.index} {codec}: its samples are") for text in result.lost)
            assert named == (CONTAINERS[out].sound_for(codec).bit_rate > 0)
        assert abs(a[0][1] - b[0][1]) < Fraction(1, 20), codec


def test_converted_sound_sounds_the_same(studio, sources, folder):
    """Vorbis and Opus do not fit into QuickTime: what is written there has the same samples, loudness and pitch."""
    made = folder / "converted.mov"
    result = studio.color(sources[".mkv"], made)
    for index, codec in enumerate(SOUNDS[".mkv"], 1):
        with av.open(str(sources[".mkv"])) as a, av.open(str(made)) as b:
            before, count = samples_digest(a, a.streams[index], 48000)
            after, other = samples_digest(b, b.streams[index], 48000)
        assert abs(count - other) <= 4096, codec
        n = min(len(before), len(after))
        assert n >= 6
        assert np.abs(before[:n] - after[:n]).max() < 0.02, codec
        assert before.max() > 0.1
    assert result.lost == ()


@pytest.mark.parametrize("layout", ["7.1", "7.1(wide)", "octagonal", "7.1.4", "9.1.6", "22.2"])
def test_sound_of_many_channels_is_heard(folder, layout):
    """Of eight channels and more the first is measured, which ended the process."""
    path, channels = folder / f"many {layout}.wav", av.AudioLayout(layout).nb_channels
    with av.open(str(path), "w") as made:
        sound = made.add_stream("pcm_s16le", rate=48000, layout=layout)
        samples = np.repeat(np.arange(channels, dtype=np.int16)[None] * 1000 + 500, 9600, 0).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, "s16", layout)
        frame.sample_rate, frame.pts = 48000, 0
        for part in (frame, None):
            made.mux(sound.encode(part))
    with av.open(str(path)) as container:
        levels, count = samples_digest(container, container.streams.audio[0], 48000)
    assert (count, len(levels)) == (9600, 2)
    assert np.allclose(levels, 500 / 32768, atol=1e-4)


@pytest.mark.parametrize("out", [".mp4", ".webm"])
def test_a_film_of_eight_channels_is_published(studio, folder, out):
    """PCM of 7.1, as masters have it, compressed for viewing: the check hears both."""
    film, source, made = write_reel(folder / "quiet.mov", 12), folder / "eight.mov", folder / f"eight{out}"
    with av.open(str(film)) as pictures, av.open(str(source), "w") as filled:
        picture = filled.add_stream_from_template(pictures.streams.video[0])
        sound = filled.add_stream("pcm_s16le", rate=48000, layout="7.1")
        for packet in pictures.demux(pictures.streams.video[0]):
            if packet.size:
                packet.stream = picture
                filled.mux(packet)
        wave = np.rint(8000 * np.sin(np.arange(8 * 24000) / 90)).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(wave, "s16", "7.1")
        frame.sample_rate, frame.pts = 48000, 0
        for part in (frame, None):
            filled.mux(sound.encode(part))
    assert all(f.right for f in studio.color(source, made).findings.values())
    with av.open(str(made)) as container:
        assert container.streams.audio[0].codec_context.layout.nb_channels == 8


def test_compressed_sound_is_told_everywhere(tmp_path, studio):
    """PCM that becomes AAC, or is sampled anew, is no copy: terminal, sidecar and `verify` say so by the track."""
    source = write_reel(tmp_path / "in.mov", 24, audio=["pcm_s16le"], sample_rate=44100)
    lost = "audio 1 pcm_s16le: its samples are compressed with loss, as aac"
    assert studio.color(source, tmp_path / "out.mp4").lost == (lost,)
    assert "compressed with loss" in sidecar_of(tmp_path / "out.mp4")["tracks"][0]["why"]
    code, told = verify(source, tmp_path / "out.mp4")
    assert (code, lost in told) == (0, True)
    webm = studio.color(source, tmp_path / "out.webm", profile="av1").lost
    assert any("its samples are 48000 a second, where they were 44100" in text for text in webm)


def noisy(seconds):
    """Sound that no codec makes small."""
    return np.random.default_rng(7).uniform(-0.5, 0.5, len(seconds))


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_converted_sound_has_bits_enough(studio, folder, rate):
    """AAC gets 128 kbit/s a channel, as much as its rate allows: noise, which needs them, is given nearly all."""
    source, made = folder / f"noise{rate}.mkv", folder / f"noise{rate}.mp4"
    write_reel(source, 48, audio=["pcm_u8"], heard=noisy, sample_rate=rate)
    result = studio.color(source, made)
    assert [c["how"] for c in sidecar_of(made)["tracks"] if c["kind"] == "audio"] == ["converted"]
    assert all(f.right for f in result.findings.values())
    [track] = packets(made, "audio")
    wanted = min(128_000, 5 * rate) / 8
    assert 0.8 * wanted < sum(len(data) for data, _ in track) / 2 < 1.3 * wanted


def test_fates_are_complete(sources):
    """Each stream beside the picture has one fate, whose numbers are the stream's."""
    for source in sources.values():
        reel = probe(str(source))
        for out in OUTPUTS:
            with av.open(str(source)) as container:
                fates = decide(container, reel, CONTAINERS[out])
                others = [s.index for s in container.streams if s.index != reel.stream]
            assert [f.index for f in fates] == others
            assert {f.how for f in fates} <= {"copied", "converted", "lost"}
            assert all(f.why for f in fates if f.how != "copied")


def test_what_a_container_takes_is_tried(sources):
    """accepts() agrees with the muxer: PCM fits into QuickTime, Vorbis does not, and it says why."""
    with av.open(str(sources[".mkv"])) as container:
        assert accepts(container.streams[1], QUICKTIME) == ""
        assert "vorbis" in accepts(container.streams[5], QUICKTIME)
        assert all(accepts(s, MATROSKA) == "" for s in container.streams)


@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("source", OUTPUTS)
def test_subtitles_go_through_or_are_named(studio, folder, source, out):
    """Text tracks are copied where the container has the same kind; elsewhere they are lost by name."""
    path = write_reel(folder / f"lines{source}", 24, subtitles=1)
    made = folder / f"lines-from-{source[1:]}{out}"
    result = studio.color(path, made)
    assert all(f.right for f in result.findings.values())
    alike = (source == ".mkv") == (out == ".mkv")
    if alike:
        before, after = packets(path, "subtitle"), packets(made, "subtitle")
        kept = [[data for data, _ in track if data != b"\0\0"] for track in after]
        assert kept == [[data for data, _ in track if data != b"\0\0"] for track in before]
        assert b"line 1" in kept[0][1]
        assert result.lost == ()
    else:
        assert len(result.lost) == 1
        assert "subtitle" in result.lost[0]


@pytest.mark.parametrize("out", OUTPUTS)
def test_attachments_go_through_or_are_named(studio, folder, out):
    """Matroska keeps an attachment with its bytes and name; the others say that it is lost."""
    path = write_reel(folder / "card.mkv", 6, attachment=b"Catalog 1931/7")
    made = folder / f"card-out{out}"
    result = studio.color(path, made)
    if out == ".mkv":
        with av.open(str(made)) as container:
            [card] = container.streams.attachments
            assert (card.data, card.name) == (b"Catalog 1931/7", "catalog.txt")
        assert result.lost == ()
    else:
        assert result.lost == ("attachment 1: 'catalog.txt': only .mkv files hold attachments",)


@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("source", [".mov", ".mp4"])
@pytest.mark.parametrize("timecode", ["", "10:20:30:12"])
def test_chapters_and_time_code_are_no_loss(studio, folder, source, out, timecode):
    """QuickTime keeps both as data tracks; they are written anew, and nothing is called lost."""
    path = write_reel(folder / f"parts{source}", 24, chapters=3, timecode=timecode, audio=["aac"])
    made = folder / f"parts-from-{source[1:]}-{bool(timecode)}{out}"
    result = studio.color(path, made)
    assert result.lost == ()
    assert all(f.right for f in result.findings.values())
    assert result.out.timecode == timecode
    with av.open(str(made)) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["Part 1", "Part 2", "Part 3"]


def test_a_fate_is_plain_json():
    """For the sidecar."""
    assert Carried(1, "audio", "mp3", "copied").to_json() == {
        "index": 1, "kind": "audio", "codec": "mp3", "how": "copied", "why": "", "out": -1, "rejected": 0,
        "rate": 0, "layout": "",
    }  # fmt: skip


@pytest.mark.parametrize("out", OUTPUTS)
def test_sound_of_a_piece_begins_with_it(studio, folder, out):
    """A piece's sound is the part that belongs to it, and stays in step."""
    path = write_reel(folder / "whole.mkv", 24, audio=["flac"])
    made = folder / f"piece{out}"
    result = studio.color(path, made, start="0.25", stop="0.75")
    assert all(f.right for f in result.findings.values())
    [track] = packets(made, "audio")
    assert abs(track[0][1]) < Fraction(11, 100)
    with av.open(str(made)) as container:
        _, count = samples_digest(container, container.streams.audio[0], SAMPLES)
    assert abs(count - SAMPLES // 2) < 2 * 4608


CLAIMING = ["RAWcooked reversibility data", "reel.framemd5", "reel_md5.txt", "SHA-256SUMS", "reel.qctools.xml.gz"]
FINE = ["catalog.txt", "amd52.pdf", "shade.txt", "frames.csv"]


def test_what_speaks_of_the_source_s_bytes_is_not_carried(tmp_path, studio):
    """A tool would restore the colored picture as the scan, or call it damaged; other attachments go along."""
    source, out = tmp_path / "in.mkv", tmp_path / "out.mkv"
    with av.open(str(write_reel(tmp_path / "bare.mkv", 4))) as a, av.open(str(source), "w") as b:
        stream = b.add_stream_from_template(a.streams.video[0])
        for name in CLAIMING + FINE:
            b.add_attachment(name, "application/octet-stream", name.encode())
        for packet in a.demux(a.streams.video[0]):
            if packet.size:
                packet.stream = stream
                b.mux(packet)
    lost = studio.color(source, out).lost
    assert [text.partition(" ")[0] for text in lost] == ["attachment"] * len(CLAIMING)
    assert all("the source's own bytes" in text for text in lost)
    with av.open(str(out)) as file:
        assert [s.name for s in file.streams if s.type == "attachment"] == FINE
    code, told = verify(source, out)
    assert code == 0, told
