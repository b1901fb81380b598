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
import json
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.trials import FIRST, JOBS, Bench, Run, apart, preloaded, told_by_clock, tree

SCRATCH = re.compile(r"\.part|\.new$|(^|/)(lock|passing)$|trace\.txt$")


def trial(bench: Bench, job: str, mode: str, n: int) -> tuple[str, str]:
    """What came of the n-th call's failure, "" if all is as it should be; and the call."""
    reference, want = bench.reference(job)
    place = bench.fresh(job)
    first = bench.run(JOBS[job], place, n, mode)
    hit = next((call for call in first.calls if call[4]), None)
    now = tree(place / "out")
    wrong = _wrong_now(bench, place, now, want)
    again = bench.run(JOBS[job], place)
    bad = apart(tree(place / "out"), want) + bench.user_files(place)
    complete = not [what for what in apart(now, want) if not _is_told(what, first.text)]
    return _verdict(first, again, reference, complete, wrong, bad), " ".join(hit[1:3]) if hit else ""


def _wrong_now(bench: Bench, place: Path, now: dict[str, str], want: dict[str, str]) -> list[str]:
    """What lies under a final name after the fault and is not what it should be."""
    wrong = []
    for name, mine in now.items():
        path = place / "out" / name
        if not mine or SCRATCH.search(name):
            continue
        state = "/items/" in name or "/report/" in name or name.endswith("set-aside.jsonl") or told_by_clock(name)
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
    return wrong + bench.user_files(place)


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


def main() -> None:
    """Try every n, print what does not hold, and end with 1 if anything does not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", default=",".join(FIRST))
    parser.add_argument("--modes", default="eio,enospc")
    parser.add_argument("--tenth", type=int, help="a seed: one call in ten, drawn by it")
    parser.add_argument("--only", type=int, help="this call alone")
    parser.add_argument("--first", type=int, default=1, help="from this call on")
    asked = parser.parse_args()
    preloaded("tests.nth_failure", sys.argv[1:])
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for job in asked.jobs.split(","):
            for mode in asked.modes.split(","):
                for n in _numbers(bench.reference(job)[0], mode, asked):
                    why, call = trial(bench, job, mode, n)
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
