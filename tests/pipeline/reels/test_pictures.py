"""Numbered pictures, bad ones among them: the others keep their places and their times, and the bad ones are named."""

import json
from pathlib import Path

import numpy as np
import pytest

from colorizer.basis.errors import DamagedSource, SourceError
from pipeline.reels.decode import Reader
from pipeline.reels.reel import probe
from tests.endtoend import color, story, verify
from tests.synthetic import read_stamps, write_sequence

KINDS = [("dpx", 10), ("tif", 8), ("png", 16)]
FRAMES = 16


def spoil(pattern, cut=(), empty=()):
    """Cut some pictures of a sequence in half, and empty others."""
    for number in (*cut, *empty):
        path = Path(pattern % number)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if number in cut else b"")
    return pattern


@pytest.mark.parametrize(("suffix", "bits"), KINDS)
def test_a_bad_picture_costs_no_other(studio, tmp_path, suffix, bits):
    """Where it was the one before is shown; 8 and 12 begin a segment, and are the same to the painter as to the survey.

    Each is named in the result, in the sidecar and by `verify`.
    """
    pattern = spoil(write_sequence(tmp_path / "frames", suffix, bits, frames=FRAMES), (3, 8), (7, 12))
    out = tmp_path / "out.mkv"
    result = color(pattern, out, studio.weights, segment_frames=4)
    shown = [n - 1 if n in (3, 7, 12) else 6 if n == 8 else n for n in range(FRAMES)]
    assert read_stamps(out) == shown
    assert [float(t) for t in story(out).times] == pytest.approx([n / 24 for n in range(FRAMES)], abs=0.001)
    said = json.loads(Path(f"{out}.json").read_text())
    assert set(said["damage"]["damaged_frames"]) == {"3", "7", "8", "12"}
    code, told = verify(pattern, out)
    assert code == 0
    line = next(line for line in told.splitlines() if line.startswith("lost  pictures"))
    lost = [next(t for t in found if t.startswith("pictures")) for found in (result.lost, said["not_carried_over"])]
    for number in (3, 7, 8, 12):
        name = Path(pattern % number).name
        for text in (*lost, said["damage"]["damaged_frames"][str(number)], line):
            assert f"{name}: " in text
    assert result.verdict != "verified"


def test_before_the_first_good_picture_it_stands_itself(studio, tmp_path):
    """A reel whose first pictures are bad begins with the next; facts are those of a picture that can be read."""
    pattern = spoil(write_sequence(tmp_path / "frames", frames=12, first=5), (6,), (5,))
    reel = probe(pattern)
    with Reader(reel) as reader:
        frames = list(reader)
    assert (reel.count, len(frames), [f.pts for f in frames]) == (12, 12, list(range(12)))
    assert all(np.array_equal(frames[2].luma, f.luma) for f in frames[:2])


def test_a_quarter_may_be_bad_and_no_more(studio, tmp_path):
    """4 of 16 come out; with 5 the reel is refused, by the first one's name."""
    pattern = spoil(write_sequence(tmp_path / "frames", frames=FRAMES), (), (1, 2, 3, 4))
    assert len(studio.plan(pattern).damaged_frames) == 4
    spoil(pattern, (9,))
    with pytest.raises(DamagedSource, match=r"5 of 16 pictures cannot be read: such as scan_0001\.dpx: empty"):
        studio.plan(pattern)
    with pytest.raises(SourceError):
        studio.plan(spoil(pattern, (), range(FRAMES)))


def test_numbers_without_zeros_are_shown_in_their_order(studio, tmp_path):
    """8, 9, 10, 11: not as a list of names has them. A % in the name of a folder, and in their own, is one."""
    folder = tmp_path / "100%d of %04d"
    write_sequence(folder, frames=6, first=7, digits=1)
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.name.replace("scan_", "50%_")))
    out = tmp_path / "out.mkv"
    color(str(folder / "50%%_%d.dpx"), out, studio.weights, segment_frames=4)
    assert read_stamps(out) == list(range(6))
    assert color(str(folder / "50%_%d.dpx"), out, studio.weights, segment_frames=4).already


@pytest.mark.parametrize("place", ["scan.wav", "frames.WAV", "../frames.wav"])
def test_sound_in_a_file_of_its_own_is_named(studio, tmp_path, place):
    """By the sequence's name or by its folder's; other sound is of something else."""
    pattern = write_sequence(tmp_path / "frames", frames=3)
    (tmp_path / "frames" / place).write_bytes(b"RIFF")
    (tmp_path / "frames" / "other.wav").write_bytes(b"RIFF")
    out = tmp_path / "out.mkv"
    [lost] = color(pattern, out, studio.weights).lost
    assert Path(place).name in lost
    assert "other" not in lost
    code, told = verify(pattern, out)
    assert (code, "lost  sound" in told) == (0, True)
