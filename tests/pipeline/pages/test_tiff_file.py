"""TIFF directories: what is put in is where the header leads, in plain TIFF and in BigTIFF."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline.pages.tiff_file
from pipeline.metadata.directory import Tiff
from pipeline.pages.tiff_file import TiffFile
from pipeline.pages.tiff_tags import TagTable, tag_value

entries = st.dictionaries(
    st.integers(40000, 40100),
    st.binary(min_size=1, max_size=20).map(lambda data: tag_value(7, data))
    | st.lists(st.integers(0, 65535), min_size=1, max_size=9).map(lambda values: tag_value(3, values))
    | st.lists(st.integers(0, 2**32 - 1).map(lambda n: (n, 7)), min_size=1, max_size=3).map(lambda v: tag_value(5, v)),
    min_size=1,
    max_size=6,
)
places = st.dictionaries(st.just(324), st.lists(st.integers(0, 2**31), min_size=1, max_size=5))
directories = st.recursive(
    st.builds(TagTable, entries, places),
    lambda inner: st.builds(
        TagTable, entries, below=st.dictionaries(st.just(330), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=5,
)


def same(found, wanted):
    """Compare a directory that was read, and those below it, with the one that was written."""
    codes = list(found.entries)
    assert codes == sorted(codes)
    assert set(codes) == {*wanted.entries, *wanted.offsets, *wanted.below}
    for code, value in wanted.entries.items():
        read = found.entries[code]
        assert (read.type, read.count, found.raw(code)) == (value.kind, value.count, value.data)
        assert read.position % 2 == 0
    for code, values in wanted.offsets.items():
        assert found.array(code).tolist() == values
    for code, below in wanted.below.items():
        for position, directory in zip(found.array(code).tolist(), below, strict=True):
            assert position % 2 == 0
            same(found.tiff.directory(position)[0], directory)


@settings(max_examples=80)
@given(
    pages=st.lists(directories, min_size=1, max_size=3),
    blocks=st.lists(st.binary(max_size=9), max_size=4),
    limit=st.sampled_from((0, 2**32 - 1)),
)
def test_directories_come_back(tmp_path_factory, pages, blocks, limit):
    """Every value, offset and directory, in order; blocks are at even places; too long for plain TIFF means BigTIFF."""
    path = tmp_path_factory.mktemp("tiff") / "a.tif"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.pages.tiff_file, "PLAIN_LIMIT", limit)
        file = TiffFile(path)
        offsets = [file.append(block) for block in blocks]
        file.finish(pages)
    data = path.read_bytes()
    tiff = Tiff(BytesIO(data), "a.tif")
    assert tiff.big == (limit == 0)
    assert all(offset % 2 == 0 for offset in offsets)
    assert [data[offset : offset + len(block)] for offset, block in zip(offsets, blocks, strict=True)] == blocks
    found = list(tiff.chain())
    assert len(found) == len(pages)
    for read, wanted in zip(found, pages, strict=True):
        same(read, wanted)


@pytest.mark.parametrize("more", [0, 1])
def test_plain_to_the_last_byte(tmp_path, monkeypatch, more):
    """A file is a BigTIFF if and only if one byte more than a plain TIFF can hold would be needed."""
    page = TagTable({40000: tag_value(7, b"x" * 100)})
    file = TiffFile(tmp_path / "a.tif")
    file.finish([page])
    monkeypatch.setattr(pipeline.pages.tiff_file, "PLAIN_LIMIT", 16 + 104 + 8 + 20 + 8 - more)  # as a BigTIFF has it
    file = TiffFile(tmp_path / "b.tif")
    file.finish([page])
    assert (tmp_path / "b.tif").read_bytes()[2] == (43 if more else 42)


@pytest.mark.parametrize(("kind", "value"), [
    (3, (65536,)), (1, (-1,)), (4, ("a",)), (4, ()), (5, (1, 2, 3)), (5, ((1,), (2,))), (10, ((2**31, 1),)), (3, b"ab"),
    (7, b""), (16, (1,)), (0, b"a"), (99, (1,)), (12, None), (11, (1e300,)), (2, (1, 2)),
], ids=repr)  # fmt: skip
def test_values_that_a_type_cannot_hold(kind, value):
    """One error, whatever is wrong."""
    with pytest.raises(ValueError):
        tag_value(kind, value)
