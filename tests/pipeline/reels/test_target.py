"""Targets: what a source's luma becomes, for every format there is."""

from dataclasses import replace

import av
import numpy as np
import pytest

from colorizer.color.coding import Coding
from pipeline.containers.planes import pixel_layout
from pipeline.containers.profiles import PROFILES
from pipeline.reels.target import target_for
from tests.plans import BASE

SOURCES = [name for name in sorted(av.video.format.names) if pixel_layout(name)]


def reels(size=(64, 48)):
    """A reel in every format that is read, limited and full range."""
    for pix_fmt in SOURCES:
        layout = pixel_layout(pix_fmt)
        for full in (False, True) if layout.kind != "rgb" else (True,):
            yield replace(BASE, pix_fmt=pix_fmt, width=size[0], height=size[1], coding=Coding(layout.bits, full))


def encodes(codec):
    return {f.name for f in av.Codec(codec, "w").video_formats}


@pytest.mark.parametrize("size", [(64, 48), (63, 48), (64, 47), (35, 27)], ids=str)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_every_source_has_a_target_its_encoder_takes(profile, size):
    """The pixel format exists in the encoder, and its depth and chroma steps are what the target says."""
    takes = encodes(profile.codec.encoder)
    for reel in reels(size):
        target = target_for(reel, profile)
        assert target.pix_fmt in takes, reel.pix_fmt
        layout = pixel_layout(target.pix_fmt)
        assert layout.kind == "luma"
        assert (layout.bits, layout.step_y, layout.step_x) == (target.coding.bits, target.step_y, target.step_x)
        assert (target.coding.matrix, target.coding.primaries) == (reel.coding.matrix, reel.coding.primaries)
        assert target.source == reel.coding


def test_the_archive_keeps_every_code():
    """No source loses depth or range; equal depth means equal codes; chroma is not coarser than the source's."""
    for reel in reels():
        target = target_for(reel, PROFILES["archive"])
        codes = np.arange(2**reel.coding.bits, dtype=np.uint8 if reel.coding.bits == 8 else np.uint16)
        stored = target.luma(codes)
        assert not target.rescale
        assert target.coding.full_range == reel.coding.full_range
        assert (stored == codes.astype(np.uint16) << (target.coding.bits - reel.coding.bits)).all()
        if target.coding.bits == reel.coding.bits:
            assert stored is codes
        layout = reel.layout
        if layout.step_x:
            assert (target.step_y, target.step_x) <= (layout.step_y, layout.step_x)
        common = layout.kind == "luma" and layout.step_x and not layout.alpha and "nv" not in reel.pix_fmt
        if common and not reel.pix_fmt.endswith("be") and "j" not in reel.pix_fmt:
            assert target.pix_fmt == reel.pix_fmt


@pytest.mark.parametrize("name", ["mezzanine", "access"])
def test_lossy_profiles_map_luma_in_order(name):
    """Codes rise with the source's, black and white stay so, and codes stay apart where there is room."""
    for reel in reels():
        target = target_for(reel, PROFILES[name])
        codes = np.arange(2**reel.coding.bits, dtype=np.uint8 if reel.coding.bits == 8 else np.uint16)
        stored = target.luma(codes).astype(int)
        assert (np.diff(stored) >= 0).all()
        assert stored.max() < 2**target.coding.bits
        assert target.luma(codes).dtype == (np.uint8 if target.coding.bits == 8 else np.uint16)
        black, white = reel.coding.luma_range
        slack = 2 ** max(0, target.coding.bits - reel.coding.bits) - 1  # shifted white leaves the low bits empty
        assert stored[black] == target.coding.luma_range[0]
        assert abs(stored[white] - target.coding.luma_range[1]) <= slack
        low, high = target.coding.luma_range
        room = high - low + 1 if target.rescale else 2**target.coding.bits
        assert (len(codes) <= room) == (len(set(stored.tolist())) == len(codes)), reel


@pytest.mark.parametrize("bits", [8, 9])
def test_full_range_gray_goes_into_prores_one_to_one(bits):
    """ProRes knows limited range only: each full-range code of few bits gets a 10-bit code of its own."""
    pix_fmt = "gray" if bits == 8 else "gray9le"
    reel = replace(BASE, pix_fmt=pix_fmt, coding=Coding(bits, True))
    target = target_for(reel, PROFILES["mezzanine"])
    codes = np.arange(2**bits, dtype=np.uint8 if bits == 8 else np.uint16)
    stored = target.luma(codes)
    assert target.rescale
    assert (np.diff(stored.astype(int)) >= 1).all()
    assert (stored[0], stored[-1]) == (64, 940)
    back = np.round((stored.astype(float) - 64) * (2**bits - 1) / 876).astype(int)
    assert (back == codes).all()
