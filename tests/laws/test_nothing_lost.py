"""Law 2: what goes in goes through, or the run says by name what could not."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest

from colorizer.basis.errors import UnsupportedSource
from pipeline.reels.reel import BARE_RATE
from tests.endtoend import Heard, chroma, color, story, verify
from tests.synthetic import write_reel
from tests.words import EDITIONS, FILM, SHOT, cataloged

FRAMES = 48
GERMAN = {"deu": "ger"}
"""QuickTime's table of languages knows the other of the two codes of ISO 639-2."""

VARYING = [i * 40 + (17 if i % 3 == 1 else 0) + (200 if i > 30 else 0) for i in range(FRAMES)]
"""Milliseconds: never an even beat, and a hole."""

TAGS = {"title": "Émeute à la Gare", "artist": "Pathé", "comment": "print no. 3", "location": "Dépôt 14"}


def losses(out):
    """What an output's sidecar names as lost or changed."""
    said = json.loads(out.with_name(out.name + ".json").read_text())
    return {(t["kind"], t["codec"]): (t["how"], t["why"]) for t in said["tracks"]}


def test_matroska_keeps_everything(tmp_path, tiny):
    """Two languages, subtitles, chapters, time code, aspect, field order, uneven times, catalog tags, attachment."""
    source = write_reel(
        tmp_path / "in.mkv", FRAMES, (96, 64), time_base=Fraction(1, 1000), pts=VARYING, cuts=(20,), interlaced="tff",
        sar=Fraction(16, 15), audio=["pcm_s16le", "flac"], subtitles=1, chapters=3, timecode="01:02:03:04",
        attachment=b"Inventory 1916\n", metadata=TAGS,
    )  # fmt: skip
    color(source, tmp_path / "out.mkv", tiny)
    a, b = story(source), story(tmp_path / "out.mkv")
    assert b.stamps == a.stamps == list(range(FRAMES))
    assert b.times == a.times == [Fraction(t, 1000) for t in VARYING]
    assert [(s.kind, s.codec, s.language) for s in b.streams] == [(s.kind, s.codec, s.language) for s in a.streams]
    assert [s.language for s in b.of("audio")] == ["eng", "deu"]
    for kind in ("audio", "subtitle"):
        for x, y in zip(a.of(kind), b.of(kind), strict=True):
            assert (x.payload, x.count) == (y.payload, y.count)
            assert x.times == y.times
    assert (len(a.chapters), b.chapters) == (3, a.chapters)
    assert (b.timecode, b.aspect, b.fields, b.size) == ("01:02:03:04", Fraction(16, 15), "interlaced", (96, 64))
    assert b.attachments == {"catalog.txt": b"Inventory 1916\n"}
    for key, value in TAGS.items():
        assert b.tags[key].startswith(value)
    assert "trained model" in b.tags["comment"]
    assert all(how == "copied" for how, _ in losses(tmp_path / "out.mkv").values())
    assert verify(source, tmp_path / "out.mkv")[0] == 0


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_goes_through(tmp_path, tiny, rotation):
    """A reel shot on its side stays on its side, stored as it was."""
    source = write_reel(tmp_path / "in.mp4", 4, (64, 48), rotation=rotation)
    for suffix in (".mkv", ".mov", ".mp4"):
        color(source, tmp_path / f"out{suffix}", tiny)
        b = story(tmp_path / f"out{suffix}")
        assert (b.rotation, b.size) == (rotation, (64, 48))


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
@pytest.mark.parametrize("source_suffix", [".mov", ".mkv"])
def test_color_tags_of_the_container_alone_go_through(tmp_path, tiny, source_suffix, suffix):
    """ProRes silent on its colors in a file that names them: the output names them, and is painted for that matrix."""
    made = {}
    for name, how in {
        "silent": {"colors": (1, 1, 1), "silent": True}, "spoken": {"colors": (1, 1, 1)}, "untagged": {},
    }.items():  # fmt: skip
        source = write_reel(tmp_path / f"{name}{source_suffix}", 3, codec="prores_ks", **how)
        made[name] = tmp_path / f"{name}-out{suffix}"
        color(source, made[name], tiny)
        assert verify(source, made[name])[0] == 0
    with av.open(str(made["silent"])) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)
    painted = {name: np.stack(chroma(out)) for name, out in made.items()}
    assert np.array_equal(painted["silent"], painted["spoken"])
    assert not np.array_equal(painted["silent"], painted["untagged"])  # so small a picture is taken for BT.601


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
@pytest.mark.parametrize("source_suffix", [".mov", ".mp4"])
def test_quicktime_and_mp4_keep_or_name(tmp_path, tiny, source_suffix, suffix):
    """From and to QuickTime and MP4: every track there in its order, or named in the sidecar."""
    formats = {".mov": "yuv422p10le", ".mp4": "yuv420p"}
    source = write_reel(
        tmp_path / f"in{source_suffix}", FRAMES, (96, 64), formats[source_suffix], time_base=Fraction(1, 12000),
        pts=[t * 12 for t in VARYING], cuts=(20,), interlaced="tff" if source_suffix == ".mov" else None,
        sar=Fraction(16, 15), audio=["aac", "aac"], subtitles=1, chapters=3, timecode="01:02:03:04", metadata=TAGS,
    )  # fmt: skip
    out = tmp_path / f"out{suffix}"
    color(source, out, tiny)
    a, b = story(source), story(out)
    assert b.stamps == a.stamps == list(range(FRAMES))
    assert [t - b.times[0] for t in b.times] == [t - a.times[0] for t in a.times]
    kept = [s for s in a.streams if s.kind != "data"]
    spelled = GERMAN if suffix == ".mov" else {}
    said = [(s.kind, spelled.get(s.language, s.language).replace("und", "")) for s in kept]
    assert [(s.kind, s.language.replace("und", "")) for s in b.streams if s.kind != "data"] == said
    for kind in ("audio", "subtitle"):
        for x, y in zip(a.of(kind), b.of(kind), strict=True):
            assert (x.codec, x.payload, x.count) == (y.codec, y.payload, y.count)
            assert [t - b.times[0] for t in y.times] == [t - a.times[0] for t in x.times]
    assert b.chapters == a.chapters
    assert (b.timecode, b.aspect, b.fields) == ("01:02:03:04", Fraction(16, 15), a.fields)
    for key, value in TAGS.items():
        assert b.tags[key].startswith(value)
    assert not [k for k, (how, _) in losses(out).items() if how == "lost"]
    assert verify(source, out)[0] == 0


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_what_a_container_cannot_hold_is_named(tmp_path, tiny, suffix):
    """Matroska's attachment, SubRip and FLAC in the other two: carried, converted, or lost by name; never silently."""
    source = write_reel(
        tmp_path / "in.mkv", 24, audio=["flac", "vorbis", "pcm_s16le", "mp3"], subtitles=1, attachment=b"list",
        timecode="00:00:10:00", metadata=TAGS,
    )  # fmt: skip
    out = tmp_path / f"out{suffix}"
    result = color(source, out, tiny)
    a, b, fates = story(source), story(out), losses(out)
    assert len(fates) == len(a.streams) - 1
    lost = {k for k, (how, why) in fates.items() if how == "lost" and why}
    assert ("attachment", "") in lost or ("attachment", "none") in lost or any(k[0] == "attachment" for k in lost)
    assert {s.kind for s in b.streams} - {"data"} <= {"video", "audio"} | ({"subtitle"} if b.of("subtitle") else set())
    assert len(b.of("audio")) == 4
    spelled = GERMAN if suffix == ".mov" else {}
    assert [s.language for s in b.of("audio")] == [spelled.get(s.language, s.language) for s in a.of("audio")]
    assert len(b.of("subtitle")) + sum(k[0] == "subtitle" for k in lost) == 1
    anew = [k for k, (_, why) in fates.items() if "with loss" in why]
    assert len(result.lost) == len(lost) + len(anew)
    assert anew == [("audio", "pcm_s16le")] * (suffix == ".mp4")
    for x, y in zip(a.of("audio"), b.of("audio"), strict=True):
        how = fates["audio", x.codec][0]
        assert (x.payload == y.payload) == (how == "copied")
        assert abs(max(y.times) - max(x.times)) < Fraction(1, 10)
    assert b.timecode == "00:00:10:00"
    assert verify(source, out)[0] == 0


def test_a_doctored_output_is_told(tmp_path, tiny):
    """verify fails when an output has lost a track that its sidecar says it has."""
    full = write_reel(tmp_path / "full.mkv", 8, audio=2)
    less = write_reel(tmp_path / "less.mkv", 8, audio=1)
    color(less, tmp_path / "out.mkv", tiny)
    code, told = verify(full, tmp_path / "out.mkv")
    assert code == 1
    assert "says nothing of the source's tracks 2" in told
    (tmp_path / "out.mkv.json").unlink()
    code, told = verify(full, tmp_path / "out.mkv")
    assert code == 1
    assert "FAIL  tracks" in told


def test_a_sidecar_of_other_files_is_told(tmp_path, tiny):
    """The sidecar names source and output by digest: beside other files verify fails, and says which of them."""
    source, out = write_reel(tmp_path / "in.mkv", 8), tmp_path / "out.mkv"
    color(source, out, tiny)
    code, told = verify(source, out)
    assert (code, told.count("the one the sidecar names")) == (0, 2)
    other = write_reel(tmp_path / "other.mkv", 8, metadata={"title": "another print"})
    code, told = verify(other, out)
    assert code == 1
    assert "the sidecar belongs to another source" in told
    with out.open("ab") as file:
        file.write(b"\xec\x80")  # an empty Void element: nothing that a player would see
    code, told = verify(source, out)
    assert code == 1
    assert "the output changed since the sidecar was written" in told


PLAN = {"settings": {"profile": "archive"}, "skip": 0}
TRACK = {"index": 1, "kind": "audio", "codec": "flac", "how": "copied"}
MALFORMED = {
    "a list": [],
    "a text": "sidecar",
    "nothing": {},
    "no plan": {"tracks": []},
    "a plan without settings": {"plan": {}, "tracks": []},
    "settings that are a list": {"plan": {"settings": ["archive"], "skip": 0}, "tracks": []},
    "no skip": {"plan": {"settings": {"profile": "archive"}}, "tracks": []},
    "an unknown profile": {"plan": {"settings": {"profile": "x"}, "skip": 0}, "tracks": []},
    "a profile that is a list": {"plan": {"settings": {"profile": []}, "skip": 0}, "tracks": []},
    "a skip in words": {"plan": {**PLAN, "skip": "none"}, "tracks": []},
    "a skip below zero": {"plan": {**PLAN, "skip": -1}, "tracks": []},
    "a start that is no time": {"plan": {"settings": {"profile": "archive", "start": "x"}, "skip": 0}, "tracks": []},
    "no tracks": {"plan": PLAN},
    "tracks that are a number": {"plan": PLAN, "tracks": 3},
    "a track that is a text": {"plan": PLAN, "tracks": ["audio"]},
    "a track without its kind": {"plan": PLAN, "tracks": [{"index": 1}]},
    "a track of something new": {"plan": PLAN, "tracks": [{**TRACK, "color": "red"}]},
    "a track with words for a number": {"plan": PLAN, "tracks": [{**TRACK, "index": "one"}]},
    "a track without a reason": {"plan": PLAN, "tracks": [{**TRACK, "why": None}]},
    "a source that is a text": {"plan": PLAN, "tracks": [], "source": "in.mkv"},
    "a digest that is a number": {"plan": PLAN, "tracks": [], "output": {"sha256": 7}},
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_sidecar_is_one_line(tmp_path, what):
    """Whatever lies beside the output under that name: an error that names it and says what to do; no traceback."""
    out = write_reel(tmp_path / "out.mkv", 3)
    (tmp_path / "out.mkv.json").write_text(json.dumps(MALFORMED[what]))
    with pytest.raises(UnsupportedSource, match=r"out\.mkv\.json: not a sidecar .*; move it away") as refused:
        verify(out, out)
    assert "\n" not in str(refused.value)


def test_matroska_chapters_and_tags_are_whole(tmp_path, tiny):
    """Nested, hidden, in two languages, targeted and inside one another: the very bytes of the source are in a Matroska
    output, also when it is colored again; a second look finds what is taken away."""
    source = cataloged(write_reel(tmp_path / "in.mkv", 24, audio=["flac"], metadata=TAGS))
    result = color(source, tmp_path / "out.mkv", tiny)
    again = color(tmp_path / "out.mkv", tmp_path / "again.mkv", tiny)
    for out in (tmp_path / "out.mkv", tmp_path / "again.mkv"):
        data = out.read_bytes()
        for node in (EDITIONS, FILM, SHOT):
            assert b"".join(n.encoded() for n in node.inside) in data
        assert b"B. Person" in data
        assert b"768000" not in data  # a bit rate that was the old file's
    assert not result.lost + again.lost
    assert verify(source, tmp_path / "out.mkv")[0] == 0
    assert "4 in 2 editions" in verify(source, tmp_path / "out.mkv")[1]
    (tmp_path / "out.mkv.json").unlink()
    (tmp_path / "out.mkv").write_bytes((tmp_path / "out.mkv").read_bytes().replace(b"Hidden note", b"Hidden vote"))
    code, told = verify(source, tmp_path / "out.mkv")
    assert code == 1
    assert "FAIL  chapters" in told


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_what_other_containers_hold_of_them_is_named(tmp_path, tiny, suffix):
    """Flat chapters with one title each, no hidden one among them, tags by names: every loss is told by its own."""
    source, out = cataloged(write_reel(tmp_path / "in.mkv", 24, audio=["flac"])), tmp_path / f"out{suffix}"
    lost = "\n".join(color(source, out, tiny).lost)
    assert [c[2] for c in story(out).chapters] == ["First reel", "Second reel"]
    for name in ("'Nested'", "'Erste Rolle'", "'Hidden note'", "'Harbors'", "SEAL", "SHOT", "ACTOR/CHARACTER"):
        assert name in lost
    assert verify(source, out)[0] == 0


@pytest.mark.parametrize(("suffix", "kept"), [(".mkv", True), (".mp4", False)])
def test_tags_of_tracks_are_kept_or_named(tmp_path, tiny, suffix, kept):
    """What another container than Matroska says of a track is in the output, or named by its name and value."""
    bare, source, out = write_reel(tmp_path / "in.mkv", 6), tmp_path / "in.nut", tmp_path / f"out{suffix}"
    with av.open(str(bare)) as a, av.open(str(source), "w") as b:
        stream = b.add_stream_from_template(a.streams.video[0])
        stream.metadata["artist"] = "B. Person"
        for packet in a.demux(a.streams.video[0]):
            if packet.size:
                packet.stream = stream
                b.mux(packet)
    lost = color(source, out, tiny).lost
    assert any("'B. Person' of track 0" in text for text in lost) == (not kept)
    assert verify(source, out)[0] == 0


@pytest.mark.parametrize("rate", [Fraction(18), Fraction(24000, 1001)])
@pytest.mark.parametrize(("suffix", "codec"), [(".h264", "libx264"), (".hevc", "libx265"), (".m4v", "mpeg4")])
def test_a_bare_stream_has_the_rate_that_it_says(tmp_path, tiny, suffix, codec, rate):
    """FFmpeg calls 25 the average of any. Every time of the output follows from the rate."""
    source, out = tmp_path / f"in{suffix}", tmp_path / "out.mkv"
    write_reel(source, 6, codec=codec, rate=rate, options={"x265-params": "log-level=none"})
    color(source, out, tiny)
    assert BARE_RATE not in out.with_name("out.mkv.json").read_text()
    with av.open(str(out)) as made:
        assert made.streams.video[0].average_rate == rate
        times = [float(frame.pts * frame.time_base) for frame in made.decode(video=0)]
    assert times == pytest.approx([float(n / rate) for n in range(6)], abs=0.001)


def test_a_bare_stream_that_says_nothing(tmp_path, tiny):
    """JPEGs one after the other have no rate: that it is assumed is said where a person reads it."""
    source = write_reel(tmp_path / "in.mjpeg", 6, codec="mjpeg", pix_fmt="yuvj420p")
    heard = Heard()
    color(source, tmp_path / "out.mkv", tiny, listener=heard)
    assert any(BARE_RATE in facts["text"] for name, facts in heard.events if name == "note")
