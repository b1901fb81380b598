"""Scenarist files: what is written is read again, and at the times of a clock."""

import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.containers.scenarist import HEAD, RATE, Pair, placed, read, written

PAIRS = st.lists(st.tuples(st.integers(1, 4_000_000), st.binary(min_size=2, max_size=2)), max_size=200)


@given(PAIRS)
def test_read_gives_back_what_was_written(steps):
    """Slots of a day and more than an hour between them, drop-frame or not: the pairs and where they are."""
    slot, pairs = -1, []
    for by, data in steps:
        slot = min(slot + by, 24 * 3600 * 29 - 1000) if slot + by < 24 * 3600 * 29 - 1000 else slot + 1
        pairs.append(Pair(slot, data))
    assert read(written(pairs)) == pairs


@given(st.lists(st.tuples(st.fractions(0, 7200), st.integers(1, 3)), max_size=60))
def test_pairs_are_in_the_frames_of_their_times(given_times):
    """None before its time by more than half a frame, none twice in one, none lost; late only where others stood."""
    times = [(t, b"\x94\x20" * n) for t, n in sorted(given_times)]
    made = placed(times)
    assert [p.data for p in made] == [b"\x94\x20" for _, data in times for _ in range(len(data) // 2)]
    assert all(a.slot < b.slot for a, b in pairwise(made))
    starts = [t for t, data in times for _ in range(len(data) // 2)]
    assert all(pair.slot >= t * RATE - Fraction(1, 2) for pair, t in zip(made, starts, strict=True))


def test_a_minute_drops_two_numbers():
    """SMPTE ST 12-1: no 00:01:00;00 and ;01, but 00:10:00;00. Times of lines are those of a clock."""
    text = written([Pair(slot, b"\x94\x70") for slot in (1798, 1799, 1801, 17982)])
    assert text.splitlines() == [
        HEAD, "", "00:00:59;28\t9470 9470", "", "00:01:00;03\t9470", "", "00:10:00;00\t9470",
    ]  # fmt: skip
    hour = placed([(Fraction(3600), b"\x94\x2c")])
    assert written(hour).splitlines()[-1] == "01:00:00;00\t942c"


@pytest.mark.parametrize(
    "text", ["", "Scenarist_SCC V2.0\n", f"{HEAD}\n\n00:00:00;00 942c", f"{HEAD}\n00:00:00;00\t94"]
)
def test_others_are_refused(text):
    """What is no such file raises ValueError."""
    with pytest.raises(ValueError, match=r"captions|Scenarist|unpack"):
        read(text)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="no ffmpeg")
def test_ffmpeg_reads_it(tmp_path):
    """FFmpeg's own reader and decoder of captions: the words, from where they are shown to where they are cleared."""
    load, show, clear = bytes.fromhex("9420 9420 9470 9470"), bytes.fromhex("942f 942f"), bytes.fromhex("942c 942c")
    words = bytes.fromhex("c8e5 ecec ef80")
    path = tmp_path / "a.scc"
    times = [(Fraction(57, 30), load + words + show), (Fraction(5), clear)]
    path.write_text(written(placed(times)), encoding="ascii")
    said = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "srt", "-"], capture_output=True, check=True
    ).stdout
    assert b"Hello" in said
    assert b"00:00:02,1" in said, said
    assert b"--> 00:00:05,0" in said, said
