"""What became of each packet of a picture: packets and frames add up, or that is said."""

import struct
from fractions import Fraction
from types import SimpleNamespace

import av
import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.jobs.reel_proof import verify_reel
from pipeline.reels.account import Account, check_account
from pipeline.reels.plan import Plan
from tests.elements import chunk
from tests.endtoend import color
from tests.synthetic import write_reel


class Packet(SimpleNamespace):
    """A packet as an account looks at it."""

    def __bytes__(self):
        return self.data


def packet(pts, data=b"\x10", hidden=False):
    """A packet of a byte."""
    return Packet(pts=pts, size=len(data), is_discard=hidden, data=data)


@given(
    st.lists(st.tuples(st.integers(0, 9) | st.none(), st.sampled_from(["frame", "hidden", "failed", "none", "extra"])))
)
def test_any_account_adds_up(events):
    """Whatever comes of whatever packets, in whatever order, the counts are those of the packets."""
    account = Account()
    for pts, what in events:
        if what != "extra":
            account.read(packet(pts, hidden=what == "hidden"), "h264")
        if what == "failed":
            account.refused(packet(pts))
        if what in ("frame", "extra"):
            account.gave([SimpleNamespace(pts=pts)])
    counts = account.counts()
    parts = ("frames", "hidden", "unseen", "failed", "before", "silent")
    assert sum(counts.get(name, 0) for name in parts) == counts.get("packets", 0) + counts.get("extra", 0)
    for finding in check_account(counts):
        assert finding.holds == (not any(counts.get(name) for name in ("failed", "before", "silent", "extra")))


def test_each_kind_is_told():
    """In words, and with what is not as it should be the finding does not hold."""
    account = Account()
    for number in range(3):
        account.read(packet(number), "vp8")
    account.read(packet(3, b"\x01"), "vp8")
    account.read(packet(4, hidden=True), "vp8")
    account.read(packet(5), "vp8")
    account.refused(packet(5))
    account.read(packet(None, b""), "vp8")
    account.gave([SimpleNamespace(pts=1)])
    [finding] = check_account(account.counts())
    assert not finding.holds
    assert finding.detail == (
        "6 in the source: 1 gave a frame, 1 hidden by an edit list, 1 not to be shown, as they say themselves, "
        "1 cannot be decoded, 1 need a picture that is not in the file, 1 gave no frame"
    )


def test_an_edit_list_hides_pictures_and_nothing_is_damaged(studio, tmp_path):
    """How many it hides is said; the output is verified."""
    source = write_reel(tmp_path / "a.mp4", 24, codec="libx264", options={"bf": "0"}, time_base=Fraction(1, 24000))
    data = source.read_bytes()
    at = data.index(b"elst") + 12
    duration, media = struct.unpack_from(">Ii", data, at)
    source.write_bytes(data[:at] + struct.pack(">Ii", duration // 2, media + 12 * 1000) + data[at + 8 :])
    done = studio.color(source, tmp_path / "out.mkv")
    assert done.plan.account == {"packets": 24, "frames": 12, "hidden": 12}
    assert "an edit list hides 12 of 24 pictures; they are not in the output" in done.plan.notes
    assert not any("header" in note for note in done.plan.notes)
    assert done.findings["packets"].holds
    assert done.lost == ()


def leading(path, tmp_path):
    """An MPEG-2 film that begins at its second open group of pictures, as a cut recording does."""
    whole = write_reel(
        tmp_path / "whole.mkv", 30, codec="mpeg2video", options={"bf": "2", "g": "12", "sc_threshold": "1000000000"}
    )
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        stream, keys = out.add_stream_from_template(source.streams.video[0]), 0
        for part in source.demux(source.streams.video[0]):
            keys += part.is_keyframe
            if keys >= 2 and part.size:
                part.stream = stream
                out.mux(part)
    return path


def test_pictures_that_need_one_before_the_file_are_told(studio, tmp_path):
    """A file that begins within a group of pictures: how many give no frame is said, and the word is not "verified"."""
    source = leading(tmp_path / "a.mkv", tmp_path)
    done = studio.color(source, tmp_path / "out.mkv")
    assert done.plan.account["before"] == 2
    assert any("2 need a picture that is not in the file" in text for text in done.lost)
    [again] = [f for f in verify_reel(str(source), tmp_path / "out.mkv") if f.what == "packets"]
    assert again.named
    assert again.detail == done.findings["packets"].detail


def avi(pictures):
    """An AVI of JPEG pictures, some of them empty."""
    count = len(pictures)
    head = chunk(b"avih", struct.pack("<14I", 40000, 0, 0, 16, count, 0, 1, 0, 64, 48, 0, 0, 0, 0))
    strh = b"vidsMJPG" + struct.pack("<I2H8I4H", 0, 0, 0, 0, 1, 25, 0, count, 0, 0xFFFFFFFF, 0, 0, 0, 64, 48)
    strf = struct.pack("<IiiHH4sIiiII", 40, 64, 48, 1, 24, b"MJPG", 9216, 0, 0, 0, 0)
    strl = chunk(b"LIST", b"strl" + chunk(b"strh", strh) + chunk(b"strf", strf))
    movie, index = b"", b""
    for picture in pictures:
        index += b"00dc" + struct.pack("<3I", 16, 4 + len(movie), len(picture))
        movie += chunk(b"00dc", picture)
    lists = chunk(b"LIST", b"hdrl" + head + strl) + chunk(b"LIST", b"movi" + movie)
    return chunk(b"RIFF", b"AVI " + lists + chunk(b"idx1", index))


def test_empty_chunks_of_an_avi_are_told(studio, tmp_path):
    """Each stands for the picture before it, shown longer: no frame failed."""
    pictures = [bytes(imagecodecs.jpeg_encode(np.full((48, 64), 20 * n + 30, "u1"))) for n in range(8)]
    pictures[3:5] = b"", b""
    (tmp_path / "a.avi").write_bytes(avi(pictures))
    done = studio.color(tmp_path / "a.avi", tmp_path / "out.mkv")
    assert done.plan.account == {"packets": 6, "frames": 6, "empty": 2}
    assert "2 empty chunks: there the picture before is shown longer" in done.plan.notes
    assert not any("header" in note for note in done.plan.notes)
    assert done.lost == ()


def test_a_picture_that_begins_after_the_sound_is_not_short(studio, tmp_path):
    """A file lasts from its first track's beginning: that the picture is shorter is no sign of damage."""
    source = write_reel(
        tmp_path / "a.mkv",
        24,
        codec="ffv1",
        audio=1,
        time_base=Fraction(1, 1000),
        pts=[5000 + 42 * n for n in range(24)],
    )
    done = studio.color(source, tmp_path / "out.mkv")
    assert not any("header" in note for note in done.plan.notes)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_the_last_frame_is_shown_as_long_as_it_says(studio, tmp_path, suffix):
    """Slides of 5, 3 and 10 seconds last 18, as their source does; nothing is called short."""
    times = {"time_base": Fraction(1, 1000), "pts": [0, 5000, 8000]}
    slides = write_reel(tmp_path / "slides.mp4", 3, codec="libx264", options={"bf": "0"}, **times)
    source, out = tmp_path / "a.mp4", tmp_path / f"out{suffix}"
    with av.open(str(slides)) as read, av.open(str(source), "w") as made:
        stream = made.add_stream_from_template(read.streams.video[0])
        packets = [p for p in read.demux(read.streams.video[0]) if p.size]
        packets[-1].duration = round(10 / packets[-1].time_base)
        for part in packets:
            part.stream = stream
            made.mux(part)
    done = studio.color(source, out)
    with av.open(str(out)) as container:
        assert abs(container.duration - 18_000_000) < 50_000
    assert not any("header" in note for note in done.plan.notes)
    assert all(finding.right for finding in verify_reel(str(source), out))


def mixed(path, tmp_path):
    """Four progressive frames, then seven interlaced ones; between them is one that gives none."""
    parts = [
        write_reel(tmp_path / "p.mkv", 5, codec="mpeg2video", options={"bf": "0"}),
        write_reel(tmp_path / "i.mkv", 7, codec="mpeg2video", options={"bf": "0"}, interlaced="tff"),
    ]
    with av.open(str(parts[0])) as first, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(first.streams.video[0])
        for part, after in zip(parts, (0, 5000), strict=True):
            with av.open(str(part)) as read:
                for found in read.demux(video=0):
                    if found.size:
                        found.pts, found.dts, found.stream = found.pts + after, found.dts + after, stream
                        out.mux(found)
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_fields_of_a_mixed_reel_are_each_frames_own(studio, tmp_path, suffix):
    """FFV1 and H.264 say it of each frame, as its source does, and the container of none; where one word is for all of
    them, that is named."""
    source, out = mixed(tmp_path / "a.mkv", tmp_path), tmp_path / f"out{suffix}"
    done = studio.color(source, out)
    assert "frames of several kinds are in it: 4 progressive, 7 tff" in done.plan.notes
    assert done.plan.fields == ((0, "progressive"), (4, "tff"))
    assert Plan.from_json(done.plan.to_json()).fields == done.plan.fields
    for runs in ([[1, "tff"]], [[0, "tff"], [11, "bff"]], [[0, "tff"], [0, "bff"]], [[0, "both"]]):
        with pytest.raises(ValueError, match="fields"):
            Plan.from_json({**done.plan.to_json(), "fields": runs})
    found = done.findings["fields of frames"]
    assert found.holds == (suffix != ".mov")
    with av.open(str(out)) as container:
        words = [frame.interlaced_frame for frame in container.decode(video=0)]
    assert (words == [False] * 4 + [True] * 7) == (suffix != ".mov")
    again = {f.what: f for f in verify_reel(str(source), out)}["fields of frames"]
    assert again.detail == found.detail
    assert again.right


@pytest.mark.parametrize("length", [1, 3])
def test_fields_are_the_same_for_any_cut(studio, tmp_path, length):
    """Segments that are progressive all through are coded as the others are, or they would not join."""
    source, out = mixed(tmp_path / "a.mkv", tmp_path), tmp_path / "out.mp4"
    done = color(source, out, studio.weights, segment_frames=length)
    assert next(f for f in done.findings if f.what == "fields of frames").holds
    with av.open(str(out)) as container:
        assert [frame.interlaced_frame for frame in container.decode(video=0)] == [False] * 4 + [True] * 7


def test_a_piece_of_a_mixed_reel_has_its_frames_fields(studio, tmp_path):
    """Those of the piece; where all have the same there is nothing to tell."""
    source = mixed(tmp_path / "a.mkv", tmp_path)
    done = studio.color(source, tmp_path / "out.mkv", start="0.12")
    assert done.plan.fields == ((0, "progressive"), (1, "tff"))
    assert done.findings["fields of frames"].holds
    done = studio.color(source, tmp_path / "same.mkv", stop="0.1")
    assert done.plan.fields == ()
    assert "fields of frames" not in done.findings


def trimmed(data, seconds):
    """An MP4 whose edit lists begin each track so much later."""
    at = data.find(b"elst")
    while at >= 0:
        scale = struct.unpack_from(">I", data, data.index(b"mdhd", at) + 16)[0]
        duration, media = struct.unpack_from(">Ii", data, at + 12)
        data = data[: at + 12] + struct.pack(">Ii", duration // 2, media + int(seconds * scale)) + data[at + 20 :]
        at = data.find(b"elst", at + 4)
    return data


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_sound_that_an_edit_list_hides_is_not_heard(studio, tmp_path, suffix):
    """In a container without such lists hidden packets are left out, but for the one that a decoder begins with."""
    whole = write_reel(tmp_path / "whole.mp4", 48, codec="libx264", options={"bf": "0"}, audio=["aac"])
    source, out = tmp_path / "a.mp4", tmp_path / f"out{suffix}"
    source.write_bytes(trimmed(whole.read_bytes(), 1))
    done = studio.color(source, out)
    assert done.plan.account["hidden"] == 24
    with av.open(str(out)) as container:
        assert abs(container.duration - 1_000_000) < 200_000
    with av.open(str(out)) as container:
        assert next(container.decode(video=0)).time < 0.2
    detail = done.findings["audio 1 (aac)"].detail
    assert ("that it hides are left out" in detail) == (suffix == ".mkv")
    assert "an edit list hides" in detail
    assert all(finding.right for finding in verify_reel(str(source), out))
