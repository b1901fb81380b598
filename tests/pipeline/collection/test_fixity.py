"""A preserved collection's manifest lists all that stands in it; sha256sum is the witness."""

import subprocess

import pytest

from colorizer.basis.errors import ColorizeError
from pipeline.collection import layout
from pipeline.collection.items import find
from pipeline.collection.lookup import find_plan
from pipeline.collection.run import Wishes, color
from pipeline.jobs.edits import borrowed
from pipeline.reels.preservation import MANIFEST, hashes, read_manifest
from pipeline.storage.atomic import read_json
from pipeline.values.events import Silent, StepDone
from pipeline.values.stages import PUBLISH
from tests.captioned import spoken, write_captioned
from tests.plates import plate
from tests.synthetic import tiny_weights, write_reel


@pytest.fixture
def archive(tmp_path):
    """Runs a collection of a reel, a plate and a file that is no picture; options: of the walk and of the run."""
    source, out = tmp_path / "src", tmp_path / "out"
    source.mkdir()
    write_reel(source / "film.mkv", 24, (64, 48), cuts=(12,))
    plate(source / "plate.tif", 100, 100)
    (source / "bad.tif").write_bytes(b"II*\0 no picture")
    options = {"working_size": 32, "precision": "fp32", "weights": str(tiny_weights(tmp_path / "tiny.safetensors"))}

    def run(include=(), listener=None, **wishes):
        found = find(source, out, options, include, ()).items
        return color(out, found, Wishes(**wishes), listener or Silent())[0]

    run.source, run.out = source, out
    return run


def standing(out):
    """Files that fixity is about."""
    own = ("report", "set-aside.jsonl", MANIFEST)
    places = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    return {place for place in places if not place.startswith((".chromatheque", *own))}


def holds(out):
    """Whether sha256sum finds every line to be right, and every file that stands there has a line."""
    check = ["sha256sum", "--check", "--strict", "--quiet", MANIFEST]
    done = subprocess.run(check, cwd=out, capture_output=True, text=True, check=False)
    return done.returncode == 0 and set(read_manifest(out)) == standing(out)


def test_a_run_about_few_files_keeps_the_lines_of_all(archive):
    """Neither what was set aside and is tried again nor what is included cuts the list; a file that went does."""
    archive(preservation=True)
    assert holds(archive.out)
    before = read_manifest(archive.out)
    assert len(before) == 5
    archive(include=("film.mkv",))
    assert read_manifest(archive.out) == before
    assert '"bad.tif"' in (archive.out / "set-aside.jsonl").read_text()
    plate(archive.source / "bad.tif", 100, 100)
    assert archive(aside_only=True, preservation=True).done == 1
    assert holds(archive.out)
    assert read_manifest(archive.out).items() > before.items()
    archive(include=("plate.tif",))
    assert len(read_manifest(archive.out)) == 7
    (archive.out / "bad.tif").unlink()
    archive(include=("plate.tif",))
    assert set(read_manifest(archive.out)) == {*before, "bad.tif.json"}


def test_an_edit_leaves_no_stale_line(archive):
    """A collection remembers that it is a preserved one: what is painted anew gets new digests and a new line."""
    archive(preservation=True)
    before = read_manifest(archive.out)
    plan = find_plan(str(archive.out / "film.mkv"))
    plan.replace(borrowed(plan.read(), [0], 1))
    archive()
    assert holds(archive.out)
    after = read_manifest(archive.out)
    assert after["film.mkv"] != before["film.mkv"]
    assert len(hashes(archive.out / "film.mkv.framemd5")) == 24


class Impatient(Silent):
    """Presses Ctrl-C when something was published."""

    def __call__(self, event, /):
        if isinstance(event, StepDone) and event.stage == PUBLISH:
            raise KeyboardInterrupt


def test_a_run_that_is_stopped_leaves_a_list_that_holds(archive):
    """An output is listed when it stands, and the next run remembers what the first was asked for."""
    with pytest.raises(KeyboardInterrupt):
        archive(preservation=True, listener=Impatient())
    assert read_json(archive.out / layout.SUMMARY)["running"] is False
    archive()
    assert holds(archive.out)
    assert {"film.mkv", "film.mkv.framemd5", "plate.tif"} <= set(read_manifest(archive.out))


def test_a_new_collection_is_no_preserved_one(archive):
    """Nothing is added where nobody asked."""
    archive()
    assert not (archive.out / MANIFEST).exists()
    assert not (archive.out / "film.mkv.framemd5").exists()


def test_captions_have_a_line(archive):
    """They lie beside their film, and are listed as all that does; in a film's next colors too."""
    write_captioned(archive.source / "news.ts", spoken({2: "Hello"}, 24))
    archive(preservation=True)
    assert {"news.mkv", "news.mkv.scc", "news.mkv.framemd5"} <= set(read_manifest(archive.out))
    assert holds(archive.out)
    write_captioned(archive.source / "news.ts", [b""] * 24)
    archive()
    assert "news.mkv.scc" not in read_manifest(archive.out)
    assert holds(archive.out)


def test_a_manifest_of_somebody_else_stays(archive):
    """A bag has one of that name: it is neither replaced nor taken for an earlier run's wish."""
    theirs = f"{'0' * 64}  data/letter.pdf\n"
    archive.out.mkdir(exist_ok=True)
    (archive.out / MANIFEST).write_text(theirs)
    with pytest.raises(ColorizeError, match=f"{MANIFEST} exists there and is not this program's; move it away"):
        archive(preservation=True)
    archive()
    assert (archive.out / MANIFEST).read_text() == theirs
    (archive.out / MANIFEST).unlink()
    archive(preservation=True)
    assert holds(archive.out)
