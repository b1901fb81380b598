"""The verifier itself: it passes what is right, and fails for each thing that can go wrong."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from colorizer.basis.errors import SourceError
from pipeline.containers.containers import QUICKTIME
from pipeline.containers.profiles import PROFILES
from pipeline.reels.decode import Reader
from pipeline.reels.fidelity import Shown, check, decoded, planned, psnr
from pipeline.reels.frames import luma_digest
from pipeline.reels.reel import probe
from pipeline.reels.target import target_for
from pipeline.reels.tracks import decide
from tests.synthetic import frame_of, stamped, write_reel

FRAMES = 12
SMALL = [name for name in PROFILES if name != "dnxhr"]
"""Profiles that take the small pictures here."""
FACTS = {
    "sar": Fraction(16, 15), "timecode": "01:00:00:00", "chapters": 2, "interlaced": "tff", "rotation": 90,
    "metadata": {"title": "Harvest"}, "colors": (6, 6, 6), "audio": ["flac"], "subtitles": 1, "attachment": b"card",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fidelity")


@pytest.fixture(scope="module")
def source(folder):
    return write_reel(folder / "source.mkv", FRAMES, **FACTS)


def failing(source, out, profile="archive", declared="ask", piece=False):
    """Names of the checks that do not hold, and are no declared losses."""
    reel = probe(str(source))
    if declared == "ask":
        with av.open(str(source)) as container:
            declared = decide(container, reel, PROFILES[profile].containers[0])
    findings = check(reel, out, profile, decoded(reel), declared, piece)
    return {f.what for f in findings if not f.right}


def forge(folder, name, frames=FRAMES, **changes):
    """What a faulty program might have made of the source."""
    return write_reel(folder / f"{name}.mkv", frames, **{**FACTS, **changes})


@pytest.fixture(scope="module")
def outputs(studio, source, folder):
    """The source, honestly colored, in every profile."""
    return {p: studio.color(source, folder / f"{p}{PROFILES[p].suffix}", profile=p) for p in SMALL}


@pytest.mark.parametrize("profile", SMALL)
def test_an_honest_output_passes(source, folder, outputs, profile):
    """Nothing is reported about a file that is right, with the plan's digests and with the frames decoded anew."""
    out = folder / f"{profile}{PROFILES[profile].suffix}"
    assert failing(source, out, profile) == set()
    reel = probe(str(source))
    if profile == "archive":
        assert all(f.right for f in check(reel, out, profile, planned(outputs[profile].plan), None, False))


def test_the_source_passes_for_itself(source, folder):
    """A copy of the source has its luma: the check is about luma and facts, not about color."""
    assert failing(source, forge(folder, "copy")) == set()


def recoded(source, target, edit):
    """The source decoded and encoded again, each luma plane through `edit`."""
    reel = probe(str(source))
    with Reader(reel) as reader, av.open(str(target), "w", format="matroska") as out:
        stream = out.add_stream("ffv1", rate=reel.rate)
        stream.width, stream.height, stream.pix_fmt = reel.width, reel.height, reel.pix_fmt
        stream.codec_context.color_range = 1
        for frame in reader:
            picture = frame_of(edit(frame.index, frame.luma), reel.pix_fmt, reel.coding.bits)
            picture.pts = frame.index
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return target


@pytest.mark.parametrize(("frame", "row", "column"), [(0, 0, 0), (7, 23, 31), (FRAMES - 1, 47, 63)])
def test_one_changed_sample_fails(folder, frame, row, column):
    """One code of one sample of one frame."""
    plain = write_reel(folder / "plain.mkv", FRAMES)

    def edit(index, luma):
        if index == frame:
            luma[row, column] ^= 1
        return luma

    assert failing(plain, recoded(plain, folder / "same.mkv", lambda _, luma: luma)) == set()
    assert failing(plain, recoded(plain, folder / "sample.mkv", edit)) == {"luma"}


ORDER = list(range(FRAMES))
SPOILED = {
    "dropped": ([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11], {"frames", "luma", "times"}),
    "dropped at the end": (ORDER[:-1], {"frames", "luma", "times"}),
    "dropped at the start": (ORDER[1:], {"frames", "luma", "times"}),
    "doubled": ([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11], {"frames", "luma", "times"}),
    "doubled for another": ([0, 1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11], {"luma"}),
    "swapped": ([0, 1, 2, 4, 3, 5, 6, 7, 8, 9, 10, 11], {"luma"}),
    "reversed": (ORDER[::-1], {"luma"}),
}


@pytest.mark.parametrize("how", SPOILED)
def test_frames_out_of_place_fail(source, folder, how):
    """A frame dropped, doubled or swapped is named by the check that sees it."""
    frames, wanted = SPOILED[how]
    found = failing(source, forge(folder, how.replace(" ", "-"), frames))
    assert wanted <= found
    tracks = {"audio 1 (flac)", "subtitle 2 (srt)"}  # as long as their picture
    assert found <= wanted | tracks | {f"packets of {track}" for track in tracks} | {"chapters"}


@pytest.mark.parametrize("profile", ["mezzanine", "access"])
@pytest.mark.parametrize("how", ["swapped", "doubled for another", "reversed"])
def test_frames_out_of_place_fail_in_lossy_formats(folder, how, profile):
    """Where bits differ anyway, a wrong picture is still far below the profile's floor."""
    plain = write_reel(folder / "lossless.avi", FRAMES)
    suffix = PROFILES[profile].suffix
    how_coded = {"pix_fmt": "yuv422p10le"} if suffix == ".mov" else {"options": {"crf": "10"}}
    good = write_reel(folder / f"good{suffix}", FRAMES, **how_coded)
    if suffix == ".mp4":  # the same depth, so that the synthetic reel can play the output
        assert failing(plain, good, profile) == set()
        assert "luma" in failing(plain, write_reel(folder / f"{how}{suffix}", SPOILED[how][0], **how_coded), profile)
    else:
        spoiled = write_reel(folder / f"{how}{suffix}", SPOILED[how][0], **how_coded)
        assert "luma" not in failing(plain, good, profile)
        assert "luma" in failing(plain, spoiled, profile)


def test_times_that_shift_fail(source, folder):
    """One frame a few milliseconds late, or a steady drift."""
    base = Fraction(1, 1000)
    even = [round(i * 1000 / 24) for i in range(FRAMES)]
    late = [t + 5 * (i == 6) for i, t in enumerate(even)]
    drift = [round(t * 1.01) for t in even]
    assert failing(source, forge(folder, "even", time_base=base, pts=even)) == set()
    assert "times" in failing(source, forge(folder, "late", time_base=base, pts=late))
    assert "times" in failing(source, forge(folder, "drift", time_base=base, pts=drift))


def remuxed(source, target, keep, late=0):
    """A copy packet by packet; keep(kind, number, packet) says which. late: milliseconds added to the picture."""
    with av.open(str(source)) as a, av.open(str(target), "w", format="matroska") as b:
        b.metadata.update(a.metadata)
        b.set_chapters(a.chapters())
        streams, counts = {}, {}
        for stream in a.streams:
            streams[stream.index] = b.add_stream_from_template(stream)
            streams[stream.index].metadata.update(stream.metadata)
        for packet in a.demux():
            if packet.size:
                index = packet.stream.index
                counts[index] = counts.get(index, -1) + 1
                if packet.stream.type == "video":
                    packet.pts, packet.dts = packet.pts + late, packet.dts + late
                if keep(packet.stream.type, counts[index], packet):
                    packet.stream = streams[index]
                    b.mux(packet)
    return target


PLAIN = {k: v for k, v in FACTS.items() if k in ("audio", "subtitles", "metadata", "chapters")}


@pytest.mark.parametrize("number", [0, 2])
def test_a_missing_packet_of_sound_fails(folder, number):
    """One packet of sound less."""
    source = write_reel(folder / "sounded.mkv", FRAMES, **PLAIN)
    whole = remuxed(source, folder / "kept.mkv", lambda *_: True)
    assert failing(source, whole) == set()
    less = remuxed(source, folder / "less.mkv", lambda kind, n, _: kind != "audio" or n != number)
    assert failing(source, less) - {"sync"} == {"audio 1 (flac)", "packets of audio 1 (flac)"}


def test_sound_out_of_step_fails(folder):
    """The whole picture late against its tracks, be it by a hundredth of a second: copied packets keep their times."""
    source = write_reel(folder / "stepped.mkv", FRAMES, **PLAIN)
    assert failing(source, remuxed(source, folder / "level.mkv", lambda *_: True)) == set()
    assert failing(source, remuxed(source, folder / "near.mkv", lambda *_: True, late=10)) == {"sync"}
    assert failing(source, remuxed(source, folder / "behind.mkv", lambda *_: True, late=80)) == {"sync"}


def test_a_missing_line_of_text_fails(folder):
    """One subtitle less."""
    source = write_reel(folder / "worded.mkv", FRAMES + 12, **PLAIN)
    less = remuxed(source, folder / "wordless.mkv", lambda kind, n, _: kind != "subtitle" or n != 1)
    assert failing(source, less) == {"subtitle 2 (srt)", "packets of subtitle 2 (srt)"}


CHANGES = {
    "sample aspect": {"sar": Fraction(1)},
    "rotation": {"rotation": 270},
    "fields": {"interlaced": "bff"},
    "time code": {"timecode": "02:00:00:00"},
    "color primaries": {"colors": (1, 6, 6)},
    "color transfer": {"colors": (6, 1, 6)},
    "color matrix": {"colors": (6, 6, 1)},
    "metadata": {"metadata": {}},
    "tracks": {"audio": 0},
    "size": {"size": (80, 48)},
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_fact_fails(source, folder, what):
    """Each fact on its own is noticed under its own name."""
    found = failing(source, forge(folder, what.replace(" ", "-"), **CHANGES[what]))
    assert what in found
    assert found <= {what, "luma"} if what == "size" else found == {what}


def test_lost_chapters_fail(source, folder):
    """Chapters that are gone."""
    assert failing(source, forge(folder, "bookless", chapters=0)) == {"chapters"}


def test_a_lost_track_must_be_declared(studio, source, folder, outputs):
    """In QuickTime the text track and the card are lost: fine when the sidecar says so, not in silence."""
    out = folder / "mezzanine.mov"
    assert failing(source, out, "mezzanine") == set()
    with av.open(str(source)) as container:
        fates = decide(container, probe(str(source)), QUICKTIME)
    assert failing(source, out, "mezzanine", declared=None) == {f.loss for f in fates if f.loss} != set()
    silent = [f for f in fates if f.kind != "subtitle"]
    assert failing(source, out, "mezzanine", declared=silent) == {"all tracks"}
    lying = [replace(f, how="copied", why="") if f.kind == "subtitle" else f for f in fates]
    assert "tracks" in failing(source, out, "mezzanine", declared=lying)


def test_a_damaged_output_fails(source, folder, outputs):
    """An output cut short, or not there at all."""
    data = (folder / "archive.mkv").read_bytes()
    cut = folder / "cut.mkv"
    cut.write_bytes(data[: len(data) * 7 // 10])
    assert {"frames", "luma"} <= failing(source, cut)
    flipped = bytearray(data)
    with av.open(str(folder / "archive.mkv")) as container:
        packet = [bytes(p) for p in container.demux(video=0) if p.size][5]
    flipped[data.find(packet) + len(packet) // 2] ^= 0xFF
    cut.write_bytes(flipped)
    assert "luma" in failing(source, cut) or "decodes cleanly" in failing(source, cut)
    with pytest.raises(SourceError, match="no such file"):
        failing(source, folder / "nothing.mkv")
    cut.write_bytes(b"")
    with pytest.raises(SourceError, match="empty"):
        failing(source, cut)


def test_psnr_is_decibels():
    """No error is 200; one code everywhere is 20 log10 of the range; another shape is nothing at all."""
    reel = replace(probe_free(), width=64)
    target = target_for(reel, PROFILES["access"])
    luma = stamped(0)
    assert psnr(target, luma, luma) == 200
    assert psnr(target, luma, luma + 1) == pytest.approx(20 * np.log10(219), abs=1e-3)
    assert psnr(target, luma, luma[1:]) == 0


def probe_free():
    from tests.plans import BASE

    return BASE


def test_shown_frames_of_a_piece(folder):
    """decoded() yields exactly the frames between two times, with their digests and luma."""
    source = write_reel(folder / "piece.mkv", FRAMES)
    shown = list(decoded(probe(str(source)), "0.125", "0.25"))
    assert [s.digest for s in shown] == [luma_digest(stamped(i)) for i in (3, 4, 5)]
    assert all(np.array_equal(s.luma, stamped(i)) for i, s in enumerate(shown, 3))
    assert isinstance(shown[0], Shown)
