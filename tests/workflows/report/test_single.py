"""The report about one output of `reel` or `scan`, in a folder beside it."""

import shutil

import pytest
from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError, Mistyped
from tests.endtoend import color
from tests.reports import HOSTILE, scan
from tests.synthetic import tiny_weights, write_reel
from workflows.commands.cli import cli


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """A reel of two shots and a scan with a hostile name, colored one by one."""
    folder = tmp_path_factory.mktemp("single")
    tiny = tiny_weights(folder / "tiny.safetensors")
    color(write_reel(folder / "in.mkv", 24, cuts=[12]), folder / "out.mkv", tiny)
    scan(folder / "in.tif", folder / HOSTILE, tiny)
    return folder


def reported(*arguments):
    """What the command says. Raises its errors."""
    return CliRunner().invoke(cli, ["report", *map(str, arguments)], catch_exceptions=False).output.strip()


@pytest.mark.parametrize(("name", "parts"), [("out.mkv", 2), (HOSTILE, 1)])
def test_an_output_has_a_page_of_its_own(outputs, name, parts):
    """Every shot or page before and after, flags and the story; links lead to files that are there; made twice, it is
    the same, and no picture is made again."""
    folder = outputs / f"{name}.report"
    assert reported(outputs / name) == f"the report is in {folder / 'report.html'}"
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.count('src="report/output-') == 2 * parts
    assert HOSTILE not in text
    assert "1 of 1 file colored" in text
    assert "../" in text
    made = {path: path.stat().st_mtime_ns for path in (folder / "report").iterdir()}
    assert len([path for path in made if path.suffix == ".jpg"]) == 2 * parts
    assert any(path.suffix == ".html" for path in made)
    reported(outputs / name)
    assert {path: path.stat().st_mtime_ns for path in (folder / "report").iterdir()} == made


def test_what_is_no_output_is_refused(outputs, tmp_path):
    """In a line, with what could be given: a file without a sidecar, and one beside which another program's lies."""
    for name in ("in.mkv", "tiny.safetensors"):
        with pytest.raises(Mistyped, match=f"no sidecar {name}.json of this program"):
            reported(outputs / name)
    shutil.copy(outputs / "out.mkv", tmp_path / "other.mkv")
    (tmp_path / "other.mkv.json").write_text('{"format": "another"}')
    with pytest.raises(Mistyped, match="or the OUT_DIR of `archive`"):
        reported(tmp_path / "other.mkv")
    assert not (tmp_path / "other.mkv.report").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_a_persons_stays(outputs, tmp_path, kind):
    """Whatever has the folder's name: nothing is written there, and nothing behind it."""
    for name in ("out.mkv", "out.mkv.json"):
        shutil.copy(outputs / name, tmp_path / name)
    folder, mine = tmp_path / "out.mkv.report", tmp_path / "mine"
    mine.mkdir()
    if kind == "file":
        folder.write_bytes(b"mine")
    elif kind == "link":
        folder.symlink_to(mine)
    else:
        folder.mkdir()
        (folder / "notes.txt").write_bytes(b"mine")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(ColorizeError, match="is not this program's"):
        reported(tmp_path / "out.mkv")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_folder_that_is_none_names_both(tmp_path):
    """What `report` takes."""
    with pytest.raises(Mistyped, match="or an output of `reel` or `scan`"):
        reported(tmp_path)
