"""The command that installs what is missing: it names this checkout, or packages that are published."""

import re
import shlex

import pytest

from colorizer.basis import installing
from tests.checkout import ROOT, ROOTS


def test_a_checkout_is_named_by_its_folder():
    """pip is told the folder, by a path that is good from anywhere."""
    words = shlex.split(installing.install("submit"))
    assert words[-3:] == ["install", "-e", f"{ROOT}[submit]"]
    assert shlex.split(installing.reinstall())[-1] == str(ROOT)


@pytest.mark.parametrize(("extra", "package"), [("submit", "ray[default]"), ("s3", "s3fs"), ("demo", "scikit-image")])
def test_an_installed_program_names_the_extra_s_own_packages(extra, package, monkeypatch, tmp_path):
    """Where no checkout is, with the bounds that this program states."""
    monkeypatch.setattr(installing, "CHECKOUT", tmp_path)
    words = shlex.split(installing.install(extra))
    assert any(re.match(rf"{re.escape(package)}[<>=]", word) for word in words)
    assert not any("chromatheque" in word for word in words)


def test_what_was_only_copied_asks_for_the_folder(monkeypatch, tmp_path):
    """Neither a checkout nor an installation: nothing is known but that a folder is wanted."""
    monkeypatch.setattr(installing, "CHECKOUT", tmp_path)
    monkeypatch.setattr(installing, "requirements", list)
    assert "FOLDER[s3]" in installing.install("s3")


def test_no_text_installs_a_project_of_this_name():
    """None is published: a stranger's would be installed. In pyproject.toml it is the project itself."""
    kinds = {".py", ".md", ".j2", ".yaml", ".yml", ".sh", ".sbatch", ""}
    folders = (*ROOTS, "docs", "tests")
    below = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    texts = {path.name: path.read_text() for path in (*below, *ROOT.glob("*.md"), ROOT / "Makefile") if path.is_file()}
    named = re.compile(r"install[^\n]*[\s'\"](colorizer|chromatheque)(['\"\s]*$|==)", re.MULTILINE)
    assert [name for name, text in texts.items() if named.search(text)] == []
    assert [name for name, text in texts.items() if "chromatheque[" in text] == ["test_installing.py"]
