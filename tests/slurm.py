"""A stand-in for Slurm: two nodes on this machine, for the script that the package ships."""

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

from tests.clusters import free_ports, listens
from tests.endtoend import environment

SCRIPT = Path(str(files("workflows"))) / "examples" / "slurm.sbatch"

SRUN = """
import os, re, signal, subprocess, sys

NODES = os.environ["STANDIN_NODES"].split()
KNOWN = {"overlap", "nodes", "ntasks", "ntasks-per-node", "cpus-per-task", "kill-on-bad-exit", "nodelist", "exclude"}
words, given = sys.argv[1:], {}
while words and words[0].startswith("-"):
    name, _, value = words.pop(0).removeprefix("--").partition("=")
    if name not in KNOWN:
        sys.exit(f"srun: unknown option {name}")
    given[name] = value
chosen = [n for n in NODES if n != given.get("exclude") and given.get("nodelist", n) == n]
if int(given["nodes"]) != len(chosen) or given["ntasks"] != given["nodes"]:
    sys.exit(f"srun: {given} does not fit {chosen}")


def on(number, word):
    # what two machines have each for itself: ports of the same numbers, a disk
    word = re.sub(r"tmp/chq-[0-9]+", lambda folder: folder[0] + (f"-{number}" if number else ""), word)
    port = re.fullmatch(r"(--(?!port=|ray-client-|min-|max-)[a-z-]+-port=)([0-9]+)", word)
    return f"{port[1]}{int(port[2]) + 8 * number}" if port else word


children = []
signal.signal(signal.SIGTERM, lambda *_: [child.terminate() for child in children])
for node in chosen:
    number = NODES.index(node)
    env = {**os.environ, "SLURMD_NODENAME": node, "SLURM_NODEID": str(number)}
    children.append(subprocess.Popen([on(number, word) for word in words], env=env))
    with open(os.environ["STANDIN_CALLS"], "a") as calls:
        print(node, *words, file=calls)
sys.exit(max(abs(child.wait()) for child in children))
"""

SCONTROL = """
case "$1" in
show) printf '%s\\n' $STANDIN_NODES ;;
requeue) echo "requeue $2" >>"$STANDIN_CALLS" ;;
*) exit 2 ;;
esac
"""


class Slurm:
    """Two nodes of this machine's: `srun`, `scontrol` and `hostname` that stand in for Slurm's, and its variables."""

    def __init__(self, home):
        self.calls, self.log = home / "calls", home / "log"
        self.calls.touch()
        (home / "bin").mkdir()
        (home / "srun.py").write_text(SRUN)
        for name, text in (
            ("srun", f'exec {sys.executable} {home}/srun.py "$@"'), ("scontrol", SCONTROL),
            ("hostname", "echo 127.0.0.1"),
        ):  # fmt: skip
            (home / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
            (home / "bin" / name).chmod(0o755)
        self.id = self._free_id()
        path = f"{home}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = environment(
            PATH=path, HOME=str(home), STANDIN_NODES="alpha beta", STANDIN_CALLS=str(self.calls), GPUS="0",
            SLURM_JOB_ID=str(self.id), SLURM_JOB_NUM_NODES="2", SLURM_JOB_NODELIST="alpha,beta",
            SLURM_CPUS_PER_TASK="1",
        )  # fmt: skip
        self.token = home / f".chromatheque-{self.id}.token"

    @staticmethod
    def _free_id():
        """A job's number whose ports are free."""
        while True:
            id = 10_000_000 + free_ports(1)[0] * 7
            base = 20000 + id % 500 * 20
            if not any(listens(port) for port in range(base, base + 20)):
                return id

    def start(self, *words):
        """What sbatch runs, in the background."""
        with self.log.open("a") as log:
            return subprocess.Popen(
                ["bash", SCRIPT, *map(str, words)], env=self.env, text=True, stderr=subprocess.STDOUT, stdout=log,
                start_new_session=True, cwd=self.log.parent,
            )  # fmt: skip

    def left(self):
        """Processes that the job started: all have its number in their environment."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    if f"SLURM_JOB_ID={self.id}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                        words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                        if words:  # else it ended and waits for its parent
                            found.append(f"{folder.name}: {words}")
                except OSError:
                    continue
        return found

    def is_clean(self):
        """No process, no folder, no token."""
        until = time.monotonic() + 20
        while (left := self.left()) and time.monotonic() < until:
            time.sleep(0.5)
        assert left == []
        assert not list(Path("/tmp").glob(f"chq-{self.id}*"))
        assert not self.token.exists()

    def kill(self, child):
        """The last resort when a test fails: by number, only this job's."""
        for told in self.left():
            os.kill(int(told.partition(":")[0]), signal.SIGKILL)
        child.wait()
        for folder in Path("/tmp").glob(f"chq-{self.id}*"):
            shutil.rmtree(folder, ignore_errors=True)
