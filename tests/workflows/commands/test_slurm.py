"""The Slurm script, run for real on two nodes that stand in for Slurm's: real Ray, real films, real signals."""

import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import tifffile

from tests.endtoend import run_command, verify
from tests.slurm import SCRIPT, Slurm
from tests.synthetic import tiny_weights, write_reel


def test_the_script_is_sound():
    """Bash parses it, and shellcheck, where it is, has nothing to say."""
    subprocess.run(["bash", "-n", SCRIPT], check=True)
    if checker := shutil.which("shellcheck"):
        found = subprocess.run([checker, SCRIPT], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout


@pytest.fixture
def slurm(tmp_path):
    """A stand-in for Slurm."""
    (tmp_path / "slurm").mkdir()
    return Slurm(tmp_path / "slurm")


def wait_for(child, slurm, true, seconds=240):
    """Until it is true, as long as the script runs."""
    until = time.monotonic() + seconds
    while not true():
        assert child.poll() is None, slurm.log.read_text()
        assert time.monotonic() < until, slurm.log.read_text()
        time.sleep(0.1)


def outputs(out):
    """Bytes of all colored files."""
    return {path.name: path.read_bytes() for path in out.iterdir() if path.suffix in (".mkv", ".tif")}


@pytest.mark.ray
@pytest.mark.slow
def test_the_script_colors_a_collection_over_two_nights(tmp_path, slurm):
    """Its time is up in the middle: it goes back into the queue, begun again it ends in the bytes of one run on one
    machine. Each time its token is its own, and nothing that it started is left.
    """
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in range(6):
        write_reel(source / f"{number}.mkv", 36, (96, 64), cuts=(12, 24))
    ramp = np.linspace(0, 65535, 200 * 150).reshape(200, 150).astype(np.uint16)
    tifffile.imwrite(source / "plate.tif", ramp, photometric="minisblack")
    options = ["--weights", tiny_weights(tmp_path / "tiny.safetensors"), "--working-size", 32, "--precision", "fp32"]
    child = slurm.start(source, out, *options)
    try:
        wait_for(child, slurm, lambda: list(out.glob("*.mkv")))
        assert slurm.token.stat().st_mode & 0o777 == 0o600
        token = slurm.token.read_text()
        assert len(token) == 64
        assert not [told for told in slurm.left() if token in told]
        os.kill(child.pid, signal.SIGUSR1)  # to the script alone, as --signal=B: says
        assert child.wait(120) == 0
        assert f"requeue {slurm.id}" in slurm.calls.read_text().splitlines()
        assert len(outputs(out)) < 7
        slurm.is_clean()
        slurm.calls.write_text("")
        child = slurm.start(source, out, *options)
        assert child.wait(300) == 0, slurm.log.read_text()
        slurm.is_clean()
    finally:
        slurm.kill(child)
    calls = slurm.calls.read_text().splitlines()
    assert "requeue" not in " ".join(calls)
    assert [call.split()[0] for call in calls if "--head" in call] == ["alpha"]
    assert [call.split()[0] for call in calls if "--address=" in call] == ["beta"]
    told = slurm.log.read_text()
    assert "back into the queue" in told
    assert token not in told
    assert '"workers": 2' in told
    alone = run_command("archive", source, tmp_path / "alone", *options)
    assert alone.returncode == 0, alone.stderr
    assert outputs(out) == outputs(tmp_path / "alone")
    assert len(outputs(out)) == 7
    assert verify(source / "plate.tif", out / "plate.tif")[0] == 0


@pytest.mark.ray
@pytest.mark.slow
def test_a_script_that_is_stopped_leaves_nothing(tmp_path, slurm):
    """SIGTERM while the nodes are joining: exit code 143, no way back into the queue, and all it started has ended."""
    child = slurm.start(tmp_path, tmp_path / "out")
    try:
        wait_for(child, slurm, lambda: any("raylet" in told for told in slurm.left()))
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(120) == 143
        slurm.is_clean()
    finally:
        slurm.kill(child)
    assert "requeue" not in slurm.calls.read_text()
