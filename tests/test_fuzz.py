"""The files that the fuzzer begins with are whole: every reader takes them, and reads something of them."""

import io

import pytest

from pipeline.census.element import File
from pipeline.census.walks import walk_of
from pipeline.collection.manifest import read_manifest
from pipeline.jobs.plan import plan_from_json
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


def test_a_page_of_more_bands_than_there_can_be_is_refused():
    """Found: a height of 2**31 rows made millions of bands, one after the other, before anything was said."""
    values = plans()[1]
    values["pages"][0]["height"] = 2**31
    with pytest.raises(ValueError, match="bands"):
        plan_from_json(values)


@pytest.mark.parametrize("name", ["segment_frames", "batch"])
@pytest.mark.parametrize("value", [0, -1])
def test_pieces_of_no_frames_are_refused(name, value):
    """Read in the same place: segments of less than no frame were none, and an output of none would fail its check."""
    values = plans()[0]
    values["settings"][name] = value
    with pytest.raises(ValueError, match="at least one frame"):
        plan_from_json(values)


@pytest.mark.parametrize("name", ["a\\" + "b" * 300 + ".mkv", "a\\" * 3000 + ".mkv"])
def test_a_name_that_cannot_be_is_no_end_of_a_manifest(tmp_path, name):
    """Found: where a backslash may stand for a slash, the disk is asked for names that are too long for it."""
    (tmp_path / "list.csv").write_text(f"file\n{name}\n", encoding="utf-8")
    assert len(read_manifest(str(tmp_path / "list.csv")).rows) == 1
