"""A worker's steps: what they read, and what they make of a plan that changes under them."""

import errno
import json
import shutil
from collections import Counter

import pytest

from colorizer.basis.errors import ColorizeError, LedgerError
from pipeline.collection.depot import depot_for
from pipeline.collection.items import find
from pipeline.collection.step import Step, StepFailed
from pipeline.collection.steps import StepPainter
from pipeline.jobs import folder as job_folder
from pipeline.reels.preservation import hashes
from pipeline.storage import atomic as storage
from pipeline.storage.ledger import Ledger
from pipeline.values.stages import PAINT, PUBLISH, SURVEY
from tests.plates import plate
from tests.synthetic import tiny_weights, write_reel


@pytest.fixture
def steps(tmp_path):
    """Makes steps of the two items, a reel of two shots and a scan, in the order of a night."""
    source, out = tmp_path / "src", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    write_reel(source / "film.mkv", 24, (64, 48), cuts=(12,))
    plate(source / "plate.tif", 300, 200)
    options = {"working_size": 32, "precision": "fp32", "weights": str(tiny_weights(tmp_path / "tiny.safetensors"))}
    items = {item.kind: item for item in find(source, out, options, (), ()).items}
    return lambda stage, kind, unit=None, found=None, **more: Step(
        stage, items[kind], depot_for(str(out)), 1, unit, source=found and found.source, **more
    )


@pytest.fixture
def hashed(monkeypatch):
    """Files whose bytes were all read for a digest, by name."""
    read = Counter()

    def counting(path):
        read[path.name] += 1
        return storage.sha256(path)

    monkeypatch.setattr(job_folder, "sha256", counting)
    return read


@pytest.fixture
def worker():
    """Makes workers that have seen no item yet; their readers are closed in the end."""
    made = []

    def make():
        made.append(StepPainter())
        return made[-1]

    yield make
    for one in made:
        one.close()


def record(step, receipt):
    """As the driver does."""
    Ledger(step.depot.job_folder(step.item.key)).record(receipt)


@pytest.mark.parametrize("kind", ["reel", "scan"])
def test_a_source_is_read_for_its_digest_by_survey_and_publication_alone(steps, hashed, kind, worker):
    """Painting takes the survey's word, on workers that have never seen the item too; publication looks again."""
    found = worker().paint(steps(SURVEY, kind), 1).found
    name = steps(SURVEY, kind).item.source.rpartition("/")[2]
    assert hashed == {name: 1}
    for ticket in found.todo:
        step = steps(PAINT, kind, ticket, found)
        record(step, worker().paint(step, 1).receipt)
    assert hashed == {name: 1}
    worker().paint(steps(PUBLISH, kind), 1)
    assert hashed == {name: 2}


def test_any_worker_paints_a_ticket_alike(steps, worker):
    """The worker that surveyed and one that did not give the same receipt."""
    surveyor = worker()
    found = surveyor.paint(steps(SURVEY, "reel"), 1).found
    for ticket in found.todo:
        step = steps(PAINT, "reel", ticket, found)
        assert surveyor.paint(step, 1).receipt == worker().paint(step, 1).receipt


def test_a_plan_edited_meanwhile_is_surveyed_again(steps, worker):
    """Units of the plan as it was are refused, by workers that hold it too; those of a new survey are painted."""
    mine = worker()
    before = mine.paint(steps(SURVEY, "reel"), 1).found
    [path] = steps(SURVEY, "reel").depot.folder.rglob("plan.json")
    plan = json.loads(path.read_text())
    first, second = plan["shots"]
    plan["shots"] = [{**first, "stop": second["stop"]}]
    path.write_text(json.dumps(plan))
    with pytest.raises(LedgerError, match="edited"):
        worker().paint(steps(PAINT, "reel", before.todo[0], before), 1)
    after = worker().paint(steps(SURVEY, "reel"), 1).found
    assert (len(before.todo), len(after.todo)) == (2, 1)
    assert mine.paint(steps(PAINT, "reel", after.todo[0], after), 1).receipt.unit == after.todo[0].id


def painted(steps, kind, worker):
    """Surveyed and painted by workers of its own."""
    found = worker().paint(steps(SURVEY, kind), 1).found
    for ticket in found.todo:
        step = steps(PAINT, kind, ticket, found)
        record(step, worker().paint(step, 1).receipt)


@pytest.mark.parametrize("stage", [SURVEY, PUBLISH])
def test_a_proof_that_was_not_reached_is_made_later(steps, monkeypatch, stage, worker):
    """Killed between an output and the digests of its frames, the next worker at it makes them, and nothing else."""
    from pipeline.jobs import reel_job as module

    def killed(*_):
        raise MemoryError

    painted(steps, "reel", worker)
    original = module.keep_proof
    monkeypatch.setattr(module, "keep_proof", killed)
    with pytest.raises(StepFailed):
        worker().paint(steps(PUBLISH, "reel", proof=True), 1)
    monkeypatch.setattr(module, "keep_proof", original)
    folder = steps(SURVEY, "reel").depot.folder
    before = (folder / "film.mkv").stat().st_mtime_ns
    worker().paint(steps(stage, "reel", proof=True), 1)
    assert (folder / "film.mkv").stat().st_mtime_ns == before
    assert len(hashes(folder / "film.mkv.framemd5")) == 24


@pytest.mark.parametrize("kind", ["reel", "scan"])
def test_what_is_published_is_not_published_again(steps, kind, worker):
    """A worker whose answer was lost has done it all: another one finds so, though the pieces are gone."""
    painted(steps, kind, worker)
    worker().paint(steps(PUBLISH, kind), 1)
    item = steps(PUBLISH, kind).item
    out = steps(PUBLISH, kind).depot.folder / item.out
    before = out.stat().st_mtime_ns
    worker().paint(steps(PUBLISH, kind), 2)
    assert out.stat().st_mtime_ns == before


@pytest.mark.parametrize("kind", ["reel", "scan"])
def test_a_publication_cut_half_way_is_finished(steps, kind, worker, monkeypatch):
    """Killed between an output and its sidecar: the next worker knows the output for its own; tidying fails nothing."""

    def killed(*_, **__):
        raise MemoryError

    out, real = steps(PUBLISH, kind).depot.folder, job_folder.write_json
    painted(steps, kind, worker)
    with monkeypatch.context() as patch:
        patch.setattr(job_folder, "write_json", lambda path, *how: killed() if path.parent == out else real(path, *how))
        with pytest.raises(StepFailed):
            worker().paint(steps(PUBLISH, kind), 1)
    item = steps(PUBLISH, kind).item
    assert (out / item.out).exists()
    assert not (out / f"{item.out}.json").exists()
    assert worker().paint(steps(SURVEY, kind), 1).found.todo == ()
    worker().paint(steps(PUBLISH, kind), 1)
    assert (out / f"{item.out}.json").exists()


def test_tidying_sets_nothing_aside(steps, worker, monkeypatch):
    """Pieces that cannot be removed stay; the output is published."""

    def refused(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    painted(steps, "scan", worker)
    monkeypatch.setattr(shutil, "rmtree", refused)
    worker().paint(steps(PUBLISH, "scan"), 1)
    item = steps(PUBLISH, "scan").item
    assert (steps(PUBLISH, "scan").depot.folder / f"{item.out}.json").exists()


@pytest.mark.parametrize("name", ["plate.tif", "plate.tif.json", "film.mkv.framemd5"])
def test_what_lies_under_an_output_s_names_stays(steps, worker, name):
    """An export's words beside a picture, digests of another program: named, not replaced, and the item cannot work."""
    survey = steps(SURVEY, "reel" if "film" in name else "scan")
    place = survey.depot.folder / name
    place.write_text('{"title": "of a photo export"}')
    with pytest.raises(ColorizeError, match=f"{name} exists there and is not this program's"):
        worker().paint(survey, 1)
    assert "photo export" in place.read_text()


def test_an_output_that_a_person_changed_stays(steps, worker):
    """A retouched output is no run's any more, also where it is to be made anew with other options."""
    done = worker().paint(steps(SURVEY, "scan"), 1).found
    for unit in done.todo:
        step = steps(PAINT, "scan", unit, done)
        record(step, worker().paint(step, 1).receipt)
    publish = steps(PUBLISH, "scan")
    worker().paint(publish, 1)
    out = publish.depot.folder / publish.item.out
    with out.open("ab") as file:
        file.write(b"retouched")
    with pytest.raises(ColorizeError, match=r"plate\.tif exists there and is not this program's"):
        worker().paint(steps(SURVEY, "scan"), 1)
    out.write_bytes(b"")
    assert worker().paint(steps(SURVEY, "scan"), 1).found.todo
