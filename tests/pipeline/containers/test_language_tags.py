"""Languages by BCP 47, written into a finished Matroska file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError
from pipeline.containers import language_tags
from pipeline.containers.words import read_words
from tests.synthetic import write_reel
from tests.words import in_languages


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_reel(tmp_path_factory.mktemp("tags") / "in.mkv", 6, audio=["flac", "flac"])


def test_both_languages_stand_in_the_file(plain, tmp_path):
    """The tag of each track, and the old code for readers that know no tags; nothing else moves."""
    path = in_languages(plain, tmp_path / "out.mkv", {0: ("ger", "de-CH"), 2: ("und", "sr-Latn-RS")})
    assert read_words(path).languages == ("de-CH", "", "sr-Latn-RS")
    before = path.read_bytes()
    language_tags.put(path)
    assert path.read_bytes() == before


@given(st.from_regex(language_tags.TAG, fullmatch=True))
def test_any_tag_takes_the_room_that_was_kept(tag):
    """Of whatever length."""
    room = 4 + len(language_tags.reserve("ger", tag))
    assert room == 4 + len("ger") + 4 + len(tag)
    assert language_tags.is_tag(tag)


@pytest.mark.parametrize("text", ["", "de_CH", "de-", "d" * 9, "de-CH\n", "schön", "-".join(["a"] * 12)])
def test_what_is_no_tag_is_not_written(text):
    """It would be named."""
    assert not language_tags.is_tag(text)


def test_another_file_is_refused(tmp_path):
    """In a line, and untouched."""
    path = Path(tmp_path / "a.mkv")
    path.write_bytes(b"nothing")
    with pytest.raises(JoinError, match="language tags"):
        language_tags.put(path)
    assert path.read_bytes() == b"nothing"
