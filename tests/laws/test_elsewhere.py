"""The laws for a collection in a store: the same bytes as in folders, and nothing there but what belongs there."""

import json
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner

from colorizer.errors import InUse
from pipeline.collection import lease
from pipeline.collection.depot import depot_for
from pipeline.collection.item import STATE
from pipeline.collection.items import find
from pipeline.collection.run import Wishes, color
from pipeline.collection.schedule import Schedule, ready
from pipeline.collection.state import State
from pipeline.collection.steps import StepPainter
from pipeline.events import Silent
from pipeline.storage import sha256
from pipeline.stores import Store
from pipeline.workers import RayPool
from tests.endtoend import Heard, command_line, environment, hear_interrupts, run_command
from tests.laws.nights import OPTIONS, OUTS
from tests.laws.test_scans import plate
from tests.object_store import contents, fill, s3_server


@pytest.fixture(scope="module")
def source(collection):
    """Two reels of two shots each, a plate, an album of three pages, and a text."""
    return collection


@pytest.fixture(scope="module")
def undisturbed(colored):
    """What a night in folders makes."""
    return colored


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket on a real S3 server."""
    with s3_server(monkeypatch) as uri:
        yield uri


def stored(uri):
    """Outputs and what lies beside them in a store."""
    mine = (STATE, "report", "report.html", "set-aside.jsonl")
    return {place: data for place, data in contents(uri).items() if place.partition("/")[0] not in mine}


def away(source, out, tiny, scratch, listener=None, **wishes):
    """Color a collection of a store in this process."""
    items = find(source, out, {**OPTIONS, "weights": str(tiny)}, (), ()).items
    return color(out, items, Wishes(scratch=scratch, **wishes), listener or Silent())


@pytest.mark.parametrize("kind", ["memory", "s3", "file"])
def test_a_store_gets_the_same_bytes(request, tmp_path, source, tiny, undisturbed, kind):
    """From a store into a store: outputs and sidecars as in folders, no pieces left, nothing of them kept here."""
    if kind == "s3":
        home = request.getfixturevalue("bucket")
    else:
        home = f"memory://{uuid.uuid4().hex}" if kind == "memory" else f"file://{tmp_path / 'share'}"
    fill(f"{home}/in", source)
    came, items = away(f"{home}/in", f"{home}/out", tiny, tmp_path / "scratch")
    assert (came.done, came.aside) == (4, 0), [p.error for p in items]
    assert stored(f"{home}/out") == undisturbed
    left = [place for place in contents(f"{home}/out") if place.startswith(f"{STATE}/jobs")]
    assert {Path(place).name for place in left} == {"plan.json"}
    assert f"{STATE}/lease.json" not in contents(f"{home}/out")
    kept = [p.name for p in (tmp_path / "scratch").rglob("*") if p.is_file() and p.stat().st_size > 100_000]
    assert not [name for name in kept if name.endswith((".mkv", ".mov", ".tif", ".packets", ".blocks"))]


def test_a_second_night_fetches_nothing(tmp_path, source, tiny, bucket, undisturbed):
    """What is done is known from the store alone, also to a machine that has never seen it; a change is done again."""
    fill(f"{bucket}/in", source)
    away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "first")
    heard = Heard()
    came, _ = away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "second", heard)
    assert came.done == 4
    assert not [f for e, f in heard.events if e == "item"]
    assert not (tmp_path / "second" / "sources").exists()
    plate(tmp_path / "new.tif", 150, 100, seed=9)
    Store(f"{bucket}/in").push(tmp_path / "new.tif", "plates/one.tif")
    Store(f"{bucket}/out").remove("films/a.mkv")
    heard = Heard()
    came, _ = away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "third", heard)
    assert {f["name"] for e, f in heard.events if e == "item"} == {"plates/one", "films/a"}
    found = stored(f"{bucket}/out")
    assert found["films/a.mkv"] == undisturbed["films/a.mkv"]
    assert found["plates/one.tif"] != undisturbed["plates/one.tif"]


def test_the_state_is_not_the_truth(tmp_path, source, tiny, bucket, undisturbed):
    """With all state lost, outputs that are there and right are found so by their sidecars, and not made again."""
    fill(f"{bucket}/in", source)
    away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "first")
    before = Store(f"{bucket}/out").find()
    Store(f"{bucket}/out").remove(f"{STATE}/items")
    came, _ = away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "second")
    after = Store(f"{bucket}/out").find()
    assert came.done == 4
    assert stored(f"{bucket}/out") == undisturbed
    assert {p: e for p, e in after.items() if p in OUTS} == {p: e for p, e in before.items() if p in OUTS}


class Apart(StepPainter):
    """A worker on a machine of its own: it sees nothing of what others keep."""

    home = ""

    def paint(self, step, attempt, report=lambda _: None):
        """Do a step in this machine's own scratch."""
        from dataclasses import replace

        mine = Path(self.home) / f"machine-{os.getpid()}"
        depot = replace(step.depot, scratch=mine, folder=mine / "out")
        return super().paint(replace(step, depot=depot), attempt, report)


@pytest.mark.ray
def test_machines_that_share_nothing_make_the_same_bytes(tmp_path, source, tiny, bucket, undisturbed, cluster):
    """Plan, pieces and receipts go through the store: whichever machine surveys, paints or publishes."""
    fill(f"{bucket}/in", source)
    depot = depot_for(f"{bucket}/out", tmp_path / "driver", shared=True)
    state = State(depot)
    items = find(f"{bucket}/in", f"{bucket}/out", {**OPTIONS, "weights": str(tiny)}, (), ()).items
    home = str(tmp_path)

    surroundings = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}

    def make():
        os.environ.update(surroundings)  # the cluster was started before the server
        painter = Apart()
        painter.home = home
        return painter

    found = ready(state, items, False)
    pool = RayPool("local", 2, make)
    try:
        came = Schedule(state, found, pool, Silent()).run()
    finally:
        pool.close()
    assert (came.done, came.aside) == (4, 0), [p.error for p in found]
    assert stored(f"{bucket}/out") == undisturbed
    machines = list(tmp_path.glob("machine-*"))
    assert len(machines) == 2
    assert not list((tmp_path / "driver").rglob("*.packets"))
    left = [place for place in contents(f"{bucket}/out") if place.startswith(f"{STATE}/jobs")]
    assert {Path(place).name for place in left} == {"plan.json"}


def test_what_fails_is_named_by_its_uri(tmp_path, source, tiny, bucket):
    """Set aside with the URI that a person knows, not the place it was fetched to; the rest finishes."""
    fill(f"{bucket}/in", source)
    Store(f"{bucket}/in").write("films/bad.mov", b"no film at all")
    Store(f"{bucket}/in").write("plates/empty.tif", b"")
    came, _ = away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "scratch")
    assert (came.done, came.aside) == (4, 2)
    lines = contents(f"{bucket}/out")["set-aside.jsonl"].decode().splitlines()
    told = {json.loads(line)["uri"]: json.loads(line) for line in lines}
    assert set(told) == {f"{bucket}/in/films/bad.mov", f"{bucket}/in/plates/empty.tif"}
    assert f"{bucket}/in/films/bad.mov: not a video file" in told[f"{bucket}/in/films/bad.mov"]["error"]
    assert str(tmp_path) not in json.dumps(told)


def test_the_command_takes_uris(tmp_path, source, tiny, bucket, undisturbed):
    """Dry run, run, report and manifest by the command, with the preservation files in the store."""
    fill(f"{bucket}/in", source)
    words = ["archive", f"{bucket}/in", f"{bucket}/out", "--weights", tiny, "--working-size", 32, "--precision", "fp32",
             "--pyramid", "--scratch", tmp_path / "scratch"]  # fmt: skip
    env = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    dry = run_command(*words, "--dry-run", env=env)
    assert dry.returncode == 0, dry.stderr
    assert "MB lie in stores" in dry.stdout
    done = run_command(*words, "--preservation", env=env)
    assert done.returncode == 0, done.stderr
    assert f"4 of 4 files are colored and verified in {bucket}/out" in done.stdout
    assert f"the report is in {bucket}/out/report.html" in done.stdout
    found = contents(f"{bucket}/out")
    assert {place: data for place, data in found.items() if place in undisturbed} == undisturbed
    page = found["report.html"].decode()
    assert page.count("<img") >= 2 * 4
    pictures = [place for place in found if place.startswith("report/") and place.endswith(".jpg")]
    assert len(pictures) == 2 * (2 + 2 + 1 + 3)
    for line in found["manifest-sha256.txt"].decode().splitlines():
        digest, _, place = line.partition("  ")
        (tmp_path / "one").write_bytes(found[place])
        assert sha256(tmp_path / "one") == digest
    again = run_command("report", f"{bucket}/out", "--scratch", tmp_path / "elsewhere", env=env)
    assert again.returncode == 0, again.stderr
    assert contents(f"{bucket}/out")["report.html"].decode().count("<img") == page.count("<img")
    assert "most-secret" not in dry.stdout + dry.stderr + done.stdout + done.stderr + page


def test_a_manifest_in_a_store_names_files_of_it(bucket):
    """Relative to its folder, or by URI; ids are carried."""
    Store(bucket).write("list.csv", f"file,id\na.mov,R 1\n{bucket}/b/c.tif,P 2\n".encode())
    found = find(f"{bucket}/list.csv", f"{bucket}/out", {}, (), ())
    assert [(i.id, i.source, i.out) for i in found.items] == [
        ("R 1", f"{bucket}/a.mov", "a.mkv"), ("P 2", f"{bucket}/b/c.tif", "c.tif"),
    ]  # fmt: skip


def test_names_in_a_store_lead_nowhere_else(tmp_path, tiny):
    """An object may be called ../../x.tif; such names are not followed."""
    home = f"memory://{uuid.uuid4().hex}"
    store = Store(home)
    for name in ("in/ok.tif", "in/.hidden/a.tif", "in/a//b.tif"):
        store.write(name, b"x")
    found = find(f"{home}/in", f"{home}/out", {}, (), ())
    assert [item.source for item in found.items] == [f"{home}/in/ok.tif"]
    store.write(f"out/{STATE}/items/x.json", b"{}")
    depot = depot_for(f"{home}/out", tmp_path / "scratch")
    depot.fetch_state()
    assert {p.name for p in (tmp_path / "scratch").rglob("*") if p.is_file()} == {"x.json"}


def test_two_runs_in_one_store(tmp_path, monkeypatch):
    """The second refuses while the first gives signs of life, and goes on where it gives none."""
    monkeypatch.setattr(lease, "BEAT", 0.2)
    store = Store(f"memory://{uuid.uuid4().hex}")
    heard = Heard()
    with lease.leased(store, heard):
        told = json.loads(store.read(lease.PLACE))
        monkeypatch.setattr(lease.socket, "gethostname", lambda: "another")
        with (
            pytest.raises(InUse, match=f"in use by process {os.getpid()} on host {told['host']}"),
            lease.leased(store, heard),
        ):
            pass
        monkeypatch.undo()
    assert store.read(lease.PLACE) is None
    monkeypatch.setattr(lease, "BEAT", 0.1)
    store.write(lease.PLACE, json.dumps({**told, "host": "gone", "run": "x"}).encode())
    with lease.leased(store, heard):
        assert json.loads(store.read(lease.PLACE))["run"] != "x"
    assert "no sign of life" in heard.events[-1][1]["text"]


def test_killed_at_any_time_it_ends_in_the_same_bytes(tmp_path, source, tiny, bucket, undisturbed):
    """The driver is killed six times, each time on a machine that knows nothing; then it ends, as if undisturbed."""
    fill(f"{bucket}/in", source)
    words = ["archive", f"{bucket}/in", f"{bucket}/out", "--weights", tiny, "--working-size", 32, "--precision", "fp32",
             "--pyramid", "--progress", "json", "--scratch"]  # fmt: skip
    env = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    for kill, events in enumerate((1, 4, 6, 9, 11, 13)):
        running = subprocess.Popen(
            command_line(*words, tmp_path / f"scratch-{kill % 2}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=env, preexec_fn=hear_interrupts,
        )  # fmt: skip
        assert running.stdout is not None
        for _ in range(events):
            if not running.stdout.readline():
                break
        time.sleep(0.05 * kill)
        running.send_signal(signal.SIGKILL)
        running.communicate()
    done = run_command(*words, tmp_path / "scratch-0", env=env)
    assert done.returncode == 0, done.stderr
    assert stored(f"{bucket}/out") == undisturbed


def test_a_store_that_is_not_there_is_one_line(tmp_path, tiny, bucket):
    """At the start, within seconds."""
    from workflows.cli import cli

    done = CliRunner().invoke(cli, ["archive", "s3://no-such-bucket/in", str(tmp_path / "out")])
    assert done.exit_code != 0
    assert "s3://no-such-bucket/in" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["reel", "s3://b/a.mov", "out.mkv"], "what is in stores is for `archive`"),
        (["scan", "a.tif", "s3://b/out.tif"], "what is in stores is for `archive`"),
        (["verify", "s3://b/a.mov", "out.mkv"], "what is in stores is for `archive`"),
        (["plan", "show", "s3://b/out/a"], "color that file into a folder and edit there"),
    ],
)
def test_commands_for_paths_say_what_takes_a_uri(words, told):
    """Not `no such file`, which would send a person looking for it."""
    from workflows.cli import cli

    done = CliRunner().invoke(cli, words)
    assert done.exit_code != 0
    said = f"{done.output}{done.exception}"
    assert next(word for word in words if "s3" in word) in said
    assert told in said
