"""Profiles: which one an output gets."""

from pathlib import Path

import pytest

from colorizer.basis.errors import UnsupportedSource
from pipeline.containers.profiles import profile_for


def test_suffixes_pick_profiles():
    """.mkv, .mov and .mp4 in either case; a named profile must agree with its suffix; others name the choices."""
    assert profile_for(Path("out.mkv"), None).name == "archive"
    assert profile_for(Path("out.MOV"), None).name == "mezzanine"
    assert profile_for(Path("out.mp4"), "access").name == "access"
    with pytest.raises(UnsupportedSource, match=r"writes \.mkv files"):
        profile_for(Path("out.mp4"), "archive")
    with pytest.raises(UnsupportedSource, match=r"\.mkv \(archive\), \.mov \(mezzanine\), \.mp4 \(access\)"):
        profile_for(Path("out.avi"), None)
