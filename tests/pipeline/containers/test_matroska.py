"""The display size written into finished Matroska files."""

import contextlib
import errno
import zlib
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from unittest import mock

import av
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError, StorageError
from pipeline.containers import matroska
from pipeline.containers.ebml import parse
from pipeline.values.ebml import CRC_32
from pipeline.values.hdr import NO_HDR

FRAMES = 4
SARS = [Fraction(16, 15), Fraction(12, 11), Fraction(64, 45), Fraction(1, 2), Fraction(2, 1), Fraction(1)]
SIZES = [
    ("ffv1", "yuv420p", 720, 576),
    ("ffv1", "gray16le", 853, 479),
    ("prores_ks", "yuv422p10le", 720, 480),
]


def mux(path, codec="ffv1", pix_fmt="yuv420p", width=64, height=48, title="", container_title=""):
    """A short reel: sound first, then the picture, and an attachment."""
    with av.open(path, "w", format="matroska") as out:
        out.metadata["title"] = container_title
        sound = out.add_stream("flac", rate=48000, layout="mono")
        sound.metadata["title"] = "Ton"
        video = out.add_stream(codec, rate=24)
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        video.metadata["title"] = matroska.reserve(title)
        out.add_attachment("card.json", "application/json", bytes(100_000))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48000
        for packet in [*sound.encode(silence), *sound.encode(None)]:
            out.mux(packet)
        for index in range(FRAMES):
            frame = av.VideoFrame(width, height, pix_fmt)
            for plane in frame.planes:
                plane.update(bytes([40 + index]) * plane.buffer_size)
            frame.pts = index
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def look(path):
    """What PyAV reads back: the SAR, the video's title, how many frames decode, the bytes of their planes."""
    with av.open(path) as file:
        stream = file.streams.video[0]
        frames = [b"".join(bytes(p) for p in f.planes) for f in file.decode(stream)]
        return stream.sample_aspect_ratio, stream.metadata.get("title"), len(frames), frames


@pytest.fixture(scope="module")
def muxed(tmp_path_factory):
    path = tmp_path_factory.mktemp("mkv") / "reel.mkv"
    mux(path, width=853, height=479)
    return path.read_bytes()


@pytest.mark.parametrize("sar", SARS, ids=str)
@pytest.mark.parametrize(("codec", "pix_fmt", "width", "height"), SIZES, ids=["ffv1", "ffv1-odd", "prores"])
def test_the_aspect_ratio_is_read_back_exactly(tmp_path, codec, pix_fmt, width, height, sar):
    """FFmpeg reads exactly the SAR that was written, and every frame decodes to what it was."""
    path = tmp_path / "reel.mkv"
    mux(path, codec, pix_fmt, width, height)
    *_, before = look(path)
    size = path.stat().st_size
    matroska.set_display_size(path, sar)
    assert look(path) == (sar, None, FRAMES, before)
    assert path.stat().st_size == size


TERMS = st.one_of(st.integers(1, 300), st.integers(1, 2**31 - 1))


@given(num=TERMS, den=TERMS)
@example(num=2**31 - 1, den=1)
@example(num=1, den=2**31 - 1)
@example(num=2**31 - 1, den=2**31 - 2)
def test_any_ratio_ffmpeg_can_hold_is_exact(muxed, num, den):
    """No SAR is rounded, also where a whole number of display pixels would round it."""
    sar = Fraction(num, den)
    file = BytesIO(muxed)
    tracks = matroska.find_tracks(file)
    new = matroska._with_picture(muxed[tracks.body : tracks.stop], sar, NO_HDR)
    with av.open(BytesIO(muxed[: tracks.body] + new + muxed[tracks.stop :])) as reread:
        assert reread.streams.video[0].sample_aspect_ratio == sar


@given(width=st.integers(1, 65535), height=st.integers(1, 65535), num=TERMS, den=TERMS)
def test_display_size_means_the_ratio(width, height, num, den):
    """height·DisplayWidth / (width·DisplayHeight) is the SAR, and a size in pixels never shrinks a side."""
    sar = Fraction(num, den)
    wide, high, unit = matroska.display_size(width, height, sar)
    assert Fraction(height * wide, width * high) == sar
    assert unit == matroska.UNIT_ASPECT_RATIO or (wide >= width and high >= height)


def test_whole_pixels_are_preferred():
    """A size that is whole in pixels is written in pixels, as FFmpeg's own muxer would."""
    assert matroska.display_size(720, 576, Fraction(16, 15)) == (768, 576, matroska.UNIT_PIXELS)
    assert matroska.display_size(720, 576, Fraction(1, 2)) == (720, 1152, matroska.UNIT_PIXELS)
    assert matroska.display_size(853, 480, Fraction(16, 15)) == (853, 450, matroska.UNIT_ASPECT_RATIO)


@pytest.mark.parametrize("title", ["", "Bild", "Ärchiv, 映画 🎞", "~", matroska.PLACEHOLDER, "x" * 300])
def test_the_title_comes_back(tmp_path, title):
    """The stream's own title survives, whatever it is, and other tracks keep theirs."""
    path = tmp_path / "reel.mkv"
    mux(path, title=title)
    matroska.set_display_size(path, Fraction(64, 45))
    sar, found, count, _ = look(path)
    assert (sar, found or "", count) == (Fraction(64, 45), title, FRAMES)
    with av.open(path) as file:
        assert [s.metadata.get("title") for s in file.streams.audio] == ["Ton"]
        assert [s.name for s in file.streams.attachments] == ["card.json"]


def test_tracks_are_found_far_into_the_file(tmp_path):
    """A header longer than any read-ahead before Tracks does no harm."""
    path = tmp_path / "reel.mkv"
    mux(path, container_title="long " * 20_000)
    with path.open("rb") as file:
        assert matroska.find_tracks(file).start > 1 << 16
    matroska.set_display_size(path, Fraction(12, 11))
    assert look(path)[0] == Fraction(12, 11)


def test_the_checksum_is_right(tmp_path):
    """The CRC-32 of Tracks covers what was written: FFmpeg checks it only when asked, others always do."""
    path = tmp_path / "reel.mkv"
    mux(path)
    matroska.set_display_size(path, Fraction(16, 15))
    with path.open("rb") as file:
        tracks = matroska.find_tracks(file)
        file.seek(tracks.body)
        data = file.read(tracks.stop - tracks.body)
    first = parse(data)[0]
    assert first.kind == CRC_32
    assert data[first.body : first.stop] == zlib.crc32(data[first.stop :]).to_bytes(4, "little")


def broken(name, data):
    """A file that is not laid out as expected, made from one that is."""
    at = data.index(matroska.PLACEHOLDER.encode())
    match name:
        case "empty":
            return b""
        case "text":
            return b"not a film at all " * 20
        case "cut":
            return data[: at + 10]
        case "no-room":
            return data.replace(matroska.PLACEHOLDER.encode(), b"x" * len(matroska.PLACEHOLDER))
        case "zeroed":
            return data[: at - 20] + bytes(200) + data[at + 180 :]
        case "sound":
            return data.replace(b"\xe0\x8c", b"\xe1\x8c")  # a TrackEntry without Video


@pytest.mark.parametrize("name", ["empty", "text", "cut", "no-room", "zeroed", "sound"])
def test_another_layout_is_an_error_and_the_file_stays(tmp_path, muxed, name):
    """A file that is not as expected is refused in one line and not changed by a byte."""
    path = tmp_path / "odd.mkv"
    path.write_bytes(broken(name, muxed))
    with pytest.raises(JoinError) as caught:
        matroska.set_display_size(path, Fraction(16, 15))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == broken(name, muxed)


def test_a_missing_file_is_an_error(tmp_path):
    """A path that is not there is an error of the disk, not a traceback."""
    with pytest.raises(StorageError):
        matroska.set_display_size(Path(tmp_path / "none.mkv"), Fraction(16, 15))


def test_a_second_time_is_refused(tmp_path):
    """The room is used up by the first time: a second call says so instead of guessing."""
    path = tmp_path / "reel.mkv"
    mux(path)
    matroska.set_display_size(path, Fraction(16, 15))
    with pytest.raises(JoinError, match="0 tracks keep room"):
        matroska.set_display_size(path, Fraction(16, 15))


@pytest.mark.parametrize("bits", range(0x80))
def test_damage_never_escapes_as_another_error(muxed, bits):
    """Whichever byte of Tracks is damaged: a rewritten header, or a ValueError that becomes JoinError."""
    tracks = matroska.find_tracks(BytesIO(muxed))
    data = bytearray(muxed[tracks.body : tracks.stop])
    data[bits * 7919 % len(data)] ^= 1 << bits % 8
    with contextlib.suppress(ValueError):
        assert len(matroska._with_picture(bytes(data), Fraction(16, 15), NO_HDR)) == len(data)


def test_a_disk_that_fails_is_no_fault_of_the_layout(tmp_path, muxed):
    """What the disk says is an error of the disk, which another mux would meet again."""
    path = tmp_path / "reel.mkv"
    path.write_bytes(muxed)
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        mock.patch("pipeline.containers.matroska.read", side_effect=full),
        pytest.raises(StorageError, match="No space left on device; fix this"),
    ):
        matroska.set_display_size(path, Fraction(16, 15))
