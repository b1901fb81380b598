"""Sound as other programs read it: every track that is written is decoded by a player's FFmpeg, to the same samples."""

import json
import shutil
import subprocess

import av
import numpy as np
import pytest

from pipeline.containers.containers import CONTAINERS
from pipeline.reels.reel import frames_of, probe
from pipeline.reels.tracks import decide
from tests.synthetic import write_reel

SOUNDS = ["pcm_s24le", "pcm_s32le", "pcm_f32be", "pcm_f64be", "pcm_s8", "pcm_s16be"]
BECOMES = {
    ".mkv": ["pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_u8", "pcm_s16be"],
    ".mov": SOUNDS,
    ".mp4": ["aac"] * len(SOUNDS),
}
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here: install Debian's ffmpeg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sound-codecs")


@pytest.fixture(scope="module")
def reels(studio, folder):
    """A source with every sample format that archives have, and what it becomes, by suffix."""
    source = write_reel(folder / "in.mov", 12, audio=SOUNDS, sample_rate=48000)
    made = {suffix: folder / f"out{suffix}" for suffix in BECOMES}
    results = {suffix: studio.color(source, path) for suffix, path in made.items()}
    assert all(f.right for result in results.values() for f in result.findings.values())
    return source, made


def heard(path, index):
    """Samples of a track by FFmpeg 8, which PyAV brings."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono")
        stream = container.streams[index]
        parts = [p for f in [*frames_of(container, stream), None] for p in resampler.resample(f)]
    return np.concatenate([p.to_ndarray().ravel() for p in parts])


def heard_elsewhere(path, index):
    """Samples of a track by the FFmpeg of this machine; Debian's is 5.1."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-map", f"0:{index}", "-f", "f32le", "-ac", "1", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout, np.float32)


@pytest.mark.parametrize("suffix", BECOMES)
def test_pcm_becomes_what_players_read(reels, suffix):
    """No PCM in .mp4, whose names for it players do not know; in .mkv it stays PCM, to the bit. It is said."""
    made = reels[1][suffix]
    with av.open(str(made)) as container:
        assert [s.codec_context.name for s in container.streams.audio] == BECOMES[suffix]
    fates = [t for t in json.loads(made.with_name(made.name + ".json").read_text())["tracks"] if t["kind"] == "audio"]
    for fate, codec in zip(fates, BECOMES[suffix], strict=True):
        assert (fate["how"] == "copied") == (fate["codec"] == codec)
        assert fate["how"] == "copied" or f"now {codec}" in fate["why"].split("; ")


@needs_ffmpeg
@pytest.mark.parametrize("suffix", BECOMES)
def test_another_ffmpeg_hears_the_same(reels, suffix):
    """Every track that is written decodes without an error to the samples that are in it, and to the source's."""
    source, made = reels[0], reels[1][suffix]
    for index in range(1, len(SOUNDS) + 1):
        was, now, elsewhere = heard(source, index), heard(made, index), heard_elsewhere(made, index)
        assert abs(len(now) - len(elsewhere)) <= 1024  # a lead-in that one of them leaves out
        n = min(len(now), len(elsewhere))
        assert np.abs(now[-n:] - elsewhere[-n:]).max() < 1e-4 or np.abs(now[:n] - elsewhere[:n]).max() < 1e-4
        assert suffix == ".mp4" or np.array_equal(was, now)


def test_flac_has_24_bits_at_most(studio, folder):
    """Sound that has to become FLAC has 24 bits a sample: FFmpeg before 6.1 does not decode more."""
    source = write_reel(folder / "telephone.mov", 12, audio=["pcm_mulaw"])
    studio.color(source, folder / "flac.mkv")
    with av.open(str(folder / "flac.mkv")) as container:
        header = bytes(container.streams.audio[0].codec_context.extradata)
        assert container.streams.audio[0].codec_context.name == "flac"
    assert ((header[12] & 1) << 4 | header[13] >> 4) + 1 == 24  # STREAMINFO, RFC 9639, 8.2
    assert np.array_equal(heard(source, 1), heard(folder / "flac.mkv", 1))


def test_rounding_is_said(reels):
    """Floating point and 32 bits in a file of 24-bit PCM are said to be rounded; fewer bits are not."""
    with av.open(str(reels[0])) as container:
        fates = decide(container, probe(str(reels[0])), CONTAINERS[".mxf"])
    rounded = ["samples of more than 24 bits are rounded" in fate.loss for fate in fates if fate.kind == "audio"]
    assert rounded == [False, True, True, True, False, False]
