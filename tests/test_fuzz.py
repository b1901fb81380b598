"""The files that the fuzzer begins with are whole: every reader takes them, and reads something of them."""

import io

import pytest

from pipeline.census.element import File
from pipeline.census.walks import walk_of
from tests.fuzz import ODD, TARGETS, changed, films, plans


@pytest.mark.parametrize("target", list(TARGETS))
def test_what_it_begins_with_is_read(target):
    """Without the fuzzer; nothing is raised."""
    read, seeds = TARGETS[target]
    for data in seeds():
        read(data)


def test_films_have_a_walk():
    """Each container that is walked is among them."""
    walks = {walk_of(File(io.BytesIO(data))) for data in films()}
    assert None not in walks
    assert len(walks) == 4


def test_a_plan_is_changed_where_its_bytes_say():
    """Nothing by no bytes, a value by three of them, and the plans stay as they are for the next."""
    assert [changed(b""), changed(bytes([1]))] == plans()
    assert changed(bytes([0, 0, 0, 3])) != plans()[0] == changed(b"")
    assert ODD[3] in changed(bytes([0, 0, 0, 3])).values()
