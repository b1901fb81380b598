"""A Ray cluster of several nodes on this machine, in a process of its own: `python -m tests.nodes TEMP COUNT`

Reads a word a line: `add` a node of one CPU, `kill N` the N-th node without a warning, clear away those that are
`lost`. Answers each with how many there are now. Ends, and the cluster with it, when its input does.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.endtoend import ROOT, environment

ROOM = 78 * 2**20
"""Bytes of an object store, about the least that Ray takes."""


def serve(temp: str, count: int) -> None:
    """Run the cluster: a head that takes no work, and nodes of one CPU."""
    import ray._private.utils
    from ray.cluster_utils import Cluster

    ray._private.utils.write_ray_address = lambda *_: None  # it would be the one that `auto` means on this machine

    common = {"object_store_memory": ROOM, "include_dashboard": False, "num_gpus": 0}
    head = {"num_cpus": 0, "temp_dir": temp, **common}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, **common) for _ in range(count)]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        word, *which = line.split()
        if word == "add":
            nodes.append(cluster.add_node(num_cpus=1, **common))
        elif word == "lost":
            for node in [node for node in nodes if not node.remaining_processes_alive()]:
                cluster.remove_node(node, allow_graceful=False)
                nodes.remove(node)
        elif nodes:
            cluster.remove_node(nodes.pop(int(which[0]) % len(nodes) if which else 0), allow_graceful=False)
        print(len(nodes), flush=True)
    cluster.shutdown()


class Nodes:
    """The test's side: address and environment for the command, and the two words."""

    def __init__(self, process: subprocess.Popen[str], address: str, env: dict[str, str]) -> None:
        self.process, self.address, self.env, self.count = process, address, env, 0

    def _say(self, *words: object) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(*words, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def add(self) -> None:
        """Let a node join."""
        self.count = self._say("add")

    def kill(self, which: int = 0) -> None:
        """Kill a node with all that is on it."""
        self.count = self._say("kill", which)

    def lost(self) -> None:
        """Take notice of nodes that ended by themselves."""
        self.count = self._say("lost")


@contextmanager
def nodes(count: int) -> Iterator[Nodes]:
    """A head and so many nodes of one CPU, with a folder, a port and a token of their own."""
    temp = Path(tempfile.mkdtemp(prefix="chq-", dir="/tmp"))  # short: the path of a Unix socket has 107 bytes
    (temp / "token").write_text(secrets.token_hex(32))
    env = environment(
        RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(temp / "token"), RAY_ENABLE_UV_RUN_RUNTIME_ENV="0",
        RAY_DISABLE_IMPORT_WARNING="1",
    )  # fmt: skip
    env.pop("RAY_ADDRESS", None)
    with (temp / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.nodes", str(temp), str(count)], env=env, text=True, cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, (temp / "log").read_text()
        found = Nodes(process, address, env)
        found.count = count
        yield found
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        shutil.rmtree(temp, ignore_errors=True)


if __name__ == "__main__":
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    serve(sys.argv[1], int(sys.argv[2]))
