"""A file operation that fails once, anywhere in a job, costs a line and no bytes: one call in ten, drawn by a seed.

`make faults` tries every call.
"""

import shutil
import subprocess
import sys

import pytest

from tests.checkout import ROOT

SEED = "7"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="takes Linux and a C compiler")
@pytest.mark.parametrize("job", ["reel-mkv", "reel-mp4", "scan", "archive"])
@pytest.mark.parametrize("mode", ["eio", "enospc"])
def test_a_tenth_of_all_calls(job, mode):
    """The run with the fault says so in a line or did without the call, and the same command ends as it should."""
    words = ["-m", "tests.nth_failure", "--jobs", job, "--modes", mode, "--tenth", SEED]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
