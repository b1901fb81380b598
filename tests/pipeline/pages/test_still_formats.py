"""Formats of colored scans as values."""

from pathlib import Path

import numpy as np
import pytest

from colorizer.basis.errors import EncodeError
from pipeline.pages.page import Page
from pipeline.pages.still_formats import JPEG, PNG, STILL_FORMATS, STILL_SUFFIXES, TIFF, format_of
from pipeline.pages.stills import write_still
from workflows.commands.archive import archive


def test_suffixes_pick_formats():
    """In either case; no suffix has two; any other one is an error that names them all."""
    assert [format_of(Path(name)) for name in ("a.TIF", "a.tiff", "a.Png", "a.jpeg")] == [TIFF, TIFF, PNG, JPEG]
    assert len(STILL_SUFFIXES) == sum(len(f.suffixes) for f in STILL_FORMATS.values())
    with pytest.raises(EncodeError, match=r"is a \.tif, \.tiff, \.png, \.jpg, \.jpeg; give a name"):
        format_of(Path("a.webp"))


@pytest.mark.parametrize("kind", [PNG, JPEG], ids=lambda f: f.name)
def test_what_is_written_can_be_read_again(tmp_path, kind):
    """A format in one piece has a writer, a decoder and a reader of what it says; exact where it is lossless."""
    rgb = np.random.default_rng(3).integers(0, 256, (20, 30, 3), np.uint8)
    path = tmp_path / f"a{kind.suffixes[0]}"
    assert write_still(path, rgb, Page(20, 30, 8)) == []
    back = kind.decode(path.read_bytes())
    assert np.array_equal(back, rgb) == kind.lossless
    assert kind.blocks(path.read_bytes()).icc is not None
    assert not kind.by_region


def test_depths_are_kept_or_cut():
    """JPEG has 8 bits, the others 16."""
    assert [f.bits_for(16) for f in (TIFF, PNG, JPEG)] == [16, 16, 8]
    assert [f.bits_for(8) for f in (TIFF, PNG, JPEG)] == [8, 8, 8]


def test_a_collection_offers_every_format():
    """By its usual suffix."""
    [scans] = [p for p in archive.params if p.name == "scans"]
    assert list(scans.type.choices) == [f.suffixes[0] for f in STILL_FORMATS.values()]
