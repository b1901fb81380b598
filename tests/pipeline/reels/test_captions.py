"""Closed captions and active format description of a source's frames are in its output."""

import hashlib
import json
import shutil
import subprocess
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError
from pipeline.containers.profiles import PROFILES
from pipeline.containers.scenarist import placed, read
from pipeline.containers.sei import CAPTIONS, DIGITAL, FORMAT_DESCRIPTION, SECOND_FIELD, with_h264, with_h265
from pipeline.reels.beside import aside_of
from pipeline.reels.captions import check_captions, parted, scenarist_of
from pipeline.storage.job_folder import captions_of, sidecar_of
from tests.captioned import spoken, write_captioned
from tests.endtoend import MEDIA, color, pictures, verify

FAULTS = MEDIA / "faults"
FRAMES = 36
TEXTS = {2: "Hello", 16: "again"}
LENGTHS = (2, 3, 96)


def held(path):
    """What each frame carries, by FFmpeg's decoders."""
    return [dict(aside_of(frame).held) for frame in pictures(path)]


def subcc(path, tmp_path):
    """What FFmpeg's own filter of captions makes of a picture: subtitles as text, without times."""
    out = tmp_path / "words.srt"
    words = ["ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i", f"movie={path}[out+subcc]", "-map", "0:s", out]
    subprocess.run(words, check=True, capture_output=True)
    return [line for line in out.read_text().splitlines() if "font" in line]


@pytest.mark.parametrize("profile", ["access", "hevc"])
@pytest.mark.parametrize("suffix", [".vob", ".ts"])
def test_frames_carry_what_the_source_had(studio, tmp_path, profile, suffix):
    """Byte for byte of each frame, both fields, empty pairs and format descriptions; ffprobe and MediaInfo see them."""
    source = write_captioned(tmp_path / f"in{suffix}", spoken(TEXTS, FRAMES, second=True), {0: 8, 7: 10})
    out = tmp_path / "out.mp4"
    lost = color(source, out, studio.weights, profile=profile).lost
    assert all(loss.startswith("time code of each group") for loss in lost), lost
    assert held(out) == held(source)
    assert [dict(h)[FORMAT_DESCRIPTION][0] for h in held(out) if FORMAT_DESCRIPTION in h] == [8, 10]
    code, said = verify(source, out)
    assert code == 0, said
    assert f"in {FRAMES} frames" in next(line for line in said.splitlines() if "closed captions  " in line)
    if shutil.which("ffmpeg"):
        assert [line for line in subcc(out, tmp_path) if "Hello" in line]
    if shutil.which("mediainfo") and profile == "access":  # version 23 does not look for them in H.265
        told = subprocess.run(["mediainfo", out], capture_output=True, text=True, check=True).stdout
        assert "CC1" in told
        assert "CC3" in told


def test_the_same_bytes_for_any_cut(studio, tmp_path):
    """Segments of 2, of 3 and of all frames carry the same captions, and the text is the same to the byte."""
    source, texts, carried = write_captioned(tmp_path / "in.ts", spoken(TEXTS, FRAMES)), set(), []
    for length in LENGTHS:
        out = tmp_path / f"out-{length}.mp4"
        color(source, out, studio.weights, segment_frames=length)
        texts.add(captions_of(out).read_bytes())
        carried.append(held(out))
    assert len(texts) == 1
    assert all(each == held(source) for each in carried)
    again = tmp_path / "again" / "out-2.mp4"
    again.parent.mkdir()
    color(source, again, studio.weights, segment_frames=2)
    assert again.read_bytes() == (tmp_path / "out-2.mp4").read_bytes()


def test_another_films_captions_are_painted_anew(studio, tmp_path):
    """In one folder, of one picture: other captions are other packets."""
    out, folder = tmp_path / "out.mp4", tmp_path / "job"
    for text in ("Hello", "Other"):
        source = write_captioned(tmp_path / "in.ts", spoken({2: text}, FRAMES))
        color(source, out, studio.weights, folder=folder, overwrite=True)
        assert held(out) == held(source)
        assert verify(source, out)[0] == 0


@pytest.mark.parametrize("profile", [p.name for p in PROFILES.values() if p.codec.carry is None and p.name != "dnxhr"])
def test_every_output_has_them_as_text(studio, tmp_path, profile):
    """Codecs that cannot carry them: OUT.scc, which FFmpeg reads; what is of no first field is named as lost."""
    captions = [c + b"\xfe\x01\x22" * (i == 5) for i, c in enumerate(spoken(TEXTS, FRAMES, second=True))]
    source, out = write_captioned(tmp_path / "in.vob", captions), tmp_path / f"out{PROFILES[profile].suffix}"
    lost = color(source, out, studio.weights, profile=profile).lost
    kinds = [loss.partition(" (")[0] for loss in lost]
    assert (CAPTIONS in kinds, SECOND_FIELD in kinds, DIGITAL in kinds) == (False, True, True)
    assert all(
        "written into H.264 (profile access) and H.265 (profile hevc) alone" in loss
        for loss in lost
        if "captions" in loss
    )
    side, story = captions_of(out), json.loads(sidecar_of(out).read_text())
    assert story["beside"] == {side.name: hashlib.sha256(side.read_bytes()).hexdigest()}
    code, said = verify(source, out)
    assert code == 0, said
    assert "closed captions as text" in said
    if shutil.which("ffmpeg"):
        words = ["ffmpeg", "-v", "error", "-i", side, "-f", "srt", "-"]
        told = subprocess.run(words, capture_output=True, check=True, text=True).stdout
        assert "Hello" in told
        assert "00:00:00,363 -->" in told, "frame 11 of 29.97 a second"


def test_a_piece_has_its_own_captions(studio, tmp_path):
    """From its first frame on, as the picture."""
    source, out = write_captioned(tmp_path / "in.ts", spoken(TEXTS, FRAMES)), tmp_path / "out.mkv"
    color(source, out, studio.weights, start="00:00:00:10", stop="00:00:01:00")
    pairs = read(captions_of(out).read_text())
    assert [p.slot for p in pairs][-3:] == [14, 15, 16]
    assert b"".join(p.data for p in pairs).endswith(bytes.fromhex("942f942f"))
    assert verify(source, out)[0] == 0


def test_verify_reads_the_text_again(studio, tmp_path):
    """A changed letter, a missing file: both fail."""
    source, out = write_captioned(tmp_path / "in.ts", spoken(TEXTS, FRAMES)), tmp_path / "out.mkv"
    color(source, out, studio.weights)
    side = captions_of(out)
    whole = side.read_text()
    for text in (whole.replace("942f", "942c", 1), "no captions", ""):
        side.write_text(text)
        assert verify(source, out)[0] == 1
    side.unlink()
    code, said = verify(source, out)
    assert (code, "0 in out.mkv.scc" in said) == (1, True)


def test_what_a_person_has_there_stays(studio, tmp_path):
    """A file of captions that no run made is not replaced; one of ours is removed when its film has none any more."""
    source, out = write_captioned(tmp_path / "in.ts", spoken(TEXTS, FRAMES)), tmp_path / "out.mkv"
    side = captions_of(out)
    side.write_text("mine")
    with pytest.raises(ColorizeError, match=r"out\.mkv\.scc: exists and is not this program's"):
        color(source, out, studio.weights)
    assert (side.read_text(), out.exists()) == ("mine", False)
    color(source, out, studio.weights, overwrite=True)
    assert side.read_text().startswith("Scenarist")
    color(source, out, studio.weights, working_size=48, overwrite=True)
    write_captioned(source, [b""] * FRAMES)
    color(source, out, studio.weights, overwrite=True)
    assert not side.exists()
    assert not [p for p in tmp_path.iterdir() if "part" in p.name]


def test_empty_captions_are_no_loss(studio, tmp_path):
    """Pairs that say nothing need no file; where the codec can, they are carried all the same."""
    source, out = write_captioned(tmp_path / "in.ts", spoken({}, 12)), tmp_path / "out.mkv"
    assert not [loss for loss in color(source, out, studio.weights).lost if "caption" in loss]
    assert not captions_of(out).exists()
    assert verify(source, out)[0] == 0


@pytest.mark.media
@pytest.mark.skipif(not FAULTS.exists(), reason=f"no media at {FAULTS}")
def test_a_real_films_captions(studio, tmp_path):
    """A recording of television: paint-on captions, in the picture and as text."""
    source, out = FAULTS / "mpeg2_with_eia608_captions_GA94.vob", tmp_path / "out.mp4"
    color(source, out, studio.weights)
    assert held(out) == held(source)
    words = b"".join(p.data for p in read(captions_of(out).read_text()))
    assert bytes(b & 127 for b in words[12:-4]) == b"FAULTS OF FILM"
    assert verify(source, out)[0] == 0


TRIPLETS = st.lists(st.tuples(st.integers(0xF8, 0xFF), st.binary(min_size=2, max_size=2)), max_size=70)


@given(TRIPLETS)
def test_messages_hold_any_captions(triplets):
    """Up to 31 triplets a message, more in several; nothing looks like a start code; the picture follows untouched."""
    data = b"".join(bytes([word]) + pair for word, pair in triplets)
    for make in (with_h264, with_h265):
        made = make(b"\0\0\1\x65picture", {CAPTIONS: data, FORMAT_DESCRIPTION: b"\x08"})
        assert made.endswith(b"\0\0\1\x65picture")
        unit = made[4 : -len(b"\0\0\1\x65picture")]
        assert not [i for i in range(len(unit) - 2) if unit[i : i + 2] == b"\0\0" and unit[i + 2] < 3]


@given(TRIPLETS, st.integers(1, 4))
def test_text_has_all_pairs_of_the_first_field(triplets, frames):
    """In order, without those that say nothing; a frame's others are told."""
    data = b"".join(bytes([word]) + pair for word, pair in triplets)
    first, others = parted(data)
    wanted = [p for word, p in triplets if word in (0xFC,) and any(b & 127 for b in p)]
    assert first == b"".join(wanted)
    assert (DIGITAL in others) == any(word in (0xFE, 0xFF) for word, _ in triplets)
    captions = tuple((i, first.hex()) for i in range(frames)) if first else ()
    pts = tuple(range(0, 3003 * frames, 3003))
    text = scenarist_of(captions, pts, Fraction(1, 90000))
    assert all(f.holds for f in check_captions(captions, pts, Fraction(1, 90000), text, frames, "a.scc"))
    assert placed([]) == []


def test_packets_without_start_codes_are_refused():
    """Another encoder's output would be spoilt."""
    with pytest.raises(ValueError, match="start codes"):
        with_h264(b"\0\0\0\x09", {CAPTIONS: b"\xfc\x94\x20"})


def test_stamped_source_is_as_said(tmp_path):
    """The helper's own: FFmpeg finds in it what was put there."""
    captions = spoken(TEXTS, FRAMES)
    source = write_captioned(tmp_path / "in.ts", captions)
    assert [h[CAPTIONS] for h in held(source)] == captions
    with av.open(str(source)) as file:
        assert file.streams.video[0].codec_context.name == "mpeg2video"
