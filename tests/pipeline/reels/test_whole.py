"""Words about a film and its tracks: carried, or named where an output has less."""

import json
import struct
from fractions import Fraction

import av
import pytest

from pipeline.containers.labels import same_language
from pipeline.containers.words import read_words
from tests.endtoend import color, verify
from tests.synthetic import tiny_weights, write_reel
from tests.words import in_languages

FILM, SOUND = "2011-05-06T07:08:09.000000Z", "2011-05-07T07:08:09.000000Z"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("w") / "tiny.safetensors")


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
@pytest.mark.parametrize("other", [True, False])
def test_a_tracks_own_time_of_creation(tmp_path, tiny, suffix, other):
    """QuickTime says it of each track, FFmpeg writes that of the film: another one is named with its track, the same
    one is no loss."""
    source = write_reel(tmp_path / "in.mov", 4, audio=["pcm_s16le"], metadata={"creation_time": FILM})
    data = bytearray(source.read_bytes())
    at = data.rindex(b"mdhd") + 8  # of the sound, after version and flags
    if other:
        struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + 86400)
    source.write_bytes(data)
    out = tmp_path / f"out{suffix}"
    lost = color(source, out, tiny).lost
    wanted = (f"times of creation of tracks (missing: creation_time '{SOUND}' of track 1)",) if other else ()
    assert tuple(lost) == wanted
    assert bool(json.loads(out.with_name(f"{out.name}.json").read_text())["not_carried_over"]) == other
    with av.open(str(out)) as file:
        assert file.metadata["creation_time"] == FILM


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_regions_of_languages_go_along(tmp_path, tiny, suffix):
    """German as in Switzerland, of the picture and of sound that was copied: in the output, or named with it."""
    plain = write_reel(tmp_path / "plain.mkv", 6, audio=["flac", "flac"])
    source = in_languages(plain, tmp_path / "in.mkv", {0: ("fre", "fr-CA"), 2: ("ger", "de-CH")})
    out = tmp_path / f"out{suffix}"
    lost = [text for text in color(source, out, tiny).lost if "Language" in text]
    if suffix == ".mkv":
        assert not lost
        assert read_words(out).languages == ("fr-CA", "", "de-CH")
    else:
        [text] = lost
        assert "fr-CA" in text
        assert "de-CH" in text
    with av.open(str(source)) as a, av.open(str(out)) as b:
        codes = [[s.metadata["language"] for s in (c.streams[0], c.streams[2])] for c in (a, b)]
    assert codes[0] == ["fre", "ger"]
    assert all(same_language(*pair) for pair in zip(*codes, strict=True))
    assert verify(source, out)[0] == 0


def test_regions_go_along_where_the_picture_s_shape_is_written_too(tmp_path, tiny):
    """Two hands at one list of tracks: the display size of an anamorphic film, and its language."""
    plain = write_reel(tmp_path / "plain.mkv", 6)
    source = in_languages(plain, tmp_path / "in.mkv", {0: ("ger", "de-AT")}, Fraction(16, 15))
    out = tmp_path / "out.mkv"
    assert not [text for text in color(source, out, tiny).lost if "Language" in text]
    assert read_words(out).languages == ("de-AT",)
    with av.open(str(out)) as file:
        assert file.streams.video[0].sample_aspect_ratio == Fraction(16, 15)
