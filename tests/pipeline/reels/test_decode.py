"""Decoding: every frame once, in order, from any start; damage seen and counted."""

import pickle
from fractions import Fraction
from pathlib import Path

import av
import av.logging
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import SourceError, UnsupportedSource
from pipeline.reels.decode import CHECKSUM, Damage, Reader
from pipeline.reels.frames import luma_digest
from pipeline.reels.plan import rising
from pipeline.reels.reel import probe
from tests.synthetic import read_stamp, write_reel, write_sequence

FRAMES = 26
UNEVEN = [0, 25, 50, 125, 126, *(200 + 37 * i for i in range(FRAMES - 5))]
REELS = {
    "h264-mp4": {"suffix": ".mp4", "options": {"bf": "3", "g": "10"}},
    "h264-ts": {"suffix": ".ts", "options": {"bf": "2", "g": "8"}},
    "mpeg2-ts": {"suffix": ".ts", "codec": "mpeg2video", "options": {"bf": "2", "g": "9", "b": "4M"}},
    "h264-mkv": {"suffix": ".mkv", "codec": "libx264", "options": {"bf": "3", "g": "12"}},
    "ffv1-mkv": {"suffix": ".mkv", "pix_fmt": "gray"},
    "prores-mov": {"suffix": ".mov", "pix_fmt": "yuv422p10le"},
    "mpeg4-avi": {"suffix": ".avi", "codec": "mpeg4", "options": {"bf": "2", "b": "4M"}},
    "vfr-mp4": {"suffix": ".mp4", "time_base": Fraction(1, 600), "pts": UNEVEN, "options": {"bf": "2", "g": "10"}},
    "vfr-mkv": {"suffix": ".mkv", "time_base": Fraction(1, 1000), "pts": UNEVEN},
    "one-key": {"suffix": ".mp4", "options": {"bf": "0", "g": "300"}},
}


@pytest.fixture(scope="module")
def reels(tmp_path_factory):
    """Each reel, with what a sequential read gives: indexes, times, luma."""
    folder = tmp_path_factory.mktemp("decode")
    made = {}
    for name, how in REELS.items():
        path = folder / (name + how["suffix"])
        made[name] = probe(str(write_reel(path, FRAMES, **{k: v for k, v in how.items() if k != "suffix"})))
    made["dpx"] = probe(write_sequence(folder / "dpx", "dpx", 10, frames=FRAMES, first=100))
    return {name: (reel, read_all(reel)) for name, reel in made.items()}


def read_all(reel, damage=None, logs=None):
    with Reader(reel, damage, logs) as reader:
        return list(reader)


@pytest.mark.parametrize("name", [*REELS, "dpx"])
def test_frames_come_in_order(reels, name):
    """Every stamp once, in order, with rising times and its index counted."""
    _, frames = reels[name]
    assert [read_stamp(f.luma) for f in frames] == list(range(FRAMES))
    assert [f.index for f in frames] == list(range(FRAMES))
    if name.startswith("vfr"):
        assert [(f.pts - frames[0].pts) * reels[name][0].time_base for f in frames] == [
            t * REELS[name]["time_base"] for t in UNEVEN
        ]


@pytest.mark.parametrize("name", [*REELS, "dpx"])
@settings(max_examples=12)
@given(data=st.data())
def test_read_from_anywhere_is_the_sequential_read(reels, name, data):
    """Segments read in any order, by one reader, seekable or not, hold exactly the frames of one straight read."""
    reel, frames = reels[name]
    times, retimed = rising([f.pts for f in frames], 1)
    digests = [luma_digest(f.luma) for f in frames]
    edges = sorted(data.draw(st.sets(st.integers(1, FRAMES - 1), max_size=5)))
    spans = data.draw(st.permutations(list(zip([0, *edges], [*edges, FRAMES], strict=True))))
    with Reader(reel) as reader:
        for start, stop in spans:
            got = list(reader.read(start, times[start:stop], digests[start:stop], retimed == 0))
            assert [f.index for f in got] == list(range(start, stop))
            assert all(np.array_equal(a.luma, b.luma) for a, b in zip(got, frames[start:stop], strict=True))


def test_a_changed_source_is_noticed(reels, tmp_path):
    """A frame that is not the one surveyed, or is not there, is an error that names it."""
    reel, frames = reels["ffv1-mkv"]
    digests = [luma_digest(f.luma) for f in frames]
    times = [f.pts for f in frames]
    digests[7] = luma_digest(frames[8].luma)
    with Reader(reel) as reader, pytest.raises(SourceError, match="frame 7 differs"):
        list(reader.read(5, times[5:9], digests[5:9], True))
    with Reader(reel) as reader, pytest.raises(SourceError, match=f"frame {FRAMES} is missing"):
        list(reader.read(FRAMES - 1, [times[-1], times[-1] + 42], [digests[-1]] * 2, True))


def test_wrong_times_do_not_mislead(reels):
    """Where the file's times point at other frames, the digest wins and the reel is decoded from its start."""
    reel, frames = reels["h264-mp4"]
    wrong = [f.pts for f in frames[3:]] + [f.pts for f in frames[:3]]
    digests = [luma_digest(f.luma) for f in frames]
    with Reader(reel) as reader:
        got = [f for i in (20, 4, 11) for f in reader.read(i, wrong[i : i + 3], digests[i : i + 3], True)]
    assert [read_stamp(f.luma) for f in got] == [20, 21, 22, 4, 5, 6, 11, 12, 13]


def flip(data, share=0.5, seed=0, many=40):
    """A copy with bytes flipped in the last `share` of the file."""
    damaged = bytearray(data)
    places = np.random.default_rng(seed).integers(int(len(data) * (1 - share)), len(data) - 400, many)
    for place in places:
        damaged[place] ^= 0x55
    return bytes(damaged)


def survey_damage(path):
    damage = Damage()
    previous = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=False) as logs:
            frames = read_all(probe(str(path)), damage, logs)
    finally:
        av.logging.set_level(previous)
    return frames, damage


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """FFV1 with a checksum per slice, as the archive profile writes it."""
    options = {"level": "3", "slicecrc": "1", "g": "1"}
    return write_reel(tmp_path_factory.mktemp("crc") / "whole.mkv", FRAMES, options=options)


def test_whole_files_show_no_damage(checked):
    """No alarm without damage."""
    frames, damage = survey_damage(checked)
    assert len(frames) == FRAMES
    assert not damage.any()


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes_in_ffv1_are_seen(checked, tmp_path, seed):
    """FFmpeg says nothing of a wrong slice but in its log: each frame with wrong luma is named."""
    path = tmp_path / "flipped.mkv"
    path.write_bytes(flip(checked.read_bytes(), seed=seed, many=6))
    whole, (frames, damage) = read_all(probe(str(checked))), survey_damage(path)
    assert damage.any()
    by_time = {f.pts: f for f in whole}
    wrong = {f.index for f in frames if f.pts not in by_time or not np.array_equal(f.luma, by_time[f.pts].luma)}
    assert wrong <= set(damage.frames)
    if damage.frames:
        assert damage.packets[CHECKSUM]
    assert len(damage.frames) <= 6


def test_a_truncated_file_gives_what_it_has(checked, tmp_path):
    """The frames before the end are right; nothing is made up and nothing raises."""
    data = checked.read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) * 6 // 10])
    frames, _ = survey_damage(path)
    assert 5 < len(frames) < FRAMES
    assert [read_stamp(f.luma) for f in frames[:-1]] == list(range(len(frames) - 1))


@pytest.mark.parametrize("name", ["h264-mp4", "mpeg2-ts", "prores-mov"])
def test_a_zeroed_region_stops_nothing(reels, tmp_path, name):
    """Frames after a hole of zeros are still decoded, and the damage is told."""
    reel, _ = reels[name]
    source = tmp_path / f"zeroed.{reel.uri.rsplit('.', 1)[1]}"
    data = bytearray(Path(reel.uri).read_bytes())
    data[len(data) // 3 : len(data) // 3 + len(data) // 12] = bytes(len(data) // 12)
    source.write_bytes(data)
    frames, damage = survey_damage(source)
    assert frames
    assert read_stamp(frames[-1].luma) == FRAMES - 1
    assert damage.any() or len(frames) < FRAMES


@pytest.mark.parametrize("other", [{"size": (80, 48)}, {"pix_fmt": "yuv444p"}], ids=["size", "format"])
def test_a_picture_that_changes_is_refused(tmp_path, other):
    """One output cannot hold two sizes or formats: the message names both and the frame to split at."""
    path = tmp_path / "both.ts"
    data = b""
    for i, how in enumerate(({}, other)):
        part = write_reel(tmp_path / f"part{i}.ts", 8, options={"bf": "0", "g": "4"}, **how)
        data += part.read_bytes()
    path.write_bytes(data)
    with Reader(probe(str(path))) as reader, pytest.raises(UnsupportedSource, match="changes from 64 x 48 yuv420p"):
        list(reader)


def test_packets_that_fail_are_counted(tmp_path):
    """A packet the decoder refuses is counted under its error's name; the others are decoded."""
    path = write_reel(tmp_path / "broken.nut", 10, codec="png", pix_fmt="gray")
    data = bytearray(path.read_bytes())
    places = [i for i in range(len(data)) if data.startswith(b"\x89PNG", i)]
    data[places[4] : places[4] + 8] = bytes(8)
    path.write_bytes(data)
    frames, damage = survey_damage(path)
    assert [read_stamp(f.luma) for f in frames] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert sum(damage.packets.values()) == 1


def test_a_reader_closes_its_file(reels):
    """After `with`, nothing is left open, and the reel itself travels between processes."""
    reel, _ = reels["ffv1-mkv"]
    with Reader(reel) as reader:
        next(reader)
        assert reader.position == 1
    assert reader._container is None
    assert pickle.loads(pickle.dumps(reel)) == reel


def test_damage_is_told_in_words():
    """What `verify` prints of damage is a sentence: counts, the first frames with what is wrong, packets by name."""
    assert str(Damage()) == "no damaged frame or packet"
    assert str(Damage({7: "flagged corrupt"})) == "1 damaged frame (7: flagged corrupt)"
    damage = Damage(dict.fromkeys(range(9, 2, -1), "gone"))
    damage.packets["InvalidDataError"] += 2
    wanted = "7 damaged frames (3: gone, 4: gone, 5: gone, 6: gone, 7: gone, ...); 2 packets cannot be decoded"
    assert str(damage) == wanted
