"""Real and odd reels: what becomes of each, by name. Skipped where ../shared/media is not there.

Rights to those files vary: none of them is in this repository.
"""

import shutil

import pytest
import torch

from colorizer.basis.errors import ColorizeError
from tests.endtoend import MEDIA, color, run_command, verify
from tests.synthetic import tiny_weights

pytestmark = [pytest.mark.media, pytest.mark.skipif(not MEDIA.exists(), reason=f"no media at {MEDIA}")]

SIZE_CHANGES = "the picture changes from {} at frame {}; split the file there"
ENCRYPTED = "not one frame can be decoded: {} of its packets fail to decode; it may be cut short, encrypted or damaged"
HEAVY = {
    "vfr_flv.flv", "spherical.mp4", "cockatoo_audio_444.mp4", "guitar_speech_audio.mp4", "sam2_dog_audio.mp4",
    "sports_multishot_audio.mov",
    "abomb_blast_effects_part.mp4", "concert_near_bw_errors.mp4", "multishot_vfr.wmv", "interlaced_pal_sar12-11.ts",
}  # fmt: skip
"""Ten seconds and more each; for nights."""

OUTCOMES: dict[str, int | str] = {
    "film_bw/abomb_blast_effects_part.mp4": 360,
    "film_bw/concert_near_bw_errors.mp4": 163,
    "film_bw/fade_from_black.mpg": 79,
    "film_bw/hands_bw_cinepak_audio.avi": 152,
    "film_bw/tinted_slideshow.rm": 144,
    "film_bw/white_zombie_rot90_sar1-2.mp4": 33,
    "film_bw/white_zombie_sar2_truncated.mp4": 65,
    "video_odd/LYING_EXT_is_mpegts.mp4": 74,
    "video_odd/LYING_EXT_is_webm.mp4": 107,
    "video_odd/alpha.webm": 120,
    "video_odd/av1_grain_10bit.ivf": 10,
    "video_odd/brokensps_sizechange.flv": SIZE_CHANGES.format("192 x 144 yuv420p to 320 x 240 yuv420p", 52),
    "video_odd/cineform_odd_496x241.mov": 10,
    "video_odd/clock_rgb555.avi": 30,
    "video_odd/container_crop.mov": 1,
    "video_odd/dnxhd_1440x1080.mov": 1,
    "video_odd/drm.wmv": "75 of 115 frames are corrupt: what decodes is no",
    "video_odd/dualaudio_1080i.ts": 17,
    "video_odd/dvbsub_novideo.ts": "not one frame can be decoded: it holds no picture data",
    "video_odd/dvd_single_frame.vob": 1,
    "video_odd/elst3.mov": 48,
    "video_odd/empty_edit_5s.mp4": 100,
    "video_odd/encrypted.mov": ENCRYPTED.format(70),
    "video_odd/encrypted_tenc.mov": ENCRYPTED.format(48),
    "video_odd/frag_overlap.mp4": 96,
    "video_odd/frame_size_change.webm": SIZE_CHANGES.format("160 x 90 yuv420p to 160 x 120 yuv420p", 3),
    "video_odd/hevc_dovi_p5.mp4": 10,
    "video_odd/hevc_hdr10_rot.mkv": 10,
    "video_odd/hevc_loewe.ts": 6,
    "video_odd/interlaced_bff.mkv": 11,
    "video_odd/interlaced_crop.mp4": 126,
    "video_odd/interlaced_pal_sar12-11.ts": 353,
    "video_odd/invalid_elst.mp4": 48,
    "video_odd/mpeg2_422.ts": 18,
    "video_odd/multi_stsd_sizechange.mov": SIZE_CHANGES.format("256 x 128 yuv420p to 128 x 128 yuv420p", 2),
    "video_odd/multishot_vfr.wmv": 474,
    "video_odd/neg_first_pts.mp4": 15,
    "video_odd/packed_bframes.avi": 15,
    "video_odd/paff_mixed_nal_sar40-33.mp4": 5,
    "video_odd/pmtchange_novideo.ts": ENCRYPTED.format(3),
    "video_odd/prores_422_proxy_interlaced_10bit.mov": 2,
    "video_odd/prores_4444_alpha_12bit_tmcd.mov": 1,
    "video_odd/prores_gray_sar16-15.mov": 2,
    "video_odd/prores_hdr10.mxf": 5,
    "video_odd/prores_zlib.mkv": 2,
    "video_odd/quadaudio.mxf": 95,
    "video_odd/ref10.avi": 25,
    "video_odd/rotate90_audio.mp4": 105,
    "video_odd/rv30.rm": 109,
    "video_odd/spherical.mp4": 120,
    "video_odd/stream_shorter_than_movie.mov": 24,
    "video_odd/svq1_odd.mov": 20,
    "video_odd/vfr_flv.flv": 359,
    "video_odd/vp8_1432x888.ivf": 2,
    "video_odd/vp8_175x143.ivf": 48,
    "video_odd/vp9_10bit_420.webm": 10,
    "video_odd/vp9_12bit_444.webm": 10,
    "video_odd/vp9_440.webm": 10,
    "video_odd/vp9_resize.ivf": SIZE_CHANGES.format("352 x 288 yuv420p to 282 x 173 yuv420p", 3),
    "video_colour/cockatoo_audio_444.mp4": 280,
    "video_colour/guitar_speech_audio.mp4": 301,
    "video_colour/realshort_aac.mp4": 36,
    "video_colour/sam2_dog_audio.mp4": 289,
    "video_colour/sports_multishot_audio.mov": 1308,
}
"""Frames that are colored, or why the reel is refused."""

LOST = {
    ("hevc_hdr10_rot.mkv", ".mov"): ["attachment"],
    ("hevc_hdr10_rot.mkv", ".mp4"): ["attachment"],
    ("hevc_loewe.ts", ".mkv"): ["data"],
    ("hevc_loewe.ts", ".mov"): ["data"],
    ("hevc_loewe.ts", ".mp4"): ["data"],
    ("dvd_single_frame.vob", ".mov"): ["subtitle", "subtitle"],
}
"""Tracks that an output names as lost; nothing where a pair is not listed."""

BESIDE = {
    "concert_near_bw_errors.mp4": ["time"], "fade_from_black.mpg": ["time"], "dualaudio_1080i.ts": ["active"],
    "hevc_dovi_p5.mp4": ["Dolby"], "hevc_loewe.ts": ["active", "time"],
    "interlaced_pal_sar12-11.ts": ["time"], "mpeg2_422.ts": ["time"], "paff_mixed_nal_sar40-33.mp4": ["time"],
    "prores_4444_alpha_12bit_tmcd.mov": ["crop", "transparency"],
    "spherical.mp4": ["spherical"], "guitar_speech_audio.mp4": ["time"],
}  # fmt: skip
"""What is named of the picture, in any output, by its first word: what frames carry beside their samples, and crops."""

CARRIED = {("active", ".mp4")}
"""Of these what an output does hold: H.264 has a message for active format descriptions."""

CENSUS = {
    "tinted_slideshow.rm": ["packets"], "white_zombie_rot90_sar1-2.mp4": ["times", "user", "packets", "MP4", "MP4"],
    "white_zombie_sar2_truncated.mp4": ["times", "user", "packets", "MP4", "MP4"], "frag_overlap.mp4": ["times", "MP4"],
    "dualaudio_1080i.ts": ["packets", "TS"], "hevc_loewe.ts": ["packets"] + ["TS"] * 4,
    "interlaced_crop.mp4": ["MP4"] * 2,
    "concert_near_bw_errors.mp4": ["packets"], "interlaced_pal_sar12-11.ts": ["packets"],
    "alpha.webm": ["Matroska"] * 2, "clock_rgb555.avi": ["RIFF"] * 3, "hevc_hdr10_rot.mkv": ["Matroska"],
    "prores_4444_alpha_12bit_tmcd.mov": ["MP4"] * 4, "quadaudio.mxf": ["MXF"],
    "rotate90_audio.mp4": ["MP4"] * 3, "guitar_speech_audio.mp4": ["MP4"] * 2,
    "sports_multishot_audio.mov": ["MP4"] * 4, "multishot_vfr.wmv": ["ASF"],
    "svq1_odd.mov": ["MP4"], "realshort_aac.mp4": ["MP4"] * 2,
}  # fmt: skip
"""The same of packets that gave no frame, and of elements of the file that no rule knows."""

ACCOUNTS = {("hevc_loewe.ts", suffix): ["packets"] for suffix in (".mkv", ".mov", ".mp4")} | {
    ("interlaced_pal_sar12-11.ts", suffix): ["sync"] for suffix in (".mov", ".mp4")
}
"""The same of other tracks: converted sound, some of which does not decode; packets of one time, moved apart."""

REGIONS = {("hevc_hdr10_rot.mkv", suffix): ["Matroska"] for suffix in (".mov", ".mp4")}
"""The same of languages with a region, which Matroska alone holds."""

WORDS = {("hevc_hdr10_rot.mkv", suffix): ["titles", "tags", "targets"] for suffix in (".mov", ".mp4")}
"""What is named of words that Matroska alone holds."""

SOUND = {
    "hands_bw_cinepak_audio.avi": 1, "hevc_loewe.ts": 1, "multishot_vfr.wmv": 1, "rv30.rm": 1, "quadaudio.mxf": 4,
    "prores_4444_alpha_12bit_tmcd.mov": 1, "prores_hdr10.mxf": 2, "sports_multishot_audio.mov": 1,
}  # fmt: skip
"""Tracks of sound that .mp4 holds compressed with loss."""

VERIFIED = {
    "hands_bw_cinepak_audio.avi", "fade_from_black.mpg", "white_zombie_rot90_sar1-2.mp4", "quadaudio.mxf",
    "prores_4444_alpha_12bit_tmcd.mov", "hevc_loewe.ts", "interlaced_bff.mkv", "packed_bframes.avi",
    "vp9_12bit_444.webm", "neg_first_pts.mp4",
}  # fmt: skip
"""A sample whose proof is made anew after the job."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights; one thread, as the tests share their cores."""
    torch.set_num_threads(1)
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def test_every_film_is_in_the_table():
    """A file that is added to the media has an expected outcome, and the table names no file that is gone."""
    there = {
        f"{folder}/{path.name}"
        for folder in ("film_bw", "video_odd", "video_colour")
        for path in (MEDIA / folder).iterdir()
        if path.is_file()
    }
    assert there == set(OUTCOMES)


def reels(suffixes, every):
    """Cases for pytest: (name, suffix), heavy ones for the night."""
    for suffix in suffixes:
        for name in OUTCOMES:
            slow = [pytest.mark.slow] if every or name.partition("/")[2] in HEAVY else []
            yield pytest.param(name, suffix, marks=slow, id=f"{name.partition('/')[2]}-to{suffix}")


@pytest.mark.parametrize(("name", "suffix"), [*reels([".mkv"], False), *reels([".mov", ".mp4"], True)])
def test_outcome(tmp_path, tiny, name, suffix):
    """The whole file is colored, verified and published with every frame, or refused with its reason and no output."""
    source, out, expected = MEDIA / name, tmp_path / f"out{suffix}", OUTCOMES[name]
    if isinstance(expected, str):
        with pytest.raises(ColorizeError) as refused:
            color(source, out, tiny)
        assert expected in str(refused.value)
        assert "\n" not in str(refused.value)
        assert not out.exists()
        return
    result = color(source, out, tiny)
    assert len(result.plan.pts) == expected
    named = [finding for finding in result.findings if not finding.holds and finding.detail]  # tracks are asked below
    of_picture = WORDS.get((source.name, suffix), []) + ACCOUNTS.get((source.name, suffix), [])
    of_picture += [w for w in BESIDE.get(source.name, []) if (w, suffix) not in CARRIED]
    of_picture += CENSUS.get(source.name, []) + REGIONS.get((source.name, suffix), [])
    assert [finding.what.partition(" ")[0] for finding in named] == of_picture
    of_tracks = LOST.get((source.name, suffix), []) + ["audio"] * (SOUND.get(source.name, 0) if suffix == ".mp4" else 0)
    assert sorted(text.partition(" ")[0] for text in result.lost) == sorted(of_tracks + of_picture)
    if source.name in VERIFIED:
        code, told = verify(source, out)
        assert code == 0, told
    shutil.rmtree(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_a_newsreel_through_the_command(tmp_path, tiny, suffix):
    """The 1946 newsreel in each format, then `chromatheque verify`: exit code 0 twice."""
    source, out = MEDIA / "film_bw" / "abomb_blast_effects_part.mp4", tmp_path / f"newsreel{suffix}"
    done = run_command("reel", source, out, "--weights", tiny, "--working-size", 64)
    assert done.returncode == 0, done.stderr
    assert "360 frames in 4 shots, verified" in done.stdout
    done = run_command("verify", source, out)
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
