"""The n-th file operation of a small job fails, for every n: what is said, what is left, and what the next run makes.

    python -m tests.nth_failure                                  # every n, EIO and ENOSPC: what `make faults` runs
    python -m tests.nth_failure --jobs scan --modes eio --tenth 7    # one n in ten, drawn by a seed

Takes Linux and a C compiler: nth_failure.c is made and preloaded. One process imports and loads the weights, each trial
is a fork of it. A trial holds if the run with the fault says so in one line, or did without the call; if nothing lies
under a final name that is not what an undisturbed run leaves there; if no file of the user was touched and no good
file set aside; and if the same command, without the fault, then ends as the undisturbed run did: the same bytes, and no
file besides.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import gc
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

SOURCE = Path(__file__).with_suffix(".c")
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
SCRATCH = re.compile(r"\.part|\.new$|(^|/)(lock|passing)$|trace\.txt$")
HOW = ["--working-size", "64", "--precision", "fp32", "--weights", "in/tiny.safetensors"]
JOBS = {
    "reel-mkv": ["reel", "in/clip.mkv", "out/clip.mkv", *HOW],
    "reel-mp4": ["reel", "in/clip.mkv", "out/clip.mp4", *HOW],
    "scan": ["scan", "in/plate.tif", "out/plate.tif", "--pyramid", *HOW],
    "archive": ["archive", "in/all", "out/colored", *HOW],
}


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


def _told_by_clock(place: str) -> bool:
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
            place = self._fresh(job)
            self._references[job] = self._run(JOBS[job], place), tree(place / "out")
        return self._references[job]

    def trial(self, job: str, mode: str, n: int) -> tuple[str, str]:
        """What came of the n-th call's failure, "" if all is as it should be; and the call."""
        reference, want = self.reference(job)
        place = self._fresh(job)
        first = self._run(JOBS[job], place, n, mode)
        hit = next((call for call in first.calls if call[4]), None)
        now = tree(place / "out")
        wrong = self._wrong_now(place, now, want)
        again = self._run(JOBS[job], place)
        bad = self._differences(place, want)
        complete = not [what for what in _apart(now, want) if not _is_told(what, first.text)]
        return _verdict(first, again, reference, complete, wrong, bad), " ".join(hit[1:3]) if hit else ""

    def _fresh(self, job: str) -> Path:
        place = self.work / "at" / job
        shutil.rmtree(place, ignore_errors=True)
        (place / "out").mkdir(parents=True)
        shutil.copytree(self.inputs, place / "in")
        return place

    def _run(self, words: list[str], place: Path, n: int = 0, mode: str = "eio") -> Run:
        """n: the call that fails, 0 for none."""
        log, said = place / "calls.log", place / "said.txt"
        pid = os.fork()
        if not pid:
            self._child(words, place, n, mode, log, said)
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

    def _child(self, words: list[str], place: Path, n: int, mode: str, log: Path, said: Path) -> NoReturn:
        code = 70
        try:
            os.chdir(place)
            out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.argv = ["chromatheque", *words]
            from workflows.commands.cli import main

            how, number, kinds = MODES[mode]
            self.library.nth_arm(b"out", ctypes.c_long(n), how, number, kinds, os.fsencode(log))
            try:
                main()
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

    def _wrong_now(self, place: Path, now: dict[str, str], want: dict[str, str]) -> list[str]:
        """What lies under a final name after the fault and is not what it should be."""
        wrong = []
        for name, mine in now.items():
            path = place / "out" / name
            if not mine or SCRATCH.search(name):
                continue
            state = "/items/" in name or "/report/" in name or name.endswith("set-aside.jsonl") or _told_by_clock(name)
            if name in want and want[name] != mine and not state:
                wrong.append(f"{name}: other bytes")
            elif path.stat().st_size == 0 and want.get(name) != mine:
                wrong.append(f"{name}: empty")
            elif name.endswith(".json"):
                with contextlib.suppress(FileNotFoundError):
                    try:
                        json.loads(path.read_text())
                    except ValueError:
                        wrong.append(f"{name}: not JSON")
        return wrong + self._user_files(place)

    def _user_files(self, place: Path) -> list[str]:
        now = tree(place / "in")
        return [f"THE USER'S {name}" for name in sorted(now.keys() ^ self.user.keys())] + [
            f"THE USER'S {name}" for name in now if now[name] != self.user.get(name, now[name])
        ]

    def _differences(self, place: Path, want: dict[str, str]) -> list[str]:
        return _apart(tree(place / "out"), want) + self._user_files(place)


def _apart(now: dict[str, str], want: dict[str, str]) -> list[str]:
    """What is not as after an undisturbed run."""
    found = [f"missing {name}" for name in want if name not in now]
    found += [f"left over {name}" for name in now if name not in want]
    return found + [f"differs {n}" for n in want if n in now and now[n] != want[n] and not _told_by_clock(n)]


def _is_told(what: str, text: str) -> bool:
    """Whether a difference is of what could not be cleared away: a note says so, or only a lock or nothing stays."""
    return bool(re.match(r"left over \S+\.job(/|$)", what)) and (
        "may be removed" in text or bool(re.search(r"\.job(/lock)?$", what))
    )


def _verdict(first: Run, again: Run, reference: Run, complete: bool, wrong: list[str], bad: list[str]) -> str:
    """What is wrong with a trial, or ""."""
    if first.code is None or again.code is None:
        return "hangs"
    if "Traceback" in first.text + again.text:
        return f"traceback: {first.last or again.last}"
    if first.code < 0 or again.code < 0:
        return f"ended by signal {-min(first.code, again.code)}"
    if wrong:
        return f"under a final name: {wrong}"
    if re.search(r"set aside (\S+/)?(clip|plate)\b", first.text):
        return f"a good file is set aside: {first.text}"
    if bad or again.code != reference.code:
        return f"the next run ends with {again.code}, {bad}: {again.last}"
    if first.code == reference.code == 0 and not complete:
        return "says that it is done"
    if first.code and not reference.code and "cannot be written" not in first.last:
        return f"an unclear line: {first.last}"
    return ""


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


def preloaded(arguments: list[str]) -> None:
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
        command = [sys.executable, "-m", "tests.nth_failure", *arguments]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


def main() -> None:
    """Try every n, print what does not hold, and end with 1 if anything does not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--modes", default="eio,enospc")
    parser.add_argument("--tenth", type=int, help="a seed: one call in ten, drawn by it")
    parser.add_argument("--only", type=int, help="this call alone")
    parser.add_argument("--first", type=int, default=1, help="from this call on")
    asked = parser.parse_args()
    preloaded(sys.argv[1:])
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for job in asked.jobs.split(","):
            for mode in asked.modes.split(","):
                for n in _numbers(bench.reference(job)[0], mode, asked):
                    why, call = bench.trial(job, mode, n)
                    counts["failures" if why else "as it should be"] += 1
                    if why or asked.only:
                        print(f"{job} {mode} {n} {call.replace(str(bench.work), '')}: {why or 'holds'}", flush=True)
            print(f"{job}: {len(bench.reference(job)[0].calls)} calls; so far {dict(counts)}", flush=True)
    print(f"{counts.total()} trials, {counts['failures']} failures")
    sys.exit(bool(counts["failures"]))


def _numbers(reference: Run, mode: str, asked: Any) -> list[int]:
    """Which calls are tried."""
    every = [
        n for n, call in enumerate(reference.calls, 1) if mode != "short" or call[1].startswith(("write", "pwrite"))
    ]
    if asked.only:
        return [asked.only]
    if asked.tenth is None:
        return list(range(asked.first, len(every) + 1))
    draw = random.Random(f"{asked.tenth} {mode} {len(every)}")
    return sorted(draw.sample(range(1, len(every) + 1), -(-len(every) // 10)))


if __name__ == "__main__":
    main()
