"""Fields of frames, as runs of frames of one word."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.reels.fields import runs_of, words_in

WORDS = st.lists(st.sampled_from(["progressive", "tff", "bff"]), min_size=1, max_size=30)


@given(WORDS, st.data())
def test_runs_say_every_frames_word(words, data):
    """Of any frames in a row; where all have one word there are no runs, and nothing is said."""
    start = data.draw(st.integers(0, len(words)))
    stop = data.draw(st.integers(start, len(words)))
    runs = runs_of(words)
    assert bool(runs) == (len(set(words)) > 1)
    assert list(words_in(runs, start, stop)) == (words[start:stop] if runs else [])
