"""Memory of a reel's job: as many frames at once as fit, and words about what would."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError
from pipeline.containers.profiles import PROFILES
from pipeline.reels.memory import BASE, batch_for
from pipeline.reels.target import target_for
from tests.endtoend import ROOT, command_line, environment, luma_digests
from tests.plans import BASE as REEL
from tests.synthetic import tiny_weights, write_reel


@given(side=st.integers(16, 9000), allowed=st.integers(1, 64 << 30), most=st.integers(1, 8))
def test_more_memory_is_never_fewer_frames(side, allowed, most):
    """A batch fits into what is allowed or it is refused with --memory named; 0 allows all."""
    reel = replace(REEL, width=side, height=side)
    assert frames(0, reel, most) == most
    batch = frames(allowed, reel, most)
    assert batch <= min(most, frames(2 * allowed, reel, most))
    assert not batch or allowed > BASE


def frames(allowed, reel, most):
    """Frames at once within a limit; 0 where it is refused, in a line that says what helps."""
    try:
        return batch_for(allowed, reel, target_for(reel, PROFILES["archive"]), 1, most)
    except ColorizeError as error:
        if not str(error).endswith("allow more by --memory"):
            raise
        return 0


@pytest.mark.parametrize(
    ("pix_fmt", "bits", "batch", "peak"),
    [("gray", 8, 1, 1001), ("gray", 8, 3, 1559), ("gray", 8, 8, 1932), ("yuv444p16le", 16, 8, 5845)],
)
def test_what_is_known_of_frames_is_an_upper_bound(pix_fmt, bits, batch, peak):
    """Peaks of whole processes that were measured with so many frames at once, MiB: no more are ever allowed there."""
    reel = replace(REEL, width=3840, height=2160, pix_fmt=pix_fmt, coding=replace(REEL.coding, bits=bits))
    assert frames(peak << 20, reel, 8) <= batch


@pytest.mark.slow
def test_a_reel_stays_below_its_limit(tmp_path):
    """A reel of 1080 lines within 1.2 GB: fewer frames at once, and the peak of the process is below; within half a
    gigabyte it is refused in a line."""
    source = write_reel(tmp_path / "in.mkv", 14, size=(1920, 1080), pix_fmt="gray", codec="ffv1")
    how = ("--working-size", "64", "--precision", "fp32", "--weights", tiny_weights(tmp_path / "tiny.safetensors"))
    code = (
        "import re, sys\nfrom workflows.commands.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"  # getrusage has the parent's
        "    print('PEAK', end.code or 0, int(peak) >> 10)"
    )
    for memory, ends in (("1.2G", "0"), ("500M", "1")):
        words = command_line("reel", source, tmp_path / f"{memory}.mkv", "--memory", memory, *how)[3:]
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        code_, peak = done.stdout.splitlines()[-1].split()[1:]
        assert code_ == ends, done.stderr
        assert ends == "0" or "allow more by --memory" in done.stderr
        assert int(peak) < 1230
    assert luma_digests(tmp_path / "1.2G.mkv") == luma_digests(source)
    assert not (tmp_path / "500M.mkv").exists()
