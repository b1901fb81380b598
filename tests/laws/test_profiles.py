"""The laws in every profile and kind of file: the same reel, whole, however it came about, for other readers too."""

import contextlib
import subprocess
from fractions import Fraction

import pytest

from pipeline.containers.profiles import PROFILES
from pipeline.reels.painter import SegmentPainter
from tests.endtoend import color, command_line, environment, one_line, run_command, samples, story, verify
from tests.endtoend import pictures as decoded_pictures
from tests.outputs import FRAMES, RATE, SIZE, maker, pal_reel
from tests.synthetic import read_stamps, write_reel

PAIRS = [(p.name, c.suffix) for p in PROFILES.values() for c in p.containers]
NEW = [(name, suffix) for name, suffix in PAIRS if name not in ("archive", "mezzanine", "access")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("profiles")


@pytest.fixture(scope="module")
def source(folder):
    """Three shots of PAL, with everything that a reel has."""
    return pal_reel(folder / "in.mkv", metadata={"title": "Harbor"})


@pytest.fixture(scope="module")
def made(folder, source, tiny):
    """Undisturbed outputs, made when they are first asked for."""
    return maker(folder, source, tiny)


class Dies(Exception):
    """The power goes."""


def dying(frame):
    """Painters that end before a frame."""

    def make(settings, job):
        from pipeline.jobs.reel_job import open_painter

        class Dying(SegmentPainter):
            def _painted(self, segment, target):
                for index, painted in enumerate(super()._painted(segment, target), segment.start):
                    if index == frame:
                        raise Dies
                    yield painted

        return Dying(open_painter(settings, job).colorizer, job)

    return make


@pytest.mark.parametrize(("name", "suffix"), NEW)
def test_a_run_that_was_killed_ends_in_the_same_bytes(tmp_path, source, tiny, made, name, suffix):
    """Whatever stopped it in the second shot, the same command makes the file and the story of an undisturbed run."""
    out, _ = made(name, suffix)
    again = tmp_path / out.name
    with contextlib.suppress(Dies):
        color(source, again, tiny, profile=name, make=dying(8))
    assert not again.exists()
    assert color(source, again, tiny, profile=name).painted == 2
    assert again.read_bytes() == out.read_bytes()
    story_of = [path.with_name(path.name + ".json").read_bytes() for path in (again, out)]
    assert story_of[0] == story_of[1]


@pytest.mark.ray
@pytest.mark.parametrize(("name", "suffix"), [("hevc", ".mp4"), ("av1", ".webm"), ("dnxhr", ".mov")])
def test_whoever_paints_makes_the_same_bytes(tmp_path, source, tiny, made, cluster, name, suffix):
    """Two workers, each with some of the segments, and one process."""
    out, _ = made(name, suffix)
    color(source, tmp_path / out.name, tiny, profile=name, ray="local", workers=2)
    assert (tmp_path / out.name).read_bytes() == out.read_bytes()


@pytest.mark.parametrize(("name", "suffix"), NEW)
def test_nothing_is_lost(source, made, name, suffix):
    """Frames, times, aspect, time code, sound, chapters and tags are there, or the run says by name what is not."""
    out, result = made(name, suffix)
    was, now = story(source), story(out)
    assert now.stamps == list(range(FRAMES))
    steps = [b - a for a, b in zip(now.times, now.times[1:], strict=False)]
    assert all(abs(step - 1 / RATE) <= Fraction(1, 1000) for step in steps)
    assert (now.size, now.aspect, now.timecode) == (was.size, was.aspect, was.timecode)
    lost = " ".join(result.lost)
    assert len(now.of("audio")) == len(was.of("audio"))
    assert "chapters" in lost or [c[2] for c in now.chapters] == [c[2] for c in was.chapters]
    assert any(value == "Harbor" for value in now.tags.values())
    assert [s.codec for s in now.of("video")] == [PROFILES[name].codec.decoder]


@pytest.mark.parametrize(("name", "suffix"), NEW)
def test_the_proof_can_be_made_anew(source, made, name, suffix):
    """`verify` holds, and tells the worst frame."""
    out, _ = made(name, suffix)
    code, printed = verify(source, out)
    assert code == 0, printed
    assert "worst frame" in printed


@pytest.mark.parametrize(("name", "suffix"), NEW)
def test_luma_is_near_and_color_is_there(source, made, name, suffix):
    """No frame is another one: each is at least as near its source as the profile promises; chroma is not gray."""
    out, _ = made(name, suffix)
    profile = PROFILES[name]
    for a, b in zip(decoded_pictures(source), decoded_pictures(out), strict=True):
        bits = max(c.bits for c in b.format.components)
        wanted, got = samples(a, 0).astype(float) * 2 ** (bits - 8), samples(b, 0).astype(float)
        error = ((wanted - got) ** 2).mean()
        assert error <= (219 * 2 ** (bits - 8)) ** 2 / 10 ** (profile.psnr / 10)
        assert abs(samples(b, 1).astype(float) - 2 ** (bits - 1)).mean() > 2 ** (bits - 8)


@pytest.mark.parametrize(
    ("name", "suffix", "how", "says"),
    [
        ("dnxhr", ".mov", {"interlaced": "tff"}, "the source is interlaced and DNxHR is not; choose --profile archive"),
        ("av1", ".webm", {"interlaced": "bff"}, r"do not say that a reel is interlaced; name it \.mkv or \.mp4"),
        ("dnxhr", ".mov", {"size": (64, 48)}, "does not take pictures of 64 x 48"),
        ("dnxhr", ".mxf", {"rotation": 90}, r"do not say that a reel is turned; name it \.mov"),
        ("dnxhr", ".mxf", {"rate": Fraction(18)}, "does not take pictures of 256 x 128 at 18 a second"),
        ("dnxhr", ".mxf", {"time_base": Fraction(1, 600), "pts": [0, 25, 60, 75]}, "frame 2 is not at its time"),
    ],
)
def test_what_cannot_be_held_is_refused_before_work(tmp_path, tiny, name, suffix, how, says):
    """One line, and nothing is left beside the output."""
    from colorizer.basis.errors import EncodeError

    source = write_reel(tmp_path / "in.mov", 4, how.pop("size", SIZE), **how)
    with pytest.raises(EncodeError, match=says):
        color(source, tmp_path / f"out{suffix}", tiny, profile=name)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mov"]


def test_the_command_says_nothing_of_its_encoders(tmp_path, source, tiny):
    """SVT-AV1 and x265 talk on standard error unless told otherwise; the command prints its own lines alone."""
    for name, suffix in (("av1", ".webm"), ("hevc", ".mp4")):
        done = run_command(
            "reel", source, tmp_path / f"out{suffix}", "--profile", name, "--weights", tiny, "--working-size", "32",
            "--stop", "0.2", "--progress", "none",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Svt" not in done.stderr + done.stdout
        assert "x265" not in done.stderr + done.stdout


def test_a_profile_without_its_encoder_is_one_line(tmp_path, source, tiny):
    """Where FFmpeg was built without it: what is missing, what to do, exit code 1; nothing is painted."""
    code = (
        "import sys; from pipeline.containers import codecs; codecs.has_encoder = lambda name: name != 'libx265'\n"
        "from workflows.commands.cli import main; sys.argv = ['chromatheque', *sys.argv[1:]]; main()"
    )
    words = ["reel", source, tmp_path / "out.mp4", "--profile", "hevc", "--weights", tiny]
    done = subprocess.run(
        [command_line()[0], "-c", code, *map(str, words)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "profile hevc needs the encoder libx265" in one_line(done)
    assert list(tmp_path.iterdir()) == []


def test_pieces_and_stamps_in_order(tmp_path, source, tiny):
    """A piece of a reel goes through the new profiles as through the others."""
    for name, suffix in (("hevc", ".mov"), ("av1", ".mp4"), ("dnxhr", ".mov"), ("dnxhr", ".mxf")):
        out = tmp_path / f"{name}{suffix}"
        color(source, out, tiny, profile=name, start="0.2", stop="0.48")
        assert read_stamps(out) == list(range(5, 12))
        assert verify(source, out)[0] == 0
