"""Files appear whole or not at all."""

import hashlib
import json
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.atomic import publish, write_text
from colorizer.basis.errors import LedgerError
from pipeline.storage.atomic import in_json, read_json, sha256, write_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(plain)
def test_json_comes_back(tmp_path_factory, value):
    """What is written is read, and no scratch file stays behind."""
    folder = tmp_path_factory.mktemp("json")
    write_json(folder / "x.json", value)
    assert read_json(folder / "x.json") == value
    assert [p.name for p in folder.iterdir()] == ["x.json"]


@given(plain)
def test_json_is_what_python_makes_of_it(value):
    """Though it is made in parts: numbers, texts, keys and signs between them are the library's."""
    assert in_json(value) == json.dumps(value, sort_keys=True, ensure_ascii=False)


def test_json_takes_little_more_than_its_text():
    """Of many pages, each with many numbers and words: some four times the text, where it were fifteen in one go."""
    value = {"pages": [{"number": n, "rows": list(range(100)), "words": ["a", "b"] * 20} for n in range(1000)]}
    tracemalloc.start()
    try:
        size = len(in_json(value))
        assert tracemalloc.get_traced_memory()[1] < 4 * size
    finally:
        tracemalloc.stop()


def test_equal_values_give_equal_bytes(tmp_path):
    """Key order does not reach the disk, so a repeated run writes the same bytes."""
    write_json(tmp_path / "a.json", {"b": 1, "a": [2, {"d": 3, "c": "ü"}]})
    write_json(tmp_path / "b.json", {"a": [2, {"c": "ü", "d": 3}], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_text(encoding="utf-8").endswith("}\n")


def test_a_name_that_is_no_text_comes_back(tmp_path):
    """Bytes of a file's name that no encoding knows (Linux allows any) are in JSON that is UTF-8, and are the same."""
    name = os.fsdecode(b"r\xe9el \xff.mov")
    write_json(tmp_path / "x.json", {"source": name, "title": "é"})
    assert read_json(tmp_path / "x.json") == {"source": name, "title": "é"}
    assert (tmp_path / "x.json").read_bytes().decode("utf-8")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """What cannot be written does not touch what is there."""
    path = tmp_path / "x.json"
    write_json(path, {"good": 1})
    with pytest.raises(TypeError):
        write_json(path, {"bad": object()})
    assert read_json(path) == {"good": 1}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"a": 1} x', b"NaNa"], ids=repr)
def test_half_a_file_is_an_error_that_names_it(tmp_path, content):
    """Damaged JSON: which file, and that it may be removed."""
    path = tmp_path / "half.json"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"half\.json: cannot be read .*; remove it"):
        read_json(path)


def test_a_missing_file_is_the_same_error(tmp_path):
    """A file that is not there cannot be read either."""
    with pytest.raises(LedgerError, match="cannot be read"):
        read_json(tmp_path / "none.json")


def test_publish_replaces(tmp_path):
    """The final name holds the new content, the scratch name is gone."""
    scratch, final = tmp_path / "s.part", tmp_path / "final"
    final.write_bytes(b"old")
    scratch.write_bytes(b"new")
    publish(scratch, final)
    assert final.read_bytes() == b"new"
    assert not scratch.exists()


def grown(path):
    """A file of some bytes that is renamed to `path`."""
    scratch = path.with_name("grown.part")
    scratch.write_bytes(b"a film")
    publish(scratch, path)


@pytest.mark.parametrize(
    "write", [grown, lambda path: write_text(path, "words"), lambda path: write_json(path, {"a": 1})],
    ids=["publish", "text", "JSON"],
)  # fmt: skip
@pytest.mark.parametrize("old", [False, True], ids=["new", "replaced"])
def test_bytes_are_on_disk_before_the_name(tmp_path, monkeypatch, write, old):
    """After a power cut a name stands for all of its bytes: they are synced, all of them, and only then renamed."""
    path, synced, sync = tmp_path / "final", {}, os.fsync
    if old:
        path.write_bytes(b"old")

    def watched(file):
        sync(file)
        taken = path.exists() and path.stat().st_ino == os.fstat(file).st_ino
        synced[os.fstat(file).st_ino] = os.fstat(file).st_size, taken

    monkeypatch.setattr(os, "fsync", watched)
    write(path)
    assert synced.get(path.stat().st_ino) == (path.stat().st_size, False)
    assert path.stat().st_size > 0


def test_sha256_is_sha256(tmp_path):
    """Of a file's bytes."""
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 5000)
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
