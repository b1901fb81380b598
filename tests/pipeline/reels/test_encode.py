"""Encoding: the planes that go in come out, at every depth, chroma layout and size."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import EncodeError
from colorizer.color.coding import Coding
from pipeline.containers.codecs import DNXHR, FFV1
from pipeline.containers.planes import YUV_DEPTHS, plane_view
from pipeline.containers.profiles import PROFILES
from pipeline.reels.encode import Encoder, Painted
from pipeline.reels.fidelity import psnr
from pipeline.reels.reel import Reel
from pipeline.reels.target import FEW_DEPTHS, NAMES, Target, target_for
from tests.checkout import ROOT
from tests.synthetic import read_stamp, stamped

BASE = Reel(
    "reel.mkv", "matroska", 0, "ffv1", 64, 48, "gray", Coding(8, True, "bt601", "smpte170m"), (), (0, 2, 2, 2),
    Fraction(16, 15), Fraction(24), Fraction(1, 1000), "progressive", 0, "", 0, Fraction(1),
)  # fmt: skip
FORMATS = [
    (name + YUV_DEPTHS[bits], bits, steps)
    for steps, name in NAMES.items()
    for bits in FEW_DEPTHS.get(name, tuple(YUV_DEPTHS))
]
SIZES = [(64, 48), (35, 27), (9, 8), (8, 11)]
SOURCES = {
    "gray": Coding(8, True), "gray16le": Coding(16, True), "yuv420p": Coding(8, False),
    "yuv422p10le": Coding(10, False),
    "gbrp12le": Coding(12, True), "yuv440p": Coding(8, False), "yuv411p": Coding(8, True),
    "yuv410p": Coding(8, False),
}  # fmt: skip

LARGE = (256, 128)
"""A size that every profile takes: DNxHR begins at 256 x 120."""


def picture(index, size, target, reel, noise=None):
    """A stamped frame with random chroma (noise: random luma too)."""
    width, height = size
    shape = -(-height // target.step_y), -(-width // target.step_x)
    bits = target.coding.bits
    kind = np.uint8 if bits == 8 else np.uint16
    random = np.random.default_rng(index)
    if noise is not None:
        low, high = 0, 2**bits
        luma = random.integers(low, high, (height, width)).astype(kind)
    else:
        luma = target.luma(stamped(index, size, reel.coding.bits, reel.coding.full_range))
    span = 2**bits if noise is not None else 2 ** (bits - 3)
    low = 0 if noise is not None else (1 << (bits - 1)) - span // 2
    cb, cr = (random.integers(low, low + span, shape).astype(kind) for _ in range(2))
    return Painted(index * 42, 42, luma, cb, cr)


def encode(reel, profile, target, frames):
    encoder = Encoder(reel, profile, target)
    coded = [p for frame in frames for p in encoder.encode(frame)]
    return encoder, [*coded, *encoder.flush()]


def decode(encoder, coded):
    """The frames of coded packets, by a decoder that knows only the header."""
    context = av.CodecContext.create(encoder.codec.decoder, "r")
    context.extradata = encoder.extradata
    if encoder.context.name == "ffv1":
        context.width, context.height = encoder.reel.width, encoder.reel.height
    frames = []
    for one in coded:
        packet = av.Packet(one.data)
        packet.pts, packet.dts, packet.time_base = one.pts, one.dts, encoder.reel.time_base
        frames += context.decode(packet)
    return [*frames, *context.decode(None)]


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize(("pix_fmt", "bits", "steps"), FORMATS, ids=[f[0] for f in FORMATS])
def test_ffv1_is_bit_exact(pix_fmt, bits, steps, size):
    """Every depth and chroma layout of the archive profile, at even, odd and tiny sizes: all planes, all codes."""
    reel = replace(BASE, width=size[0], height=size[1])
    target = Target(pix_fmt, Coding(bits, True, "bt601", "smpte170m"), *steps, False, reel.coding)
    frames = [picture(i, size, target, reel, noise=True) for i in range(3)]
    encoder, coded = encode(reel, PROFILES["archive"], target, frames)
    got = decode(encoder, coded)
    assert len(got) == len(frames)
    for a, b in zip(frames, got, strict=True):
        assert b.format.name == pix_fmt
        for i, plane in enumerate((a.luma, a.cb, a.cr)):
            assert np.array_equal(plane_view(b, i), plane)


@settings(max_examples=15)
@given(st.integers(8, 90), st.integers(8, 70), st.sampled_from(FORMATS))
def test_ffv1_is_bit_exact_at_any_size(width, height, form):
    """No size from 8 × 8 up changes a code."""
    pix_fmt, bits, steps = form
    reel = replace(BASE, width=width, height=height)
    target = Target(pix_fmt, Coding(bits, True, "bt601", "smpte170m"), *steps, False, reel.coding)
    frame = picture(0, (width, height), target, reel, noise=True)
    encoder, coded = encode(reel, PROFILES["archive"], target, [frame])
    [got] = decode(encoder, coded)
    assert all(np.array_equal(plane_view(got, i), p) for i, p in enumerate((frame.luma, frame.cb, frame.cr)))


def test_ffv1_with_slices_is_bit_exact():
    """Larger pictures are cut into slices for speed; that changes no code."""
    for size in ((352, 288), (400, 300), (354, 290)):
        reel = replace(BASE, width=size[0], height=size[1])
        target = target_for(reel, PROFILES["archive"])
        frame = picture(0, size, target, reel, noise=True)
        encoder, coded = encode(reel, PROFILES["archive"], target, [frame])
        [got] = decode(encoder, coded)
        assert np.array_equal(plane_view(got, 0), frame.luma)


@pytest.mark.parametrize("size", [(64, 48), (175, 143), (64, 47), (63, 48), (8, 8), (9, 11)], ids=str)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["mezzanine", "access", "hevc", "av1"])
def test_lossy_profiles_take_every_size(name, source, size):
    """They encode odd and tiny pictures; stamps survive and luma stays above the profile's floor."""
    profile = PROFILES[name]
    if name == "hevc" and min(size) < 16:
        pytest.skip("x265 begins at 16 samples")
    reel = replace(BASE, width=size[0], height=size[1], pix_fmt=source, coding=SOURCES[source])
    target = target_for(reel, profile)
    frames = [picture(i, size, target, reel) for i in range(3)]
    encoder, coded = encode(reel, profile, target, frames)
    got = decode(encoder, coded)
    # FFmpeg calls full-range H.264 yuvj
    assert [(f.width, f.height, f.format.name.replace("yuvj", "yuv")) for f in got] == [(*size, target.pix_fmt)] * 3
    for index, (a, b) in enumerate(zip(frames, got, strict=True)):
        assert psnr(target, a.luma, np.array(plane_view(b, 0))) >= (profile.psnr if min(size) > 40 else 25)
        if min(size) > 40:
            assert read_stamp(np.array(plane_view(b, 0))) == index


@pytest.mark.parametrize("fields", ["progressive", "tff", "bff"])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_packets_carry_what_a_joiner_needs(profile, fields):
    """One packet per frame with its absolute time, rising decoding times, a key frame first, the same header from
    every encoder, tags and field order on the frames."""
    reel = replace(BASE, fields=fields, tags=(0, 5, 16, 6), width=LARGE[0], height=LARGE[1])
    target = target_for(reel, profile)
    frames = [replace(picture(i, LARGE, target, reel), pts=1000 + i * 42) for i in range(6)]
    encoder, coded = encode(reel, profile, target, frames)
    other, _ = encode(reel, profile, target, frames[:1])
    assert [p.pts for p in coded] == [f.pts for f in frames]
    assert [p.dts for p in coded] == [f.pts for f in frames]
    assert {p.duration for p in coded} == {42}
    assert coded[0].key
    assert encoder.extradata == other.extradata
    for frame in decode(encoder, coded):
        assert frame.interlaced_frame == (fields != "progressive" and profile.codec.fields == "coded")
        if profile.codec not in (FFV1, DNXHR):  # there the container holds the tags
            assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (5, 16, 6)
    assert not any(np.isnan([p.pts for p in coded]))


def test_the_same_frames_give_the_same_packets():
    """Two encoders, one result: an interrupted job is repeated to the byte."""
    for profile in PROFILES.values():
        reel = replace(BASE, width=LARGE[0], height=LARGE[1])
        target = target_for(reel, profile)
        frames = [picture(i, LARGE, target, reel) for i in range(5)]
        assert encode(reel, profile, target, frames)[1] == encode(reel, profile, target, frames)[1]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_an_encoders_threads_are_counted_here(profile):
    """0 would be as many as the machine has: H.264 made on another worker would be other bytes."""
    assert profile.codec.threads > 0
    assert Encoder(BASE, profile, target_for(BASE, profile)).context.thread_count == profile.codec.threads


def test_a_refusing_encoder_is_an_error_in_words():
    """What an encoder does not take is an EncodeError that names codec, format and reel."""
    target = Target("yuv420p16le", Coding(16, True), 2, 2, False, BASE.coding)
    with pytest.raises(EncodeError, match=r"reel\.mkv: libx264 refuses yuv420p16le"):
        encode(BASE, PROFILES["access"], target, [picture(0, (64, 48), target, BASE, noise=True)])


def test_planes_of_the_wrong_kind_are_a_bug():
    """Codes are never converted on the way in: a plane of another depth or size raises."""
    target = target_for(BASE, PROFILES["archive"])
    good = picture(0, (64, 48), target, BASE)
    for bad in (replace(good, luma=good.luma.astype(np.uint16)), replace(good, cb=good.cb[:-1])):
        with pytest.raises((TypeError, ValueError)):
            encode(BASE, PROFILES["archive"], target, [bad])


def test_painted_frames_print_without_pixels():
    """repr shows times only."""
    assert repr(picture(1, (64, 48), target_for(BASE, PROFILES["archive"]), BASE)) == "Painted(pts=42, duration=42)"


def test_h264_is_the_same_whatever_lay_in_memory():
    """Frames become the same bytes in every run. The C library fills memory that is given out with other numbers."""
    found = {
        subprocess.run(
            [sys.executable, "-m", "tests.repeated"], capture_output=True, text=True, check=True, cwd=ROOT,
            env={**os.environ, "MALLOC_PERTURB_": fill},
        ).stdout
        for fill in ("0", "1", "2")
    }  # fmt: skip
    assert len(found) == 1
