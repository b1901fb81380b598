"""Extent: a header's promise is bounded by what its file has room for, and a sound file's is believed."""

from fractions import Fraction

import av
import pytest

from pipeline.reels import extent
from pipeline.reels.extent import Extent, extent_of
from pipeline.reels.reel import probe
from tests.synthetic import write_reel

FRAMES = 60


@pytest.fixture(scope="module")
def reels(tmp_path_factory):
    """A reel with sound by suffix."""
    folder = tmp_path_factory.mktemp("extent")
    return {s: write_reel(folder / f"reel{s}", FRAMES, audio=1) for s in (".mkv", ".mov", ".avi", ".ts", ".mp4")}


def part(path, share, to):
    """The first share of a file's bytes."""
    content = path.read_bytes()
    to.write_bytes(content[: int(len(content) * share)])
    return to


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".avi", ".ts", ".mp4"])
@pytest.mark.parametrize("sample", [extent.SAMPLE, 20_000])
def test_a_sound_file_is_believed(reels, suffix, sample, monkeypatch):
    """As many frames as the header says, whether a file is read whole or only begun."""
    monkeypatch.setattr(extent, "SAMPLE", sample)
    found = extent_of(probe(str(reels[suffix])))
    assert (found.frames, found.promised, found.doubtful) == (FRAMES, FRAMES, False)


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
@pytest.mark.parametrize("share", [0.25, 0.5])
@pytest.mark.parametrize("sample", [extent.SAMPLE, 20_000])
def test_a_cut_file_is_not_believed(reels, suffix, share, sample, tmp_path, monkeypatch):
    """What its header promises still is bounded by the packets that are left: about so many, never fewer."""
    monkeypatch.setattr(extent, "SAMPLE", sample)
    found = extent_of(probe(str(part(reels[suffix], share, tmp_path / f"cut{suffix}"))))
    assert share * FRAMES - 1 <= found.frames <= share * FRAMES * 1.3
    assert (found.promised, found.doubtful) == (FRAMES, True)


def test_an_index_that_points_beyond_the_end(reels, tmp_path):
    """A QuickTime file whose index stands first, cut within its pictures: what the index still reaches counts."""
    first = tmp_path / "first.mov"
    with av.open(str(reels[".mov"])) as source, av.open(str(first), "w", options={"movflags": "faststart"}) as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    found = extent_of(probe(str(part(first, 0.5, tmp_path / "cut.mov"))))
    assert FRAMES * 0.4 <= found.frames <= FRAMES * 0.5
    assert found.doubtful


def test_a_count_has_an_end(reels, tmp_path, monkeypatch):
    """Of a large file that is not believed so much is counted, and the rest by its size."""
    monkeypatch.setattr(extent, "SAMPLE", 20_000)
    monkeypatch.setattr(extent, "COUNTED", 30_000)
    cut = part(reels[".mkv"], 0.25, tmp_path / "cut.mkv")
    found = extent_of(probe(str(cut)))
    assert FRAMES * 0.25 - 1 <= found.frames <= FRAMES * 0.35
    assert found.doubtful


@pytest.mark.parametrize("sample", [extent.SAMPLE, 20_000])
@pytest.mark.parametrize(("codec", "muxer"), [("mpeg2video", "mpeg2video"), ("libx264", "h264"), ("mjpeg", "mjpeg")])
def test_a_header_that_promises_nothing(tmp_path, monkeypatch, sample, codec, muxer):
    """Pictures without a container, as of .m2v and .h264: their packets are counted, or scaled from the first ones; it
    was one frame, in less than a minute."""
    monkeypatch.setattr(extent, "SAMPLE", sample)
    film = write_reel(tmp_path / "film.mkv", FRAMES, codec=codec, pix_fmt="yuvj420p" if codec == "mjpeg" else "yuv420p")
    bare = tmp_path / "film.bare"
    with av.open(str(film)) as source, av.open(str(bare), "w", format=muxer) as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    found = extent_of(probe(str(bare)))
    assert FRAMES * 0.9 <= found.frames <= FRAMES * (1.3 if sample < extent.SAMPLE else 1)
    assert not found.doubtful


def test_film_in_television_is_no_doubt():
    """Frames that are shown longer than others are fewer than the rate promises."""
    assert not Extent(48, 60, Fraction(2)).doubtful
    assert Extent(9000, 92_610_000, Fraction(3_704_400)).doubtful
