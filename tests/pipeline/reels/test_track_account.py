"""Packets of tracks beside the picture, of pieces and sequences: they add up, or an output is not called verified."""

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.jobs.reel_proof import verify_reel
from pipeline.reels.account import FINE, HIDDEN, OUTSIDE, REFUSED, SOURCE, UNDECODED, check_track, of_pictures
from pipeline.storage.job_folder import sidecar_of
from tests.synthetic import write_reel

COUNT = st.integers(0, 99)


@given(COUNT, st.dictionaries(st.sampled_from([HIDDEN, OUTSIDE, REFUSED, UNDECODED]), COUNT), st.integers(-3, 3))
def test_any_account_of_a_track_adds_up_or_is_told(written, left, missing):
    """It holds only if every packet is in the output or is left out for a reason that is no loss."""
    total = max(0, written + sum(left.values()) + missing)
    found = check_track("audio 1 (mp3)", {SOURCE: total, **left}, written)
    short = total - written - sum(left.values())
    assert found.holds == (not short and not any(n for why, n in left.items() if why not in FINE))
    assert found.detail.startswith(f"{total} in the source: {written} are in the output")
    assert ("missing" in found.detail) == (short > 0)
    assert not check_track("audio 1 (mp3)", {SOURCE: 3}, 3, ["reading stopped there"]).holds


def accounts(done):
    """What is said of the packets of a run's tracks."""
    return {name: finding for name, finding in done.findings.items() if name.startswith("packets")}


def test_tracks_of_a_whole_reel_add_up(studio, tmp_path):
    """Copied, converted and cut anew; the proof made anew says the same."""
    source = write_reel(tmp_path / "a.mkv", 24, audio=["flac", "pcm_s16le"], subtitles=1)
    for suffix in (".mkv", ".mp4"):
        done = studio.color(source, tmp_path / f"out{suffix}")
        found = accounts(done)
        assert len(found) == (4 if suffix == ".mkv" else 3 + ("packets of subtitle 3 (subrip)" in found))
        assert all(finding.right for finding in found.values())
        again = {f.what: f.detail for f in verify_reel(str(source), tmp_path / f"out{suffix}")}
        assert all(again[name] == finding.detail for name, finding in found.items())


def test_a_piece_adds_up(studio, tmp_path):
    """Packets outside of it are told as such, of the sound; of the picture those inside are counted."""
    source, out = write_reel(tmp_path / "a.mkv", 48, audio=["flac"]), tmp_path / "out.mkv"
    done = studio.color(source, out, start="0.5", stop="1.5")
    found = accounts(done)
    assert found["packets"].detail == "24 in the source: 24 gave a frame"
    assert "outside the piece" in found["packets of audio 1 (flac)"].detail
    assert all(finding.right for finding in found.values())
    again = {f.what: f for f in verify_reel(str(source), out)}
    assert all(again[name].detail == finding.detail for name, finding in found.items())


def spoiled(source, target, kind, numbers):
    """A copy in which some packets of a track are no such packets any more."""
    data = source.read_bytes()
    with av.open(str(source)) as container:
        packets = [bytes(p) for p in container.demux(container.streams.get({kind: 0})[0]) if p.size]
    for number in numbers:
        assert data.count(packets[number]) == 1
        data = data.replace(packets[number], b"\x55" * len(packets[number]))
    target.write_bytes(data)
    return target


def test_sound_that_does_not_decode_is_told(studio, tmp_path):
    """Packets of converted sound that nobody hears: how many; the word is not "verified"."""
    whole = write_reel(tmp_path / "whole.mkv", 48, audio=["flac"])
    source, out = spoiled(whole, tmp_path / "a.mkv", "audio", [3, 4]), tmp_path / "out.webm"
    done = studio.color(source, out)
    found = accounts(done)["packets of audio 1 (flac)"]
    assert not found.holds
    assert "2 cannot be decoded" in found.detail
    again = {f.what: f for f in verify_reel(str(source), out)}[found.what]
    assert again.named
    assert again.detail == found.detail


def test_a_damaged_piece_is_told(studio, tmp_path):
    """Packets in it that do not decode, and not those outside of it."""
    whole = write_reel(tmp_path / "whole.mkv", 48, codec="mjpeg", pix_fmt="yuvj420p")
    source = spoiled(whole, tmp_path / "a.mkv", "video", [3, 20])
    done = studio.color(source, tmp_path / "out.mkv", start="0.5", stop="1.5")
    assert accounts(done)["packets"].detail == "24 in the source: 23 gave a frame, 1 cannot be decoded"
    again = {f.what: f for f in verify_reel(str(source), tmp_path / "out.mkv")}["packets"]
    assert again.named


@pytest.mark.parametrize(("count", "bad", "counts"), [
    (3, 0, {"packets": 3, "frames": 3}), (3, 1, {"packets": 3, "frames": 2, "failed": 1}),
])  # fmt: skip
def test_pictures_of_a_sequence_are_counted(count, bad, counts):
    """Each is a packet; one that cannot be read gave no frame."""
    assert of_pictures(count, bad) == counts


def test_a_refused_packet_is_no_verified_output(studio, tmp_path):
    """What a container refused is declared at its track, and the account says it too."""
    source, out = write_reel(tmp_path / "a.mkv", 24, audio=["flac"]), tmp_path / "out.mkv"
    studio.color(source, out)
    side = sidecar_of(out)
    text = side.read_text()
    assert '"rejected": 0' in text
    side.write_text(text.replace('"rejected": 0', '"rejected": 2'))
    found = {f.what: f for f in verify_reel(str(source), out)}["packets of audio 1 (flac)"]
    assert not found.holds
    assert found.named
    assert "2 refused by the container" in found.detail
