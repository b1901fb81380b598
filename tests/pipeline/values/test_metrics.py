"""What a monitoring system reads of a night: a file that Prometheus' own parser takes, with the state's counts."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from prometheus_client.parser import text_string_to_metric_families

from colorizer.basis.errors import WorkerDied
from pipeline.collection.exposition import Exposition
from pipeline.collection.items import find
from pipeline.collection.layout import STATE
from pipeline.collection.run import METRICS, Wishes, color
from pipeline.collection.schedule import Schedule, ready
from pipeline.collection.state import State
from pipeline.collection.steps import StepPainter
from pipeline.spread.pools import InlinePool, Outcome
from pipeline.values.events import Silent, StepDone
from pipeline.values.metrics import BOUNDS, FAILURES, ITEMS, STEPS, Meter
from tests.clusters import head
from tests.endtoend import Heard, run_command
from tests.synthetic import tiny_weights, write_reel


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A reel of two shots, two scans, and a file that is no scan."""
    home = tmp_path_factory.mktemp("metrics") / "src"
    home.mkdir()
    write_reel(home / "film.mkv", 30, (96, 64), cuts=(15,))
    for name in ("one.tif", "two.tif"):
        ramp = np.linspace(0, 65535, 200 * 150).reshape(200, 150).astype(np.uint16)
        tifffile.imwrite(home / name, ramp, photometric="minisblack")
    (home / "bad.tif").write_bytes(b"II*\0 no picture at all")
    return home


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Weights in no time."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def items_of(source, out, tiny):
    """What is to be colored."""
    return find(source, out, {"weights": str(tiny), "working_size": 32, "precision": "fp32"}, (), ()).items


def read(path):
    """Every sample of the file by its name and labels, the collection's aside."""
    return parsed(Path(path).read_text(), ("collection",))


def parsed(text, without):
    """Samples as Prometheus' own parser sees them, by name and values of labels (by their names), but `without`."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type in ("gauge", "counter", "histogram"), family.name
        for sample in family.samples:
            key = sample.name, tuple(value for name, value in sorted(sample.labels.items()) if name not in without)
            assert key not in found
            found[key] = sample.value
    return found


def agree(out, path=None):
    """The file's gauges are what the files of state say; the samples."""
    told = read(path or out / STATE / METRICS)
    items = [json.loads(p.read_text()) for p in (out / STATE / "items").iterdir()]
    states = Counter(item["state"] for item in items)
    assert {labels[0]: value for (name, labels), value in told.items() if name == "chromatheque_items"} == {
        state: states.get(state, 0) for state in ("waiting", "surveyed", "painting", "done", "set-aside")
    }
    assert told["chromatheque_units_done", ()] == sum(item["units"]["done"] for item in items)
    assert told["chromatheque_units_planned", ()] == sum(item["units"]["of"] for item in items)
    found = sum(item["size"].get("megapixels", 1.0) for item in items)
    assert told["chromatheque_megapixels_found", ()] == pytest.approx(found, abs=0.06)
    return told


def test_a_whole_night(tmp_path, source, tiny):
    """Gauges are the state's; each step of the run is in its stage's histogram, with the seconds the state keeps."""
    out = tmp_path / "out"
    heard = Heard()
    night, items = color(out, items_of(source, out, tiny), Wishes(), heard)
    told = agree(out)
    assert told["chromatheque_items", ("done",)] == night.done == 3
    assert told["chromatheque_items", ("set-aside",)] == 1
    assert told["chromatheque_busy_ratio", ()] == pytest.approx(night.busy, abs=0.05)
    assert told["chromatheque_workers", ()] == 1
    for stage in ("survey", "paint", "publish"):
        steps = [facts for event, facts in heard.events if event == "step" and facts["stage"] == stage]
        assert told["chromatheque_step_seconds_count", (stage,)] == len(steps) > 0
        assert told["chromatheque_step_seconds_bucket", ("+Inf", stage)] == len(steps)
        spent = sum(item.seconds[stage] for item in items)
        for name in ("step_seconds_sum", "work_seconds_total"):
            assert told[f"chromatheque_{name}", (stage,)] == pytest.approx(spent, abs=0.01)
    assert told["chromatheque_step_seconds_count", ("paint",)] == told["chromatheque_units_done", ()]
    assert all(value == 0 for (name, _), value in told.items() if name == "chromatheque_failures_total")


class Dies(InlinePool):
    """Its worker dies of one item's first unit: `times` times."""

    times = 1

    def finished(self):
        """Die, or paint."""
        unit, attempt = self._waiting[0]
        if unit.stage == "paint" and "film" in unit.item.out and attempt <= self.times:
            self._waiting.popleft()
            return Outcome(unit, attempt, error=WorkerDied("worker died"))
        return super().finished()


@pytest.mark.parametrize(("times", "fates"), [(1, (2, 0)), (3, (2, 1))], ids=["retried", "given up"])
def test_failures_are_counted(tmp_path, source, tiny, times, fates):
    """An attempt that is repeated is one kind, a step that is given up another; both by stage."""
    out = tmp_path / "out"
    state = State(out)
    found = [p for p in ready(state, items_of(source, out, tiny), False) if "bad" not in p.item.out]
    pool = Dies(StepPainter())
    pool.times = times
    with Meter(Silent(), Exposition(tmp_path / "m.prom", {}, pytest.fail)) as meter:
        Schedule(state, found, pool, meter).run()
    told = agree(out, tmp_path / "m.prom")
    retried, given_up = (told["chromatheque_failures_total", (fate, "paint")] for fate in ("retried", "set_aside"))
    assert (retried, given_up) == fates
    assert told["chromatheque_items", ("set-aside",)] == given_up


def test_a_resumed_run_counts_the_whole(tmp_path, source, tiny):
    """After a stop in the middle, gauges go on from what is done; a run that finds all done says so, and only that."""
    out = tmp_path / "out"

    class Stops(Silent):
        def __call__(self, event, /):
            if isinstance(event, StepDone) and event.stage == "publish":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        color(out, items_of(source, out, tiny), Wishes(), Stops())
    first = read(out / STATE / METRICS)
    assert 0 < first["chromatheque_units_done", ()] <= first["chromatheque_units_planned", ()]
    color(out, items_of(source, out, tiny), Wishes(), Silent())
    told = agree(out)
    assert told["chromatheque_items", ("done",)] == 3
    assert told["chromatheque_step_seconds_count", ("paint",)] < told["chromatheque_units_done", ()]
    color(out, items_of(source, out, tiny), Wishes(), Silent())
    again = agree(out)
    assert again["chromatheque_items", ("done",)] == 3
    assert ("chromatheque_step_seconds_count", ("paint",)) not in again
    assert again["chromatheque_megapixels_done", ()] == told["chromatheque_megapixels_done", ()]


def test_the_command_writes_where_it_is_told(tmp_path, source, tiny):
    """--metrics FILE for the collector's folder; a name it passes over, or no folder, is refused before any work."""
    out, place = tmp_path / "out", tmp_path / "collector"
    place.mkdir()
    words = ["archive", source, out, "--weights", tiny, "--working-size", 32, "--include", "one.tif"]
    for wrong, told in ((place / "night.txt", "ends in .prom"), (tmp_path / "none" / "a.prom", "no such folder")):
        done = run_command(*words, "--metrics", wrong)
        assert done.returncode == 2
        assert told in done.stderr
    assert not out.exists()
    done = run_command(*words, "--metrics", place / "night.prom")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in place.iterdir()] == ["night.prom"]
    assert agree(out, place / "night.prom")["chromatheque_items", ("done",)] == 1
    assert f'collection="{out}"' in (place / "night.prom").read_text()


def test_no_night_ends_for_its_metrics(tmp_path, source, tiny):
    """A file that cannot be written is told once, and the files are colored."""
    out = tmp_path / "out"
    (tmp_path / "m.prom").mkdir()
    heard = Heard()
    night, _ = color(out, items_of(source, out, tiny), Wishes(metrics=tmp_path / "m.prom"), heard)
    assert night.done == 3
    notes = [facts["text"] for event, facts in heard.events if event == "note"]
    assert len(notes) == 1
    assert "m.prom: cannot be written: " in notes[0]
    assert list((tmp_path / "m.prom").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_names_may_hold_anything(tmp_path):
    """Quotes, backslashes and line ends of a folder's name come back from the parser as they were."""
    name = 'a "b" \\n \\ c\nd ü{},='
    place = Exposition(tmp_path / "m.prom", {"collection": name}, pytest.fail)
    place.keep(ITEMS, 1, "done")
    place.show(last=True)
    [family] = text_string_to_metric_families((tmp_path / "m.prom").read_text())
    assert family.samples[0].labels == {"collection": name, "state": "done"}


def test_a_folder_of_no_text_has_metrics(tmp_path, source, tiny):
    """Bytes that are no UTF-8 in a folder's name are told as question marks."""
    out = tmp_path / os.fsdecode(b"out-\xff")
    color(out, items_of(source, out, tiny), Wishes(), Silent())
    assert "out-?" in (out / STATE / METRICS).read_text()


def test_a_histogram_sorts_as_prometheus_does(tmp_path):
    """A value on a bound belongs below it; classes are cumulative; a counter adds, a gauge keeps the last."""
    place = Exposition(tmp_path / "m.prom", {}, pytest.fail)
    values = [0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], BOUNDS[-1] * 2]
    for value in values:
        place.keep(STEPS, value, "paint")
        place.keep(FAILURES, 1, "paint", "retried")
        place.keep(ITEMS, value, "done")
    place.show(last=True)
    told = read(tmp_path / "m.prom")
    for bound in BOUNDS:
        assert told["chromatheque_step_seconds_bucket", (str(bound), "paint")] == sum(v <= bound for v in values)
    assert told["chromatheque_step_seconds_count", ("paint",)] == len(values)
    assert told["chromatheque_failures_total", ("retried", "paint")] == len(values)
    assert told["chromatheque_items", ("done",)] == values[-1]


DRIVER = """
import sys
from pathlib import Path
import ray
from pipeline.collection.items import find
from pipeline.collection.run import Wishes, color
from pipeline.values.events import Silent

address, source, out, weights = sys.argv[1:]
ray.init(address, log_to_driver=False, logging_level="ERROR")
options = {"weights": weights, "working_size": 32, "precision": "fp32"}
items = find(Path(source), Path(out), options, (), ()).items
print(color(Path(out), items, Wishes(ray=address, workers=2), Silent())[0], flush=True)
sys.stdin.read()  # numbers are shown as long as their process is connected
"""


@pytest.mark.ray
@pytest.mark.slow
def test_a_ray_nodes_endpoint_shows_the_same(tmp_path, source, tiny):
    """Scraped over HTTP from a real node, every number is the file's; of the histogram, Ray has no exact sum."""
    out = tmp_path / "out"
    with head(RAY_metrics_report_interval_ms="500") as node:
        words = [sys.executable, "-c", DRIVER, node.address, source, out, tiny]
        driver = subprocess.Popen(
            list(map(str, words)), env=node.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        try:
            assert driver.stdout.readline().startswith("Night(done=3, aside=1")
            told = {f"ray_{name}": value for name, value in by_name(agree(out)).items()}
            until, seen = time.monotonic() + 60, {}
            while seen != told and time.monotonic() < until:
                time.sleep(0.5)
                seen = by_name(scraped(node.metrics, out))
            assert seen == told
        finally:
            driver.communicate("")
    assert driver.returncode == 0


def by_name(samples):
    """Samples without zeros, which Ray leaves out of its counters, and without the histogram's sum."""
    return {
        f"{name} {labels}": round(value, 6)
        for (name, labels), value in samples.items()
        if value and "_seconds_sum" not in name
    }


def scraped(port, out):
    """What the endpoint shows of a collection."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    mine = [line for line in text.splitlines() if "ray_chromatheque_" in line]
    assert all(f'collection="{out}"' in line for line in mine if not line.startswith("#"))
    rays = ("collection", "Component", "NodeAddress", "SessionName", "Version", "WorkerId")
    return parsed("\n".join(mine) + "\n", (*rays, "otel_scope_name", "otel_scope_schema_url", "otel_scope_version"))
