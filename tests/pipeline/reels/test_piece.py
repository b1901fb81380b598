"""Pieces of a reel: which frames lie between two times, and what a person may type for a time."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reels.frames import Frame
from pipeline.reels.piece import Piece, frames_between
from pipeline.values.choices import seconds
from tests.plans import BASE

RATE = BASE.rate
NOTHING = np.zeros((0, 0), np.uint8)


def places(start, stop, times):
    """Where each frame lies, of a reel whose times are milliseconds."""
    piece = Piece(BASE, start, stop)
    return "".join(
        {"before": "<", "inside": "o", "after": ">"}[piece.place(Frame(i, t, NOTHING))] for i, t in enumerate(times)
    )


def test_a_piece_lies_between_its_times():
    """Times count from the first frame's; `stop` is outside; a file's rounding moves no frame over an end."""
    times = [7000 + round(i * 1000 / 24) for i in range(12)]
    assert places("", "", times) == "o" * 12
    assert places("0.125", "0.25", times) == "<<<ooo>>>>>>"
    assert places("00:00:00:05", "", times) == "<<<<<ooooooo"
    assert places("", "1/24", times)[:2] == "o>"


def test_frames_without_times_count_at_the_rate():
    """Where a file has no times, the frame's number over the rate decides."""
    assert places("0.125", "0.25", [None] * 12) == "<<<ooo>>>>>>"


@given(st.integers(0, 300), st.integers(1, 300), st.integers(1, 300))
def test_frames_of_a_piece_are_counted_by_its_rate(first, count, frames):
    """As many as it will have of a reel without gaps, one at least; of a whole reel all."""
    start, stop = f"{float(first / RATE):.4f}", f"{float((first + count) / RATE):.4f}"
    times = [round(i * 1000 / RATE) for i in range(frames)]
    assert frames_between(BASE, start, stop, frames) == max(1, places(start, stop, times).count("o"))
    assert frames_between(BASE, "", "", frames) == frames


def test_a_piece_has_no_holes():
    """Times in the wrong order lose no frame after the first: what comes later was shot later."""
    assert places("", "", [500, 0, 42, 1000]) == "oooo"
    assert places("0.1", "", [0, 42, 200, 83, 125, 240]) == "<<oooo"


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=10**12))
def test_seconds_reads_plain_seconds(value):
    """Any decimal or fraction, exactly."""
    assert seconds(str(value), RATE) == value


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999), st.integers(0, 23))
def test_seconds_reads_clock_times(hours, minutes, whole, milli, frame):
    """MM:SS, HH:MM:SS.sss and HH:MM:SS:FF (also with a drop-frame semicolon) mean what they say."""
    base = hours * 3600 + minutes * 60 + whole
    assert seconds(f"{minutes:02}:{whole:02}", RATE) == minutes * 60 + whole
    assert seconds(f"{hours:02}:{minutes:02}:{whole:02}.{milli:03}", RATE) == base + Fraction(milli, 1000)
    for mark in ":;":
        clock = f"{hours:02}:{minutes:02}:{whole:02}{mark}{frame:02}"
        assert seconds(f" {clock} ", Fraction(24000, 1001)) == base + Fraction(frame * 1001, 24000)


@given(st.text(alphabet="0123456789:;.-/ abx", max_size=12))
def test_seconds_never_crashes(text):
    """Any text is a time from zero on, or a ValueError that quotes it."""
    try:
        found = seconds(text, RATE)
    except ValueError as refusal:
        found, said = None, str(refusal)
    assert found >= 0 if found is not None else repr(text) in said


@pytest.mark.parametrize("text", ["", ":", "1:2:3:4:5", "-1", "1:-2", "1/0", "abc", "1::2", "nan", "inf", "0:0:0:-5"])
def test_what_is_no_time_is_refused(text):
    """Empty parts, negative ones, words and too many colons."""
    with pytest.raises(ValueError):
        seconds(text, RATE)
