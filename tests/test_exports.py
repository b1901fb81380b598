"""What the three packages give at their roots: there, described, typed, and loaded only when it is asked for."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import typing
from importlib import metadata

import pytest

import colorizer
from tests.checkout import PAGE, ROOT, ROOTS, fresh


def exported(root):
    """Names of a package, and the things themselves."""
    module = importlib.import_module(root)
    return {name: getattr(module, name) for name in module.__all__}


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_exported_is_there_and_described(root):
    """Every name of `__all__` can be had, once, in order, and says what it is."""
    names = importlib.import_module(root).__all__
    assert names == sorted(set(names))
    for name, thing in exported(root).items():
        assert name == "__version__" or inspect.getdoc(thing), name
    space = {}
    exec(f"from {root} import *", space)
    assert set(names) <= set(space)
    assert set(names) <= set(dir(importlib.import_module(root)))


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_exported_is_typed(root):
    """Every parameter and every result of a function, and of a class's public methods, has a type that resolves."""
    for name, thing in exported(root).items():
        if name == "__version__":
            continue
        methods = [m for n, m in vars(thing).items() if inspect.isfunction(m) and (n == "__init__" or n[0] != "_")]
        for function in methods if inspect.isclass(thing) else [thing]:
            hints = typing.get_type_hints(function)
            wanted = {p for p in inspect.signature(function).parameters if p != "self"}
            assert wanted | {"return"} == set(hints), (name, function)


@pytest.mark.parametrize("root", ROOTS)
def test_editors_see_what_is_loaded_later(root):
    """The imports for type checkers name what `__all__` names, no more and no less, from where it is."""
    tree = ast.parse((ROOT / root / "__init__.py").read_text(encoding="utf-8"))
    later = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {
        alias.name: node.module for node in later.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }  # fmt: skip
    assert {*seen, "__version__"} == set(importlib.import_module(root).__all__)
    for name, module in seen.items():
        assert getattr(importlib.import_module(module), name) is exported(root)[name]


@pytest.mark.parametrize("root", ROOTS)
def test_the_page_lists_what_is_exported(root):
    """The documentation has an entry for every name, and none for another."""
    entries = re.findall(rf"^\| `{root}\.(\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(entries) == sorted(importlib.import_module(root).__all__)


@pytest.mark.parametrize("root", ROOTS)
def test_importing_a_package_costs_nothing(root):
    """Before anything is asked for, no library is loaded; what does not exist is refused as usual."""
    heavy = "{'torch', 'numpy', 'av', 'ray', 'rich', 'click', 'tifffile'}"
    assert fresh(f"import sys, {root}; dir({root}); print({heavy} & {{*sys.modules}})").strip() == "set()"
    with pytest.raises(AttributeError, match="nonsense"):
        importlib.import_module(root).nonsense  # noqa: B018


def test_the_version_is_the_installed_one():
    """All three packages tell the version that pip knows."""
    assert {importlib.import_module(root).__version__ for root in ROOTS} == {metadata.version("chromatheque")}


def test_a_copy_without_installation_has_no_version(monkeypatch):
    """Where the program's files were only copied, asking for the version is no error."""

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    monkeypatch.delattr(colorizer, "__version__", raising=False)
    assert colorizer.__version__ == "unknown"
    monkeypatch.delattr(colorizer, "__version__")


def test_type_checkers_are_told_of_types():
    """Each package has its py.typed, and the distribution carries it."""
    package_data = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("package-data]")[2]
    for root in ROOTS:
        assert (ROOT / root / "py.typed").is_file()
        assert re.search(rf'^{root} = \[.*"py\.typed"', package_data, re.MULTILINE)


SCRIPT = """
import numpy as np, torch
import colorizer, pipeline
from pathlib import Path
reveal_type(colorizer.colorize(np.zeros((9, 9))))
reveal_type(colorizer.colorize(torch.zeros(9, 9)))
reveal_type(colorizer.load("fast"))
reveal_type(pipeline.verify("in.mov", Path("out.mkv"))[0].holds)
reveal_type(pipeline.__version__)
colorizer.nonsense
colorizer.colorize(np.zeros((9, 9)), working_size="large")
pipeline.color_reel("in.mov", "out.mkv", looks="per-reel")
"""


@pytest.mark.slow
def test_a_caller_is_type_checked(tmp_path):
    """mypy knows what the calls give, and finds what they do not take."""
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path / "script.py")],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    shown = re.findall(r'Revealed type is "([^"]+)"', done.stdout)
    assert [kind.rpartition(".")[2].partition("[")[0] for kind in shown[2:]] == ["Colorizer", "bool", "str"]
    assert "ndarray" in shown[0]
    assert "Tensor" in shown[1]
    wrong = re.findall(r"script\.py:(\d+): error", done.stdout)
    assert set(wrong) == {"10", "11", "12"}, done.stdout


def test_python_m_workflows_is_the_command():
    """`python -m workflows` runs the command line, with its exit codes."""
    done = subprocess.run(
        [sys.executable, "-m", "workflows", "--version"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert metadata.version("chromatheque") in done.stdout
    wrong = subprocess.run([sys.executable, "-m", "workflows", "paint"], capture_output=True, text=True, cwd=ROOT)
    assert wrong.returncode == 2
    assert "No such command 'paint'" in wrong.stderr
