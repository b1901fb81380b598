"""The doctor: what it reports of a machine, healthy or not."""

import json
import re
import sys
from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner

from colorizer.basis.errors import WeightsError
from colorizer.networks import shipped as shipped_weights
from colorizer.networks import weights_file as weights
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from workflows.commands import doctor
from workflows.commands.cli import cli


@pytest.fixture(autouse=True)
def shipped(monkeypatch):
    """One sound set of weights ships, so that tests do not depend on the state of the checkout."""
    monkeypatch.setattr(shipped_weights, "names", lambda: [DEFAULT_WEIGHTS])
    monkeypatch.setattr(weights, "load", lambda name: SimpleNamespace(digest="0123456789abcdef"))


def run(*arguments):
    return CliRunner().invoke(cli, ["doctor", *arguments])


def look():
    result = run("--json")
    report = json.loads(result.stdout)
    assert result.exit_code == (0 if report["ok"] else 1)
    return report["ok"], {f["name"]: f for f in report["findings"]}


def without(monkeypatch, *packages, error=None):
    """Importing these packages fails, as if they were not installed."""
    real = doctor.import_module

    def fake(name):
        if name.split(".")[0] in packages:
            raise error or ImportError("no such module")
        return real(name)

    monkeypatch.setattr(doctor, "import_module", fake)
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in packages else version(name))


def test_a_healthy_machine_is_ready():
    """With everything installed the report says so, names what counts, and exits 0."""
    ok, found = look()
    assert ok
    assert {"python", "torch", "av", "ray", "FFmpeg", "CPU", "encoders", "muxers"} <= set(found)
    assert f"weights {DEFAULT_WEIGHTS}" in found
    assert "ffv1" in found["encoders"]["value"]
    assert not [f for f in found.values() if not f["ok"] and f["needed"]]
    result = run()
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Ready."
    assert "\x1b" not in result.output


def test_missing_weights_say_what_to_do(monkeypatch):
    """Without shipped weights nothing can be colored: exit 1, and the command that makes some."""
    monkeypatch.setattr(shipped_weights, "names", list)
    ok, found = look()
    assert not ok
    assert "chromatheque train" in found[f"weights {DEFAULT_WEIGHTS}"]["fix"]
    assert f"Missing: weights {DEFAULT_WEIGHTS}." in run().output


def test_weights_that_do_not_load_are_reported(monkeypatch):
    """A damaged weights file is a finding with its reason in one line."""

    def broken(name):
        raise WeightsError("mine.safetensors: cannot be read\nas weights")

    monkeypatch.setattr(weights, "load", broken)
    ok, found = look()
    assert not ok
    assert found[f"weights {DEFAULT_WEIGHTS}"]["value"] == "WeightsError: mine.safetensors: cannot be read"
    assert found[f"weights {DEFAULT_WEIGHTS}"]["fix"]


@pytest.mark.parametrize("package", doctor.PACKAGES)
def test_each_missing_package_has_its_command(monkeypatch, package):
    """Any package may be missing: no traceback, exit 1, and the pip command with our bounds."""
    without(monkeypatch, package)
    ok, found = look()
    assert not ok
    assert found[package]["value"] == "not installed"
    assert found[package]["fix"].startswith(f"{sys.executable} -m pip install")
    assert re.search(rf'"{package}[<>=0-9.,]*>=', found[package]["fix"])
    assert f"To fix {package}: " in run().output


def test_everything_missing_is_still_a_report(monkeypatch):
    """On a machine with nothing but this command, the report is complete."""
    without(monkeypatch, "colorizer", *doctor.PACKAGES, error=OSError("libcudart.so: cannot open"))
    ok, found = look()
    assert not ok
    assert not found["weights"]["ok"]
    assert "CPU" in found


def test_a_package_that_cannot_load_is_not_called_missing(monkeypatch):
    """Installed but broken: its reason is shown, and the command installs it over itself."""
    without(monkeypatch, "torch", error=OSError("libtorch.so: undefined symbol\nmore"))
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0")
    _, found = look()
    assert found["torch"]["value"] == "OSError: libtorch.so: undefined symbol"
    assert "--force-reinstall" in found["torch"]["fix"]


def test_a_missing_codec_is_named(monkeypatch):
    """A PyAV built on an FFmpeg without an encoder is found out, by name."""
    monkeypatch.setattr(doctor, "ENCODERS", ("ffv1", "libnothing"))
    ok, found = look()
    assert not ok
    assert found["encoders"]["value"] == "ffv1"
    assert not found["encoder libnothing"]["ok"]
    assert "--only-binary=av" in found["encoder libnothing"]["fix"]


def test_a_profile_without_its_encoder_is_listed(monkeypatch):
    """What other profiles need is told and its absence does no harm: the machine is ready for the usual ones."""
    real = doctor._opens
    monkeypatch.setattr(doctor, "_opens", lambda kind, name, mode: name != "libsvtav1" and real(kind, name, mode))
    ok, found = look()
    assert ok
    assert found["profile av1"]["value"] == "its encoder libsvtav1 is missing"
    assert not found["profile av1"]["ok"]
    assert "--only-binary=av" in found["profile av1"]["fix"]
    assert found["profile hevc"]["ok"]


def test_a_check_that_fails_is_a_finding(monkeypatch):
    """A bug or an odd machine in one check does not hide the others."""

    def sick():
        raise RuntimeError("odd machine")

    monkeypatch.setattr(doctor, "_processors", sick)
    ok, found = look()
    assert ok
    assert found["sick"]["value"] == "RuntimeError: odd machine"
    assert "muxers" in found


def test_gpus_are_listed_with_their_memory(monkeypatch):
    """Each CUDA device has a line: name, memory, compute capability."""
    card = SimpleNamespace(name="NVIDIA H200", total_memory=139 << 30, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: card)
    _, found = look()
    assert found["CUDA GPU 1"]["value"].startswith("NVIDIA H200, 139 GiB, compute 9.0")


def test_a_gpu_that_torch_does_not_see_is_worth_a_look(monkeypatch):
    """A driver without a torch that uses it: no failure, but the command that changes it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    ok, found = look()
    assert ok
    assert not found["CUDA GPU"]["ok"]
    assert "pip install" in found["CUDA GPU"]["fix"]


def test_a_full_disk_is_worth_a_look(monkeypatch):
    """Little room is said with where and what to do, but is not a missing part."""
    usage = namedtuple("usage", "total used free")(1, 1, 2_000_000_000)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage)
    ok, found = look()
    assert ok
    assert "TMPDIR" in found["temporary files"]["fix"]


def test_the_table_on_a_terminal_keeps_commands_whole(monkeypatch, capsys):
    """On a terminal there is a table; the commands stand below it, each on one line to copy."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    fix = "pip install " + "x" * 200
    doctor._show([doctor.Finding("versions", "torch", "[red]not installed[/]", False, True, fix)])
    out = capsys.readouterr().out
    assert "[red]not installed[/]" in out
    assert f"To fix torch: {fix}\n" in out
