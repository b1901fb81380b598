"""Where looks come from: united without loss, through JSON, and in words."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.look_source import LookSource, in_words, sources_from_json, sources_to_json, united

SPANS = st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda at: (at[0], at[0] + at[1]))
PICTURE = LookSource(picture="sunset.jpg", sha256="ab" * 32)
SOURCES = st.lists(SPANS.map(lambda span: LookSource(frames=span)) | st.just(PICTURE) | st.just(LookSource(page=3)))


def frames_of(sources):
    """Every frame that any of them names."""
    return {frame for source in sources if source.frames for frame in range(*source.frames)}


@given(SOURCES)
def test_nothing_is_lost_when_sources_are_united(sources):
    """The same frames, in spans with gaps between them, and every other source once; twice is once."""
    whole = united(sources)
    assert frames_of(whole) == frames_of(sources)
    spans = [source.frames for source in whole if source.frames]
    assert all(a[1] < b[0] for a, b in pairwise(spans))
    assert [s for s in whole if s.frames is None] == list(dict.fromkeys(s for s in sources if s.frames is None))
    assert united(whole) == whole


@given(SOURCES)
def test_sources_go_through_json(sources):
    """They come back; a look of its own has no field."""
    values = sources_to_json(tuple(sources))
    assert sources_from_json(values) == tuple(sources)
    assert bool(values) == bool(sources)


def test_sources_are_told_by_the_shots_there_are():
    """By the number of a shot with just those frames, else by the frames; pages and pictures by themselves."""
    spans = [(0, 10), (10, 24)]
    told = in_words((LookSource(frames=(10, 24)), LookSource(frames=(0, 9)), LookSource(page=3), PICTURE), spans)
    assert told == "shot 2 and frames 0 to 8 and page 3 and sunset.jpg (sha256 abababababab)"
    assert in_words((), spans) == ""
