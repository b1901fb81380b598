"""What all tests share: one thread each, examples that are drawn the same way each time, and the count of kills."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import settings

from pipeline.spread.cluster import leave

KILLS = pytest.StashKey[dict[str, list[int]]]()

settings.register_profile("chromatheque", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("chromatheque")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads that wait for a busy core cost more than they bring
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _the_head_lives() -> Iterator[None]:
    """Ray ends a process a minute after it lost its head, without a word: the test that lost it is to be named."""
    yield
    ray: Any = sys.modules.get("ray")
    if ray is None or not getattr(ray, "is_initialized", bool)():
        return
    address = ray.get_runtime_context().gcs_address
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), 10).close()
    except OSError as error:
        leave(ray)
        pytest.fail(f"the head of this process's Ray cluster, {address}, has ended: {error}")


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Callable[[str, int, int, int], None]:
    """Counts, by what was killed: nights, kills that hit, and nights that ended in other bytes."""

    def count(kind: str, nights: int, kills: int, differences: int) -> None:
        _add(pytestconfig, {kind: [nights, kills, differences]})

    return count


def _add(config: pytest.Config, more: dict[str, list[int]]) -> None:
    counted = config.stash.setdefault(KILLS, {})
    for kind, numbers in more.items():
        counted[kind] = [a + b for a, b in zip(counted.get(kind, [0, 0, 0]), numbers, strict=True)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several hands its count to the one that started it."""
    handed: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if handed is not None:
        handed["kills"] = session.config.stash.get(KILLS, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """One of several processes has ended; one that died hands over nothing, but its exit code tells who ended it."""
    _add(node.config, getattr(node, "workeroutput", {}).get("kills", {}))
    if error:
        process: subprocess.Popen[bytes] = node.gateway._io.popen  # nothing public tells
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        sys.stderr.write(f"\nthe process of {node.gateway.id} ended with exit code {process.returncode}\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A table of what was killed."""
    counted = config.stash.get(KILLS, {})
    if counted:
        terminalreporter.section("kills survived")
        for name, *numbers in [("killed", "nights", "kills", "differences"), *((k, *v) for k, v in counted.items())]:
            terminalreporter.line(f"{name:<20}" + "".join(f"{n:>12}" for n in numbers))
