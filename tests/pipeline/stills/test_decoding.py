"""A codec that ends its process ends a try: the file is named, the next is read."""

import re

import numpy as np
import pytest

from colorizer.basis.errors import WorkerDied
from pipeline.stills.opening import open_scan
from tests.tiffs import noise, whole, write


@pytest.fixture
def dying(apart_with):
    """LZW ends the process that decodes."""
    apart_with("tests.dying_codec")


def test_a_dead_codec_is_named_and_the_next_file_is_read(tmp_path, dying):
    """File, strip, codec and signal are told in one line; other files are read before and after."""
    picture = noise((30, 40), "u1")
    bad = write(tmp_path / "bad.tif", picture, compression="lzw")
    good = write(tmp_path / "good.tif", picture, compression="zlib")
    assert np.array_equal(whole(good), picture)
    words = re.escape(f"{bad}: strip 1 of 1, LZW: the process that decodes ended (SIGSEGV); it may be damaged")
    for _ in range(2):
        with pytest.raises(WorkerDied, match=words):
            open_scan(bad)
    assert np.array_equal(whole(good), picture)


def test_samples_that_need_no_codec_are_taken_here(tmp_path, monkeypatch):
    """Uncompressed numbers cost no process."""
    monkeypatch.setattr("pipeline.stills.decoding.called", None)
    picture = noise((30, 40))
    assert np.array_equal(whole(write(tmp_path / "a.tif", picture)), picture)
