"""Law 4: kill anything at any time, run the same command again, and the output is the same to the last byte."""

import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from colorizer.basis.errors import ColorizeError, JoinError, LedgerError
from pipeline.jobs import reel_job as jobs
from pipeline.jobs.reel_job import ReelJob, open_painter
from pipeline.reels import fidelity
from pipeline.reels.painter import SegmentPainter
from pipeline.values.events import Checking
from tests.endtoend import (
    Heard,
    chroma,
    color,
    command_line,
    environment,
    hear_interrupts,
    one_line,
    run_command,
    verify,
)  # fmt: skip
from tests.synthetic import write_reel

FRAMES, CUTS = 60, (15, 30, 45)
SIZE = (96, 64)
OUT = "out.mkv"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A reel of four shots, so of four segments."""
    return write_reel(tmp_path_factory.mktemp("night") / "in.mkv", FRAMES, SIZE, cuts=CUTS, audio=1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, source, tiny):
    """The bytes of an undisturbed run in one process: output and sidecar."""
    out = tmp_path_factory.mktemp("undisturbed") / OUT
    result = color(source, out, tiny)
    assert result.painted == 4
    return both(out)


def both(out):
    """Bytes of an output and of its sidecar."""
    return out.read_bytes(), out.with_name(out.name + ".json").read_bytes()


def left(folder):
    """Names in a folder beside the reel."""
    return sorted(p.name for p in folder.iterdir())


def dying(frame, marker=None):
    """Makes painters whose process ends before frame `frame`: every time, or only until `marker` is there."""

    def make(settings, job):
        class Dying(SegmentPainter):
            def _painted(self, segment, target):
                for index, painted in enumerate(super()._painted(segment, target), segment.start):
                    if index == frame and (marker is None or not marker.exists()):
                        if marker is not None:
                            marker.touch()
                        os._exit(9)
                    yield painted

        return Dying(open_painter(settings, job).colorizer, job)

    return make


def test_a_second_run_gives_the_same_bytes(tmp_path, source, tiny, undisturbed):
    """Output and sidecar are the same from another folder and with the job folder kept elsewhere."""
    color(source, tmp_path / OUT, tiny, folder=tmp_path / "kept")
    assert both(tmp_path / OUT) == undisturbed
    assert left(tmp_path) == ["kept", OUT, OUT + ".json"]


@pytest.mark.ray
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_ray_workers_give_the_same_bytes(tmp_path, source, tiny, undisturbed, cluster, workers):
    """Whoever paints, and however many."""
    result = color(source, tmp_path / OUT, tiny, ray="local", workers=workers)
    assert result.painted == 4
    assert both(tmp_path / OUT) == undisturbed


@pytest.mark.ray
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_worker_that_dies_is_replaced(tmp_path, source, tiny, undisturbed, cluster, workers):
    """A worker process that ends in the middle of a segment costs a second attempt and nothing else."""
    heard, marker = Heard(), tmp_path / "died"
    color(
        source, tmp_path / OUT, tiny, ray="local", workers=workers, make=dying(36, marker), listener=heard
    )  # fmt: skip
    assert marker.exists()
    [retry] = [facts["text"] for event, facts in heard.events if event == "retry"]
    assert retry.startswith("segment 2, attempt 1: worker died")
    assert both(tmp_path / OUT) == undisturbed
    assert left(tmp_path) == ["died", OUT, OUT + ".json"]


@pytest.mark.ray
def test_a_unit_that_always_kills_is_set_aside(tmp_path, source, tiny, undisturbed, cluster, monkeypatch, capsys):
    """After three attempts the segment is named in one line, exit code 1; the rest is painted and kept."""
    from workflows.commands import cli

    original = ReelJob.color
    monkeypatch.setattr(ReelJob, "color", lambda self: original(self, dying(36)))
    out = tmp_path / OUT
    arguments = ["reel", source, out, "--weights", tiny, "--working-size", "64", "--precision", "fp32"]
    monkeypatch.setattr(sys, "argv", ["chromatheque", *map(str, arguments), "--ray", "local", "--progress", "json"])
    monkeypatch.setattr("workflows.terminal.stopping.install", lambda: None)  # signals are for the tests' process
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    [line] = printed.err.strip().splitlines()
    assert "segment 2 (frames 30 to 44) failed after 3 attempts: worker died" in line
    assert str(out) + ".job" in line
    events = [json.loads(text) for text in printed.out.splitlines()]
    assert sum(e["event"] == "retry" for e in events) == 2
    assert left(tmp_path) == [OUT + ".job"]
    assert len(list((tmp_path / (OUT + ".job") / "ledger").iterdir())) == 3
    monkeypatch.undo()
    result = color(source, out, tiny)
    assert result.painted == 1
    assert both(out) == undisturbed


def test_a_finished_job_does_nothing(tmp_path, source, tiny, undisturbed):
    """The same command again touches nothing and says so; another setting is refused without --overwrite."""
    out = tmp_path / OUT
    command = ("reel", source, out, "--weights", tiny, "--working-size", 64, "--precision", "fp32")
    assert run_command(*command).returncode == 0
    before = [(p.name, p.stat().st_mtime_ns) for p in sorted(tmp_path.iterdir())]
    done = run_command(*command)
    assert (done.returncode, done.stdout.strip()) == (0, f"{out} is finished already; nothing to do.")
    assert [(p.name, p.stat().st_mtime_ns) for p in sorted(tmp_path.iterdir())] == before
    assert both(out) == undisturbed
    refused = run_command(*command[:-3], 72, *command[-2:])
    assert refused.returncode == 1
    assert "--overwrite" in one_line(refused)
    assert both(out) == undisturbed


@pytest.mark.parametrize("lost", ["receipt", "packets", "damaged receipt", "short packets"])
def test_what_a_crash_left_is_not_trusted(tmp_path, source, tiny, undisturbed, lost):
    """A receipt without its packets, or the reverse, or half of either, is work not done: it is done again."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    out.unlink()
    receipt = min((job / "ledger").iterdir())
    packets = job / json.loads(receipt.read_text())["file"]
    if lost == "receipt":
        receipt.unlink()
    elif lost == "packets":
        packets.unlink()
    elif lost == "damaged receipt":
        receipt.write_text(receipt.read_text()[:100])
    else:
        packets.write_bytes(packets.read_bytes()[:-1])
    (job / f"{receipt.stem}.7.pieces.part").write_bytes(b"what a killed worker left")
    assert color(source, out, tiny, folder=job).painted == 1
    assert both(out) == undisturbed


def smudging(frame):
    """Makes painters that change a luma code of one frame on its way to the encoder, as failing memory would."""

    def make(settings, job):
        class Smudging(SegmentPainter):
            def _painted(self, segment, target):
                for index, painted in enumerate(super()._painted(segment, target), segment.start):
                    if index == frame:
                        painted = replace(painted, luma=painted.luma ^ np.uint8(1))
                    yield painted

        return Smudging(open_painter(settings, job).colorizer, job)

    return make


def test_a_failed_check_repaints_what_it_doubts(tmp_path, source, tiny, undisturbed):
    """Nothing is published, one line names the frame, and the same command paints its segment anew."""
    out = tmp_path / OUT
    with pytest.raises(JoinError) as failed:
        color(source, out, tiny, make=smudging(36))
    assert "it differs in 1 frame, first 36" in str(failed.value)
    assert "run the same command again, it paints 1 of 4 segments anew" in str(failed.value)
    assert left(tmp_path) == [OUT + ".job"]
    assert color(source, out, tiny).painted == 1
    assert both(out) == undisturbed
    assert left(tmp_path) == [OUT, OUT + ".json"]


@pytest.mark.parametrize("finding", ["times", "decodes cleanly"])
def test_a_failed_check_without_a_frame_to_blame(tmp_path, source, tiny, undisturbed, monkeypatch, finding):
    """A picture that is wrong as a whole is painted anew."""

    def failing(*arguments, **named):
        return [replace(f, holds=False) if f.what == finding else f for f in fidelity.check(*arguments, **named)]

    monkeypatch.setattr(jobs, "check", failing)
    with pytest.raises(JoinError, match="run the same command again, it paints 4 of 4 segments anew"):
        color(source, tmp_path / OUT, tiny)
    monkeypatch.undo()
    assert color(source, tmp_path / OUT, tiny).painted == 4
    assert both(tmp_path / OUT) == undisturbed


def test_packets_that_rot_are_painted_anew(tmp_path, source, tiny, undisturbed):
    """A changed byte in a segment's packets is found when they are joined; the same command paints that segment."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    out.unlink()
    packets = min(job.glob("*.packets"))
    data = bytearray(packets.read_bytes())
    data[-1] ^= 1
    packets.write_bytes(data)
    with pytest.raises(JoinError, match="damaged since they were written; run the same command again"):
        color(source, out, tiny, folder=job)
    assert color(source, out, tiny, folder=job).painted == 1
    assert both(out) == undisturbed


def edit(plan, change):
    """Edit a plan as a person would, in its file."""
    values = json.loads(plan.read_text())
    change(values["shots"])
    plan.write_text(json.dumps(values))


def merge(shots):
    """Two shots become one."""
    shots[1]["stop"] = shots.pop(2)["stop"]


def borrow(shots):
    """One shot takes another's look."""
    shots[0]["look"] = shots[3]["look"]


@pytest.mark.parametrize(("change", "touched"), [(merge, range(30, 45)), (borrow, range(15))])
def test_an_edited_plan_repaints_only_what_it_touches(tmp_path, source, tiny, change, touched):
    """Merge two shots or replace a look, run again: those segments are painted, the others are taken as they are."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    before = chroma(out)
    times = {p: p.stat().st_mtime_ns for p in job.glob("*.packets")}
    edit(job / "plan.json", change)
    assert color(source, out, tiny, folder=job, overwrite=True).painted == 1
    assert {p: p.stat().st_mtime_ns for p in times} == times
    changed = [i for i, (a, b) in enumerate(zip(before, chroma(out), strict=True)) if (a != b).any()]
    assert changed == list(touched)
    assert color(source, out, tiny, folder=job).already


OTHERWISE = {
    "profile": ("out.mov", {}),
    "working size": (OUT, {"working_size": 72}),
    "precision": (OUT, {"precision": "bf16"}),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_an_edited_plan_outlives_other_settings(tmp_path, source, tiny, what):
    """The same job for another output or with another setting: surveyed once, and the edited shots are painted."""
    job, (name, choices) = tmp_path / "job", OTHERWISE[what]
    color(source, tmp_path / OUT, tiny, folder=job)
    edit(job / "plan.json", merge)
    edited, heard = json.loads((job / "plan.json").read_text())["shots"], Heard()
    result = color(source, tmp_path / name, tiny, folder=job, overwrite=True, listener=heard, **choices)
    assert [(s.start, s.stop) for s in result.plan.shots] == [(s["start"], s["stop"]) for s in edited]
    assert len(edited) == 3
    assert "survey" not in [event for event, _ in heard.events]
    assert json.loads((job / "plan.json").read_text())["shots"] == edited
    assert color(source, tmp_path / name, tiny, folder=job, **choices).already


def test_a_plan_that_cannot_be_used_again_is_put_aside(tmp_path, source, tiny):
    """Another piece of the reel in the same job folder: the edited plan stays beside the new one, and a note says so.

    What was put aside once is not overwritten the next time.
    """
    job, kept = tmp_path / "job", []
    color(source, tmp_path / OUT, tiny, folder=job)
    for stop, name in (("1", "plan.json.bak"), ("1.5", "plan.json.2.bak")):
        edit(job / "plan.json", lambda shots: shots[0]["scenes"].append(["by hand", 1.0]))
        kept.append((job / name, (job / "plan.json").read_bytes()))
        heard = Heard()
        color(source, tmp_path / OUT, tiny, folder=job, overwrite=True, stop=stop, listener=heard)
        notes = [facts["text"] for event, facts in heard.events if event == "note"]
        assert any(f"kept as {name}" in text for text in notes)
        assert all(path.read_bytes() == data for path, data in kept)


def test_looks_of_another_network_are_refused(tmp_path, source, tiny):
    """Every look of a length the network does not take: one line that names the plan, before anything is painted."""
    job = tmp_path / "job"
    color(source, tmp_path / OUT, tiny, folder=job)

    def shorten(shots):
        for shot in shots:
            shot["look"] = shot["look"][:16]

    edit(job / "plan.json", shorten)
    with pytest.raises(LedgerError, match=r"plan\.json: not a usable plan .*numbers, the network wants 16"):
        color(source, tmp_path / OUT, tiny, folder=job, overwrite=True)


def test_a_plan_that_makes_no_sense_is_refused(tmp_path, source, tiny):
    """A gap between shots, or text that is not JSON: one line that names the file; never a guess."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    out.unlink()
    edit(job / "plan.json", lambda shots: shots.pop(1))
    command = ("reel", source, out, "--weights", tiny, "--working-size", 64, "--precision", "fp32", "--job", job)
    done = run_command(*command)
    assert done.returncode == 1
    assert str(job / "plan.json") in one_line(done)
    (job / "plan.json").write_text("{")
    done = run_command(*command)
    assert done.returncode == 1
    assert str(job / "plan.json") in one_line(done)
    assert not out.exists()


def test_a_source_that_changes_in_between_is_noticed(tmp_path, source, tiny):
    """A plan of other frames is not carried over to a source with the same name: it is surveyed again."""
    copy, out = tmp_path / "in.mkv", tmp_path / OUT
    write_reel(copy, 20, SIZE)
    color(copy, out, tiny, folder=tmp_path / "job")
    out.unlink()
    write_reel(copy, 30, SIZE)
    result = color(copy, out, tiny, folder=tmp_path / "job")
    assert (len(result.plan.pts), result.painted) == (30, 1)


LONG = 360


@pytest.fixture(scope="module")
def long_source(tmp_path_factory):
    """A reel that takes some seconds."""
    cuts = tuple(range(30, LONG, 30))
    return write_reel(tmp_path_factory.mktemp("long") / "in.mkv", LONG, (160, 120), cuts=cuts, audio=1)


def start(source, out, tiny, *options):
    """Start the command and return its process; its events come on stdout."""
    return subprocess.Popen(
        command_line(
            "reel", source, out, "--weights", tiny, "--working-size", 96, "--precision", "fp32", "--progress", "json",
            *options,
        ),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_interrupts,
    )  # fmt: skip


def until(process, event):
    """Read events until one of a kind; the others before it."""
    for line in process.stdout:
        if line.startswith("{") and json.loads(line)["event"] == event:
            return
    pytest.fail(f"no {event} before the end: {process.stderr.read()}")


@pytest.fixture(scope="module")
def long_undisturbed(tmp_path_factory, long_source, tiny):
    """Bytes of an undisturbed run of the command, and the seconds between its first event and its end."""
    out = tmp_path_factory.mktemp("long") / OUT
    process = start(long_source, out, tiny)
    until(process, "survey")
    begun = time.monotonic()
    _, err = process.communicate()
    assert process.returncode == 0, err
    return both(out), time.monotonic() - begun


def test_a_killed_process_goes_on(tmp_path, long_source, tiny, long_undisturbed):
    """SIGKILL at six random moments, each survived by the same command: nothing half-made under the final name."""
    bytes_wanted, seconds = long_undisturbed
    moments, out, killed = random.Random(1916), tmp_path / OUT, 0
    while killed < 6:
        process = start(long_source, out, tiny)
        until(process, "survey" if not out.with_name(OUT + ".job").exists() else "planned")
        time.sleep(moments.uniform(0, seconds / 3))
        process.kill()
        process.communicate()
        if out.exists():  # it was faster than the knife
            assert both(out) == bytes_wanted
            out.unlink()
        else:
            killed += 1
    process = start(long_source, out, tiny)
    process.communicate()
    assert process.returncode == 0
    assert both(out) == bytes_wanted
    assert left(tmp_path) == [OUT, OUT + ".json"]


@pytest.mark.slow
def test_two_runs_do_not_meet(tmp_path, long_source, tiny, long_undisturbed):
    """A second start of the same job ends with one line that says who is at it; the first one is not disturbed."""
    out = tmp_path / OUT
    first = start(long_source, out, tiny)
    until(first, "planned")
    first.send_signal(signal.SIGSTOP)  # so that it is still at it, however long the second one takes
    second = start(long_source, out, tiny)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1
    assert err == (
        f"Error: job folder {out}.job is in use by process {first.pid} on host {socket.gethostname()}; "
        "wait for it or give another --job\n"
    )
    first.send_signal(signal.SIGCONT)
    _, err = first.communicate()
    assert first.returncode == 0, err
    assert both(out) == long_undisturbed[0]
    assert left(tmp_path) == [OUT, OUT + ".json"]
    assert verify(long_source, out)[0] == 0


def test_two_jobs_may_make_one_output(tmp_path, source, tiny, undisturbed):
    """Another job folder, the same output: neither spoils the other's unfinished file, and what stays is whole."""
    out = tmp_path / OUT

    class Other(Heard):
        def __call__(self, event, /):
            if isinstance(event, Checking):
                color(source, out, tiny, folder=tmp_path / "other")
                assert both(out) == undisturbed
            super().__call__(event)

    color(source, out, tiny, listener=Other())
    assert both(out) == undisturbed
    assert left(tmp_path) == ["other", OUT, OUT + ".json"]


@pytest.mark.slow
def test_a_dead_run_holds_nothing(tmp_path, long_source, tiny, long_undisturbed):
    """After SIGKILL of the run that held the folder the same command goes on at once."""
    out = tmp_path / OUT
    first = start(long_source, out, tiny)
    until(first, "segment")
    first.kill()
    first.communicate()
    assert str(first.pid) in (tmp_path / (OUT + ".job") / "lock").read_text()
    second = start(long_source, out, tiny)
    _, err = second.communicate()
    assert second.returncode == 0, err
    assert both(out) == long_undisturbed[0]
    assert left(tmp_path) == [OUT, OUT + ".json"]


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("survey", signal.SIGINT),
        pytest.param("segment", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("checking", signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_stops_with_one_line(tmp_path, long_source, tiny, long_undisturbed, moment, number):
    """In any stage: exit code 128 + the signal, what is safe, nothing under the final name; it goes on."""
    out = tmp_path / OUT
    process = start(long_source, out, tiny)
    until(process, moment)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    [line] = [line for line in err.strip().splitlines() if not line.startswith("Stopping: waiting")]
    assert line.startswith("Stopped.")
    assert "Run it again to continue" in line
    if moment != "survey":
        assert "segments are safe in" in line
    assert set(left(tmp_path)) <= {OUT + ".job"}
    process = start(long_source, out, tiny)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert both(out) == long_undisturbed[0]


@pytest.fixture
def head():
    """A cluster started with `ray start --head` on ports, a folder and a token of its own; stopped by process id."""
    temp = Path(tempfile.mkdtemp(prefix="chq-", dir="/tmp"))
    (temp / "token").write_text(secrets.token_hex(32))
    env = environment(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(temp / "token"), RAY_ENABLE_UV_RUN_RUNTIME_ENV="0")
    env.pop("RAY_ADDRESS", None)
    port = random.SystemRandom().randint(20000, 29000)
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--port", str(port), "--num-cpus", "2",
            "--num-gpus", "0", "--include-dashboard", "false", "--temp-dir", str(temp), "--object-store-memory",
            str(100 * 2**20), "--disable-usage-stats",
        ],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.2)
        yield f"127.0.0.1:{port}", env
    finally:
        process.terminate()  # `--block` ends the daemons it started
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(temp, ignore_errors=True)


@pytest.mark.ray
@pytest.mark.slow  # in a session of its own: beside the laws' own cluster on two cores its start may time out
def test_the_command_joins_a_running_cluster(tmp_path, source, tiny, undisturbed, head):
    """--ray ADDRESS paints there; killed and run again it goes on; a cluster that is not there is one line."""
    address, env = head
    out = tmp_path / OUT
    command = ("reel", source, out, "--weights", tiny, "--working-size", 64, "--precision", "fp32", "--workers", 2)
    done = run_command(*command, "--ray", address, env=env)
    assert done.returncode == 0, done.stderr
    assert both(out) == undisturbed
    (tmp_path / "other").write_text(secrets.token_hex(32))
    (tmp_path / "empty").touch()
    for change in (
        {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "other")}, {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "empty")},
        {"RAY_AUTH_MODE": "disabled"},
    ):  # fmt: skip
        stranger = {**env, **change}
        refused = run_command(*command, "--overwrite", "--looks", "per-frame", "--ray", address, env=stranger)
        assert refused.returncode == 1
        assert f"Ray at {address} wants its token" in one_line(refused)
        assert "RAY_AUTH_TOKEN_PATH" in refused.stderr
        assert (tmp_path / "other").read_text() not in refused.stderr


def test_a_cluster_that_is_not_there_is_told_before_any_work(tmp_path, source, tiny):
    """An address at which nobody listens: one line, before the survey."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    done = run_command("reel", source, tmp_path / OUT, "--weights", tiny, "--ray", address, "--progress", "json")
    assert done.returncode == 1
    assert f"no Ray cluster at {address}: " in one_line(done)
    assert "survey" not in done.stdout


def test_a_refused_run_leaves_nothing(tmp_path, tiny):
    """What is refused before anything was painted leaves no folder beside the output; a folder of one's own stays."""
    source = write_reel(tmp_path / "reel.mkv", frames=6)
    for folder in (None, tmp_path / "mine"):
        with pytest.raises(ColorizeError):
            color(source, tmp_path / "out.mkv", tiny, start="500", folder=folder)
    assert {p.name for p in tmp_path.iterdir()} == {"reel.mkv", "mine"}
