"""The laws for a collection: whatever is killed, however often, the same command ends in the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from colorizer.basis.errors import LedgerError, StorageError
from pipeline.collection.begun import Begun
from pipeline.collection.layout import BEGUN, STATE
from pipeline.collection.schedule import Schedule, ready
from pipeline.collection.state import State
from pipeline.collection.steps import StepPainter
from pipeline.spread import apart
from pipeline.spread.pools import InlinePool, RayPool
from pipeline.values.events import Silent
from pipeline.values.stages import ASIDE, DONE
from tests.checkout import ROOT
from tests.endtoend import FULL, Heard, environment, one_line, run_command, verify
from tests.laws.nights import OUTS, command, items_of, night, outputs, scheduled, start
from tests.plates import plate
from workflows.commands.cli import cli


@pytest.fixture(scope="module")
def source(collection):
    """Two reels of two shots each, a plate, an album of three pages, and a text."""
    return collection


@pytest.fixture(scope="module")
def undisturbed(colored):
    """What an undisturbed night makes."""
    return colored


def test_everything_is_colored_and_verified(tmp_path, source, tiny):
    """The tree is mirrored, each output holds against its source, and nothing else lies in the output folder."""
    done = run_command(*command(source, tmp_path / "out", tiny))
    assert done.returncode == 0, done.stderr
    assert "4 of 4 files are colored and verified" in done.stdout
    assert "1 other file: 1 .txt" in done.stdout
    for name, of in zip(OUTS, ["films/a.mkv", "films/b.mov", "plates/album.tif", "plates/one.tif"], strict=True):
        code, said = verify(source / of, tmp_path / "out" / name)
        assert code == 0, said
    assert set(outputs(tmp_path / "out")) == {*OUTS, *(name + ".json" for name in OUTS)}


def test_a_second_night_does_nothing(tmp_path, source, tiny, undisturbed):
    """Finished items are not opened again, not even read; a changed source or a lost output is done again."""
    import shutil

    mine, out = tmp_path / "src", tmp_path / "out"
    shutil.copytree(source, mine)
    night(mine, out, tiny)
    assert outputs(out) == undisturbed
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and STATE not in p.parts}
    heard = Heard()
    came, _ = night(mine, out, tiny, heard)
    assert (came.done, came.left) == (4, 0)
    assert not [e for e, _ in heard.events if e == "item"]
    assert {p: p.stat().st_mtime_ns for p in before} == before
    (out / "plates" / "one.tif").unlink()
    plate(mine / "plates" / "album.tif", 100, 150, pages=2, seed=5)
    heard = Heard()
    night(mine, out, tiny, heard)
    assert {f["name"] for e, f in heard.events if e == "item"} == {"plates/one", "plates/album"}
    assert outputs(out)["plates/one.tif"] == undisturbed["plates/one.tif"]
    with tifffile.TiffFile(out / "plates" / "album.tif") as album:
        assert len(album.pages) == 2


@pytest.mark.ray
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_workers_give_the_same_bytes(tmp_path, source, tiny, undisturbed, cluster, workers):
    """Surveys, painting and publication on Ray workers: the same files."""
    came, _ = night(source, tmp_path / "out", tiny, ray="local", workers=workers)
    assert (came.done, came.aside) == (4, 0)
    assert outputs(tmp_path / "out") == undisturbed


# --- set aside, never stop


def spoil(home):
    """A collection in which most things are wrong."""
    import shutil

    (home / "bad.tif").write_bytes(b"II*\0 no picture at all")
    (home / "empty.mov").write_bytes(b"")
    (home / "words.mp4").write_text("not a film")
    damaged = home / "strip.tif"
    plate(damaged, 300, 200)
    with tifffile.TiffFile(damaged) as tiff:
        place, size = tiff.pages[0].dataoffsets[2], tiff.pages[0].databytecounts[2]
    data = bytearray(damaged.read_bytes())
    data[place : place + size] = bytes(size)
    damaged.write_bytes(data)
    shutil.copy(damaged, home / "<img src=x onerror=alert(1)>.tif")


def test_what_fails_is_set_aside_and_the_rest_finishes(tmp_path, source, tiny, undisturbed):
    """Exit code 1; each failing file has a line with uri, stage, error; the good ones are as if it were not there."""
    import shutil

    mine, out = tmp_path / "src", tmp_path / "out"
    shutil.copytree(source, mine)
    spoil(mine)
    done = run_command(*command(mine, out, tiny))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = [json.loads(line) for line in (out / "set-aside.jsonl").read_text().splitlines()]
    assert {Path(line["uri"]).name for line in lines} == {
        "bad.tif", "empty.mov", "words.mp4", "strip.tif", "<img src=x onerror=alert(1)>.tif",
    }  # fmt: skip
    assert {line["stage"] for line in lines} == {"open"}
    assert all(line["error"] for line in lines)
    assert outputs(out) == undisturbed
    plate(mine / "strip.tif", 300, 200)  # a better copy arrives: the next night takes it up
    done = run_command(*command(mine, out, tiny))
    assert done.returncode == 1
    assert (out / "strip.tif").exists()
    assert len((out / "set-aside.jsonl").read_text().splitlines()) == 4
    done = run_command(*command(mine, out, tiny, "--retry-set-aside"))
    assert done.returncode == 1
    assert "0 of 4 files" in done.stdout


def test_nothing_set_aside_is_said(tmp_path, source, tiny):
    """To try again what was set aside, where nothing is: one line says so, and nothing is done. A dry run too."""
    out, mine = tmp_path / "out", tmp_path / "src"
    mine.mkdir()
    plate(mine / "one.tif", 100, 100)
    assert run_command(*command(mine, out, tiny)).returncode == 0
    before = outputs(out)
    for more in ((), ("--dry-run",)):
        done = run_command(*command(mine, out, tiny, "--retry-set-aside", *more))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"nothing is set aside in {out}; there is nothing to try again\n"
    assert outputs(out) == before


def test_a_dry_run_makes_room_for_kept_pieces(tmp_path, source, tiny):
    """Pieces that stay beside their outputs need as much again, and a dry run says so."""
    needed = []
    for more in ((), ("--keep-pieces",)):
        words = command(source, tmp_path / "out", tiny, "--dry-run", "--progress", "json", *more)
        done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == 0
        needed.append(json.loads(done.stdout)["disk"])
    plain, kept = needed
    assert plain < kept < 2 * plain
    assert not (tmp_path / "out").exists()


def painted(out):
    """Times of all painted pieces and of the outputs."""
    found = [p for p in out.rglob("*") if p.suffix in (".packets", ".blocks", ".tif", ".mkv")]
    return {p.name: p.stat().st_mtime_ns for p in found}


def test_catalog_ids_reach_everything(tmp_path, source, tiny):
    """A manifest's ids are in every sidecar, in the report and in the list of what was set aside, and in no unit's id.

    Another id for a finished file is written there without any work on it, also when the state is lost; verify holds.
    """
    from tests.reports import write_report
    from workflows.report.reading import read

    out, plain, manifest = tmp_path / "out", tmp_path / "plain", tmp_path / "list.csv"
    (tmp_path / "bad.tif").write_bytes(b"II*\0 no picture at all")

    def listed(out, reel, page, bad):
        rows = [
            ("file", "id", "out"), (source / "films/b.mov", reel, "films/b.mkv"),
            (source / "plates/one.tif", page, "plates/one.tif"), (source / "plates/album.tif", "", "plates/album.tif"),
            (tmp_path / "bad.tif", bad, "bad.tif"),
        ]  # fmt: skip
        manifest.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
        heard = Heard()
        night(manifest, out, tiny, heard, keep=True)
        said = [json.loads((out / f"{row[2]}.json").read_text()).get("id") for row in rows[1:4]]
        [aside] = [json.loads(line) for line in (out / "set-aside.jsonl").read_text().splitlines()]
        return said, aside["id"], heard.events

    said, aside, _ = listed(out, "NL/reel 7", "<b>plate", "bad 1")
    assert (said, aside) == (["NL/reel 7", "<b>plate", None], "bad 1")
    assert {file.id for file in read(out).files} == {"NL/reel 7", "<b>plate", "", "bad 1"}
    assert "&lt;b&gt;plate" in write_report(out).read_text()
    before = painted(out)
    said, aside, events = listed(out, "reel 8", "", "bad 2")
    assert (said, aside) == (["reel 8", None, None], "bad 2")
    assert painted(out) == before
    assert not [e for e, _ in events if e == "item"]
    assert {file.id for file in read(out).files} == {"reel 8", "", "bad 2"}
    for path in (out / STATE / "items").iterdir():
        path.unlink()
    assert listed(out, "reel 9", "", "bad 2")[0] == ["reel 9", None, None]
    assert painted(out) == before
    assert verify(source / "films/b.mov", out / "films/b.mkv")[0] == 0
    listed(plain, "", "", "")
    assert set(painted(plain)) == set(before)
    assert all(
        (plain / place).read_bytes() == (out / place).read_bytes() for place in ("films/b.mkv", "plates/one.tif")
    )


class Dies(StepPainter):
    """Ends its process at a unit of one item: every time, or once."""

    def __init__(self, name, marker=None):
        super().__init__()
        self.name, self.marker = name, marker

    def paint(self, step, attempt, report=lambda _: None):
        """Die, or paint."""
        if step.unit is not None and self.name in step.item.out and not (self.marker and self.marker.exists()):
            if self.marker:
                self.marker.touch()
            os._exit(9)
        return super().paint(step, attempt, report)


@pytest.mark.ray
def test_a_file_that_kills_its_workers_is_set_aside(tmp_path, source, tiny, undisturbed, cluster):
    """Three workers die of it, it is named with its log, and all other outputs are the same bytes."""
    pool = RayPool("local", 2, lambda: Dies("films/a"))
    try:
        came, found = scheduled(source, tmp_path / "out", tiny, pool)
    finally:
        pool.close()
    assert (came.done, came.aside, came.left) == (3, 1, 0)
    [bad] = [p for p in found if p.state == ASIDE]
    assert bad.item.out == "films/a.mkv"
    assert bad.error["attempts"] == 3
    assert len(bad.attempts) >= 3
    rest = {name: data for name, data in undisturbed.items() if not name.startswith("films/a")}
    assert outputs(tmp_path / "out") == rest
    came, _ = night(source, tmp_path / "out", tiny, aside_only=True)
    assert came.done == 1
    assert outputs(tmp_path / "out") == undisturbed


def test_a_file_that_ends_its_decoder_is_set_aside(tmp_path, tiny, monkeypatch):
    """Without Ray: three decoders die of it, it is named, and all other outputs are the bytes of a night without it."""
    good = tmp_path / "good"
    good.mkdir()
    plate(good / "a.tif", 100, 50)
    plate(good / "z.tif", 50, 50)
    night(good, tmp_path / "alone", tiny)
    tifffile.imwrite(good / "bad.tif", np.zeros((40, 40), np.uint8), compression="lzw")
    process = apart.Apart(["tests.dying_codec"])
    monkeypatch.setattr(apart, "APART", process)
    came, found = night(good, tmp_path / "out", tiny)
    process.close()
    assert (came.done, came.aside, came.left) == (2, 1, 0)
    [bad] = [p for p in found if p.state == ASIDE]
    assert "SIGSEGV" in bad.error["error"]
    assert bad.error["attempts"] == 3
    assert outputs(tmp_path / "out") == outputs(tmp_path / "alone")


LATER = ("segment 1", "publish")


def dying(words, name, where, number, marker="-"):
    """The command, with a decoder that ends its process at a file; its end."""
    line = [sys.executable, "-m", "tests.dying_pictures", name, where, int(number), marker, *words]
    return subprocess.run(
        list(map(str, line)), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=240
    )  # fmt: skip


@pytest.mark.parametrize(
    "stage",
    [pytest.param("open", marks=pytest.mark.slow), "survey", *(pytest.param(n, marks=pytest.mark.slow) for n in LATER)],
)
def test_a_reel_that_ends_the_process_is_set_aside(tmp_path, source, tiny, undisturbed, stage):
    """Without Ray: the run is begun again in the same command, the deaths are counted, and all other outputs are the
    same bytes; asked for again, with a decoder that bears it, so is that one."""
    out = tmp_path / "out"
    done = dying(command(source, out, tiny), "a.mkv", f"({stage}", signal.SIGSEGV)
    assert done.returncode == 1, done.stderr
    assert "3 of 4 files are colored and verified" in done.stdout
    assert "the run crashed (SIGSEGV)" in done.stderr
    [aside] = map(json.loads, (out / "set-aside.jsonl").read_text().splitlines())
    assert aside["out"] == "films/a.mkv"
    assert "2 crashed; take another copy" in aside["error"]
    assert aside["attempts"] == len(aside["log"]) == 2
    assert not list((out / BEGUN).iterdir())
    rest = {name: data for name, data in undisturbed.items() if not name.startswith("films/a")}
    assert outputs(out) == rest
    assert run_command(*command(source, out, tiny, "--retry-set-aside")).returncode == 0
    assert outputs(out) == undisturbed


def test_a_process_that_is_killed_once_costs_a_try(tmp_path, source, tiny, undisturbed):
    """As the system kills where memory runs out: the same command ends in the same bytes and says so."""
    out, marker = tmp_path / "out", tmp_path / "died"
    done = dying(command(source, out, tiny), "a.mkv", "(survey)", signal.SIGKILL, marker)
    assert marker.exists()
    assert done.returncode == 0, done.stderr
    assert "the run crashed (SIGKILL)" in done.stderr
    assert outputs(out) == undisturbed


def test_a_reel_that_ends_the_process_is_one_line(tmp_path, source, tiny):
    """Of the command for one reel: what ended, at which file and stage, what to do; then it goes on."""
    words = ["reel", source / "films" / "a.mkv", tmp_path / "a.mkv", "--weights", tiny, "--working-size", 32]
    line = one_line(dying(words, "a.mkv", "surveyed", signal.SIGSEGV))
    assert "a.mkv, while it was surveyed" in line
    assert "(SIGSEGV): a codec crashed" in line
    assert run_command(*words).returncode == 0


def test_a_file_that_crashed_two_runs_is_set_aside_by_the_third(tmp_path, tiny):
    """The others are done, its reason is told; when it is asked for it is tried again."""
    good = tmp_path / "good"
    good.mkdir()
    plate(good / "a.tif", 100, 50)
    plate(good / "z.tif", 50, 50)
    [item, _] = items_of(good, tmp_path / "out", tiny)
    mark = Begun(tmp_path / "out" / BEGUN)._path(item.key, "survey")
    mark.parent.mkdir(parents=True)
    mark.write_text(json.dumps({"key": item.key, "step": "survey", "crashes": 2, "ends": 0, "at": False}))
    came, found = night(good, tmp_path / "out", tiny)
    assert (came.done, came.aside, came.left) == (1, 1, 0)
    [bad] = [p for p in found if p.state == ASIDE]
    assert "a.tif: of the runs that were at it (survey) 2 crashed" in bad.error["error"]
    assert not list(mark.parent.iterdir())
    came, _ = night(good, tmp_path / "out", tiny, aside_only=True)
    assert came.done == 1


@pytest.mark.ray
def test_a_worker_that_dies_once_costs_an_attempt(tmp_path, source, tiny, undisturbed, cluster):
    """The unit is done by another worker; the bytes are the same and the item's log remembers."""
    pool = RayPool("local", 2, lambda: Dies("plates/album", tmp_path / "died"))
    try:
        came, found = scheduled(source, tmp_path / "out", tiny, pool)
    finally:
        pool.close()
    assert (came.done, came.aside) == (4, 0)
    assert [len(p.attempts) for p in found if p.item.out == "plates/album.tif"] == [1]
    assert outputs(tmp_path / "out") == undisturbed


class Breaks(StepPainter):
    """Has a bug that one item meets."""

    def _do(self, step, attempt, report):
        if "one" in step.item.out:
            raise ZeroDivisionError("a bug")
        return super()._do(step, attempt, report)


def test_a_bug_is_one_files_matter(tmp_path, source, tiny):
    """An unexpected error sets its file aside with a trace for developers; the others are finished."""
    came, found = scheduled(source, tmp_path / "out", tiny, InlinePool(Breaks()))
    assert (came.done, came.aside) == (3, 1)
    [bad] = [p for p in found if p.state == ASIDE]
    assert "unexpected ZeroDivisionError" in bad.error["error"]
    assert "Traceback" in bad.attempts[0]["trace"]


def test_a_vanished_source_and_one_that_changes(tmp_path, source, tiny):
    """A source that goes away in the middle is set aside; so is one whose bytes change under the run."""
    import shutil

    mine, out = tmp_path / "src", tmp_path / "out"
    shutil.copytree(source, mine)

    class Vanishing(StepPainter):
        def _do(self, step, attempt, report):
            if step.stage == "paint" and "one" in step.item.out:
                (mine / "plates" / "one.tif").unlink(missing_ok=True)
            return super()._do(step, attempt, report)

    came, found = scheduled(mine, out, tiny, InlinePool(Vanishing()))
    assert (came.done, came.aside) == (3, 1)
    [bad] = [p for p in found if p.state == ASIDE]
    assert "one.tif" in bad.error["error"]
    assert not (out / "plates" / "one.tif").exists()


# --- the deadline, the lock, the disk


def test_the_deadline_ends_between_units_and_the_next_night_goes_on(tmp_path, source, tiny, undisturbed):
    """Nothing begins after it, nothing half done is left, and what was done is not done again."""
    state = State(tmp_path / "out")
    found = ready(state, items_of(source, tmp_path / "out", tiny), False)
    clock = [datetime(2026, 1, 1, 7, 0)]
    until = datetime(2026, 1, 1, 8, 0)

    class Slow(StepPainter):
        def paint(self, step, attempt, report=lambda _: None):
            clock[0] += timedelta(minutes=12)
            return super().paint(step, attempt, report)

    schedule = Schedule(state, found, InlinePool(Slow()), Silent(), deadline=until, now=lambda: clock[0])
    came = schedule.run()
    assert came.late
    assert came.left > 0
    assert clock[0] == until
    came, _ = night(source, tmp_path / "out", tiny)
    assert (came.done, came.late) == (4, False)
    assert outputs(tmp_path / "out") == undisturbed


def test_the_deadline_is_an_exit_code(tmp_path, source, tiny):
    """A deadline that has all but come: exit code 3 and a line that says what is left; nonsense is refused."""
    soon = (datetime.now() + timedelta(minutes=1)).strftime("%H:%M")
    assert run_command(*command(source, tmp_path / "out", tiny, "--deadline", soon)).returncode in (0, 3)
    for text in ("8", "25:00", "08:60", "noon"):
        done = run_command(*command(source, tmp_path / "out", tiny, "--deadline", text))
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_two_drivers_do_not_meet(tmp_path, source, tiny, undisturbed):
    """A second run on the same folder is refused with the first one's name; the first is not disturbed."""
    refused = []

    class Second(StepPainter):
        def _do(self, step, attempt, report):
            if not refused:
                with pytest.raises(LedgerError, match="in use by process"):
                    night(source, tmp_path / "out", tiny)
                refused.append(True)
            return super()._do(step, attempt, report)

    import pipeline.collection.run as module

    original = module.StepPainter
    module.StepPainter = Second
    try:
        night(source, tmp_path / "out", tiny)
    finally:
        module.StepPainter = original
    assert refused
    assert outputs(tmp_path / "out") == undisturbed


@pytest.mark.parametrize("room", [2_000, 60_000], ids=["state", "pieces"])
def test_a_full_disk_stops_the_night_and_loses_nothing(tmp_path, source, tiny, undisturbed, room):
    """One line, exit code 1, nothing half under a final name; with room the same command ends in the same bytes."""
    words = command(source, tmp_path / "out", tiny)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(room), *map(str, words)], capture_output=True, text=True, check=False,
        env=environment(), timeout=240,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be written" in done.stderr
    for name, data in outputs(tmp_path / "out", growing=False).items():
        assert data == undisturbed[name]
    night(source, tmp_path / "out", tiny)
    assert outputs(tmp_path / "out") == undisturbed


def test_a_full_disk_is_no_files_fault(tmp_path, source, tiny, monkeypatch):
    """StorageError ends the run at once; no item is set aside for it."""

    class Full(StepPainter):
        def _do(self, step, attempt, report):
            raise StorageError("/out: cannot be written: No space left on device")

    with pytest.raises(StorageError):
        scheduled(source, tmp_path / "out", tiny, InlinePool(Full()))
    states = [json.loads(p.read_text())["state"] for p in (tmp_path / "out" / STATE / "items").iterdir()]
    assert ASIDE not in states


def test_outputs_of_others_are_not_replaced(tmp_path, source, tiny):
    """A file that lies where an output would go, and is not this program's, is left as it is; its item is set aside."""
    out = tmp_path / "out"
    (out / "plates").mkdir(parents=True)
    tifffile.imwrite(out / "plates" / "one.tif", np.zeros((8, 8), np.uint8))
    before = (out / "plates" / "one.tif").read_bytes()
    came, found = night(source, out, tiny)
    assert (came.done, came.aside) == (3, 1)
    assert (out / "plates" / "one.tif").read_bytes() == before
    assert "is not this program's" in next(p.error["error"] for p in found if p.state == ASIDE)


def test_state_that_is_lost_or_damaged_costs_only_a_look(tmp_path, source, tiny, undisturbed):
    """Without its state folder, or with garbage in it, the next run finds outputs that are right and paints nothing."""
    import shutil

    out = tmp_path / "out"
    night(source, out, tiny)
    for path in (out / STATE / "items").iterdir():
        path.write_text("{]")
    heard = Heard()
    came, _ = night(source, out, tiny, heard)
    assert came.done == 4
    shutil.rmtree(out / STATE)
    came, found = night(source, out, tiny, heard)
    assert came.done == 4
    assert all(p.seconds["paint"] == 0 for p in found)
    assert outputs(out) == undisturbed


# --- kills: more of them in test_failures


def test_a_killed_driver_goes_on(tmp_path, source, tiny, undisturbed):
    """SIGKILL in the middle of the night; the same command ends in the same bytes."""
    words, out = command(source, tmp_path / "out", tiny), tmp_path / "out"
    child = start(words)
    while not list(out.glob(f"{STATE}/jobs/*/ledger/*.json")):
        assert child.poll() is None
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert run_command(*words).returncode == 0
    assert outputs(out) == undisturbed


def test_progress_of_every_kind_of_item_is_told(tmp_path, source, tiny):
    """Events name each item, and the total rises to the end."""
    heard = Heard()
    night(source, tmp_path / "out", tiny, heard)
    totals = [f["done"] for e, f in heard.events if e == "total"]
    assert totals == sorted(totals)
    assert totals[-1] == next(f["of"] for e, f in heard.events if e == "total")
    assert {f["name"] for e, f in heard.events if e == "item"} == {"films/a", "films/b", "plates/one", "plates/album"}
    states = [f["state"] for e, f in heard.events if e == "item" and f["name"] == "films/a"]
    assert states[-1] == DONE


@pytest.mark.ray
def test_two_copies_of_a_film_do_not_meet(tmp_path, source, tiny, undisturbed, cluster):
    """The same bytes under two names are two items, whose units run at the same time and end in equal pictures."""
    import shutil

    mine, out = tmp_path / "src", tmp_path / "out"
    mine.mkdir()
    for name in ("one.mkv", "two.mkv"):
        shutil.copy(source / "films" / "a.mkv", mine / name)
    came, _ = night(mine, out, tiny, ray="local", workers=2)
    assert (came.done, came.aside) == (2, 0)
    assert (out / "one.mkv").read_bytes() == (out / "two.mkv").read_bytes() == undisturbed["films/a.mkv"]


def test_names_that_are_no_text_are_colored_like_others(tmp_path, source, tiny, undisturbed):
    """Files of old disks have names in old encodings; their bytes come through to output, state and manifest."""
    import shutil

    home, out = tmp_path / os.fsdecode(b"src \xff"), tmp_path / os.fsdecode(b"out \xff")
    home.mkdir()
    shutil.copy(source / "films" / "a.mkv", home / os.fsdecode(b"f\xe9te.mkv"))
    shutil.copy(source / "plates" / "one.tif", home / os.fsdecode(b"\xfe.tif"))
    (home / os.fsdecode(b"bad \xfd.mov")).write_bytes(b"no film")
    done = run_command(*command(home, out, tiny, "--preservation", "--progress", "json"), errors="surrogateescape")
    assert done.returncode == 1, done.stderr
    assert (out / os.fsdecode(b"f\xe9te.mkv")).read_bytes() == undisturbed["films/a.mkv"]
    assert (out / os.fsdecode(b"\xfe.tif")).read_bytes() == undisturbed["plates/one.tif"]
    [line] = (out / "set-aside.jsonl").read_text(encoding="utf-8").splitlines()
    assert os.fsencode(json.loads(line)["uri"]).endswith(b"bad \xfd.mov")
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "manifest-sha256.txt"], cwd=out, check=False)
    assert checked.returncode == 0
    assert (out / "report.html").exists()
    again = run_command(*command(home, out, tiny, "--preservation"), errors="surrogateescape")
    assert "2 of 3 files are colored and verified" in again.stdout


def test_proofs_that_are_wanted_later_are_made_without_painting(tmp_path, source, tiny, undisturbed):
    """--preservation over a finished collection adds digests and manifest, and leaves every output as it is."""
    out = tmp_path / "out"
    night(source, out, tiny)
    before = {name: (out / name).stat().st_mtime_ns for name in undisturbed}
    heard = Heard()
    came, _ = night(source, out, tiny, heard, preservation=True)
    assert came.done == 4
    assert {name: (out / name).stat().st_mtime_ns for name in undisturbed} == before
    assert {f["stage"] for e, f in heard.events if e == "step"} == {"survey"}
    proofs = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.framemd5"))
    assert proofs == ["films/a.mkv.framemd5", "films/b.mkv.framemd5"]
    assert all(name in (out / "manifest-sha256.txt").read_text() for name in (*undisturbed, *proofs))
