"""Rate and time code in the headers of DPX pictures."""

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from pipeline.reels.dpx import FILM_RATE, MAGIC, TELEVISION_RATE, TIME_CODE, DpxWords, dpx_sequence, dpx_words
from pipeline.reels.reel import probe
from tests.endtoend import MEDIA, Heard, color, story
from tests.synthetic import write_sequence

FAULTS = MEDIA / "faults"
UNSET = 0xFFFFFFFF


def stamp(path, order="", film=None, television=None, code=UNSET):
    """Write rates and a time code into a picture's header; None: not set. order: of bytes, "" for the picture's."""
    data = bytearray(path.read_bytes().ljust(2048, b"\0"))
    order = order or MAGIC.get(bytes(data[:4]), ">")
    data[:4] = b"SDPX" if order == ">" else b"XPDS"
    for at, rate in ((FILM_RATE, film), (TELEVISION_RATE, television)):
        struct.pack_into(f"{order}I" if rate is None else f"{order}f", data, at, UNSET if rate is None else rate)
    struct.pack_into(f"{order}I", data, TIME_CODE, code)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", "><")
@pytest.mark.parametrize(
    ("film", "television", "code", "wanted"),
    [
        (18.0, 24.0, 0x01020304, DpxWords(Fraction(18), "01:02:03:04")),
        (None, 23.976, 0x23595923, DpxWords(Fraction(24000, 1001), "23:59:59:23")),
        (0.0, 16.0, UNSET, DpxWords(Fraction(16))),
        (16.67, None, 0x24000000, DpxWords(Fraction("16.67"))),
        (float("nan"), float("inf"), 0x0100000A, DpxWords()),
        (-24.0, 1e30, 0, DpxWords()),
    ],
)
def test_headers_are_read(tmp_path, order, film, television, code, wanted):
    """The film header's rate first, then television's; a number that cannot be is none, in either byte order."""
    (tmp_path / "a.dpx").touch()
    found = dpx_words(stamp(tmp_path / "a.dpx", order, film, television, code))
    assert found.timecode == wanted.timecode
    assert found.rate == pytest.approx(wanted.rate, abs=1e-3)


def test_a_time_code_of_zero_counts_where_it_goes_on(tmp_path):
    """Many programs leave zero for what they do not know."""
    pictures = [tmp_path / f"{n}.dpx" for n in range(2)]
    for codes, wanted in ((0, 1), "00:00:00:00"), ((0, 0), ""), ((2, 3), "00:00:00:02"):
        for path, code in zip(pictures, codes, strict=True):
            path.touch()
            stamp(path, code=code)
        assert dpx_sequence(pictures).timecode == wanted
    assert dpx_sequence(pictures[:1]).timecode == "00:00:00:02"
    assert dpx_sequence([]) == DpxWords()
    (tmp_path / "0.dpx").write_bytes(b"SDPX")
    assert dpx_words(tmp_path / "0.dpx") == DpxWords()


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_a_sequence_keeps_the_rate_and_time_code_of_its_pictures(studio, tmp_path, suffix):
    """18 a second from one hour on, in every output, without a word that anything is assumed; --rate overrules."""
    pattern = write_sequence(tmp_path / "frames", frames=4)
    for n in range(4):
        stamp(Path(pattern % n), film=18.0, code=0x01000000 + n)
    result = studio.color(pattern, tmp_path / f"out{suffix}")
    made = story(tmp_path / f"out{suffix}")
    assert (made.timecode, [t * 18 for t in made.times]) == ("01:00:00:00", pytest.approx(range(4), abs=0.02))
    assert not any("assumed: 24" in note for note in result.plan.notes)
    assert probe(pattern, Fraction(16)).rate == 16


def test_an_assumed_rate_is_said(studio, tmp_path):
    """On the terminal too, since it decides how long the film is."""
    pattern, heard = write_sequence(tmp_path / "frames", "tif", 8, frames=2), Heard()
    color(pattern, tmp_path / "out.mkv", studio.weights, listener=heard)
    notes = [facts["text"] for event, facts in heard.events if event == "note"]
    assert "the file does not say, so assumed: 24 pictures a second" in notes


@pytest.mark.media
@pytest.mark.skipif(not FAULTS.exists(), reason=f"no media at {FAULTS}")
@pytest.mark.parametrize(("system", "rate"), [("pal", Fraction(25)), ("ntsc", Fraction(30000, 1001))])
def test_a_rate_that_cannot_be_is_not_the_last_word(system, rate):
    """FFmpeg says of raw DV that it has 60,000 pictures a second on average; what it guesses is right."""
    reel = probe(str(FAULTS / f"dv_raw_{system}_bottom_field_first.dv"))
    assert (reel.rate, "24 pictures a second" in reel.guessed) == (rate, False)
