"""Films with repeat flags, as most DVDs have: every frame is shown as long as it was, at the rate of the film."""

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reels.pulldown import film_rate, repeats
from tests.endtoend import color, run_command, story
from tests.synthetic import read_stamps
from tests.telecine import FIELD, write_telecined

FILM = Fraction(24000, 1001)
BASE = Fraction(1, 90000)


def cadence(frames, repeated):
    """Ticks of frames, those of which `repeated` says so shown for a field more."""
    times = [Fraction(0)]
    for index in range(frames - 1):
        times.append(times[-1] + FIELD * (2 + repeated(index)))
    return [int(time / BASE) for time in times]


@given(st.integers(6, 200), st.integers(0, 1))
def test_the_rate_of_a_film(frames, phase):
    """Wherever the pattern begins."""
    assert film_rate(cadence(frames, lambda i: i % 2 == phase), BASE, Fraction(30)) == FILM


def test_the_rate_of_a_film_that_jumps_and_of_one_that_is_half_television():
    """A gap in its times does not tell; where film and television alternate the mean does."""
    times = cadence(100, lambda i: i % 2 == 0)
    assert film_rate([*times[:50], *(t + 900_000 for t in times[50:])], BASE, Fraction(30)) == FILM
    mixed = film_rate(cadence(101, lambda i: i < 50 and i % 2 == 0), BASE, Fraction(30))
    assert float(mixed) == pytest.approx(60000 / 1001 / 2.25, rel=0.01)
    assert film_rate([0, 1], BASE, Fraction(30)) == 30


def test_flags_are_read_where_they_are():
    """In the extension of a picture's coding, not in another one, nor in what is cut off."""
    coding = b"\0\0\1\xb5\x8f\xff\xf3%c\x80"
    assert repeats(b"\0\0\1\0...." + coding % 0x82)
    assert not repeats(b"\0\0\1\0...." + coding % 0x80)
    assert not repeats(b"\0\0\1\xb5\x14\xff\xff\xff\xff")
    assert repeats(b"\0\0\1\xb5\x14\xff\xff\xff\xff" + coding % 0x82)
    assert not repeats(b"\0\0\1\xb5\x8f\xff\xf3")


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_every_frame_is_shown_as_long_as_it_was(studio, tmp_path, suffix):
    """None is left out or doubled; the file's rate is the film's; the flags are told."""
    path, out = tmp_path / "film.vob", tmp_path / f"out{suffix}"
    times = write_telecined(path, 24)
    result = color(str(path), out, studio.weights, segment_frames=7)
    assert not result.already
    assert read_stamps(out) == list(range(24))
    found = story(out).times
    shown = [float(t - found[0]) for t in found]
    assert shown[:-1] == pytest.approx([float(t) for t in times[:-2]], abs=0.0011)
    assert shown[-1] == pytest.approx(float(times[-2]), abs=0.018)  # it has no time of its own in so small a file
    with av.open(str(out)) as made:
        found_rate = made.streams.video[0].average_rate  # of the other two by their times, with the last one's error
        assert found_rate == FILM if suffix == ".mkv" else abs(found_rate / FILM - 1) < Fraction(1, 50)
        assert made.duration is not None
        assert made.duration / 1e6 == pytest.approx(float(times[-1]), abs=0.02)
    said = json.loads(Path(f"{out}.json").read_text())
    assert any("12 frames have repeat flags" in note for note in said["notes"])
    assert said["plan"]["reel"]["rate"] == str(FILM)
    assert run_command("verify", path, out).returncode == 0
    assert color(str(path), out, studio.weights, segment_frames=7).already


def test_a_kept_plan_of_such_a_film_is_used_again(studio, tmp_path):
    """Also of a piece: the rate that all frames told is the plan's."""
    path, out, job = tmp_path / "film.vob", tmp_path / "out.mkv", tmp_path / "job"
    write_telecined(path, 20)
    for _ in range(2):
        done = run_command(
            "reel", path, out, "--weights", studio.weights, "--working-size", 32, "--job", job, "--start", "0.2",
            "--overwrite",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        out.unlink()
        assert not list(job.glob("plan.json.*"))
