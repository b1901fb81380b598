"""Files of one title of a DVD: read as one, in order, whatever a cut between them goes through."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reels.parts import Joined, joined_name, parts_of
from pipeline.reels.reel import probe
from tests.endtoend import color, run_command, verify
from tests.synthetic import read_stamps, write_reel

PACK = 2048
FRAMES = 40


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A program stream with pictures that need their neighbors."""
    path = tmp_path_factory.mktemp("film") / "film.mpg"
    return write_reel(path, FRAMES, codec="mpeg2video", audio=["mp2"], options={"g": "12", "bf": "2"})


def titles(film, folder, names, cuts):
    """The film cut at these shares of it, each at a pack, in files of these names; the first one."""
    folder.mkdir(exist_ok=True)
    data = film.read_bytes()
    edges = [0, *(int(len(data) * share) // PACK * PACK for share in cuts), len(data)]
    for name, (start, stop) in zip(names, pairwise(edges), strict=True):
        (folder / name).write_bytes(data[start:stop])
    return folder / names[0]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.data())
def test_files_are_read_as_one(tmp_path_factory, sizes, data):
    """Any bytes from any place, as of one file."""
    folder = tmp_path_factory.mktemp("parts")
    every = bytes(range(sum(sizes)))
    paths = [folder / str(n) for n in range(len(sizes))]
    for number, path in enumerate(paths):
        path.write_bytes(every[sum(sizes[:number]) : sum(sizes[: number + 1])])
    joined = Joined(paths)
    start, length = data.draw(st.integers(0, len(every))), data.draw(st.integers(1, len(every) + 1))
    assert joined.seek(start) == start == joined.tell()
    found = b""
    while len(found) < length and (more := joined.read(length - len(found))):
        found += more
    assert found == every[start : start + length]
    assert joined.seek(0, os.SEEK_END) == len(every)
    assert joined.read(1) == b""


def test_which_files_are_one_title(tmp_path):
    """Those that follow on the first without a gap; a menu, and a file in the middle, stand for themselves."""
    for name in ("VTS_01_0.VOB", "VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_01_4.VOB", "vts_02_1.vob", "film.vob"):
        (tmp_path / name).touch()
    assert [p.name for p in parts_of(str(tmp_path / "VTS_01_1.VOB"))] == ["VTS_01_1.VOB", "VTS_01_2.VOB"]
    for name in ("VTS_01_0.VOB", "VTS_01_2.VOB", "VTS_01_4.VOB", "vts_02_1.vob", "film.vob"):
        assert parts_of(str(tmp_path / name)) == (tmp_path / name,)
    assert joined_name(parts_of(str(tmp_path / "VTS_01_1.VOB"))) == "VTS_01_1.VOB to VTS_01_2.VOB"


def test_a_title_in_three_files_is_one_reel(studio, film, tmp_path):
    """All its pictures, sound and times, as of the film before it was cut; another second file is another source."""
    names = ["VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_01_3.VOB"]
    first = titles(film, tmp_path / "dvd", names, (0.3, 0.7))
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    color(str(film), whole, studio.weights, segment_frames=12)
    color(str(first), cut, studio.weights, segment_frames=12)
    assert read_stamps(cut) == read_stamps(whole) == list(range(FRAMES))
    one, other = (json.loads(Path(f"{path}.json").read_text()) for path in (cut, whole))
    assert one["plan"]["pts"] == other["plan"]["pts"]
    assert one["plan"]["account"] == other["plan"]["account"]
    assert [t["how"] for t in one["tracks"]] == [t["how"] for t in other["tracks"]]
    assert one["source"]["files"] == names
    assert one["source"]["bytes"] == film.stat().st_size
    assert verify(first, cut)[0] == 0
    (first.with_name("VTS_01_2.VOB")).write_bytes(b"\0" * PACK)
    assert verify(first, cut)[0] != 0


def test_a_collection_takes_a_title_once(studio, film, tmp_path):
    """By its first file; a later one without it is a reel."""
    titles(film, tmp_path / "dvd", ["vts_01_1.vob", "vts_01_2.vob"], (0.5,))
    titles(film, tmp_path / "dvd", ["VTS_02_3.VOB"], ())
    done = run_command(
        "archive", tmp_path / "dvd", tmp_path / "out", "--dry-run", "--weights", studio.weights, "--progress", "json"
    )
    items = json.loads(done.stdout)["items"]
    assert [item["out"] for item in items] == ["VTS_02_3.mkv", "vts_01_1.mkv"]
    whole = probe(str(film))
    assert items[-1]["frames"] == round(float(whole.header_seconds * whole.rate))
