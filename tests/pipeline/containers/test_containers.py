"""Containers as values, and what they hold by trial."""

from fractions import Fraction
from pathlib import Path

import pytest

from pipeline.containers.codecs import AV1, H264, HEVC
from pipeline.containers.containers import CONTAINERS, MATROSKA, MP4, MXF, QUICKTIME, WEBM, container_of
from pipeline.containers.holding import held
from pipeline.containers.labels import language_in, title_of


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=lambda c: c.suffix)
def test_every_container_can_be_tried(container):
    """A small file of each kind comes back with a title, or without; English is a language where there are some."""
    assert title_of(held(container, {"title": "Harbor"}).tags) in ("Harbor", "")
    assert language_in(container, "eng") == ("eng" if container.labels else "")
    assert container_of(Path("a/b").with_suffix(container.suffix.upper())) is container


def test_interlaced_pictures_have_numbers():
    """Coded fields by the container's own habit; whole frames by the two numbers all readers agree on."""
    assert [MATROSKA.field_order(f, H264) for f in ("tff", "bff")] == [2, 3]
    assert [QUICKTIME.field_order(f, H264) for f in ("tff", "bff")] == [4, 5]
    assert [QUICKTIME.field_order(f, HEVC) for f in ("tff", "bff")] == [2, 3]
    with pytest.raises(ValueError, match="do not say which field"):
        WEBM.field_order("tff", AV1)


def test_rates_of_containers_without_times():
    """A rate that Matroska rounded is the one it stands for; a silent film's own is left to the muxer's refusal."""
    assert MXF.rate_for(Fraction(2997, 125)) == Fraction(24000, 1001)
    assert [MXF.rate_for(Fraction(r)) for r in (24, 25, 18)] == [24, 25, 18]
    assert MP4.rate_for(Fraction(2997, 125)) == Fraction(2997, 125)


def test_players_find_their_codec():
    """Apple's players want hvc1; where FFmpeg chooses well, nothing is said."""
    assert (MP4.codec_tag(HEVC), QUICKTIME.codec_tag(HEVC), MATROSKA.codec_tag(HEVC)) == ("hvc1", "hvc1", "")
    assert MP4.codec_tag(H264) == ""
