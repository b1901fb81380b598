"""Scheduling: an encoder that makes itself urgent is made ordinary again.

libsvtav1, where it may (as root, so in most containers), makes the thread that opens it and all threads of its own
real-time, at the highest priority and for good; what the process starts later inherits it. Two such workers on two
cores leave nothing for anybody else on the machine, a Ray node's own processes among them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TASKS = Path("/proc/self/task")


@contextmanager
def ordinary() -> Iterator[None]:
    """Around what opens an encoder: this thread, and those that are begun meanwhile, are scheduled as this one was."""
    if sys.platform != "linux":
        yield
        return
    policy, priority, before = os.sched_getscheduler(0), os.sched_getparam(0), _threads()
    try:
        yield
    finally:
        for thread in (0, *(_threads() - before)):
            with suppress(OSError):  # it has ended
                os.sched_setscheduler(thread, policy, priority)


def _threads() -> set[int]:
    return {int(task.name) for task in TASKS.iterdir()}
