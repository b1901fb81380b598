"""What the tests of the report share: the state that a night leaves, without one, and a night of three files."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import tifffile

from pipeline.collection.depot import depot_for
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.values.events import Silent
from tests.endtoend import color
from tests.synthetic import write_reel
from workflows.report.page import write_report as write_for_depot

HOSTILE = "<img src=x onerror=alert(1)>.tif"
ODD = '100% "50\'s" & #7?ü 写真.png'
KEYS = ("00000000000000aa", "00000000000000bb", "00000000000000cc")


def write_report(out):
    """Write the report of a folder; where the page is."""
    return Path(write_for_depot(depot_for(str(out))))


def item(night_folder, key, **told):
    """Write an item's state as a run leaves it."""
    folder = night_folder / ".chromatheque" / "items"
    folder.mkdir(parents=True, exist_ok=True)
    usual = {
        "key": key, "id": "", "kind": "scan", "source": "box/a.tif", "out": "a.tif", "state": "done",
        "units": {"done": 1, "of": 1}, "size": {}, "seconds": {"survey": 1.0, "paint": 2.0, "publish": 0.5},
        "error": None, "attempts": [], "notes": [], "lost": [],
    }  # fmt: skip
    (folder / f"{key}.json").write_text(json.dumps({**usual, **told}))


def summary(out, **told):
    """Write the run's own state."""
    usual = {
        "format": 1, "source": "plates", "started": "2026-11-25T18:00:00+00:00", "seconds": 49000.0, "busy": 0.93,
        "workers": 2, "deadline": "08:00", "running": False, "chromatheque": "0.1.0",
    }  # fmt: skip
    (out / ".chromatheque").mkdir(parents=True, exist_ok=True)
    (out / ".chromatheque" / "collection.json").write_text(json.dumps({**usual, **told}))


def scan(path, out, weights, orientation=1, pyramid=False, size=(90, 120), **choices):
    """Color a small plate, dark above and bright below."""
    luma = np.linspace(20, 220, size[0])[:, None] + np.random.default_rng(1).normal(0, 4, size)
    tifffile.imwrite(
        path, luma.clip(0, 255).astype(np.uint8), photometric="minisblack", metadata=None,
        extratags=[(274, 3, 1, orientation, True)],
    )  # fmt: skip
    asked = {"working_size": 32, "precision": "fp32", "tile": 64, "pyramid": pyramid, **choices}
    ScanJob(str(path), out, ScanChoices(weights=str(weights), **asked), None, Silent()).color()


def colored(folder, weights):
    """A collection as a run leaves it: two scans with odd names and a reel of two shots, colored. Its folder."""
    out, source = folder / "out", folder / "src"
    (out / "box 1").mkdir(parents=True)
    source.mkdir()
    scan(source / "a.tif", out / "box 1" / HOSTILE, weights, orientation=6)
    scan(source / "b.tif", out / ODD, weights)
    write_reel(source / "c.mkv", 40, cuts=(22,), sar=Fraction(2), rotation=90)
    color(source / "c.mkv", out / "c.mkv", weights, segment_frames=12)
    story = json.loads((out / "c.mkv.json").read_text())
    story["shots"][0]["scenes"] = [["beach", 0.9], ["barn", 0.1]]  # tiny weights are sure of nothing
    (out / "c.mkv.json").write_text(json.dumps(story))
    summary(out)
    item(out, KEYS[0], id="javascript:alert(2)", source=f"src/{HOSTILE}", out=f"box 1/{HOSTILE}")
    item(out, KEYS[1], source=f"src/{ODD}", out=ODD, lost=["tag 700: <b>broken</b>"])
    item(out, KEYS[2], kind="reel", source="src/c.mkv", out="c.mkv", notes=["the header promises 41 frames"])
    return out


def with_plan(out, key, pieces=True):
    """Let a file have a kept plan, and pieces; the folder of its job."""
    job = out / ".chromatheque" / "jobs" / key
    (job / "ledger").mkdir(parents=True)
    (job / "plan.json").write_text("{}")
    if pieces:
        (job / "ledger" / "a.json").touch()
    return job
