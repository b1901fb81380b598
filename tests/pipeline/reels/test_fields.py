"""Fields of frames, as runs of frames of one word, and what a file itself says of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.containers.field_word import field_word
from pipeline.reels.fields import runs_of, words_in
from pipeline.reels.reel import probe
from tests.endtoend import color, verify
from tests.synthetic import write_reel

WORDS = st.lists(st.sampled_from(["progressive", "tff", "bff"]), min_size=1, max_size=30)


@given(WORDS, st.data())
def test_runs_say_every_frames_word(words, data):
    """Of any frames in a row; where all have one word there are no runs, and nothing is said."""
    start = data.draw(st.integers(0, len(words)))
    stop = data.draw(st.integers(start, len(words)))
    runs = runs_of(words)
    assert bool(runs) == (len(set(words)) > 1)
    assert list(words_in(runs, start, stop)) == (words[start:stop] if runs else [])


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_a_file_at_odds_with_its_pictures_is_no_kept_order(tmp_path, studio, suffix):
    """Players go by either. The file's word is read without FFmpeg, which a muxer of FFmpeg's could fool."""
    source, out = write_reel(tmp_path / "in.mov", 3, (96, 64), interlaced="tff"), tmp_path / f"out{suffix}"
    color(source, out, studio.weights)
    assert field_word(out) == "tff"
    data = bytearray(out.read_bytes())
    mark, order = (b"\x9d\x81", 6) if suffix == ".mkv" else (b"fiel\x02", 14)
    place = data.index(mark) + len(mark)
    assert data[place] == (1 if suffix == ".mkv" else 9)
    data[place] = order
    out.write_bytes(data)
    assert probe(str(out)).fields == "tff"
    code, told = verify(source, out)
    assert code == 1
    assert "tff became tff in its pictures, bff in the file" in told


@pytest.mark.parametrize(("order", "words"), [("tff", "top field comes first, the file says the bottom")])
def test_a_source_at_odds_with_itself_is_told(tmp_path, order, words):
    """The pictures are believed."""
    source = write_reel(tmp_path / "in.mkv", 3, (96, 64), interlaced=order)
    assert probe(str(source)).remarks == ()
    data = bytearray(source.read_bytes())
    data[data.index(b"\x9d\x81") + 2] = 14
    source.write_bytes(data)
    reel = probe(str(source))
    assert reel.fields == order
    assert words in reel.remarks[0]
