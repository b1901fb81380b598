"""What vouches for a file looks at the file: whatever was emptied, broken or removed by hand or by a loss of power is
made again by the same command, with the same bytes."""

import json

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from tests.synthetic import tiny_weights, write_reel
from workflows.commands.cli import cli


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Colors a film and a plate into OUT, again and again; what OUT holds, but for what tells of times."""
    home = tmp_path_factory.mktemp("night")
    (home / "in").mkdir()
    write_reel(home / "in" / "film.mkv", 6)
    tifffile.imwrite(
        home / "in" / "plate.tif", np.tile(np.arange(96, dtype=np.uint8), (64, 1)), photometric="minisblack"
    )
    weights = tiny_weights(home / "tiny.safetensors")
    words = ["archive", str(home / "in"), str(home / "out"), "--working-size", "64", "--precision", "fp32"]

    def run(code=0):
        done = CliRunner().invoke(cli, [*words, "--weights", str(weights)], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return contents(home / "out")

    run.out = home / "out"
    run.first = run()
    return run


def contents(folder):
    """Bytes by place; of an item's state what it came to."""
    found = {}
    for path in sorted(folder.rglob("*")):
        place = str(path.relative_to(folder))
        if path.is_file() and not place.endswith(("report.html", ".prom", "collection.json", "lock")):
            item = path.parent.name == "items"
            found[place] = json.loads(path.read_text())["state"] if item else path.read_bytes()
    return found


def test_whatever_is_emptied_or_removed_is_made_again(night):
    """An output, its sidecar, a state, a picture of the report, the record that vouches for it, the plan, the digests
    that say whose an output is: emptied or removed one at a time."""
    for place in night.first:
        path = night.out / place
        for away in (lambda p: p.write_bytes(b""), lambda p: p.unlink()):
            if path.name == "plan.json" or (path.name == "published.json"):
                continue  # a person's to edit; and see below
            away(path)
            assert night() == night.first, place
    for path in night.out.rglob("published.json"):
        path.unlink()
    assert night().keys() == night.first.keys() - {p for p in night.first if p.endswith("published.json")}


def test_a_file_is_taken_up_again_when_its_plan_is_mended(night):
    """A plan that is none sets its file aside; removed as the line says, the next run does without
    --retry-set-aside."""
    out = night.out / "film.mkv"
    item = next(
        p for p in night.out.glob(".chromatheque/items/*.json") if json.loads(p.read_text())["source"].endswith(".mkv")
    )
    plan = night.out / ".chromatheque" / "jobs" / item.stem / "plan.json"
    out.unlink()
    plan.write_text("{")
    assert json.loads((night.out / ".chromatheque" / "items" / item.name).read_text())["state"]
    assert night(1)
    assert "remove it" in (night.out / "set-aside.jsonl").read_text()
    plan.unlink()
    assert night()["film.mkv"] == night.first["film.mkv"]
    assert not (night.out / "set-aside.jsonl").exists()
