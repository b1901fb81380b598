"""The laws for edited plans: the same command again paints what an edit touched and nothing else; undo brings it back.

Everything is done as a person does it, by `chromatheque plan` and the command that colored the file.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from pipeline.collection.layout import STATE
from pipeline.reels.plan import Plan
from pipeline.scans.plan import ScanPlan
from pipeline.storage.ledger import Ledger
from pipeline.storage.lock import alone
from tests.endtoend import chroma, luma_digests, run_command, verify
from tests.plates import plate
from tests.synthetic import write_reel
from workflows.commands.cli import cli

CUTS = (15, 30, 45)
QUICK = ("--working-size", "32", "--precision", "fp32", "--progress", "json")


def command(*words):
    """A command in this process, which must do its work; its JSON lines, or what it printed."""
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=True)
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


def edit(*words):
    """A `chromatheque plan` command; how many units it says will be painted."""
    said = command("plan", *words)
    return 0 if "none of" in said else int(said.split(" of ")[-2].split()[-1]) if "all" not in said else -1


def pieces(folder):
    """Bytes, times and inodes of all painted pieces in a job folder."""
    found = [*folder.glob("*.packets"), *folder.glob("*.blocks")]
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in found}


@dataclass
class Kept:
    """A colored file whose pieces are kept, and the command that colors it."""

    source: Path
    out: Path
    folder: Path
    place: str
    again: tuple

    def run(self):
        """The same command as before; ids of the units that it painted."""
        before = pieces(self.folder)
        command(*self.again)
        after = pieces(self.folder)
        assert {name: after[name] for name in before} == before, "a piece that was there is another one now"
        return {name.partition(".")[0] for name in set(after) - set(before)}

    def plan(self):
        """As it stands."""
        values = json.loads((self.folder / "plan.json").read_text())
        return ScanPlan.from_json(values, str(self.source)) if "pages" in values else Plan.from_json(values)

    def bytes(self):
        """Of output and sidecar."""
        return self.out.read_bytes(), self.out.with_name(self.out.name + ".json").read_bytes()

    def todo(self):
        """Ids of units without a receipt."""
        plan, ledger = self.plan(), Ledger(self.folder)
        units = plan.units()
        return {unit.id for unit in units if ledger.find(unit.id) is None}


def by_reel(tmp, tiny):
    """One reel of four shots, by `reel --job`."""
    source = write_reel(tmp / "in.mkv", 60, (96, 64), cuts=CUTS, audio=1)
    out, job = tmp / "out.mkv", tmp / "job"
    return Kept(source, out, job, str(job), ("reel", source, out, "--job", job, "--weights", tiny, *QUICK))


def by_archive(tmp, tiny):
    """The same reel in a collection with another reel and a scan, by `archive --keep-pieces`."""
    src, out = tmp / "src", tmp / "colored"
    src.mkdir()
    source = write_reel(src / "in.mkv", 60, (96, 64), cuts=CUTS, audio=1)
    write_reel(src / "other.mkv", 20)
    plate(src / "plate.tif", 100, 150)
    (tmp / "list.csv").write_text("file,id\nsrc/in.mkv,reel-0042\nsrc/other.mkv,\nsrc/plate.tif,\n")
    again = ("archive", tmp / "list.csv", out, "--keep-pieces", "--weights", tiny, *QUICK)
    return Kept(source, out / "src" / "in.mkv", out, f"{out}/reel-0042", again)


MAKERS = {"reel": by_reel, "archive": by_archive}


@pytest.fixture(params=MAKERS)
def kept(request, tmp_path, tiny):
    """A reel that was colored with kept pieces, either way."""
    found = MAKERS[request.param](tmp_path, tiny)
    command(*found.again)
    if request.param == "archive":
        [found.folder] = [p.parent for p in (found.out.parents[1] / STATE / "jobs").glob("*/plan.json")
                          if "reel" in (v := json.loads(p.read_text())) and len(v["pts"]) == 60]  # fmt: skip
    return found


def others(kept):
    """Bytes and times of everything in the collection that is not of the edited item."""
    root = kept.out.parents[1] if STATE in kept.folder.parts else kept.folder
    mine = {kept.folder.name, kept.out.name, kept.out.name + ".json"}
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and not mine & set(path.parts) and path.stem != kept.folder.name
        and path.name not in ("report.html", "collection.json", "metrics.prom", "lock") and "report" not in path.parts
    }  # fmt: skip


EDITS = {
    "merge": (["merge", "2..3"], range(15, 45), 1),
    "split": (["split", "2", "--at", "20"], range(0), 2),
    "split at a time": (["split", "1", "--at", "0:00.2"], range(0), 2),
    "split, own looks": (["split", "4", "--at", "52", "--own"], range(45, 60), 2),
    "borrow": (["look", "1", "--of", "4"], range(15), 1),
    "borrow for two": (["look", "1,3", "--of", "4"], [*range(15), *range(30, 45)], 2),
    "picture": (["look", "3", "--picture", "PICTURE"], range(30, 45), 1),
}
USUAL = ("merge", "split", "picture")


@pytest.mark.parametrize(
    "name", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in EDITS]
)
def test_an_edit_repaints_what_it_touches(kept, tmp_path, name):
    """Only the touched segments are painted, only their frames may change, everything holds, and undo goes all the way.

    In a collection no other item is worked on. After undo and another run, output and sidecar have their first bytes.
    """
    words, touched, painted = EDITS[name]
    picture = plate(tmp_path / "meadow.tif", 100, 150, seed=9)
    first, before, rest = kept.bytes(), chroma(kept.out), others(kept)
    words = [str(picture) if word == "PICTURE" else word for word in words]
    ids = {segment.id for segment in kept.plan().units()}
    dry = edit(words[0], kept.place, *words[1:], "--dry-run")
    assert (dry, kept.todo()) == (painted, set()), "a dry run changes nothing"
    assert edit(words[0], kept.place, *words[1:]) == painted
    todo = kept.todo()
    assert kept.run() == todo == {segment.id for segment in kept.plan().units()} - ids
    assert len(todo) == painted
    assert luma_digests(kept.out) == luma_digests(kept.source)
    code, said = verify(kept.source, kept.out)
    assert code == 0, said
    after = chroma(kept.out)
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if not np.array_equal(a, b)]
    assert changed == list(touched)
    assert others(kept) == rest, "another item was worked on"
    assert kept.bytes() != first
    command(*kept.again)
    assert kept.todo() == set()
    assert edit("undo", kept.place) == 0
    assert kept.run() == set()
    assert kept.bytes() == first


def test_several_edits_and_as_many_undos(kept):
    """Edits add up, each undo takes one back, and a look of its own comes back to the bit without reading the reel."""
    first, looks = kept.bytes(), [shot.look.tobytes() for shot in kept.plan().shots]
    edit("look", kept.place, "2", "--of", "1")
    edit("merge", kept.place, "3", "4")
    edit("look", kept.place, "2", "--own")
    assert [shot.look.tobytes() for shot in kept.plan().shots[:2]] == looks[:2]
    edit("split", kept.place, "3", "--at", "40")
    assert [(s.start, s.stop) for s in kept.plan().shots] == [(0, 15), (15, 30), (30, 40), (40, 60)]
    kept.run()
    for _ in range(4):
        edit("undo", kept.place)
    done = CliRunner().invoke(cli, ["plan", "undo", kept.place])
    assert "no edit is left to undo" in str(done.exception)
    assert kept.run() == set()
    assert kept.bytes() == first


def test_an_edit_that_is_undone_at_once_is_no_work(kept):
    """Undone before the next run, plan and output are those that belong together: the run does nothing."""
    first, rest = kept.bytes(), kept.out.stat().st_mtime_ns
    edit("look", kept.place, "2", "--of", "1")
    edit("undo", kept.place)
    assert kept.run() == set()
    assert (kept.bytes(), kept.out.stat().st_mtime_ns) == (first, rest)


def test_the_sidecar_says_where_a_look_is_from(kept, tmp_path):
    """The shot's number and frames, or the picture's name and digest; in the plan too."""
    import hashlib

    picture = plate(tmp_path / "a meadow.tif", 100, 150, seed=9)
    edit("look", kept.place, "1", "--of", "4")
    edit("look", kept.place, "3", "--picture", picture)
    kept.run()
    said = json.loads(kept.bytes()[1])
    told = {"picture": "a meadow.tif", "sha256": hashlib.sha256(picture.read_bytes()).hexdigest()}
    found = [shot.get("look_from") for shot in said["shots"]]
    assert found == [[{"frames": [45, 60], "shot": 4}], None, [told], None]
    assert said["plan"]["shots"][2]["look_from"] == [told]


def test_a_plan_is_not_edited_under_a_run(kept):
    """While a run holds job or collection, an edit and an undo are refused in one line, and the plan is as it was."""
    lock = kept.folder if STATE not in kept.folder.parts else kept.folder.parents[1]
    before = (kept.folder / "plan.json").read_bytes()
    with alone(lock):
        for words in (["merge", kept.place, "1..2"], ["undo", kept.place], ["look", kept.place, "1", "--of", "2"]):
            done = run_command("plan", *words)
            assert done.returncode == 1
            [line] = done.stderr.splitlines()
            assert "is in use by process" in line
            assert "edit its plan when that has ended" in line
        assert "its own" in command("plan", "show", kept.place)
    assert (kept.folder / "plan.json").read_bytes() == before


def test_an_output_of_others_still_needs_overwrite(tmp_path, tiny):
    """Only an output that this very job made is replaced unasked: not another job's, and not under other settings."""
    kept = by_reel(tmp_path, tiny)
    command(*kept.again)
    copy = tmp_path / "copy"
    edit("look", kept.place, "1", "--of", "2")
    copy.mkdir()
    (copy / "plan.json").write_bytes((kept.folder / "plan.json").read_bytes())
    other = [copy if word == kept.folder else word for word in kept.again]
    refused = run_command(*other)
    assert (refused.returncode, "--overwrite" in refused.stderr) == (1, True)
    refused = run_command(*["64" if word == "32" else word for word in kept.again])
    assert (refused.returncode, "--overwrite" in refused.stderr) == (1, True)
    assert len(kept.run()) == 1


def test_without_pieces_the_whole_file_is_painted(tmp_path, tiny):
    """`archive` keeps plans but no pieces: an edit says that all segments will be painted; so they are; undo too."""
    kept = by_archive(tmp_path, tiny)
    kept.again = tuple(word for word in kept.again if word != "--keep-pieces")
    command(*kept.again)
    first, out = kept.bytes(), tmp_path / "colored"
    said = command("plan", "look", kept.place, "1", "--of", "2")
    assert "paints all 4 segments, since none are kept (archive --keep-pieces keeps them)" in said
    lines = [json.loads(line) for line in command(*kept.again).splitlines()]
    assert {line["name"] for line in lines if line["event"] == "item"} == {"reel-0042"}
    assert [line["of"] for line in lines if line["event"] == "item"][-1] == 4
    assert kept.bytes() != first
    assert not list(out.rglob("*.packets"))
    command("plan", "undo", kept.place)
    command(*kept.again)
    assert kept.bytes() == first


# --- scans


@pytest.fixture
def album(tmp_path, tiny):
    """A scan of three pages that was colored with kept pieces."""
    source, out, job = plate(tmp_path / "in.tif", 200, 150, pages=3), tmp_path / "out.tif", tmp_path / "job"
    found = Kept(source, out, job, str(job), ("scan", source, out, "--job", job, "--weights", tiny, *QUICK))
    command(*found.again)
    return found


def test_a_page_with_another_look(album, tmp_path):
    """Another page's, a picture's, or its own again: only that page is painted, luma holds, undo works."""
    first, before = album.bytes(), [tifffile.imread(album.out, key=page) for page in range(3)]
    picture = plate(tmp_path / "meadow.tif", 100, 150, seed=9)
    assert edit("look", album.place, "1", "--of", "0") == 1
    assert edit("look", album.place, "2", "--picture", picture) == 2
    assert len(album.run()) == 2
    pages = album.plan().pages
    assert pages[1].plate.look.tobytes() == pages[0].plate.look.tobytes()
    assert not any(page.pending for page in pages)
    told = json.loads(album.bytes()[1])["pages"]
    assert "look_from" not in told[0]
    assert told[1]["look_from"] == [{"page": 0}]
    assert told[2]["look_from"][0]["picture"] == "meadow.tif"
    changed = [not np.array_equal(before[page], tifffile.imread(album.out, key=page)) for page in range(3)]
    assert changed == [False, True, True]
    code, said = verify(album.source, album.out)
    assert code == 0, said
    assert edit("look", album.place, "1,2", "--own") == 2
    assert album.run() == set(), "the first pieces are still there"
    assert album.bytes() == first
    for _ in range(3):
        edit("undo", album.place)
    assert album.run() == set()
    assert album.bytes() == first


def test_looks_of_pages_outlive_other_settings(album, tmp_path):
    """Another compression of the same job keeps the look that a person chose; pages without one are surveyed anew."""
    edit("look", album.place, "1", "--of", "0")
    album.run()
    looks = [page.plate.look.tobytes() for page in album.plan().pages]
    command(*album.again, "--compression", "lzw", "--overwrite")
    pages = album.plan().pages
    assert [page.plate.look.tobytes() for page in pages] == looks
    assert [page.look_from != () for page in pages] == [False, True, False]


def test_a_scan_in_a_collection(tmp_path, tiny):
    """By its name below OUT_DIR; only that scan is worked on, and undo gives its first bytes."""
    kept = by_archive(tmp_path, tiny)
    command(*kept.again)
    kept.out, kept.place = tmp_path / "colored" / "src" / "plate.tif", f"{tmp_path}/colored/src/plate.tif"
    first = kept.bytes()
    picture = plate(tmp_path / "meadow.tif", 100, 150, seed=9)
    command("plan", "look", kept.place, "0", "--picture", picture)
    lines = [json.loads(line) for line in command(*kept.again).splitlines()]
    assert {line["name"] for line in lines if line["event"] == "item"} == {"src/plate"}
    assert kept.bytes() != first
    command("plan", "undo", kept.place)
    command(*kept.again)
    assert kept.bytes() == first
