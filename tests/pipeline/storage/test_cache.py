"""Where the cache is."""

from pathlib import Path

import pytest

from pipeline.collection.depot import depot_for
from pipeline.jobs import speeds
from pipeline.storage.cache import cache_folder


def test_the_cache_is_where_a_person_says(tmp_path, monkeypatch):
    """XDG_CACHE_HOME is followed, by measured speeds and by what is fetched from stores too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine" / "chromatheque"
    assert not cache_folder().exists()
    assert speeds._path().parent == cache_folder()
    assert depot_for("memory://night").scratch.is_relative_to(cache_folder())


@pytest.mark.parametrize("asked", [None, "", "not/absolute", "~/cache"])
def test_otherwise_it_is_in_the_home_folder(tmp_path, monkeypatch, asked):
    """Unset, empty and relative paths are not taken (XDG Base Directory Specification)."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if asked is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", asked)
    assert cache_folder() == Path(tmp_path) / ".cache" / "chromatheque"
