"""Encoders leave this process as urgent as it was."""

import os
import sys

import pytest

from pipeline.reels.scheduling import TASKS
from tests.endtoend import color
from tests.synthetic import tiny_weights, write_reel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells of threads")


def policies():
    """How the threads of this process are scheduled."""
    return {os.sched_getscheduler(int(task.name)) for task in TASKS.iterdir()}


@pytest.mark.parametrize("profile", ["archive", "av1"])
def test_no_thread_becomes_real_time(tmp_path, profile):
    """As root libsvtav1 makes itself and its caller so, and whatever the process starts later."""
    before = policies()
    assert before == {os.SCHED_OTHER}
    source, tiny = write_reel(tmp_path / "in.mkv", 12, (64, 48)), tiny_weights(tmp_path / "tiny.safetensors")
    assert all(f.right for f in color(source, tmp_path / "out.mkv", tiny, profile=profile).findings)
    assert policies() == before
