"""Words about a film and its tracks: carried, or named where an output has less."""

import json
import struct

import av
import pytest

from tests.endtoend import color
from tests.synthetic import tiny_weights, write_reel

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
