"""The check of tracks: outputs doctored in one thing each, and that thing is named."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from pipeline.containers.containers import CONTAINERS
from pipeline.containers.profiles import profile_for
from pipeline.reels.fidelity import check, decoded
from pipeline.reels.reel import probe
from pipeline.reels.tracks import CHAPTERS, PICTURE, decide
from tests.synthetic import write_reel

FRAMES = 48
FACTS = {
    "chapters": 3, "metadata": {"title": "Harvest"}, "audio": ["flac", "pcm_s16le"], "subtitles": 1,
    "attachment": b"catalog card 1916",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("track-fidelity")


@pytest.fixture(scope="module")
def source(folder):
    """A reel with tracks of every kind, all of them labeled."""
    plain = write_reel(folder / "plain.mkv", FRAMES, **FACTS)
    labels = {0: ("Picture", 0), 1: ("Narration", Disposition.comment), 3: ("Für Gehörlose", Disposition.forced)}
    return doctored(plain, folder / "source.mkv", labels=labels)


def doctored(
    source, target, time=lambda kind, number: 0, attachment=None, chapters=None, labels=None, languages=None, muxer=None
):  # fmt: skip
    """A copy packet by packet, with one thing changed.

    time: milliseconds to add to a packet, by its track's kind and its number. labels: title and flags by stream.
    """
    with av.open(str(source)) as a, av.open(str(target), "w", format=muxer or "matroska") as b:
        b.metadata.update(a.metadata)
        b.set_chapters(a.chapters() if chapters is None else chapters(a.chapters()))
        streams, counts = {}, {}
        for stream in a.streams:
            if stream.type == "attachment":
                b.add_attachment(stream.name, stream.mimetype, attachment or bytes(stream.data))
                continue
            made = streams[stream.index] = b.add_stream_from_template(stream)
            made.metadata.update({k: v for k, v in stream.metadata.items() if k in ("language", "title")})
            made.disposition = stream.disposition
            if stream.index in (languages or {}):
                made.metadata["language"] = languages[stream.index]
            if stream.index in (labels or {}):
                made.metadata["title"], made.disposition = labels[stream.index]
        for packet in a.demux(list(a.streams.video + a.streams.audio + a.streams.subtitles)):
            if packet.size:
                index, kind = packet.stream.index, packet.stream.type
                counts[index] = counts.get(index, -1) + 1
                late = round(Fraction(time(kind, counts[index]), 1000) / packet.time_base)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                packet.stream = streams[index]
                b.mux(packet)
    return target


def findings(source, out, declared="ask", start="", stop=""):
    """What the check says."""
    reel = probe(str(source))
    profile = profile_for(out, None)
    if declared == "ask":
        with av.open(str(source)) as container:
            declared = decide(container, reel, CONTAINERS[out.suffix])
    return check(reel, out, profile.name, decoded(reel, start, stop), declared, bool(start or stop))


def failing(source, out, **how):
    """Names of the checks that do not hold, and are no declared losses."""
    return {f.what for f in findings(source, out, **how) if not f.right}


def retitled(chapters):
    return [{**c, "metadata": {"title": "wrong"}} for c in chapters]


def delayed(chapters):
    return [{**c, "start": c["start"] + c["end"] // 10} for c in chapters]


def cut_short(chapters):
    return [{**c, "end": (c["start"] + c["end"]) // 2} for c in chapters]


def last_of(kind, number):
    """A late end alone: the first packet is where it was."""
    return lambda k, n: 40 if k == kind and n >= number else 0


DOCTORED = {
    "nothing": ({}, set()),
    "attachment of other bytes": ({"attachment": b"catalog card 1917"}, {"attachment 4"}),
    "subtitles late": ({"time": lambda kind, _: 700 if kind == "subtitle" else 0}, {"sync"}),
    "one subtitle late": ({"time": last_of("subtitle", 2)}, {"sync"}),
    "sound late after a while": ({"time": last_of("audio", 6)}, {"sync"}),
    "picture late": ({"time": lambda kind, _: 40 if kind == "video" else 0}, {"sync"}),
    "chapters of other titles": ({"chapters": retitled}, {"chapters"}),
    "chapters that begin late": ({"chapters": delayed}, {"chapters"}),
    "chapters that end early": ({"chapters": cut_short}, {"chapters"}),
    "a chapter less": ({"chapters": lambda chapters: chapters[:-1]}, {"chapters"}),
    "no title": ({"labels": {1: ("", Disposition.comment)}}, {"labels"}),
    "another title of the picture": ({"labels": {0: ("Photo", 0)}}, {"labels"}),
    "a flag that is gone": ({"labels": {3: ("Für Gehörlose", 0)}}, {"labels"}),
    "a flag that is new": ({"labels": {1: ("Narration", Disposition.comment | Disposition.dub)}}, {"labels"}),
    "another language": ({"languages": {2: "ita"}}, {"labels"}),
}


@pytest.mark.parametrize("what", DOCTORED)
def test_a_doctored_output_fails(source, folder, what):
    """One thing changed is one failure, under its name."""
    changes, wanted = DOCTORED[what]
    assert failing(source, doctored(source, folder / f"{what}.mkv".replace(" ", "-"), **changes)) == wanted


SHAPES = {
    "nothing beside it": {}, "one track": {"audio": ["flac"]}, "others": {"subtitles": 1, "attachment": b"card"},
    "as many of other kinds": {"audio": ["flac"], "subtitles": 2, "attachment": b"card"},
}  # fmt: skip


@pytest.mark.parametrize("wrong", SHAPES)
@pytest.mark.parametrize("swapped", ["source", "output"])
def test_a_wrong_pair_is_told_in_findings(source, folder, wrong, swapped):
    """Tracks that the sidecar tells of and that the source lacks, or has of another kind; and an output of another
    film: every finding is there, and none is an exception."""
    other = write_reel(folder / f"{swapped}-{wrong}.mkv".replace(" ", "-"), FRAMES, **SHAPES[wrong])
    with av.open(str(source)) as container:
        declared = decide(container, probe(str(source)), CONTAINERS[".mkv"])
    pair = (other, source) if swapped == "source" else (source, other)
    found = findings(*pair, declared=declared)
    names = {f.what for f in found if not f.right}
    assert names & {"tracks", "all tracks"}
    assert {"frames", "luma", "labels"} <= {f.what for f in found}


def test_the_finding_says_what_moved(source, folder):
    """In milliseconds, with the track's name."""
    late = doctored(source, folder / "told.mkv", time=lambda kind, _: 700 if kind == "subtitle" else 0)
    [sync] = [f for f in findings(source, late) if f.what == "sync"]
    assert sync.detail.startswith("subtitle 3 (srt) against the picture moved by 700.00 ms")


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_what_a_container_cannot_say_is_declared(studio, source, folder, suffix):
    """Titles and flags are there, or the sidecar names them; an output that is right passes either way."""
    out = folder / f"labeled{suffix}"
    made = studio.color(source, out)
    assert all(f.right for f in made.findings.values())
    assert ("audio 1 flac: .mov files do not hold its flag comment" in made.lost) == (suffix == ".mov")
    assert failing(source, out) == set()
    with av.open(str(source)) as container:
        fates = {f.index: f for f in decide(container, probe(str(source)), CONTAINERS[suffix])}
    assert ("do not hold its flag comment" in fates[1].why) == (suffix == ".mov")
    with av.open(str(out)) as made:
        assert bool(made.streams.audio[0].disposition & Disposition.comment) == (suffix != ".mov")
    bare = [f for f in fates.values() if f.kind != PICTURE]
    bare = [type(f)(f.index, f.kind, f.codec, f.how, f.why if f.how != "copied" else "") for f in bare]
    silent = any(f.why and f.how == "copied" for f in fates.values()) or any(f.kind == PICTURE for f in fates.values())
    assert failing(source, out, declared=bare) == ({"labels"} if silent else set())


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_chapters_that_a_container_cannot_hold_are_declared(studio, folder, suffix):
    """Gaps between chapters: kept in Matroska; QuickTime and MP4 fill them, and the sidecar says so."""
    plain = write_reel(folder / "even.mkv", 24, chapters=2, audio=["flac"])
    gaps = doctored(plain, folder / "gaps.mkv", chapters=cut_short)
    out = folder / f"gaps-out{suffix}"
    made = studio.color(gaps, out)
    assert all(f.right for f in made.findings.values())
    assert any(text.startswith("chapters: ") for text in made.lost) == (suffix != ".mkv")
    with av.open(str(gaps)) as container:
        fates = decide(container, probe(str(gaps)), CONTAINERS[suffix])
    told = [f.why for f in fates if f.kind == CHAPTERS]
    assert len(told) == (suffix != ".mkv")
    assert all("'Part 1' 0.000 to 0.250 s becomes 'Part 1' 0.000 to 0.500 s" in why for why in told)
    silent = [f for f in fates if f.kind != CHAPTERS]
    assert failing(gaps, out, declared=silent) == ({"chapters"} if told else set())


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_a_track_of_a_piece_is_its_own_part(studio, source, folder, suffix):
    """A piece passes; taken for another piece of the same length, its copied sound and text are not that piece's."""
    out = folder / f"piece{suffix}"
    made = studio.color(source, out, start="0.5", stop="1.5")
    assert all(f.right for f in made.findings.values())
    assert failing(source, out, start="0.5", stop="1.5") == set()
    other = failing(source, out, start="0.25", stop="1.25")
    copied = {"audio 1 (flac)": suffix != ".mov", "audio 2 (pcm_s16le)": suffix != ".mp4"}  # others' bytes tell nothing
    assert {"chapters", *(name for name, is_copy in copied.items() if is_copy)} <= other


def test_a_piece_without_a_line_of_text(studio, folder):
    """A piece in which nobody speaks has no subtitle to keep."""
    whole = write_reel(folder / "silent.mkv", 24, subtitles=1)
    assert all(f.right for f in studio.color(whole, folder / "pause.mkv", start="0.417", stop="0.49").findings.values())


def test_the_name_of_a_quicktime_track_is_its_title(studio, folder):
    """QuickTime's "name" is Matroska's "title", umlauts too."""
    plain = write_reel(folder / "plain.mov", 4, audio=["aac"])
    named = doctored(plain, folder / "named.mov", labels={1: ("Erzähler", Disposition.default)}, muxer="mov")
    for suffix in (".mkv", ".mov", ".mp4"):
        out = folder / f"named-out{suffix}"
        assert all(f.right for f in studio.color(named, out).findings.values())
    with av.open(str(folder / "named-out.mkv")) as made:
        assert made.streams.audio[0].metadata["title"] == "Erzähler"


def narration(loudness):
    """A voice that comes and goes."""
    return lambda seconds: loudness * np.sin(seconds * 2000) * (0.6 + 0.4 * np.sin(seconds * 9))


@pytest.fixture(scope="module")
def spoken(studio, folder):
    """A reel whose sound is converted, and its output."""
    path = write_reel(folder / "spoken.mkv", FRAMES, audio=["pcm_u8"], heard=narration(0.4))
    out = folder / "spoken.mp4"
    assert all(f.right for f in studio.color(path, out).findings.values())
    return path, out


OTHERS = {
    "a little softer": (narration(0.39), set()),
    "softer": (narration(0.24), {"audio 1 (pcm_u8)"}),
    "silence": (lambda seconds: 0 * seconds, {"audio 1 (pcm_u8)"}),
    "music": (lambda seconds: 0.4 * np.sin(seconds * 700) * (seconds % 0.5 < 0.2), {"audio 1 (pcm_u8)"}),
}


@pytest.mark.parametrize("what", OTHERS)
def test_converted_sound_of_another_film_is_found(spoken, folder, what):
    """Packets say nothing of sound that was converted: how loud it is all along does."""
    heard, wanted = OTHERS[what]
    other = write_reel(folder / f"{what}.mkv", FRAMES, audio=["pcm_u8"], heard=heard)
    assert failing(other, spoken[1]) == wanted


@pytest.mark.parametrize(("late", "wanted"), [(0, set()), (20, set()), (200, {"sync"}), (20_000, {"sync"})])
def test_converted_sound_may_move_a_little(spoken, folder, late, wanted):
    """Some milliseconds are a codec's lead-in; what a person hears is out of step."""
    moved = doctored(
        spoken[1], folder / f"{late}.mp4", time=lambda kind, _: late if kind == "audio" else 0, muxer="mp4"
    )  # fmt: skip
    assert {what for what in failing(spoken[0], moved) if what in ("sync", "audio 1 (pcm_u8)")} == wanted
