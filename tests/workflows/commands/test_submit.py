"""Commands put into the job queue of a real Ray cluster: they run there, and every mistake is one line."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
import tifffile

from tests import clusters
from tests.checkout import ROOT
from tests.clusters import free_ports
from tests.endtoend import command_line, hear_interrupts, one_line, verify
from tests.synthetic import tiny_weights
from workflows.commands import cluster_jobs
from workflows.commands.submit import MODULE, belonging, completed, packages

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def head():
    """(dashboard, GCS port, environment with the token)."""
    with clusters.head(RAY_JOB_STOP_WAIT_TIME_S="60") as one:  # a busy machine may need more than Ray's 3 seconds
        yield one.dashboard, one.address.rpartition(":")[2], one.env


def ask(env, *words, timeout=120):
    """Run a command to its end."""
    return subprocess.run(
        command_line(*words), env=env, capture_output=True, text=True, timeout=timeout, check=False,
        preexec_fn=hear_interrupts,
    )  # fmt: skip


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    """A small scan, and weights that color it in no time."""
    home = tmp_path_factory.mktemp("plate")
    ramp = np.linspace(0, 65535, 200 * 150).reshape(200, 150).astype(np.uint16)
    tifffile.imwrite(home / "in.tif", ramp, photometric="minisblack")
    return home / "in.tif", tiny_weights(home / "tiny.safetensors")


def submitted(head, *words, python=sys.executable):
    """The command that submits another one."""
    return ["submit", "--address", head[0], "--python", python, *words]


@pytest.mark.parametrize(
    "ship", [pytest.param(False, id="installed", marks=pytest.mark.slow), pytest.param(True, id="shipped")]
)
def test_a_scan_is_colored_on_the_cluster(tmp_path, head, plate, ship):
    """With --follow its log comes as JSON lines and the exit code is the job's; the output holds against its source."""
    source, weights = plate
    words = ["scan", source, tmp_path / "out.tif", "--weights", weights, "--working-size", 32, "--precision", "fp32"]
    done = ask(head[2], *submitted(head, "--follow", *(["--ship"] if ship else []), "--", *words))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert any(json.loads(line)["event"] == "finished" for line in lines if line.startswith('{"event"'))
    assert verify(source, tmp_path / "out.tif")[0] == 0
    told = ask(head[2], "status", lines[0], "--address", head[0], "--json")
    assert json.loads(told.stdout)["status"] == "SUCCEEDED"
    listed = ask(head[2], "jobs", "--address", head[0])
    assert lines[0] in listed.stdout
    assert "chromatheque scan --ray auto --progress json" in listed.stdout
    assert '"event": "finished"' in ask(head[2], "logs", lines[0], "--address", head[0]).stdout


@pytest.mark.slow
def test_a_collections_progress_comes_with_the_log(tmp_path, head, plate):
    """With --follow every moment's counts arrive: units done and planned, items by state, and each step's seconds."""
    source, weights = plate
    words = ["archive", source.parent, tmp_path / "out", "--weights", weights, "--working-size", 32]
    done = ask(head[2], *submitted(head, "--follow", "--", *words))
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"event"')]
    totals = [event for event in told if event["event"] == "total"]
    assert [total["units"]["done"] for total in totals] == sorted(total["units"]["done"] for total in totals)
    assert totals[-1]["units"]["done"] == totals[-1]["units"]["of"] > 0
    assert totals[-1]["items"] == {"done": 1}
    steps = [event["stage"] for event in told if event["event"] == "step" and event["seconds"] > 0]
    assert steps == ["survey", *["paint"] * totals[-1]["units"]["of"], "publish"]


@pytest.mark.slow
def test_only_the_id_is_printed_and_a_failure_is_told(tmp_path, head):
    """For scripts: stdout is the id alone. A job that fails ends `logs --follow` with its exit code."""
    words = ["scan", tmp_path / "none.tif", tmp_path / "out.tif"]
    done = ask(head[2], *submitted(head, "--", *words))
    assert done.returncode == 0, done.stderr
    [id] = done.stdout.split()
    done = ask(head[2], "logs", id, "--follow", "--address", head[0])
    assert done.returncode == 2
    assert "no such file" in done.stdout


def test_stop_ends_a_job(tmp_path, head, plate):
    """A running job is stopped, and a second stop says that it is over."""
    source, weights = plate
    words = ["archive", source.parent, tmp_path / "out", "--weights", weights, "--ray", "none", "--attempts", 3]
    [id] = ask(head[2], *submitted(head, "--", *words)).stdout.split()
    first = ask(head[2], "stop", id, "--address", head[0])
    assert first.returncode == 0, first.stderr
    second = ask(head[2], "stop", id, "--address", head[0])
    assert "was over already" in second.stdout


def test_a_stopped_job_says_so(tmp_path, head, plate):
    """What is at work when it is told to stop ends in order: its log says so and how to go on, and holds no
    trace of a crash."""
    tifffile.imwrite(tmp_path / "large.tif", np.zeros((9000, 9000), np.uint8), photometric="minisblack")
    words = ["scan", tmp_path / "large.tif", tmp_path / "out.tif", "--working-size", "native", "--weights", "standard"]
    [id] = ask(head[2], *submitted(head, "--", *words)).stdout.split()
    until = time.monotonic() + 120
    log = ""
    while '"event": "survey"' not in log:
        assert time.monotonic() < until, log
        log = ask(head[2], "logs", id, "--address", head[0]).stdout
    stopped = ask(head[2], "stop", id, "--address", head[0])
    assert stopped.returncode == 0, stopped.stderr
    status = "RUNNING"
    while status == "RUNNING":  # a busy machine takes longer than `stop` waits
        assert time.monotonic() < until + 120, stopped.stdout
        status = json.loads(ask(head[2], "status", id, "--address", head[0], "--json").stdout)["status"]
    assert status == "STOPPED"
    log = ask(head[2], "logs", id, "--address", head[0]).stdout
    assert "Stopped. " in log
    assert "Run it again to continue." in log
    for crash in ("Traceback", "Fatal Python error", "Stack (most recent call first)", "*** SIG"):
        assert crash not in log
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("wrong", ["no server", "gcs port", "no token", "wrong token", "unknown id", "no address"])
def test_every_mistake_is_one_line(tmp_path, head, wrong):
    """What is wrong, where, and what to do; the token is in no output."""
    address, gcs, env = head
    id, told = "raysubmit_x", ""
    token = Path(env["RAY_AUTH_TOKEN_PATH"]).read_text()
    if wrong == "no server":
        address, told = f"http://127.0.0.1:{free_ports(1)[0]}", "no Ray dashboard at"
    elif wrong == "gcs port":
        address, told = f"http://127.0.0.1:{gcs}", "not its dashboard's"
    elif wrong == "no token":
        env = {k: v for k, v in env.items() if not k.startswith("RAY_AUTH")} | {"HOME": str(tmp_path)}
        told = "wants its token"
    elif wrong == "wrong token":
        (tmp_path / "token").write_text("ab" * 32)
        env, told = {**env, "RAY_AUTH_TOKEN_PATH": str(tmp_path / "token")}, "refuses this token"
    elif wrong == "unknown id":
        told = "no job 'raysubmit_x'"
    else:
        address, told = "http://", "not the address of a Ray dashboard"
    done = ask(env, "status", id, "--address", address)
    assert done.returncode == 1
    assert told in one_line(done)
    assert token not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["archive", "/a", "/b"], ["archive", "--ray", "auto", "--progress", "json", "/a", "/b"]),
        (["reel", "/a", "/b.mkv", "--ray", "none"], ["reel", "--progress", "json", "/a", "/b.mkv", "--ray", "none"]),
        (["verify", "/a.mov", "/b.mkv"], ["verify", "/a.mov", "/b.mkv"]),
    ],
)  # fmt: skip
def test_a_command_is_completed(words, wanted):
    """Workers and JSON lines are asked for where the command knows them and the person did not say otherwise."""
    assert completed(words) == wanted


@pytest.mark.parametrize("module", ["workflows", "workflows.commands.cli", "workflows.cli"])
def test_a_submitted_command_is_told_as_it_was_typed(module):
    """Lists name the command that a person knows, whichever module the cluster's Python runs it by."""
    assert (
        cluster_jobs.as_typed(f"python -m {module} archive --ray auto /a /b") == "chromatheque archive --ray auto /a /b"
    )
    assert cluster_jobs.as_typed(f"python -m {MODULE} verify /a /b") == "chromatheque verify /a /b"


@pytest.mark.parametrize("words", [["submit", "x"], ["jobs"], ["nothing"], ["reel", "a.mov", "/b.mkv"], ["scan", "/a"]])
def test_what_the_cluster_would_refuse_is_refused_here(words):
    """No such command, a path that only this folder knows, an argument that is missing: before the queue."""
    with pytest.raises(click.UsageError):
        completed(words)


def test_only_what_belongs_to_the_program_is_sent(tmp_path):
    """Of the packages' folders, the files that git tracks: no cache, no weights of somebody's, no notes."""
    stray = ROOT / "workflows" / f"stray-{os.getpid()}.key"
    stray.write_text("secret")
    try:
        sent = {path.relative_to(tmp_path) for folder in packages(tmp_path) for path in folder.rglob("*")}
    finally:
        stray.unlink()
    names = {path.as_posix() for path in sent if (tmp_path / path).is_file()}
    assert {
        "colorizer/weights/fast.safetensors",
        "workflows/commands/cli.py",
        "workflows/report/report.html.j2",
    } <= names
    assert not [name for name in names if "stray" in name or "__pycache__" in name]
    assert len(names) == len(belonging()) + 1  # and the version


def test_a_wheel_s_files_are_sent_where_there_is_no_checkout(tmp_path, monkeypatch):
    """Then the wheel's own list says what belongs to it; without one a line says so."""
    from colorizer.basis.errors import ColorizeError
    from workflows.commands import submit

    monkeypatch.setattr(submit, "HOME", tmp_path)
    monkeypatch.setattr(
        submit, "files", lambda name: [Path("pipeline/a.py"), Path("pipeline/a.pyc"), Path("bin/chromatheque")]
    )
    assert [Path(name).as_posix() for name in belonging()] == ["pipeline/a.py"]
    monkeypatch.setattr(submit, "files", lambda name: None)
    with pytest.raises(ColorizeError, match="install it as a wheel"):
        belonging()
