"""Trials: small jobs in a folder of their own, each a fork of one process in which nth_failure.c sees what they write.

What nth_failure.py and power_loss.py have in common. Takes Linux and a C compiler.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

SOURCE = Path(__file__).with_name("nth_failure.c")
ONCE, FROM_THEN_ON, SHORT = range(3)
CHANGES, WRITES = 511, 2
"""Kinds of calls that are counted: all that change something, or writes alone."""
MODES = {
    "eio": (ONCE, errno.EIO, CHANGES),
    "enospc": (ONCE, errno.ENOSPC, CHANGES),
    "full": (FROM_THEN_ON, errno.ENOSPC, CHANGES),
    "short": (SHORT, 0, WRITES),
}
"""How a call fails: once with an errno, all calls from it on, or with half of its bytes written."""
TIME = 90.0
"""Seconds after which a run hangs."""
HOW = ["--precision", "fp32", "--weights", "in/tiny.safetensors", "--working-size"]
PLAIN = ["scan", "in/plate.tif", "out/plate.tif", "--compression", "none", *HOW]
KEPT = ["reel", "in/clip.mkv", "out/clip.mkv", "--job", "out/kept", *HOW, "64"]
ARCHIVE = ["archive", "in/all", "out/colored", *HOW]
JOBS = {
    "reel-mkv": ["reel", "in/clip.mkv", "out/clip.mkv", *HOW, "64"],
    "reel-mp4": ["reel", "in/clip.mkv", "out/clip.mp4", *HOW, "64"],
    "scan": ["scan", "in/plate.tif", "out/plate.tif", "--pyramid", *HOW, "64"],
    "archive": [*ARCHIVE, "64"],
    "reel-again": KEPT,
    "scan-again": [*PLAIN, "96", "--overwrite"],
    "archive-again": [*ARCHIVE, "96"],
}
BEFORE = {
    "reel-again": [KEPT, ["plan", "split", "out/kept", "1", "--at", "4", "--own"]],
    "scan-again": [[*PLAIN, "64"]],
    "archive-again": [[*ARCHIVE, "64"]],
}
"""What came before jobs that replace a finished output; of a scan one that is as large."""
FIRST = [job for job in JOBS if job not in BEFORE]


def make_inputs(folder: Path) -> None:
    """A clip with sound, a 16-bit scan, and a folder with both and a file that is neither."""
    import numpy as np
    import tifffile

    from tests.synthetic import tiny_weights

    folder.mkdir(parents=True)
    tiny_weights(folder / "tiny.safetensors")
    random = np.random.default_rng(7)
    _clip(folder / "clip.mkv", random)
    rows, columns = np.mgrid[0:150, 0:200]
    plate = (9000 + 150 * rows + 120 * columns + random.normal(0, 300, rows.shape)).astype(np.uint16)
    tifffile.imwrite(folder / "plate.tif", plate, photometric="minisblack", resolution=(300, 300))
    (folder / "all").mkdir()
    for name in ("clip.mkv", "plate.tif"):
        shutil.copy(folder / name, folder / "all" / name)
    (folder / "all" / "bad.mkv").write_bytes(b"this is no film\n" * 64)


def _clip(path: Path, random: Any) -> None:
    """16 frames of 96 x 72 with a cut, gray FFV1, and as much sound."""
    import av
    import numpy as np

    rows, columns = np.mgrid[0:72, 0:96]
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("ffv1", rate=24)
        video.width, video.height, video.pix_fmt = 96, 72, "gray"
        sound: Any = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        for i in range(16):
            base = 40 + rows + columns if i < 9 else 230 - rows * 2
            luma = np.clip(base + 20 * np.sin((columns + 3 * i) / 9) + random.normal(0, 2, rows.shape), 0, 255)
            frame = av.VideoFrame.from_ndarray(luma.astype(np.uint8), format="gray")
            frame.pts = i
            out.mux(video.encode(frame))
        out.mux(video.encode())
        tone = (8000 * np.sin(np.arange(8000 * 16 // 24) / 5)).astype(np.int16)[None]
        heard = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        heard.sample_rate = 8000
        out.mux(sound.encode(heard))
        out.mux(sound.encode())


def _digest(path: Path) -> str:
    """Of a file's bytes; of a collection's state what came of the items, since seconds and errors differ by night."""
    data = path.read_bytes()
    with contextlib.suppress(ValueError, KeyError, TypeError):
        if path.name == "set-aside.jsonl":
            data = repr(sorted(json.loads(line)["uri"] for line in data.splitlines())).encode()
        elif path.parent.name == "items":
            data = json.loads(data)["state"].encode()
    return hashlib.sha256(data).hexdigest()


def tree(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder, by its place; folders have none."""
    return {str(p.relative_to(folder)): _digest(p) if p.is_file() else "" for p in sorted(folder.rglob("*"))}


def told_by_clock(place: str) -> bool:
    """Files that hold times of day or seconds, or are told in other words by who makes them again, such as a story that
    a report writes in the place of a worker: not compared by their bytes."""
    story = "/report/" in place and place.endswith((".html", ".json"))
    return story or place.endswith(("report.html", "lock", ".prom", "collection.json"))


@dataclass
class Run:
    """How a command ended. code: None where it hung. calls: number, name, path, other path, fate, of each counted."""

    code: int | None
    text: str
    calls: list[list[str]] = field(repr=False)

    @property
    def last(self) -> str:
        """The last line that it printed."""
        return self.text.splitlines()[-1] if self.text else ""


class Bench:
    """Jobs in a folder of their own, each run a fork of this process, which must have the library preloaded."""

    def __init__(self, work: Path) -> None:
        self.work, self.inputs = work.resolve(), work.resolve() / "inputs"
        self.library = ctypes.CDLL(None)
        make_inputs(self.inputs)
        self.user = tree(self.inputs)
        self._references: dict[str, tuple[Run, dict[str, str]]] = {}
        os.environ["XDG_CACHE_HOME"] = str(self.work / "cache")
        _load(self.inputs / "tiny.safetensors")

    def reference(self, job: str) -> tuple[Run, dict[str, str]]:
        """An undisturbed run, and what it leaves."""
        if job not in self._references:
            place = self.fresh(job)
            self._references[job] = self.run(JOBS[job], place), tree(place / "out")
        return self._references[job]

    def fresh(self, job: str) -> Path:
        """A folder with the inputs, `in`, and `out` as it is before the job."""
        place = self.work / "at" / job
        before = self.work / "before" / job
        if not before.exists():
            (before / "out").mkdir(parents=True)
            shutil.copytree(self.inputs, before / "in")
            for words in BEFORE.get(job, []):
                if (made := self.run(words, before)).code not in (0, 1) or "Error: " in made.text:
                    sys.exit(f"{' '.join(words)}: {made.text}")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(before, place)
        return place

    def run(
        self, words: list[str], place: Path, n: int = 0, mode: str = "eio", record: Path | None = None
    ) -> Run:  # fmt: skip
        """n: the call that fails, 0 for none. record: where the bytes of all changes are written."""
        log, said = place / "calls.log", place / "said.txt"
        pid = os.fork()
        if not pid:
            self._child(words, place, n, mode, log, said, record)
        until, code = time.monotonic() + TIME, None
        while code is None and time.monotonic() < until:
            ended, status = os.waitpid(pid, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if ended else None
            time.sleep(0.01)
        if code is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return Run(code, said.read_text(errors="replace").strip(), [line.split("\t") for line in lines])

    def _child(
        self, words: list[str], place: Path, n: int, mode: str, log: Path, said: Path, record: Path | None
    ) -> NoReturn:  # fmt: skip
        code = 70
        try:
            os.chdir(place)
            out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.argv = ["chromatheque", *words]
            from workflows.commands.cli import command

            how, number, kinds = MODES[mode]
            if record:
                self.library.nth_record(os.fsencode(record))
            self.library.nth_arm(b"out", ctypes.c_long(n), how, number, kinds, os.fsencode(log))
            try:
                command()
                code = 0
            except SystemExit as error:
                code = error.code if isinstance(error.code, int) else int(error.code is not None)
            except BaseException:
                traceback.print_exc()
                code = 1
            gc.collect()  # as an interpreter that ends would
            sys.stdout.flush()
            sys.stderr.flush()
            self.library.nth_disarm()
        finally:
            os._exit(code)

    def user_files(self, place: Path) -> list[str]:
        """What a run did to files that are not its own."""
        now = tree(place / "in")
        return [f"THE USER'S {name}" for name in sorted(now.keys() ^ self.user.keys())] + [
            f"THE USER'S {name}" for name in now if now[name] != self.user.get(name, now[name])
        ]


def apart(now: dict[str, str], want: dict[str, str]) -> list[str]:
    """What is not as after an undisturbed run."""
    found = [f"missing {name}" for name in want if name not in now]
    found += [f"left over {name}" for name in now if name not in want]
    return found + [f"differs {n}" for n in want if n in now and now[n] != want[n] and not told_by_clock(n)]


def _load(weights: Path) -> None:
    """All that a run imports, and its weights. Nothing is painted here: threads do not survive a fork."""
    import torch

    torch.set_num_threads(1)
    import workflows.commands.archive
    import workflows.commands.cli
    import workflows.commands.reel
    import workflows.commands.scan
    import workflows.report.page
    import workflows.report.report_pictures
    import workflows.sheets.sheet  # noqa: F401
    from colorizer.networks import weights_file
    from pipeline.spread.pools import planned_colorizer

    planned_colorizer(str(weights), weights_file.load(str(weights)).digest, "fp32")


def preloaded(module: str, arguments: list[str]) -> None:
    """Go on in a process that has the library, made now. Returns where it is there already."""
    if "nth_failure" in os.environ.get("LD_PRELOAD", ""):
        return
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        sys.exit("this takes Linux and a C compiler")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "nth_failure.so"
        made = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
        subprocess.run(made, check=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", module, *arguments]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
