"""Codecs as values: what follows from them for a picture and for sound."""

from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.containers.codecs import AAC, DNXHR, FFV1, FLAC, H264, HEVC, PictureCodec, has_encoder, with_matrix
from pipeline.containers.containers import CONTAINERS
from pipeline.containers.profiles import PROFILES

CODECS = [p.codec for p in PROFILES.values()]


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: c.name)
@given(bits=st.integers(8, 16))
def test_depth_is_enough_or_all_there_is(codec, bits):
    """The fewest bits that hold the source's, else the most that the codec has."""
    depth = codec.depth_for(bits)
    enough = [d for d in codec.depths if d >= bits]
    assert depth == (min(enough) if enough else max(codec.depths))


def test_options_follow_size_depth_and_fields():
    """FFV1's slices by size, and none at odd sides; DNxHR's profile by depth; x264's fields where there are some."""
    assert "slices" not in FFV1.options_for(853, 480, 8, "progressive")
    assert FFV1.options_for(720, 576, 8, "progressive")["slices"] == "4"
    assert FFV1.options_for(1920, 1080, 8, "tff")["slices"] == "16"
    assert DNXHR.options_for(720, 576, 8, "progressive") == {"profile": "dnxhr_hq"}
    assert DNXHR.options_for(720, 576, 10, "progressive") == {"profile": "dnxhr_hqx"}
    assert H264.options_for(720, 576, 8, "bff")["x264-params"] == "bff=1"
    assert "x264-params" not in H264.options_for(720, 576, 8, "progressive")
    assert "info=0" in HEVC.options_for(720, 576, 10, "tff")["x265-params"]


@given(rate=st.integers(1000, 200_000))
def test_sound_keeps_its_rate_or_gains(rate):
    """A rate is kept where it can be, else the next higher is taken; only what is beyond all becomes less."""
    assert FLAC.rate_for(rate) == rate
    taken = AAC.rate_for(rate)
    assert taken in AAC.rates
    assert taken >= min(rate, AAC.rates[-1])
    assert not [r for r in AAC.rates if rate <= r < taken]


def test_a_value_that_cannot_be_is_refused():
    """Depths rise and are some; fields are coded, flagged or none."""
    with pytest.raises(ValueError, match="depths rise"):
        PictureCodec("X", "x", "x", (), (10, 8))
    with pytest.raises(ValueError, match="fields are coded, flagged, none"):
        PictureCodec("X", "x", "x", (), (8,), fields="maybe")


@pytest.mark.parametrize(("matrix", "told"), [(1, 1), (9, 9), (10, 10)])
def test_dnxhr_pictures_say_their_matrix(matrix, told):
    """A decoder reads it back; only two bits of the header change."""
    context = av.CodecContext.create("dnxhd", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 256, 128, "yuv422p", Fraction(1, 24)
    context.options = {"profile": "dnxhr_hq"}
    packets = [*context.encode(av.VideoFrame(256, 128, "yuv422p")), *context.encode(None)]
    plain = bytes(packets[0])
    mended = with_matrix(plain, matrix)
    assert [i for i, (a, b) in enumerate(zip(plain, mended, strict=True)) if a != b] in ([], [0x2C])
    decoder = av.CodecContext.create("dnxhd", "r")
    [frame] = [*decoder.decode(av.Packet(mended)), *decoder.decode(None)]
    assert frame.colorspace == told
    assert with_matrix(plain, 6)[0x2C] & 0x06 == 0x06  # left to the container


def test_wheels_have_every_encoder():
    """PyAV from PyPI has what the profiles and their sound need; a made-up name is told apart."""
    assert all(has_encoder(codec.encoder) for codec in CODECS)
    assert all(has_encoder(container.sound.encoder) for container in CONTAINERS.values())
    assert not has_encoder("libnothing")
