"""Law 4, whatever fails: nodes, networks, disks that read no more, clocks, neighbors. Nothing is mocked but time."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from colorizer.basis.errors import NodeLost
from pipeline.collection.layout import STATE
from pipeline.collection.run import deadline_of
from pipeline.collection.schedule import Schedule, ready
from pipeline.collection.state import State
from pipeline.collection.steps import StepPainter
from pipeline.spread.pools import InlinePool, Outcome, RayPool
from pipeline.values.events import ItemChanged, Silent
from pipeline.values.stages import ASIDE, PAINT, PUBLISH, SURVEY
from tests.endtoend import ROOT, command_line, environment, hear_interrupts, one_line, run_command, verify
from tests.laws.nights import OUTS, command, items_of, night, outputs, scheduled, start
from tests.nodes import nodes
from tests.plates import plate
from tests.synthetic import write_reel

SOURCES = ["films/a.mkv", "films/b.mov", "plates/album.tif", "plates/one.tif"]
"""Of OUTS."""


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    """The library that makes reads fail and clocks jump, see faults.c."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("faults of the system are made by a preloaded library: that takes Linux and a C compiler")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = ROOT / "tests" / "faults.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@pytest.fixture(scope="module")
def machines():
    """Two nodes of one CPU each, and a head that only knows of them."""
    with nodes(2) as found:
        yield found


def told(line):
    """The event in a line of the command's output; nothing in what Ray prints."""
    return json.loads(line) if line.startswith("{") else {"event": ""}


class Driver:
    """The archive command on a cluster, heard while it runs. code: runs in its place, with its words."""

    def __init__(self, machines, words, code="", **more):
        line = [*command_line(*words), "--progress", "json"]
        if code:
            line[1:3] = ["-c", code]
        self.child = subprocess.Popen(
            line, env={**machines.env, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            start_new_session=True, preexec_fn=hear_interrupts,
        )  # fmt: skip
        self.errors = ""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        self.errors = self.child.stderr.read()

    def __iter__(self):
        for line in self.child.stdout:
            yield told(line)

    def end(self):
        """Hear it out; exit code and what it printed on stderr."""
        for _ in self:
            pass
        self._close()
        return self.child.returncode, self.errors

    def kill(self):
        """SIGKILL."""
        os.killpg(self.child.pid, signal.SIGKILL)
        self._close()

    def _close(self):
        self.child.wait()
        self.reader.join()
        self.child.stdout.close()
        self.child.stderr.close()


def restore(machines, count=2):
    """Have so many nodes again."""
    while machines.count < count:
        machines.add()


def held(source, out):
    """All four outputs against their sources, by `verify`: laws 1 and 2."""
    for name, of in zip(OUTS, SOURCES, strict=True):
        code, said = verify(source / of, out / name)
        assert code == 0, said


# --- nodes


IMPATIENT = """
import pipeline.spread.crew, pipeline.spread.pools
from workflows.commands.cli import main

pipeline.spread.crew.NOBODY, pipeline.spread.pools.LOOK = 2.0, 1.0
main()
"""


@pytest.mark.ray
@pytest.mark.slow
def test_nodes_are_lost_and_others_come(tmp_path, collection, tiny, colored, machines, tally):
    """A node is killed while units run, then the last one, then two join: the run ends by itself, in the same bytes.

    Three workers are asked for where two have room: it goes on with one, waits with none, and takes new nodes in.
    """
    restore(machines)
    out = tmp_path / "out"
    driver = Driver(machines, command(collection, out, tiny, "--ray", machines.address, "--workers", 3), IMPATIENT)
    painted, notes = 0, []
    for event in driver:
        notes += [event["text"]] if event["event"] in ("note", "retry", "aside") else []
        painted += event["event"] == "item" and event["state"] == "painting"
        if painted == 1 and machines.count == 2:
            machines.kill()
        if painted == 3 and machines.count == 1:
            machines.kill()
            time.sleep(5)
            machines.add()
            machines.add()
    code, errors = driver.end()
    assert code == 0, (errors, notes)
    assert "room for as many of 3 workers" in notes[0]
    assert 1 <= sum("no worker has a place" in text for text in notes) <= 2, notes  # also where they load slowly
    assert "a worker has a place again" in notes
    held(collection, out)
    same = outputs(out) == colored
    tally("node loss", 1, 2, 0 if same else 1)
    assert same


@pytest.mark.ray
@pytest.mark.slow
def test_ten_losses_of_nodes(tmp_path, collection, tiny, colored, machines, tally):
    """Nodes are killed at seeded moments of several nights, others join later: always all files, the same bytes."""
    chance, kills, nights = random.Random(17), 0, 0
    while kills < 10:
        restore(machines)
        out, nights = tmp_path / f"out{nights}", nights + 1
        driver = Driver(machines, command(collection, out, tiny, "--ray", machines.address, "--workers", 2))
        mine = 0
        for event in driver:
            if event["event"] != "item" or event["state"] == "done" or chance.random() > 0.45 or mine == 3:
                continue
            time.sleep(chance.uniform(0, 0.5))
            machines.kill(chance.randrange(2))
            kills, mine = kills + 1, mine + 1
            if machines.count == 0 or chance.random() < 0.5:
                machines.add()
        code, errors = driver.end()
        same = outputs(out) == colored
        tally("node loss", 1, mine, 0 if same else 1)
        assert code == 0, errors
        assert same


TAKES_ITS_NODE_ALONG = """
import os, signal, time
import pipeline.collection.run as module
from pipeline.collection.steps import StepPainter
from workflows.commands.cli import main

class Painter(StepPainter):
    def paint(self, step, attempt, report=lambda _: None):
        first = step.unit is not None and step.unit.number == 0 and "films/a" in step.item.out
        if first and attempt <= {losses}:
            os.kill(os.getppid(), signal.SIGKILL)  # the node's own process
            time.sleep(60)
        return super().paint(step, attempt, report)

module.StepPainter = Painter
main()
"""


@pytest.mark.ray
@pytest.mark.slow
def test_a_lost_node_is_not_the_units_fault(tmp_path, collection, tiny, colored, machines, tally):
    """Four nodes are lost under the same unit, one more than a unit has attempts: it is done at the fifth."""
    restore(machines)
    out = tmp_path / "out"
    words = command(collection, out, tiny, "--ray", machines.address, "--workers", 1)
    driver, losses = Driver(machines, words, TAKES_ITS_NODE_ALONG.format(losses=4)), 0
    for event in driver:
        if event["event"] == "retry":
            losses += 1
            assert "machine is gone" in event["text"]
            machines.lost()
            machines.add()
    code, errors = driver.end()
    assert code == 0, errors
    assert losses == 4
    same = outputs(out) == colored
    tally("node loss", 1, losses, 0 if same else 1)
    assert same


@pytest.mark.ray
@pytest.mark.slow
def test_a_network_that_drops_calls_costs_no_file(tmp_path, collection, tiny, colored, machines):
    """Calls of workers, and their answers, get lost while the workers live: their units are done again, not set aside.

    An answer that is lost means that a worker has done the unit, and that another does it once more.
    """
    restore(machines)
    out = tmp_path / "out"
    drop = {"num_failures": 5, "req_failure_prob": 20, "resp_failure_prob": 20, "in_flight_failure_prob": 0}
    driver = Driver(
        machines, command(collection, out, tiny, "--ray", machines.address, "--workers", 2),
        RAY_testing_rpc_failure=json.dumps({"CoreWorkerService.grpc_client.PushTask": drop}),
        RAY_testing_rpc_failure_avoid_intra_node_failures="0",
    )  # fmt: skip
    retries = [event["text"] for event in driver if event["event"] == "retry"]
    code, errors = driver.end()
    assert code == 0, errors
    assert outputs(out) == colored
    assert retries
    assert all("could not be reached" in text for text in retries), retries


class Hog(StepPainter):
    """Units of one item end every worker on the machine, as one that eats all memory may. No other is at fault."""

    def __init__(self, name, folder):
        super().__init__()
        self.name, self.folder = name, folder

    def paint(self, step, attempt, report=lambda _: None):
        """Wait for a neighbor, and end it too; or paint slowly."""
        mine = self.folder / str(os.getpid())
        mine.write_text(step.item.out)
        try:
            if step.stage == PAINT and self.name in step.item.out:
                until = time.monotonic() + 10
                while len(list(self.folder.iterdir())) < 2 and time.monotonic() < until:
                    time.sleep(0.1)
                for other in self.folder.iterdir():
                    if other != mine:
                        with (self.folder.parent / "victims").open("a") as file:
                            file.write(other.read_text() + "\n")
                        os.kill(int(other.name), signal.SIGKILL)
                        other.unlink()
                mine.unlink()
                os._exit(9)
            time.sleep(3 if step.stage == PAINT else 0)
            return super().paint(step, attempt, report)
        finally:
            mine.unlink(missing_ok=True)


@pytest.mark.ray
@pytest.mark.slow
def test_a_neighbor_of_a_poison_unit_is_cleared(tmp_path, collection, tiny, colored, cluster):
    """The last attempt is made alone on its machine: who dies then is poison, and only that is set aside."""
    at_work = tmp_path / "at work"
    at_work.mkdir()
    pool = RayPool("local", 2, lambda: Hog("plates/one", at_work))
    try:
        came, found = scheduled(collection, tmp_path / "out", tiny, pool)
    finally:
        pool.close()
    assert len((tmp_path / "victims").read_text().split()) == 2
    assert [p.item.out for p in found if p.state == ASIDE] == ["plates/one.tif"]
    assert (came.done, came.aside) == (3, 1)
    rest = {name: data for name, data in colored.items() if not name.startswith("plates/one")}
    assert outputs(tmp_path / "out") == rest


# --- reads that fail


READS_FAIL = """
import json, os
from pathlib import Path
import pipeline.collection.run
import pipeline.reels.decode
import pipeline.reels.join
from pipeline.collection.steps import StepPainter
from pipeline.reels.reel import open_source
from workflows.commands.cli import main

stages, opened = json.loads(os.environ["STAGES"]), os.environ.get("OPENED")
due = []

class Painter(StepPainter):
    def _do(self, step, attempt, report):
        lever = Path(os.environ["FAULT_READS"], Path(step.item.source).name)
        if stages.get(lever.name) == step.stage:
            begun = not opened or (step.unit is not None and step.unit.number > 0)  # its reel is open already
            lever.touch() if begun else due.append(lever)
        try:
            return super()._do(step, attempt, report)
        finally:
            due.clear()
            lever.unlink(missing_ok=True)

def then_fail(*arguments):
    container = open_source(*arguments)
    for lever in due:
        lever.touch()
    return container

pipeline.reels.decode.open_source = pipeline.reels.join.open_source = then_fail
pipeline.collection.run.StepPainter = Painter
main()
"""
FAILS = {
    "small reads": {"a.mkv": SURVEY, "b.mov": PAINT, "album.tif": PAINT, "one.tif": SURVEY},
    "all reads": {"a.mkv": SURVEY, "b.mov": PUBLISH, "album.tif": PUBLISH, "one.tif": PAINT},
    "the sound's": {"a.mkv": PUBLISH},
}


@pytest.mark.parametrize("what", FAILS)
def test_a_read_that_fails_sets_its_file_aside_until_it_works(tmp_path, collection, tiny, colored, faults, what):
    """EIO in the middle of a file, at any stage: stage and reason are told, the others finish, nothing is cut short.

    The next night takes those files up without being asked and ends in the same bytes.
    """
    out, levers = tmp_path / "out", tmp_path / "levers"
    levers.mkdir()
    env = environment(LD_PRELOAD=faults, FAULT_READS=str(levers), STAGES=json.dumps(FAILS[what]))
    if what != "all reads":
        env["FAULT_MOST"] = str(1 << 16)
    words = command(collection, out, tiny)
    done = subprocess.run(
        [sys.executable, "-c", READS_FAIL, *map(str, words)], env=env, capture_output=True, text=True, check=False,
        cwd=ROOT, timeout=240,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    lines = [json.loads(line) for line in (out / "set-aside.jsonl").read_text().splitlines()]
    assert {Path(line["uri"]).name: line["stage"] for line in lines} == FAILS[what]
    assert all("cannot be read: Input/output error" in line["error"] for line in lines), lines
    bad = {out for of, out in zip(SOURCES, OUTS, strict=True) if Path(of).name in FAILS[what]}
    assert outputs(out) == {n: data for n, data in colored.items() if n.removesuffix(".json") not in bad}
    assert run_command(*words).returncode == 0
    assert outputs(out) == colored
    assert not (out / "set-aside.jsonl").exists()


@pytest.mark.parametrize(
    "stage", [pytest.param(SURVEY, marks=pytest.mark.slow), PAINT, pytest.param(PUBLISH, marks=pytest.mark.slow)]
)
def test_a_reel_does_not_end_where_a_read_fails(tmp_path, tiny, faults, stage):
    """EIO in the middle of an open reel, which FFmpeg tells like the end of a damaged one: no frame, no sound is lost.

    The reel is set aside, and the next night makes of it what an undisturbed night makes.
    """
    mine, out, levers = tmp_path / "src", tmp_path / "out", tmp_path / "levers"
    levers.mkdir()
    mine.mkdir()
    write_reel(mine / "long.mkv", 120, (192, 144), cuts=(40, 80), audio=1)
    env = environment(
        LD_PRELOAD=faults, FAULT_READS=str(levers), FAULT_MOST=str(1 << 16), STAGES=json.dumps({"long.mkv": stage}),
        OPENED="1",
    )  # fmt: skip
    words = command(mine, out, tiny)
    done = subprocess.run(
        [sys.executable, "-c", READS_FAIL, *map(str, words)], env=env, capture_output=True, text=True, check=False,
        cwd=ROOT, timeout=240,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    [line] = [json.loads(line) for line in (out / "set-aside.jsonl").read_text().splitlines()]
    assert line["stage"] == stage
    assert "cannot be read: Input/output error" in line["error"]
    assert outputs(out) == {}
    night(mine, out, tiny)
    night(mine, tmp_path / "fresh", tiny)
    assert outputs(out) == outputs(tmp_path / "fresh") != {}


class Meddler(InlinePool):
    """Does something to a file before a stage of it begins, once."""

    def __init__(self, place, stage, what):
        super().__init__(StepPainter())
        self.place, self.stage, self.what = place, stage, what

    def start(self, unit, attempt, alone=False):
        """Meddle, then begin."""
        if self.what and unit.stage == self.stage and unit.item.source.endswith(self.place):
            what, self.what = self.what, None
            what(Path(unit.item.source))
        super().start(unit, attempt, alone)


@pytest.mark.parametrize("stage", [SURVEY, PAINT, PUBLISH])
@pytest.mark.parametrize("place", ["films/a.mkv", "plates/album.tif"])
def test_a_source_that_vanishes_and_comes_back(tmp_path, collection, tiny, colored, place, stage):
    """It is set aside with its stage; when it is there again, the next night colors it, the same bytes."""
    mine, out = tmp_path / "src", tmp_path / "out"
    shutil.copytree(collection, mine)
    pool = Meddler(place, stage, lambda path: path.rename(tmp_path / "elsewhere"))
    came, found = scheduled(mine, out, tiny, pool)
    pool.close()
    assert (came.done, came.aside, came.left) == (3, 1, 0)
    [bad] = [p for p in found if p.state == ASIDE]
    assert bad.error["stage"] == stage
    assert f"{place}: no such file" in bad.error["error"]
    assert "unexpected" not in bad.error["error"]
    (tmp_path / "elsewhere").rename(mine / place)
    came, _ = night(mine, out, tiny)
    assert came.done == 4
    assert outputs(out) == colored


def halve(path):
    """Only the first half of a file is left."""
    os.truncate(path, path.stat().st_size // 2)


CHANGES = {
    "another film": ("films/a.mkv", lambda path: write_reel(path, 30, (96, 64), cuts=(10,), audio=1)),
    "a larger film": ("films/a.mkv", lambda path: write_reel(path, 20, (128, 96))),
    "half a film": ("films/a.mkv", halve),
    "another plate": ("plates/one.tif", lambda path: plate(path, 300, 200, seed=9)),
    "a smaller plate": ("plates/one.tif", lambda path: plate(path, 200, 100, seed=9)),
    "half a plate": ("plates/one.tif", halve),
}


@pytest.mark.parametrize("stage", [PAINT, PUBLISH])
@pytest.mark.parametrize("what", CHANGES)
def test_a_source_that_changes_under_the_run_is_noticed(tmp_path, collection, tiny, colored, what, stage):
    """Another file under the same name after the survey: never a mixture. What comes out, now or in the next night, is
    what an undisturbed night makes of the new file; or it is set aside with a reason that is no bug's."""
    mine, out, place, change = tmp_path / "src", tmp_path / "out", *CHANGES[what]
    shutil.copytree(collection, mine)
    pool = Meddler(place, stage, change)
    came, found = scheduled(mine, out, tiny, pool)
    pool.close()
    assert came.done >= 3
    bad = [p.error["error"] for p in found if p.state == ASIDE]
    assert not any("unexpected" in why for why in bad), bad
    before = outputs(out)
    for other, data in colored.items():
        assert before.get(other) == data or other.startswith(place)
    night(mine, out, tiny, aside_only=bool(bad))
    night(mine, tmp_path / "fresh", tiny)
    assert outputs(out) == outputs(tmp_path / "fresh")
    if place in before:
        assert before[place] == outputs(out)[place]


# --- clocks


def test_a_clock_that_jumps_changes_nothing(tmp_path, collection, tiny, colored, faults):
    """Killed and started again with the clock a day back, then ten years on, files dated in the future and the past:
    the same bytes, and then there is nothing left to do."""
    mine, out, clock = tmp_path / "src", tmp_path / "out", tmp_path / "clock"
    shutil.copytree(collection, mine)
    for place, shift in zip(SOURCES, (1e9, -1e9, 3600, 0), strict=True):
        os.utime(mine / place, (time.time() + shift, time.time() + shift))
    preload = {"LD_PRELOAD": faults, "FAULT_CLOCK": str(clock)}
    words = command(mine, out, tiny)
    clock.write_text("315360000")
    child = start(words, **preload)
    while not list(out.glob(f"{STATE}/jobs/*/ledger/*.json")):
        assert child.poll() is None
        time.sleep(0.05)
    clock.write_text("-86400")  # while it runs
    time.sleep(0.3)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert run_command(*words, env=environment(**preload)).returncode == 0
    assert outputs(out) == colored
    clock.write_text("-315360000")
    done = run_command(*words, "--progress", "json", env=environment(**preload))
    assert done.returncode == 0
    assert not [line for line in done.stdout.splitlines() if told(line)["event"] == "item"]
    assert outputs(out) == colored


@pytest.fixture
def berlin(monkeypatch):
    """Local time of a place where clocks change in March and October."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


NIGHTS = {
    "to summer": ("2026-03-28T22:00+01:00", "08:00", "2026-03-29T08:00+02:00"),
    "to winter": ("2026-10-24T22:00+02:00", "08:00", "2026-10-25T08:00+01:00"),
    "an hour that is not": ("2026-03-28T22:00+01:00", "02:30", "2026-03-29T03:00+02:00"),
    "an hour that comes twice": ("2026-10-24T22:00+02:00", "02:30", "2026-10-25T02:30+02:00"),
}


@pytest.mark.parametrize("what", NIGHTS)
def test_the_deadline_is_what_the_local_clock_shows(tmp_path, collection, tiny, berlin, what):
    """A night in which clocks are changed ends when they show HH:MM, the first time, and nothing begins after that."""
    begin, deadline, end = NIGHTS[what]
    clock, until = [datetime.fromisoformat(begin)], datetime.fromisoformat(end)
    begun = []

    class Hourly(InlinePool):
        def start(self, unit, attempt, alone=False):
            begun.append(clock[0])
            super().start(unit, attempt, alone)

        def finished(self):
            clock[0] += timedelta(minutes=30)
            unit, _ = self._waiting[0]
            if unit.stage == PAINT:
                self._waiting.popleft()
                return Outcome(unit, 1, error=NodeLost("so that it never ends"))
            return super().finished()

    def now():
        return clock[0].astimezone().replace(tzinfo=None)

    found = ready(State(tmp_path / "out"), items_of(collection, tmp_path / "out", tiny), False)
    pool = Hourly(StepPainter())
    schedule = Schedule(State(tmp_path / "out"), found, pool, Silent(), deadline=deadline_of(deadline, now()), now=now)
    came = schedule.run()
    pool.close()
    assert came.late
    assert max(begun) < until <= max(begun) + timedelta(minutes=30)


def test_a_clock_set_back_makes_no_new_night(tmp_path, collection, tiny):
    """After the deadline has come nothing begins, though the clock then shows an earlier time again."""
    clock = [datetime(2026, 1, 1, 7, 59)]

    class Back(InlinePool):
        def finished(self):
            clock[0] = datetime(2026, 1, 1, 8, 1) if clock[0].minute == 59 else datetime(2026, 1, 1, 3, 0)
            return super().finished()

    found = ready(State(tmp_path / "out"), items_of(collection, tmp_path / "out", tiny), False)
    pool = Back(StepPainter())
    schedule = Schedule(
        State(tmp_path / "out"), found, pool, Silent(), deadline=datetime(2026, 1, 1, 8), now=lambda: clock[0]
    )
    assert schedule.run().late
    clock[0] = datetime(2026, 1, 1, 3, 0)
    assert schedule.run().late
    assert schedule.count == 1


class Nobody:
    """A pool whose workers are all gone."""

    workers, size = 2, 0

    def __init__(self, clock):
        self.clock = clock

    def finished(self):
        """Time passes."""
        self.clock[0] += timedelta(minutes=30)


def test_without_workers_it_waits_until_the_deadline(tmp_path, collection, tiny):
    """A night whose nodes never come back ends at its deadline, with what is left told; not before, not never."""
    clock, until = [datetime(2026, 1, 1, 22)], datetime(2026, 1, 2, 8)
    found = ready(State(tmp_path / "out"), items_of(collection, tmp_path / "out", tiny), False)
    schedule = Schedule(
        State(tmp_path / "out"), found, Nobody(clock), Silent(), deadline=until, now=lambda: clock[0]
    )  # fmt: skip
    came = schedule.run()
    assert (came.done, came.left, came.late) == (0, 4, True)
    assert clock[0] == until


# --- two drivers


def test_a_second_driver_is_refused_and_harms_nothing(tmp_path, collection, tiny, colored):
    """One line that says who is at it; not a file in OUT_DIR is touched, and the first one ends in the same bytes."""
    out = tmp_path / "out"
    words = command(collection, out, tiny)
    first = start(words)
    while not list(out.glob(f"{STATE}/jobs/*/ledger/*.json")):
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGSTOP)  # so that it is still at it, however long the second one takes
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    second = run_command(*words)
    assert second.returncode == 1
    assert f"in use by process {first.pid} on host" in one_line(second)
    assert "--job" not in second.stderr
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    os.killpg(first.pid, signal.SIGCONT)
    assert after == before
    assert first.wait(timeout=240) == 0
    assert outputs(out) == colored


# --- many kills


@pytest.mark.slow
def test_kills_of_the_driver(tmp_path, collection, tiny, colored, tally):
    """SIGKILL at seeded random moments, several in a row on the same folder: the bytes are always the same."""
    chance, kills = random.Random(7), 0
    began = time.monotonic()
    assert run_command(*command(collection, tmp_path / "measured", tiny)).returncode == 0
    whole = time.monotonic() - began
    while kills < 24:
        out, mine = tmp_path / f"out{kills}", 0
        words = command(collection, out, tiny)
        for _ in range(6):
            child = start(words)
            try:
                child.wait(timeout=chance.uniform(0.25, 0.9) * whole)
                break
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                mine += 1
                for name, data in outputs(out, growing=False).items():
                    assert data == colored[name], f"half a file under {name}"
        code, kills = run_command(*words).returncode, kills + max(1, mine)
        same = code == 0 and outputs(out) == colored
        tally("driver, inline", 1, mine, 0 if same else 1)
        assert same


@pytest.mark.ray
@pytest.mark.slow
def test_kills_of_the_driver_on_a_cluster(tmp_path, collection, tiny, colored, machines, tally):
    """SIGKILL of the driver while workers elsewhere are at work, and the next one starts at once: the same bytes.

    Workers of the killed driver may go on for a moment beside those of the next.
    """
    restore(machines)
    chance, kills = random.Random(8), 0
    while kills < 12:
        out, mine = tmp_path / f"out{kills}", 0
        words = command(collection, out, tiny, "--ray", machines.address, "--workers", 2)
        for _ in range(4):
            driver, wanted = Driver(machines, words), chance.randrange(1, 4)
            for event in driver:
                wanted -= event["event"] == "item"
                if wanted == 0:
                    time.sleep(chance.uniform(0, 0.6))
                    break
            if driver.child.poll() is not None:
                driver.end()
                break
            driver.kill()
            mine += 1
            for name, data in outputs(out, growing=False).items():
                assert data == colored[name], f"half a file under {name}"
        code, errors = Driver(machines, words).end()
        kills += max(1, mine)
        same = outputs(out) == colored
        tally("driver, over Ray", 1, mine, 0 if same else 1)
        assert code == 0, errors
        assert same


class Killer(Silent):
    """Kills a worker that is at work, now and then."""

    def __init__(self, pool, chance, limit):
        self.pool, self.chance, self.limit, self.killed = pool, chance, limit, 0

    def __call__(self, event, /):
        """Kill, by chance."""
        if (
            isinstance(event, ItemChanged)
            and self.killed < self.limit
            and self.chance.random() < 0.9
            and self.pool._flying
        ):
            self.pool.ray.kill(self.chance.choice([flight.worker.actor for flight in self.pool._flying.values()]))
            self.killed += 1


def kills_of_workers(home, collection, tiny, colored, tally, count):
    """So many worker processes of a Ray pool die at seeded random moments."""
    chance, kills, nights = random.Random(9), 0, 0
    while kills < count:
        pool = RayPool("local", 2, StepPainter)
        out, killer = home / f"out{nights}", Killer(pool, chance, min(4, count - kills))
        try:
            came, found = scheduled(collection, out, tiny, pool, killer, retries=8)
        finally:
            pool.close()
        kills, nights = kills + killer.killed, nights + 1
        same = outputs(out) == colored
        tally("worker, over Ray", 1, killer.killed, 0 if same else 1)
        assert (came.done, came.aside) == (4, 0), [p.error for p in found]
        assert same


@pytest.mark.ray
def test_two_kills_of_workers(tmp_path, collection, tiny, colored, cluster, tally):
    """Worker processes die at work: the night ends with all files, the same bytes."""
    kills_of_workers(tmp_path, collection, tiny, colored, tally, 2)


@pytest.mark.ray
@pytest.mark.slow
def test_sixteen_kills_of_workers(tmp_path, collection, tiny, colored, cluster, tally):
    """The same, at more moments."""
    kills_of_workers(tmp_path, collection, tiny, colored, tally, 16)


def started_by(pid, name):
    """Processes of this name below another one."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            text = status.read_text()
            parents[int(status.parent.name)] = (text[text.index("(") + 1 : text.rindex(")")], text.rsplit(") ", 1)[1])
    below = {pid}
    for _ in range(5):
        below |= {one for one, (_, rest) in parents.items() if int(rest.split()[1]) in below}
    return [one for one in below if parents.get(one, ("",))[0].startswith(name)]


@pytest.mark.slow
@pytest.mark.ray
def test_a_lost_head_ends_the_run_in_order(tmp_path, collection, tiny, colored):
    """Ray itself would end the driver without a word to it; the same command ends in the same bytes."""
    out = tmp_path / "out"
    line = command_line(*command(collection, out, tiny, "--ray", "local", "--workers", 1, "--progress", "none"))
    child = subprocess.Popen(
        line, env=environment(), stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    workers = []
    try:
        while not list(out.glob(f"{STATE}/jobs/*/ledger/*.json")):
            assert child.poll() is None
            time.sleep(0.05)
        workers = started_by(child.pid, "ray::Worker")
        assert workers
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)  # so that there is something left to do
        (head,) = started_by(child.pid, "gcs_server")
        os.kill(head, signal.SIGKILL)
        errors = child.communicate(timeout=150)[1]
    finally:
        child.kill()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    assert child.returncode == 1
    assert errors.splitlines()[-1].startswith("Error: the head of the Ray cluster at ")
    assert run_command(*command(collection, out, tiny)).returncode == 0
    assert outputs(out) == colored
