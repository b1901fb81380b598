"""Facts of reels: what probe writes down, and what it refuses."""

import contextlib
import errno
import json
import os
import re
import struct
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import EncodeError, SourceError, UnreadableSource, UnsupportedSource
from colorizer.color.coding import Coding
from colorizer.painting.geometry import Geometry
from pipeline.containers.containers import container_of
from pipeline.containers.profiles import PROFILES
from pipeline.reels.fields import UNFLAGGED
from pipeline.reels.limits import check_limits
from pipeline.reels.reel import (
    ASSUMED_RATE,
    MAX_PIXELS,
    Reel,
    frames_of,
    open_source,
    packets_of,
    probe,
    sequence_numbers,
)
from tests.plans import BASE
from tests.synthetic import SEQUENCES, write_reel, write_sequence


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reels")


@pytest.fixture(scope="module")
def full(folder):
    """A QuickTime reel with everything in it."""
    return probe(
        str(
            write_reel(
                folder / "full.mov",
                frames=12,
                size=(72, 56),
                pix_fmt="yuv422p10le",
                rate=Fraction(25),
                time_base=Fraction(1, 600),
                interlaced="bff",
                sar=Fraction(16, 15),
                rotation=90,
                audio=["pcm_s16le", "aac"],
                subtitles=1,
                chapters=2,
                timecode="10:00:00:00",
                colors=(5, 6, 5),
            )
        )
    )


def test_the_facts_of_a_reel(full):
    """Size, depth, aspect, rate, fields, rotation, time code and tags are what was written."""
    assert (full.format, full.codec, full.width, full.height) == ("mov,mp4,m4a,3gp,3g2,mj2", "prores", 72, 56)
    assert (full.pix_fmt, full.aspect, full.rate) == ("yuv422p10le", Fraction(16, 15), 25)
    assert (Fraction(1, 600) / full.time_base).denominator == 1  # QuickTime refines a coarse clock
    assert (full.fields, full.rotation, full.timecode) == ("bff", 90, "10:00:00:00")
    assert full.tags[1:] == (5, 6, 5)
    assert full.coding == Coding(10, False, "bt601", "bt470bg")
    assert full.header_frames == 12
    assert abs(full.header_seconds - Fraction(12, 25)) < Fraction(1, 100)
    assert not full.is_sequence
    assert full.geometry == Geometry(16 / 15, 90)
    assert full.layout.bits == 10


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_rotation_is_read(folder, suffix, rotation):
    """A display matrix comes back as counter-clockwise degrees from 0 to 270."""
    path = write_reel(folder / f"turned{rotation}{suffix}", frames=2, rotation=rotation, codec="libx264")
    assert probe(str(path)).rotation == rotation


@pytest.mark.parametrize("fields", ["tff", "bff"])
@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "ffv1"), (".mov", "prores_ks"), (".mp4", "libx264")])
def test_the_field_shown_first_is_read(folder, suffix, codec, fields):
    """Interlaced reels say which field comes first, in every container; others are progressive."""
    pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    path = write_reel(folder / f"{fields}{suffix}", frames=2, pix_fmt=pix_fmt, interlaced=fields)
    assert probe(str(path)).fields == fields
    path = write_reel(folder / f"progressive{suffix}", frames=2, pix_fmt=pix_fmt)
    assert probe(str(path)).fields == "progressive"


@pytest.mark.parametrize("fields", ["tff", "bff"])
def test_an_order_of_fields_without_the_flag(folder, fields):
    """As mkvmerge leaves it: the order is believed, and that it is assumed is said. A picture that is flagged as
    progressive is so."""
    whole = write_reel(folder / f"whole-{fields}.mkv", 2, pix_fmt="yuv422p", codec="rawvideo", interlaced=fields)
    data = whole.read_bytes()
    assert data.count(FLAGGED) == 1
    path = folder / f"merged-{fields}.mkv"
    path.write_bytes(data.replace(FLAGGED, b"\xec\x81\x01"))  # Void, of the same length
    reel = probe(str(path))
    assert (reel.fields, reel.guessed[-1]) == (fields, UNFLAGGED[fields])
    path.write_bytes(data.replace(FLAGGED, b"\x9a\x81\x02"))
    assert probe(str(path)).fields == "progressive"
    assert UNFLAGGED[fields] not in probe(str(path)).guessed


@pytest.mark.parametrize("sar", [Fraction(1), Fraction(16, 15), Fraction(8, 9), Fraction(64, 45)], ids=str)
@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_the_shape_of_samples_is_read(folder, suffix, sar):
    """The sample aspect ratio is read exactly; an absurd one is taken for square, and said so."""
    assert probe(str(write_reel(folder / f"sar{suffix}", frames=2, codec="libx264", sar=sar))).aspect == sar


def test_an_absurd_aspect_is_not_believed(folder):
    """A sample 100 times as wide as high is damage in a header."""
    reel = probe(str(write_reel(folder / "absurd.mkv", frames=2, sar=Fraction(100))))
    assert reel.aspect == 1
    assert "square samples" in reel.guessed


FLAGGED = b"\x9a\x81\x01"
"""Matroska's FlagInterlaced, as FFmpeg writes it."""

CODINGS = [
    ("yuv420p", (48, 64), (2, 2, 2), None, Coding(8, False, "bt601", "smpte170m"), 2),
    ("yuv420p", (720, 576), (2, 2, 2), None, Coding(8, False, "bt601", "smpte170m"), 2),
    ("yuv420p", (720, 578), (2, 2, 2), None, Coding(8, False, "bt709", "bt709"), 2),
    ("yuv420p", (1280, 720), (2, 2, 2), None, Coding(8, False, "bt709", "bt709"), 2),
    ("yuv420p", (48, 64), (1, 1, 1), None, Coding(8, False, "bt709", "bt709"), 0),
    ("yuv420p", (48, 64), (9, 14, 9), 2, Coding(8, True, "bt2020", "bt2020"), 0),
    ("yuv420p10le", (48, 64), (6, 6, 6), 1, Coding(10, False, "bt601", "smpte170m"), 0),
    ("gray", (48, 64), (2, 2, 2), None, Coding(8, True, "bt601", "smpte170m"), 2),
    ("gray", (48, 64), (2, 2, 2), 1, Coding(8, False, "bt601", "smpte170m"), 2),
    ("gray12le", (48, 64), (2, 2, 2), None, Coding(12, True, "bt601", "smpte170m"), 2),
    ("gbrp12le", (48, 64), (2, 2, 2), None, Coding(12, True, "bt601", "smpte170m"), 2),
]


@pytest.mark.parametrize(("pix_fmt", "size", "colors", "tag", "coding", "guesses"), CODINGS)
def test_color_tags_are_read_and_guesses_are_named(folder, pix_fmt, size, colors, tag, coding, guesses):
    """Range, matrix and primaries follow the file's tags; what it leaves open is guessed by size and written down."""
    path = write_reel(folder / "tags.mkv", frames=1, size=size, pix_fmt=pix_fmt, colors=colors, color_range=tag)
    reel = probe(str(path))
    assert reel.coding == coding
    assert len(reel.guessed) == guesses


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize(
    ("colors", "coding"),
    [((1, 1, 1), Coding(10, False, "bt709", "bt709")), ((9, 14, 9), Coding(10, False, "bt2020", "bt2020"))],
)
def test_the_container_speaks_where_the_picture_is_silent(folder, suffix, colors, coding):
    """QuickTime's `colr` atom and Matroska's Colour element count where ProRes itself leaves the colors open."""
    path = write_reel(folder / f"silent{suffix}", 2, codec="prores_ks", colors=colors, silent=True)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (2, 2, 2)
    reel = probe(str(path))
    assert (reel.tags, reel.coding, reel.guessed) == ((1, *colors), coding, ())
    spoken = probe(str(write_reel(folder / f"spoken{suffix}", 2, codec="prores_ks", colors=colors)))
    assert (reel.tags, reel.coding) == (spoken.tags, spoken.coding)


def test_an_untagged_range_is_a_guess(folder):
    """A file that does not say its range is taken as limited, and the guess is named."""
    reel = probe(str(write_reel(folder / "untagged.avi", frames=2)))
    assert not reel.coding.full_range
    assert "limited range" in reel.guessed


@pytest.mark.parametrize("kind", SEQUENCES, ids=lambda k: f"{k[0]}{k[1]}")
@pytest.mark.parametrize("upper", [False, True], ids=["lower", "UPPER"])
def test_sequences_are_reels(tmp_path, kind, upper):
    """Numbered pictures of every kind, from any first number, in either case of suffix."""
    suffix = kind[0].upper() if upper else kind[0]
    pattern = write_sequence(tmp_path, suffix, kind[1], frames=4, first=86400)
    reel = probe(pattern, Fraction(18))
    assert (reel.first, reel.count, reel.header_frames) == (86400, 4, 4)
    assert (reel.rate, reel.is_sequence, reel.coding.full_range) == (18, True, True)
    assert reel.coding.bits == kind[1]
    assert probe(pattern).rate == 24


def test_holes_are_named(tmp_path):
    """A missing picture is an error that lists the numbers, never a silent end."""
    pattern = write_sequence(tmp_path, "png", 8, holes=(3, 5), frames=8)
    with pytest.raises(SourceError, match="missing: 3, 5\\."):
        probe(pattern)
    pattern = write_sequence(tmp_path / "many", "png", 8, holes=range(2, 40), frames=42)
    with pytest.raises(SourceError, match="and 26 more"):
        probe(pattern)


BAD_PATTERNS = ["frame_%6d.png", "%04d_%04d.png", "%d%d.png", "f%%04d.png", "100%.png"]


@pytest.mark.parametrize("name", BAD_PATTERNS)
def test_a_pattern_is_one_number(tmp_path, name):
    """Anything but one number in the file's name is refused with an example."""
    with pytest.raises(SourceError, match=r"frames/%06d\.dpx"):
        sequence_numbers(str(tmp_path / name))


def test_sequences_of_other_kinds_are_refused(tmp_path):
    """A suffix that is not a sequence's names those that are."""
    with pytest.raises(UnsupportedSource, match=r"\.dpx, \.tif, \.tiff, \.png"):
        sequence_numbers(str(tmp_path / "a%04d.webp"))
    with pytest.raises(SourceError, match="no picture has such a name"):
        sequence_numbers(str(tmp_path / "a%04d.png"))
    with pytest.raises(SourceError, match="no such file"):
        sequence_numbers(str(tmp_path / "gone" / "a%04d.png"))


def test_numbers_outgrow_their_padding(tmp_path):
    """%04d goes on to 10000 as printf does; 00012 is another file's name."""
    for number in (9998, 9999, 10000):
        (tmp_path / f"a{number:04d}.png").touch()
    (tmp_path / "a00012.png").touch()
    (tmp_path / "b0001.png").touch()
    assert sequence_numbers(str(tmp_path / "a%04d.png")) == (9998, 3)


@settings(max_examples=20)
@given(first=st.integers(0, 120), count=st.integers(1, 40), data=st.data())
def test_sequence_numbers_finds_exactly_the_holes(tmp_path_factory, first, count, data):
    """For any numbers on disk: first and count if they run without a hole, else an error."""
    numbers = set(data.draw(st.sets(st.integers(first, first + count), min_size=1)))
    folder = tmp_path_factory.mktemp("holes")
    for number in numbers:
        (folder / f"{number:03d}.tif").touch()
    if len(numbers) == max(numbers) - min(numbers) + 1:
        assert sequence_numbers(str(folder / "%03d.tif")) == (min(numbers), len(numbers))
    else:
        with pytest.raises(SourceError, match="holes"):
            sequence_numbers(str(folder / "%03d.tif"))


def refused(path, words, error=SourceError):
    with pytest.raises(error, match=words) as caught:
        probe(str(path))
    assert str(path) in str(caught.value)


def test_what_is_no_reel_is_refused_in_words(tmp_path, folder):
    """Empty, text, folder, missing and truncated files: one sentence each that names the file."""
    (tmp_path / "empty.mkv").touch()
    refused(tmp_path / "empty.mkv", "empty")
    (tmp_path / "text.mov").write_text("These are my holiday films.\n" * 50)
    refused(tmp_path / "text.mov", "not a video file|not one frame|too small|no moving picture")
    refused(tmp_path, "folder")
    refused(tmp_path / "missing.mkv", "no such file")
    (tmp_path / "noise.mp4").write_bytes(os.urandom(20000))
    refused(tmp_path / "noise.mp4", "not a video file|not one frame|no moving picture|cannot be read")
    whole = write_reel(folder / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "cut.mp4", "not a video file")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "ffv1"), ("a.wmv", "mpeg4"), ("a.gxf", "mpeg2video"), ("a.ts", "mpeg2video")]
)
def test_a_file_that_is_cut_short_is_called_that(tmp_path, name, codec):
    """FFmpeg says of some "Input/output error", "Operation not permitted" or "End of file"; the disk is well, and so
    are the permissions. None of them is tried again as a disk that failed would be."""
    size = {"size": (720, 576)} if codec == "mpeg2video" else {}
    whole = write_reel(tmp_path / name, 3, codec=codec, pix_fmt="gray" if codec == "ffv1" else "yuv420p", **size)
    data = whole.read_bytes()
    for length in (1, 10, 33, 100, 300, 700, 1500, 3000):
        (cut := tmp_path / f"cut{length}{whole.suffix}").write_bytes(data[:length])
        with contextlib.suppress(SourceError):
            probe(str(cut))
            continue
        with pytest.raises(SourceError, match=r"cut short|holds no picture|no moving picture") as caught:
            probe(str(cut))
        assert not isinstance(caught.value, UnreadableSource)
        assert not re.search("Input/output|permission|End of file", str(caught.value))


def test_what_takes_too_much_memory_is_not_called_damaged(tmp_path, monkeypatch):
    """Nor encrypted, and its frames do not count as damaged: a machine with more memory can color it."""
    path = write_reel(tmp_path / "a.mkv", frames=3)

    def no_room(packet):
        raise av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("pipeline.reels.reel.packets_of", lambda *_: [SimpleNamespace(decode=lambda: no_room(None))])
    refused(path, "more memory than there is")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile '{}'\n", "a list of files for ffmpeg"),
        ("list.mkv", "\ufeffffconcat version 1.0\nfile '{}'\n", "a list of files|not a video file"),
        ("play.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", "a playlist"),
        ("play.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", "a playlist"),
        (
            "net.mov",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
            "a stream",
        ),
    ],
)
def test_a_file_by_which_others_would_be_read_is_refused(tmp_path, folder, name, text, words):
    """The file whose digest stands in the sidecar is the film that is colored: a list of films is none, whatever it is
    called."""
    write_reel(tmp_path / "real.mkv", frames=2)
    (tmp_path / name).write_text(text.format("real.mkv"))
    refused(tmp_path / name, words)


def test_a_still_whose_name_looks_like_a_pattern_is_itself(tmp_path):
    """a%03d.png is read, not a001.png beside it."""
    import imagecodecs

    for name, value in (("a%03d.png", 10), ("a001.png", 200), ("a%03d.jpg", 10), ("a001.jpg", 200)):
        gray = np.full((48, 64), value, np.uint8)
        coded = imagecodecs.png_encode(gray) if name.endswith("png") else imagecodecs.jpeg8_encode(gray)
        (tmp_path / name).write_bytes(coded)
    for name in ("a%03d.png", "a%03d.jpg"):
        with open_source(str(tmp_path / name)) as source:
            frame = next(source.decode(video=0))
            assert abs(int(frame.to_ndarray(format="gray")[0, 0]) - 10) < 3


def test_a_file_without_permission_is_refused(tmp_path):
    """Where the system says no, so do we (root may read everything)."""
    path = write_reel(tmp_path / "mine.mkv", frames=1)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    refused(path, "permissions")


def test_sound_alone_is_refused(tmp_path):
    """A file without a moving picture is not a reel, even when it holds a cover picture."""
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=1000)
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    refused(path, "sound only", UnsupportedSource)


def test_a_cover_picture_is_not_the_reel(tmp_path):
    """An attached cover is skipped, the film behind it is found."""
    source = write_reel(tmp_path / "film.mp4", frames=4)
    cover = write_reel(tmp_path / "cover.mkv", frames=1, size=(32, 32), codec="mjpeg", pix_fmt="yuvj420p")
    path = tmp_path / "covered.mp4"
    with av.open(str(source)) as film, av.open(str(cover)) as picture, av.open(str(path), "w") as out:
        first = out.add_stream_from_template(picture.streams.video[0])
        first.disposition = av.stream.Disposition.attached_pic
        second = out.add_stream_from_template(film.streams.video[0])
        for container, stream in ((picture, first), (film, second)):
            for packet in container.demux():
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    reel = probe(str(path))
    assert (reel.codec, reel.width) == ("h264", 64)


def test_a_huge_claim_is_refused_before_memory_is_spent(tmp_path):
    """A header that claims more than MAX_PIXELS is damaged or hostile."""
    path = write_reel(tmp_path / "huge.avi", frames=1, codec="rawvideo")
    data = bytearray(path.read_bytes())
    for size in (struct.pack("<II", 64, 48), struct.pack("<ii", 64, 48)):
        at = data.find(size)
        while at >= 0:
            data[at : at + 8] = struct.pack("<II", 30000, 20000)
            at = data.find(size, at + 8)
    path.write_bytes(data)
    assert MAX_PIXELS < 30000 * 20000
    refused(path, "30000 x 20000|not a video file|not one frame")


def test_tiny_pictures_and_float_formats_are_refused(tmp_path):
    """Below 8 x 8 there is nothing to see; float pictures must be converted first."""
    assert probe(str(write_reel(tmp_path / "small.mkv", frames=1, size=(8, 8)))).width == 8
    path = tmp_path / "tiny.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 6, 30, "gray"
        for packet in [*stream.encode(av.VideoFrame(6, 30, "gray")), *stream.encode(None)]:
            out.mux(packet)
    refused(path, "too small", UnsupportedSource)


def test_a_picture_without_frames_is_refused(tmp_path):
    """A header with no picture behind it is said to hold none."""
    path = tmp_path / "bare.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        out.start_encoding()
    refused(path, "not one frame|not a video file|no moving picture|End of file")


class Torn:
    """A container of four packets that cannot be read past the third; the second does not decode."""

    format = SimpleNamespace(flags=0)

    def demux(self, streams):
        for number in range(3):
            yield SimpleNamespace(number=number, decode=lambda number=number: self.decode(number))
        raise av.error.InvalidDataError(1, "torn")

    def decode(self, number):
        if number == 1:
            raise av.error.InvalidDataError(1, "scratched")
        return [f"{number}a", f"{number}b"]


def test_what_comes_before_a_tear_counts():
    """Reading that fails ends the packets and is told; a packet that fails is left out and told. Neither raises."""
    told = []
    assert [p.number for p in packets_of(Torn(), None, told.append)] == [0, 1, 2]
    assert [e.strerror for e in told] == ["torn"]
    assert list(frames_of(Torn(), None, told.append)) == ["0a", "0b", "2a", "2b"]
    assert [e.strerror for e in told] == ["torn", "scratched", "torn"]
    assert len(list(packets_of(Torn(), None))) == 3


def test_what_goes_wrong_with_a_packet_is_its_readers_business():
    """An error of whoever takes the packets is not mistaken for damage."""

    def read():
        for packet in packets_of(Torn(), None):
            packet.decode()

    with pytest.raises(av.error.InvalidDataError, match="scratched"):
        read()


@pytest.mark.parametrize(
    ("rate", "base", "step"),
    [(24, Fraction(1, 24000), 1000), (Fraction(24000, 1001), Fraction(1, 1000), 42), (1000, Fraction(1, 10), 1)],
)
def test_a_step_is_a_frame_in_ticks(rate, base, step):
    """Rounded, and never nothing: times must rise."""
    assert replace(BASE, rate=Fraction(rate), time_base=base).step == step


def test_a_reel_survives_json(full, tmp_path):
    """from_json of to_json is the same reel, through real JSON text."""
    for reel in (full, probe(write_sequence(tmp_path, "dpx", 10, frames=2, first=5))):
        assert Reel.from_json(json.loads(json.dumps(reel.to_json()))) == reel


positive = st.fractions(min_value=Fraction(1, 10000), max_value=1000)


@settings(max_examples=30)
@given(
    st.tuples(positive, positive, positive, positive), st.text(max_size=8),
    st.lists(st.text(max_size=4)), st.integers(0, 3),
)  # fmt: skip
def test_any_reel_survives_json(fractions, text, guessed, number):
    """Fractions stay fractions, tuples stay tuples."""
    aspect, rate, base, length = fractions
    coding, tags = Coding(), (0, 1, 2, number)
    reel = Reel(
        text, text, number, text, 64, 48, "gray", coding, tuple(guessed), tags, aspect, rate, base, "tff",
        90 * number, text, number, length, number, number,
    )  # fmt: skip
    assert Reel.from_json(json.loads(json.dumps(reel.to_json()))) == reel


def test_a_fast_camera_is_believed(tmp_path):
    """2,400 pictures a second are its rate; a file that counts milliseconds would show two at one time."""
    reel = probe(str(write_reel(tmp_path / "fast.mov", 4, codec="mpeg4", rate=Fraction(2400))))
    assert (reel.rate, ASSUMED_RATE in reel.guessed) == (2400, False)
    for suffix, profile in ((".mkv", "archive"), (".webm", "av1"), (".mkv", "hevc")):
        with pytest.raises(EncodeError, match=r"count milliseconds.*\.(mov|mp4)"):
            check_limits(tmp_path / f"out{suffix}", reel, PROFILES[profile], container_of(tmp_path / f"out{suffix}"))
    check_limits(tmp_path / "out.mov", reel, PROFILES["mezzanine"], container_of(tmp_path / "out.mov"))
