"""A cluster of another version than this process: one line says which is where, and what to do."""

import sys

import pytest

from colorizer.basis.errors import ColorizeError
from pipeline.spread.cluster import PYTHON_LEVEL, mismatch, reach
from tests.clusters import head
from tests.endtoend import one_line, run_command
from tests.synthetic import write_reel

PYTHON = ".".join(map(str, sys.version_info[:3]))

DOCTORED = """
import sys, types
from collections import namedtuple

sys.modules["ray._version"] = types.SimpleNamespace(version={ray!r}, commit="0")
sys.version_info = namedtuple("version_info", "major minor micro releaselevel serial")(*{python!r}, "final", 0)
"""
"""Run by every Python process of the cluster before anything else: each takes itself for another version."""


def complaint(ray, python):
    """What Ray itself says in this process about a cluster of these versions."""
    from ray._private.utils import check_version_info

    with pytest.raises(RuntimeError) as caught:
        check_version_info({"ray_version": ray, "python_version": python}, "node 10.0.0.1")
    return str(caught.value)


@pytest.mark.parametrize(
    ("ray", "python", "todo"),
    [
        ("9.9.9", PYTHON, "; pip install 'ray==9.9.9', or run"),
        (None, "3.5.1", "; use Python 3.5.1, or run"),
        (None, f"3.{sys.version_info.minor}.999", f"(or set {PYTHON_LEVEL}=minor to let it pass)"),
        ("9.9.9", "3.5.1", "; pip install 'ray==9.9.9', and use Python 3.5.1, or run"),
    ],
    ids=["ray", "python", "patch", "both"],
)  # fmt: skip
def test_what_to_do_depends_on_what_differs(ray, python, todo):
    """Ray's own text, whatever differs: both sides' versions, the address, and only the steps that are needed."""
    import ray as installed

    ray = ray or installed.__version__
    said = mismatch(complaint(ray, python), "head:6379")
    assert said.startswith(
        f"Ray at head:6379 is {ray} on Python {python}, and here is Ray {installed.__version__} on Python {PYTHON}; "
    )
    assert todo in said
    assert "\n" not in said


@pytest.mark.parametrize("text", ["", "Version mismatch: of something else", "Could not connect\n Ray: 1\n Python: 2"])
def test_other_errors_are_not_taken_for_it(text):
    """What has not both versions of both sides is left to others."""
    assert mismatch(text, "head:6379") == ""


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_of_another_version(tmp_path):
    """Real processes that take themselves for another Ray and Python: runs and the job queue refuse it in one line."""
    theirs = (*sys.version_info[:2], 999)
    (tmp_path / "sitecustomize.py").write_text(DOCTORED.format(ray="2.1.0", python=theirs))
    (tmp_path / "in").mkdir()
    write_reel(tmp_path / "in" / "a.mkv", 2)
    with head(PYTHONPATH=str(tmp_path)) as other:
        words = ["archive", tmp_path / "in", tmp_path / "out", "--ray", other.address]
        done = run_command(*words, env=other.env)
        asked = run_command("jobs", "--address", other.dashboard, env=other.env)
    assert done.returncode == 1
    said = one_line(done)
    assert f"Ray at {other.address} is 2.1.0 on Python {'.'.join(map(str, theirs))}, and here is Ray " in said
    assert "pip install 'ray==2.1.0'" in said
    assert asked.returncode == 1
    assert f"Ray 2.1.0 runs at {other.dashboard}" in one_line(asked)


def test_an_address_with_a_password_is_refused_without_it():
    """Before anything is asked for there."""
    with pytest.raises(ColorizeError, match="no name and password") as refused:
        reach("user:most-secret@head:6379")
    assert "most-secret" not in str(refused.value)
