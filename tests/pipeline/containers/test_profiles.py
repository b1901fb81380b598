"""Profiles: which one an output gets."""

from pathlib import Path

import pytest

from colorizer.basis.errors import UnsupportedSource
from pipeline.containers.containers import CONTAINERS
from pipeline.containers.profiles import PROFILES, profile_for, usual_profiles


def test_suffixes_pick_profiles():
    """.mkv, .mov and .mp4 in either case; a named profile must agree with its suffix; others name the choices."""
    assert profile_for(Path("out.mkv"), None).name == "archive"
    assert profile_for(Path("out.MOV"), None).name == "mezzanine"
    assert profile_for(Path("out.mp4"), "access").name == "access"
    with pytest.raises(UnsupportedSource, match=r"writes \.mkv files"):
        profile_for(Path("out.mp4"), "archive")
    with pytest.raises(UnsupportedSource, match=r"\.mkv \(archive\), \.mov \(mezzanine\), \.mp4 \(access\)"):
        profile_for(Path("out.avi"), None)


def test_a_suffix_may_have_several_profiles():
    """The first is usual, the others are named; one that does not write the suffix says which it writes."""
    assert [profile_for(Path("out.mp4"), name).name for name in ("hevc", "av1", None)] == ["hevc", "av1", "access"]
    assert profile_for(Path("out.webm"), None).name == "av1"
    with pytest.raises(UnsupportedSource, match=r"profile hevc writes \.mp4 or \.mkv or \.mov files"):
        profile_for(Path("out.webm"), "hevc")


def test_every_profile_can_be_written_and_asked_for():
    """Names are keys, containers are known, every suffix has a usual profile, and only lossless ones need no floor."""
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert all(CONTAINERS[c.suffix] is c for c in profile.containers)
        assert profile.lossless == (profile.psnr == 0)
        assert profile_for(Path("out").with_suffix(profile.suffix), name) is profile
    assert set(usual_profiles()) == set(CONTAINERS)
