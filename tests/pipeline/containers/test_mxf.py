"""The aspect ratio of MXF files."""

from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError
from pipeline.containers.mxf import set_aspect_ratio


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A small DNxHR file of square samples."""
    path = tmp_path_factory.mktemp("mxf") / "plain.mxf"
    with av.open(str(path), "w", format="mxf", container_options={"fflags": "bitexact"}) as out:
        stream = out.add_stream("dnxhd", rate=25, options={"profile": "dnxhr_hq"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv422p"
        for number in range(3):
            frame = av.VideoFrame(320, 240, "yuv422p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@given(sar=st.fractions(Fraction(1, 4), 4, max_denominator=50))
def test_any_ratio_comes_back(plain, tmp_path_factory, sar):
    """Readers get the ratio; nothing moves, and beside its eight bytes nothing changes."""
    path = tmp_path_factory.mktemp("made") / "a.mxf"
    path.write_bytes(plain.read_bytes())
    set_aspect_ratio(path, sar)
    with av.open(str(path)) as made:
        assert made.streams.video[0].sample_aspect_ratio == sar
        assert sum(1 for _ in made.decode(video=0)) == 3
    assert sum(a != b for a, b in zip(plain.read_bytes(), path.read_bytes(), strict=True)) <= 8


@pytest.mark.parametrize("data", [b"", b"no MXF at all, but long enough for a key", bytes.fromhex("060e2b3402530101")])
def test_what_is_no_mxf_is_left_alone(tmp_path, data):
    """An error in words, the file untouched."""
    path = tmp_path / "a.mxf"
    path.write_bytes(data)
    with pytest.raises(JoinError, match="cannot write aspect ratio 16/15"):
        set_aspect_ratio(path, Fraction(16, 15))
    assert path.read_bytes() == data


def test_a_cut_header_is_left_alone(plain, tmp_path):
    """A file that ends within its header has no picture to describe."""
    path = tmp_path / "a.mxf"
    path.write_bytes(plain.read_bytes()[:600])
    with pytest.raises(JoinError):
        set_aspect_ratio(path, Fraction(2))
    assert path.read_bytes() == plain.read_bytes()[:600]
