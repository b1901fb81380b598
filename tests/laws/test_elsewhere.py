"""The laws for a collection in a store: the same bytes as in folders, and nothing there but what belongs there."""

import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from colorizer.basis.errors import InUse, StorageError
from pipeline.collection import depot as depots
from pipeline.collection import lease
from pipeline.collection.depot import depot_for
from pipeline.collection.item import Item
from pipeline.collection.items import find
from pipeline.collection.layout import STATE
from pipeline.collection.run import Wishes, color, look
from pipeline.collection.schedule import Schedule, ready
from pipeline.collection.state import State
from pipeline.collection.steps import StepPainter
from pipeline.spread.pools import RayPool
from pipeline.storage import stores
from pipeline.storage.atomic import sha256
from pipeline.storage.stores import Store
from pipeline.values.events import ItemChanged, Looking, Silent
from pipeline.values.stages import DONE
from tests.captioned import spoken, write_captioned
from tests.endtoend import Heard, command_line, environment, hear_interrupts, run_command
from tests.laws.nights import OPTIONS, OUTS
from tests.object_store import contents, fill, s3_server
from tests.plates import plate
from tests.synthetic import write_reel
from workflows.report.page import write_report
from workflows.report.report_pictures import illustrate


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


def test_captions_go_with_their_film(tmp_path, tiny):
    """Into a store too; they go when a film has none any more, and what is another's there stays."""
    home, film = f"memory://{uuid.uuid4().hex}", tmp_path / "film.ts"
    for number, words in enumerate(({2: "Hello"}, {})):
        Store(f"{home}/in").push(write_captioned(film, spoken(words, 24)), "film.ts")
        came, items = away(f"{home}/in", f"{home}/out", tiny, tmp_path / f"scratch{number}")
        assert came.done == 1, [p.error for p in items]
        assert ("film.mkv.scc" in contents(f"{home}/out")) == bool(words)
    Store(f"{home}/other").write("film.mkv.scc", b"mine")
    came, items = away(f"{home}/in", f"{home}/other", tiny, tmp_path / "third")
    assert contents(f"{home}/other")["film.mkv.scc"] == b"mine"
    assert came.aside == 1
    assert "not this program's" in items[0].error["error"]


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
    assert found.keys == ("a//b.tif",)
    store.write(f"out/{STATE}/items/x.json", b"{}")
    depot = depot_for(f"{home}/out", tmp_path / "scratch")
    depot.fetch_state()
    assert {p.name for p in (tmp_path / "scratch").rglob("*") if p.is_file()} == {"x.json"}


def test_objects_that_no_path_can_hold_are_named(tmp_path, tiny, bucket):
    """Ten lines on the terminal; all of them in the state and in the report; none once they are gone."""
    write_reel(tmp_path / "a.mkv", 3)
    store = Store(bucket)
    store.write("in/a.mkv", (tmp_path / "a.mkv").read_bytes())
    keys = [f"box//{number:02}.tif" for number in range(12)]
    for key in keys:
        store.write(f"in/{key}", b"x")
    words = ["archive", f"{bucket}/in", f"{bucket}/out", "--weights", tiny, "--working-size", 32, "--precision", "fp32",
             "--scratch", tmp_path / "scratch"]  # fmt: skip
    dry = run_command(*words, "--dry-run", "--progress", "json")
    assert json.loads(dry.stdout.splitlines()[-1])["keys"] == keys
    done = run_command(*words)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no path holds such a key") == 9
    assert "3 more, all in the report" in done.stderr
    assert "12 under keys with //" in done.stdout
    assert json.loads(store.read(f"out/{STATE}/keys.json")) == keys
    page = store.read("out/report.html").decode()
    assert all(f"<bdi>{key}</bdi>" in page for key in keys)
    for key in keys:
        store.remove(f"in/{key}")
    assert run_command(*words).returncode == 0
    assert store.read(f"out/{STATE}/keys.json") is None


def test_two_runs_in_one_store(tmp_path, monkeypatch):
    """The second refuses while the first gives signs of life, and goes on where it gives none."""
    monkeypatch.setattr(lease, "BEAT", 0.2)
    store = Store(f"memory://{uuid.uuid4().hex}")
    heard = Heard()
    with lease.leased(store, heard):
        told = json.loads(store.read(lease.LEASE))
        monkeypatch.setattr(lease.socket, "gethostname", lambda: "another")
        with (
            pytest.raises(InUse, match=f"in use by process {os.getpid()} on host {told['host']}"),
            lease.leased(store, heard),
        ):
            pass
        monkeypatch.undo()
    assert store.read(lease.LEASE) is None
    monkeypatch.setattr(lease, "BEAT", 0.1)
    store.write(lease.LEASE, json.dumps({**told, "host": "gone", "run": "x"}).encode())
    with lease.leased(store, heard):
        assert json.loads(store.read(lease.LEASE))["run"] != "x"
    assert "no sign of life" in heard.events[-1][1]["text"]


def test_a_run_that_was_taken_for_dead_ends(tmp_path, source, tiny, monkeypatch):
    """It comes back from a long outage, finds another run in the store, and leaves the store to it."""
    monkeypatch.setattr(lease, "BEAT", 0.02)
    home = f"memory://{uuid.uuid4().hex}"
    fill(f"{home}/in", source)
    other = json.dumps({"run": "another", "count": 1, "process": 1, "host": "another"}).encode()

    class Overtaken(Heard):
        def __call__(self, event, /):
            super().__call__(event)
            if isinstance(event, ItemChanged) and event.state == "painting":
                Store(f"{home}/out").write(lease.LEASE, other)
                time.sleep(0.2)

    heard = Overtaken()
    with pytest.raises(InUse, match="another run has taken over"):
        away(f"{home}/in", f"{home}/out", tiny, tmp_path / "scratch", heard)
    assert len([f for e, f in heard.events if e == "step"]) < 13
    assert Store(f"{home}/out").read(lease.LEASE) == other


@pytest.mark.slow
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
    from workflows.commands.cli import cli

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
    from workflows.commands.cli import cli

    done = CliRunner().invoke(cli, words)
    assert done.exit_code != 0
    said = f"{done.output}{done.exception}"
    assert next(word for word in words if "s3" in word) in said
    assert told in said


def test_a_percent_sign_names_a_file(tmp_path, source, tiny, bucket):
    """100% wool.mov is a film, not the number of a sequence: it alone is fetched, and its change is seen."""
    Store(f"{bucket}/in").push(source / "films" / "b.mov", "100% wool.mov")
    Store(f"{bucket}/in").push(source / "films" / "b.mov", "100 other.mov")
    Store(f"{bucket}/in").write("100%.tif", (source / "plates" / "one.tif").read_bytes())
    Store(f"{bucket}/in").write("list.csv", b"file\n100% wool.mov\n100%.tif\n")
    [reel, scan] = find(f"{bucket}/in/list.csv", f"{bucket}/out", {**OPTIONS, "weights": str(tiny)}, (), ()).items
    assert (reel.kind, scan.kind) == ("reel", "scan")
    depot = depot_for(f"{bucket}/out", tmp_path / "scratch")
    with depot.source(reel) as path:
        assert {p.name for p in path.parent.iterdir()} == {"100% wool.mov", ".fetched"}
    (tmp_path / "50%.mov").write_bytes(b"1")
    here = replace(reel, source=str(tmp_path / "50%.mov"))
    before = depot.stamps(here)
    (tmp_path / "50%.mov").write_bytes(b"12")
    assert depot.stamps(here) != before


def test_of_a_sequence_only_its_pictures_are_fetched(tmp_path):
    """Other files that begin and end alike are others'."""
    home = f"memory://{uuid.uuid4().hex}"
    for name in ("a_0001.dpx", "a_0002.dpx", "a_b_0001.dpx", "a_0001.dpx.dpx", "deep/a_0001.dpx"):
        Store(home).write(name, b"x")
    item = Item("k", "", "reel", f"{home}/a_%04d.dpx", "a.mkv", ())
    with depot_for(f"{home}/out", tmp_path).source(item) as path:
        assert {p.name for p in path.parent.iterdir()} == {"a_0001.dpx", "a_0002.dpx", ".fetched"}


def test_a_source_that_is_let_go_meanwhile_is_fetched_again(tmp_path, monkeypatch):
    """Another worker of the machine may remove it in the moment in which the lock becomes a shared one."""
    home = f"memory://{uuid.uuid4().hex}"
    Store(home).write("a.mov", b"x")
    depot, item = depot_for(f"{home}/out", tmp_path), Item("k", "", "reel", f"{home}/a.mov", "a.mkv", ())
    original, gone = depots._wait, []

    def wait(file, alone):
        if not alone and depot.source_path(item).exists() and not gone:
            gone.append(1)
            shutil.rmtree(depot.source_path(item).parent)
        original(file, alone)

    monkeypatch.setattr(depots, "_wait", wait)
    with depot.source(item) as path:
        assert gone
        assert path.read_bytes() == b"x"


def test_room_is_made_for_a_source(tmp_path, monkeypatch):
    """What no worker has open goes, all of it where the disk is full, the few used last stay where it is not."""
    home = f"memory://{uuid.uuid4().hex}"
    depot = depot_for(f"{home}/out", tmp_path)

    def fetch(number):
        Store(home).write(f"{number}.mov", b"x")
        with depot.source(Item(f"k{number}", "", "reel", f"{home}/{number}.mov", "a.mkv", ())):
            pass
        os.utime(tmp_path / "sources" / f"k{number}", (number, number))
        return {p.name for p in (tmp_path / "sources").iterdir() if p.is_dir()}

    for number in range(6):
        kept = fetch(number)
    assert kept == {"k2", "k3", "k4", "k5"}
    monkeypatch.setattr(depots.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 0))
    assert fetch(6) == {"k6"}


def test_no_password_of_a_uri_is_written_down(tmp_path, monkeypatch):
    """Neither what is set aside, nor the state, nor a message holds it; the item is known again all the same."""
    home = f"memory://me:s3cr3t@{uuid.uuid4().hex}"
    Store(home).write("in/bad.mov", b"no film")
    heard = Heard()
    came, _ = away(f"{home}/in", f"{home}/out", "fast", tmp_path / "scratch", heard)
    assert came.aside == 1
    assert "s3cr3t" not in str(heard.events)
    assert b"s3cr3t" not in b"".join(contents(f"{home}/out").values())
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"s3cr3t" in p.read_bytes()]
    assert str(tmp_path) not in contents(f"{home}/out")["set-aside.jsonl"].decode()
    heard = Heard()
    away(f"{home}/in", f"{home}/out", "fast", tmp_path / "scratch", heard)
    assert not [f for e, f in heard.events if e == "aside"]


def test_many_items_do_not_wait_in_a_row(tmp_path, monkeypatch):
    """A start costs a few ways there and back, not a few for each item."""
    home, count, there_and_back = f"memory://{uuid.uuid4().hex}", 200, 0.02
    for number in range(count):
        Store(home).write(f"in/{number}.tif", b"x")
    items = find(f"{home}/in", f"{home}/out", {}, (), ()).items
    state = State(depot_for(f"{home}/out", tmp_path))
    requests = []
    original = stores._patiently

    def slow(work):
        requests.append(1)
        time.sleep(there_and_back)
        return original(work)

    monkeypatch.setattr(stores, "_patiently", slow)
    for _ in range(2):
        began = time.monotonic()
        state.depot.fetch_state()
        look(state, found := ready(state, items, False), Silent())
        assert len(found) == count
        assert time.monotonic() - began < len(requests) * there_and_back / 4
        for progress in found:
            progress.state = DONE
            monkeypatch.setattr(stores, "_patiently", original)
            state.save(progress)
        monkeypatch.setattr(stores, "_patiently", slow)
        requests.clear()


def test_a_report_leaves_a_run_alone(tmp_path, source, tiny, bucket):
    """It may be made at any time, also in the scratch folder that a run works in; it fetches no pictures."""
    fill(f"{bucket}/in", source)
    away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "scratch", illustrate=illustrate)
    depot = depot_for(f"{bucket}/out", tmp_path / "scratch")
    before = {p for p in depot.folder.rglob("*") if p.is_file()}
    state = State(depot)
    mark = state.items / "being-written.json"
    mark.write_text("{}")
    write_report(depot)
    assert {p for p in depot.folder.rglob("*") if p.is_file()} == {*before, mark}
    assert contents(f"{bucket}/out")["report.html"].decode().count("<img") >= 8
    assert not list((tmp_path / "scratch").rglob("*.jpg"))
    old = json.loads(Store(f"{bucket}/out").read("films/a.mkv.json"))
    told = json.dumps({**old, "output": {**old["output"], "sha256": "0" * 64}}, indent=1, sort_keys=True)
    Store(f"{bucket}/out").write("films/a.mkv.json", told.encode())
    write_report(depot)
    [kept] = (tmp_path / "scratch").rglob("films/a.mkv.json")
    assert "0" * 64 in kept.read_text(), "a sidecar of the same length is another"


def test_what_is_in_the_store_does_not_pile_up_here(tmp_path, source, tiny, bucket):
    """After a night the scratch folder holds what is known of items, and nothing that grows with their length."""
    fill(f"{bucket}/in", source)
    away(f"{bucket}/in", f"{bucket}/out", tiny, tmp_path / "scratch", illustrate=illustrate, preservation=False)
    left = [p for p in (tmp_path / "scratch" / "out").rglob("*") if p.is_file() and f"{STATE}/items" not in str(p)]
    assert {p.name for p in left} <= {"collection.json", "metrics.prom", "lock", "published"}


def test_who_stops_a_run_does_not_wait_for_a_store_that_is_gone(tmp_path, monkeypatch):
    """The lease is left to be found dead; nobody waits minutes for it, and the reason stays what it was."""
    store = Store(f"memory://{uuid.uuid4().hex}")
    fs, _ = store._path("")

    def fail(*args, **more):
        raise TimeoutError("slow")

    def stopped():
        with lease.leased(store, Silent()):
            monkeypatch.setattr(fs, "cat_file", fail)
            monkeypatch.setattr(fs, "pipe_file", fail)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert time.monotonic() - began < 30


def test_what_fails_while_a_source_is_used_keeps_its_kind(tmp_path):
    """An error of a decoder is of that one file, and does not look like a disk that cannot be written."""
    home = f"memory://{uuid.uuid4().hex}"
    Store(home).write("a.mov", b"x")
    depot, item = depot_for(f"{home}/out", tmp_path), Item("k", "", "reel", f"{home}/a.mov", "a.mkv", ())
    with pytest.raises(OSError, match="of a decoder"), depot.source(item):
        raise OSError("of a decoder")


def test_a_machine_without_credentials_sets_nothing_aside(tmp_path, source, tiny, monkeypatch, undisturbed):
    """Every file would meet it: the run ends with one line, and the same command goes on once it is mended."""
    home = f"memory://{uuid.uuid4().hex}"
    fill(f"{home}/in", source)

    class NoCredentialsError(Exception):
        pass

    def fail(*args, **more):
        raise NoCredentialsError("Unable to locate credentials")

    fs, _ = Store(home)._path("")
    with monkeypatch.context() as patched:
        patched.setattr(fs, "get_file", fail)
        with pytest.raises(StorageError, match="no credentials are found") as caught:
            away(f"{home}/in", f"{home}/out", tiny, tmp_path / "scratch")
    assert "\n" not in str(caught.value)
    assert "set-aside.jsonl" not in contents(f"{home}/out")
    came, _ = away(f"{home}/in", f"{home}/out", tiny, tmp_path / "scratch")
    assert (came.done, came.aside) == (4, 0)
    assert stored(f"{home}/out") == undisturbed


def test_a_source_that_vanishes_is_set_aside(tmp_path, source, tiny):
    """By its URI, and done once it is back; the others finish."""
    home = f"memory://{uuid.uuid4().hex}"
    fill(f"{home}/in", source)
    items = find(f"{home}/in", f"{home}/out", {**OPTIONS, "weights": str(tiny)}, (), ()).items
    data = Store(f"{home}/in").read("films/a.mkv")

    def gone(event):
        if isinstance(event, Looking) and event.done == event.of:
            Store(f"{home}/in").remove("films/a.mkv")

    came, found = color(f"{home}/out", items, Wishes(scratch=tmp_path / "scratch"), gone)
    assert (came.done, came.aside) == (3, 1)
    [error] = [p.error["error"] for p in found if p.error]
    assert f"{home}/in/films/a.mkv: " in error
    assert str(tmp_path) not in error
    Store(f"{home}/in").write("films/a.mkv", data)
    came, _ = color(f"{home}/out", items, Wishes(scratch=tmp_path / "scratch"), Silent())
    assert (came.done, came.aside) == (4, 0)
