"""The part of a picture that a file says is to be shown."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.containers.crop import crop
from pipeline.containers.matroska import TRACK_ENTRY, TRACKS, VIDEO
from pipeline.values.ebml import EBML, SEGMENT
from tests.endtoend import MEDIA, color, verify
from tests.synthetic import write_reel

FAULTS = MEDIA / "faults"
SHOWN = "80 x 64 of 96 x 64 are to be shown"


def element(kind, data):
    """An EBML element with a size of two bytes."""
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (0x4000 | len(data)).to_bytes(2, "big") + data


def box(kind, data):
    """A box of QuickTime."""
    return struct.pack(">I4s", 8 + len(data), kind) + data


def matroska(left, right):
    """A file with one picture track."""
    video = element(0x54CC, bytes([left])) + element(0x54DD, bytes([right]))
    tracks = element(TRACKS, element(TRACK_ENTRY, element(VIDEO, video)))
    return element(EBML, b"") + element(SEGMENT, tracks)


def quicktime(wide, high):
    """A file with one picture track; numbers are fractions of two."""
    clap = box(b"clap", struct.pack(">8I", *wide, *high, 0, 1, 0, 1))
    stbl = box(b"stbl", box(b"stsd", bytes(8) + box(b"ap4h", bytes(78) + clap)))
    return box(b"ftyp", b"qt  ") + box(b"moov", box(b"trak", box(b"mdia", box(b"minf", stbl))))


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (matroska(8, 8), SHOWN), (matroska(0, 0), ""), (matroska(200, 0), ""),
        (quicktime((80, 1), (64, 1)), SHOWN), (quicktime((160, 2), (64, 1)), SHOWN),
        (quicktime((96, 1), (64, 1)), ""), (quicktime((80, 0), (64, 1)), ""), (b"", ""), (b"RIFF", ""),
    ],
)  # fmt: skip
def test_what_is_to_be_shown_is_read(tmp_path, data, wanted):
    """Of Matroska and QuickTime; of what makes no sense nothing is raised."""
    (tmp_path / "a").write_bytes(data)
    assert crop(tmp_path / "a", 96, 64) == wanted


@given(st.sampled_from([matroska(8, 8), quicktime((80, 1), (64, 1))]), st.integers(0, 200), st.binary(max_size=12))
def test_any_file_has_a_crop_or_not(tmp_path_factory, data, place, noise):
    """Whatever bytes are changed, the answer is a text."""
    path = tmp_path_factory.getbasetemp() / "noise"
    path.write_bytes(data[:place] + noise + data[place + len(noise) :])
    assert isinstance(crop(path, 96, 64), str)


@pytest.mark.media
@pytest.mark.skipif(not FAULTS.exists(), reason=f"no media at {FAULTS}")
@pytest.mark.parametrize("name", ["pixelcrop.mkv", "clap.mov"])
def test_a_crop_is_named(studio, tmp_path, name):
    """The whole picture is kept, and that a part of it was to be shown is said."""
    lost = color(FAULTS / name, tmp_path / "out.mkv", studio.weights).lost
    assert lost == (f"crop ({SHOWN}; no profile writes a crop)",)
    assert verify(FAULTS / name, tmp_path / "out.mkv")[0] == 0


def test_lost_transparency_is_named(studio, tmp_path):
    """Where everything else that is lost is."""
    source = write_reel(tmp_path / "in.mkv", 3, pix_fmt="yuva420p")
    assert color(source, tmp_path / "out.mkv", studio.weights).lost == ("transparency (no profile writes it)",)
    assert verify(source, tmp_path / "out.mkv")[0] == 0
