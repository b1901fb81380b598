"""Real Ray clusters for tests: each with folder, ports and token of its own, and nothing left of it afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.endtoend import environment


@dataclass(frozen=True)
class Head:
    """A head with two CPUs. env: a process's environment with the token in it."""

    address: str
    dashboard: str
    metrics: int
    env: dict[str, str]


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@contextmanager
def head(**more: str) -> Iterator[Head]:
    """A head that answers. more: of its environment."""
    temp = Path(tempfile.mkdtemp(prefix="chj-", dir="/tmp"))  # short: the path of a Unix socket has 107 bytes
    (temp / "token").write_text(secrets.token_hex(32))
    env = environment(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(temp / "token"))
    gcs, dashboard, client, agent, metrics = free_ports(5)
    ray = Path(sys.executable).with_name("ray")
    words = [
        ray, "start", "--head", "--block", "--num-cpus=2", f"--temp-dir={temp}", "--node-ip-address=127.0.0.1",
        f"--port={gcs}", f"--dashboard-port={dashboard}", f"--ray-client-server-port={client}",
        f"--dashboard-agent-listen-port={agent}", f"--metrics-export-port={metrics}", "--disable-usage-stats",
        "--object-store-memory=100000000",
    ]  # fmt: skip
    log = (temp / "head.log").open("w")
    child = subprocess.Popen(
        list(map(str, words)), env={**env, **more}, stdout=log, stderr=log, start_new_session=True
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not (listens(dashboard) and listens(gcs)):
            assert child.poll() is None, (temp / "head.log").read_text()
            assert time.monotonic() < until, (temp / "head.log").read_text()
            time.sleep(0.2)
        yield Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", metrics, env)
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(3)  # it would let its work end for half a minute
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        log.close()
        shutil.rmtree(temp, ignore_errors=True)


def listens(port: int) -> bool:
    """Whether somebody takes a connection there."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
