"""A list as a spreadsheet wrote it, from `archive` to sidecar, report and what is set aside."""

import json

import pytest

from tests.endtoend import run_command
from tests.plates import plate
from tests.synthetic import tiny_weights


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def archive(home, tiny, *words):
    """A night over the list."""
    options = ("--weights", tiny, "--working-size", 64, "--precision", "fp32")
    return run_command("archive", home / "list.csv", home / "out", *options, *words)


def story(home, name):
    """A sidecar."""
    return json.loads((home / "out" / f"{name}.json").read_text(encoding="utf-8"))


def test_a_spreadsheets_list_with_two_rows_of_one_output(tmp_path, tiny):
    """The good rows are colored and keep their notes; those of one output are set aside, each naming the other; with
    the list put right nothing is left of that, and notes follow the list.
    """
    for number in range(3):
        plate(tmp_path / f"Käse {number}.tif", 100, 100, seed=number)
    rows = ["Datei;Titel;File;Out;ID", *(f";Stück {n};.\\Käse {n}.tif;{'x.tif' * (n > 0)};P-{n}" for n in range(3))]
    (tmp_path / "list.csv").write_bytes("\r\n".join(rows).encode("cp1252"))
    done = archive(tmp_path, tiny)
    assert done.returncode == 1, done.stderr
    assert "1 of 3 files are colored" in done.stdout
    assert "read as Windows-1252" in done.stderr
    assert "kept as notes of each file: 'Datei', 'Titel'" in done.stderr
    assert story(tmp_path, "Käse 0.tif")["catalog"] == {"Titel": "Stück 0"}
    assert not (tmp_path / "out" / "x.tif").exists()
    aside = [json.loads(line) for line in (tmp_path / "out" / "set-aside.jsonl").read_text().splitlines()]
    assert {line["id"]: "of row 4;" in line["error"] for line in aside} == {"P-1": True, "P-2": False}
    assert "of row 3;" in next(line["error"] for line in aside if line["id"] == "P-2")
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Set aside before the night" in report
    assert "Titel: <bdi>Stück 0</bdi>" in report

    better = "\r\n".join(rows).replace("x.tif;P-2", "y.tif;P-2").replace("Stück 0", "Titel 0")
    (tmp_path / "list.csv").write_bytes(better.encode("cp1252"))
    done = archive(tmp_path, tiny)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out" / "set-aside.jsonl").exists()
    assert story(tmp_path, "Käse 0.tif")["catalog"] == {"Titel": "Titel 0"}
    assert {p.name for p in (tmp_path / "out").glob("*.tif")} == {"Käse 0.tif", "x.tif", "y.tif"}
    assert len(list((tmp_path / "out" / ".chromatheque" / "items").iterdir())) == 3
