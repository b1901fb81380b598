"""What every kind of job keeps to: one suite, run over reels and scans."""

import errno
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from colorizer.basis.atomic import scratch_of
from colorizer.basis.errors import ColorizeError, JoinError, LedgerError, SourceError, StorageError
from pipeline.jobs import edits
from pipeline.jobs import folder as job_folder
from pipeline.jobs.kinds import JOBS
from pipeline.jobs.plan import plan_from_json
from pipeline.jobs.plan_file import PlanFile
from pipeline.storage.job_folder import JobFolder, digests_of, growing, sidecar_of
from pipeline.values.events import Note
from pipeline.values.kinds import KINDS
from tests.plates import plate
from tests.synthetic import write_reel


@dataclass
class Case:
    """A kind of job with a small source of two parts and several units."""

    kind: str
    source: str
    suffix: str
    weights: str
    more: dict

    def job(self, out, folder=None, source=None, listener=None, **choices):
        """A job of the source."""
        kind = JOBS[self.kind]
        asked = {"weights": self.weights, "working_size": 32, "precision": "fp32", **self.more, **choices}
        return kind(source or self.source, out, kind.wishes(**asked), folder, listener)


@pytest.fixture(params=sorted(JOBS))
def case(request, tmp_path_factory, studio):
    """Each kind of job there is; a kind without a case here fails."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "reel":
        source, suffix, more = write_reel(folder / "in.mkv", 12, (64, 48), cuts=(6,)), ".mkv", {}
    else:
        source, suffix, more = plate(folder / "in.tif", 200, 100, pages=2), ".tif", {"tile": 16}
    return Case(request.param, str(source), suffix, str(studio.weights), more)


def listing(folder):
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_every_kind_has_a_job():
    """The kinds that files name and the jobs that there are agree."""
    assert {name: job.kind for name, job in JOBS.items()} == KINDS


def test_a_new_job_has_looked_at_nothing(case, tmp_path):
    """Neither source nor weights nor the output's folder need be there, and nothing is written."""
    job = case.job(tmp_path / "nowhere" / f"out{case.suffix}", source="no such file", weights="no such weights")
    assert job.progress() == (0, 0)
    assert listing(tmp_path) == []
    assert not (tmp_path / "nowhere").exists()


def test_what_is_wrong_is_told_before_anything_is_made(case, tmp_path):
    """A source that is not there, weights that are none, a folder that is missing: one line each, and no file."""
    out = tmp_path / f"out{case.suffix}"
    for job in (
        case.job(out, source=str(tmp_path / "none")), case.job(out, weights="no such weights"),
        case.job(tmp_path / "nowhere" / out.name), case.job(tmp_path / "out.xyz"),
    ):  # fmt: skip
        with pytest.raises(ColorizeError) as told:
            job.color()
        assert "\n" not in str(told.value)
    assert listing(tmp_path) == []


def test_a_job_is_done_once(case, tmp_path):
    """Output and sidecar, nothing else; the same job again finds that there is nothing to do."""
    out = tmp_path / f"out{case.suffix}"
    result = case.job(out).color()
    assert (result.out, result.already, result.painted) == (out, False, len(result.plan.units()))
    assert result.painted > 1
    assert all(finding.right for finding in result.findings)
    assert listing(tmp_path) == [out.name, sidecar_of(out).name]
    again = case.job(out)
    assert again.finished()
    assert (again.color().already, again.color().painted) == (True, 0)


def test_a_source_that_is_the_output_is_refused(case, tmp_path):
    """It would be lost."""
    mine = tmp_path / f"in{case.suffix}"
    shutil.copy(case.source, mine)
    before = mine.read_bytes()
    with pytest.raises(ColorizeError, match="would replace its source"):
        case.job(mine, source=str(mine), overwrite=True).color()
    assert mine.read_bytes() == before


def test_an_output_of_somebody_else_stays(case, tmp_path):
    """Without --overwrite a file under the output's name is refused in a line and keeps its bytes."""
    out = tmp_path / f"out{case.suffix}"
    out.write_bytes(b"mine")
    with pytest.raises(ColorizeError, match="exists and is not this job's result"):
        case.job(out).color()
    assert out.read_bytes() == b"mine"
    assert case.job(out, overwrite=True).color().painted


def test_units_are_the_plans(case, tmp_path):
    """Prepared twice, a job has the same plan and the same units; what has a receipt is not to do."""
    job = case.job(tmp_path / f"out{case.suffix}", tmp_path / "job")
    work = job.prepare()
    assert [unit.id for unit in work.units] == [unit.id for unit in work.plan.units()] == [u.id for u in work.todo()]
    assert {unit.kind for unit in work.units} == {job.kind.unit}
    painter = job.opening()()
    work.ledger.record(painter.paint(work.units[1], 1))
    painter.close()
    other = case.job(tmp_path / f"out{case.suffix}", tmp_path / "job")
    again = other.prepare()
    assert again.plan.to_json() == work.plan.to_json()
    assert [unit.number for unit in again.todo()] == [n for n in range(len(work.units)) if n != 1]
    assert other.progress() == (1, len(work.units))
    with pytest.raises(JoinError, match="is gone; run it again"):
        other.publish(again, 0)
    assert not other.out.exists()


def test_a_plan_goes_through_json(case, tmp_path):
    """It names its kind, and comes back with the same units; one without a kind, of an earlier version, too."""
    plan = case.job(tmp_path / f"out{case.suffix}", tmp_path / "job").prepare().plan
    values = json.loads(json.dumps(plan.to_json()))
    assert values["kind"] == case.kind == plan.kind.name
    ids = [unit.id for unit in plan_from_json(values).units()]
    del values["kind"]
    older = plan_from_json(values)
    assert older.kind is plan.kind
    if case.kind == "reel":  # a scan's band says where the scan lies, which its file does not
        assert [unit.id for unit in older.units()] == ids == [unit.id for unit in plan.units()]


def test_an_edit_paints_what_it_touched(case, tmp_path):
    """A look borrowed by one part; the same job then paints that part's units and replaces its own output."""
    out, folder = tmp_path / f"out{case.suffix}", tmp_path / "job"
    first = case.job(out, folder).color()
    before = out.read_bytes()
    file = PlanFile(JobFolder(folder).plan, folder, "it")
    plan = file.read()
    changed = edits.borrowed(plan, [1], 0)
    file.replace(changed)
    todo, of = file.units(changed)
    assert (0 < todo < of, of) == (True, first.painted)
    assert not case.job(out, folder).finished()
    assert case.job(out, folder).color().painted == todo
    assert out.read_bytes() != before
    file.undo()
    assert case.job(out, folder).color().painted < of
    assert out.read_bytes() == before


def test_a_plan_that_is_none_is_a_line(case, tmp_path):
    """Whatever a person makes of plan.json: LedgerError with the file's name and what to do."""
    folder = JobFolder(tmp_path / "job")
    job = case.job(tmp_path / f"out{case.suffix}", folder.path)
    good = job.prepare().plan.to_json()
    for bad in ("{", "[]", "{}", json.dumps({**good, "settings": 7})):
        folder.plan.write_text(bad, encoding="utf-8")
        with pytest.raises(LedgerError, match=r"plan\.json: .*remove it"):
            case.job(job.out, folder.path).color()


def test_a_plan_of_other_weights_is_put_aside(case, tmp_path, tmp_path_factory):
    """It is kept under another name, the note says which, and the job begins anew."""
    from tests.endtoend import Heard
    from tests.synthetic import tiny_weights

    folder, out = JobFolder(tmp_path / "job"), tmp_path / f"out{case.suffix}"
    case.job(out, folder.path).prepare()
    before = folder.plan.read_bytes()
    other = tiny_weights(tmp_path_factory.mktemp("other") / "other.safetensors", seed=5)
    heard = Heard()
    case.job(out, folder.path, listener=heard, weights=str(other)).prepare()
    assert (folder.path / "plan.json.bak").read_bytes() == before
    [note] = [facts["text"] for event, facts in heard.events if event == "note"]
    assert "kept as plan.json.bak" in note


@pytest.mark.parametrize("number", [1, 99])
def test_a_plan_of_another_version_is_put_aside(case, tmp_path, number):
    """Older or newer, the job that it lies in begins anew and says under which name it is kept."""
    from tests.endtoend import Heard

    folder, out, heard = JobFolder(tmp_path / "job"), tmp_path / f"out{case.suffix}", Heard()
    plan = case.job(out, folder.path).prepare().plan.to_json()
    folder.plan.write_text(json.dumps({**plan, "format": number}), encoding="utf-8")
    assert case.job(out, folder.path, listener=heard).prepare().plan.to_json() == plan
    assert json.loads((folder.path / "plan.json.bak").read_text(encoding="utf-8"))["format"] == number
    [note] = [facts["text"] for event, facts in heard.events if event == "note"]
    assert "another version of this program; kept as plan.json.bak" in note


def test_what_a_killed_run_left_half_made_goes(case, tmp_path):
    """Though nothing is left to paint: a person's folder keeps no scratch of ours."""
    folder, out = JobFolder(tmp_path / "job"), tmp_path / f"out{case.suffix}"
    case.job(out, folder.path).color()
    before = listing(tmp_path)
    out.unlink()
    for scratch in (folder.path / ".published.77.part.json", folder.ledger / f".{'ab' * 16}.77.part.json"):
        scratch.touch()
    assert case.job(out, folder.path).color().painted == 0
    assert listing(tmp_path) == before


def test_measured_is_what_there_is(case, tmp_path):
    """Megapixels and bytes by the header alone, without a survey; nothing is written."""
    job = case.job(tmp_path / f"out{case.suffix}")
    size = job.measure()
    pixels = 12 * 64 * 48 if case.kind == "reel" else 2 * 200 * 100
    assert size["megapixels"] == round(pixels / 1e6, 6)
    assert size["bytes"] > 0
    assert listing(tmp_path) == []


def test_a_source_that_changes_is_not_published(case, tmp_path):
    """What is colored is what was surveyed: another file under the name is surveyed anew, or refused by name."""
    mine, folder = tmp_path / f"in{case.suffix}", tmp_path / "job"
    shutil.copy(case.source, mine)
    job = case.job(tmp_path / f"out{case.suffix}", folder, source=str(mine))
    work = job.prepare()
    mine.unlink()
    painter = job.opening()()
    with pytest.raises(SourceError):
        painter.paint(replace(work.units[0]), 1)
    painter.close()


class Cut(Exception):
    """The run is killed here."""


def killed_at(monkeypatch, number):
    """The next publication ends before (0) or after (1) the output gets its name, as by SIGKILL."""
    real = job_folder.publish

    def publish(scratch, final):
        if number:
            real(scratch, final)
        raise Cut

    monkeypatch.setattr(job_folder, "publish", publish)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("kept", [False, True])
def test_a_publication_cut_half_way_is_finished_by_the_same_command(case, tmp_path, monkeypatch, number, kept):
    """Nothing looks finished before it is; then the same command makes the same two files, and its folder goes."""
    out, folder = tmp_path / f"out{case.suffix}", tmp_path / "job" if kept else None
    with monkeypatch.context() as patch:
        killed_at(patch, number)
        with pytest.raises(Cut):
            case.job(out, folder).color()
    assert (out.exists(), sidecar_of(out).exists()) == (bool(number), False)
    assert case.job(out, folder).color().painted == 0
    assert case.job(out, folder).finished()
    assert kept or listing(tmp_path) == [out.name, sidecar_of(out).name]


@pytest.mark.parametrize("number", [0, 1])
def test_a_replacement_cut_half_way_is_finished_by_the_same_command(case, tmp_path, monkeypatch, number):
    """After an edit of the plan: neither the old output nor the new one is taken for somebody else's or for
    finished."""
    out, folder = tmp_path / f"out{case.suffix}", tmp_path / "job"
    case.job(out, folder).color()
    before = out.read_bytes()
    file = PlanFile(JobFolder(folder).plan, folder, "it")
    file.replace(edits.borrowed(file.read(), [1], 0))
    with monkeypatch.context() as patch:
        killed_at(patch, number)
        with pytest.raises(Cut):
            case.job(out, folder).color()
    assert (out.read_bytes() == before, sidecar_of(out).exists()) == (not number, False)
    assert not case.job(out, folder).color().already
    assert out.read_bytes() != before
    assert case.job(out, folder).finished()


def test_clearing_away_never_fails_a_finished_job(case, tmp_path, monkeypatch):
    """A folder that cannot be removed is a note; the next run removes it, but no folder that a person named."""
    out, heard = tmp_path / f"out{case.suffix}", []

    def refused(path, *_, **__):
        raise OSError(errno.EIO, "Input/output error", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rmdir", refused)
        case.job(out, listener=heard.append).color()
    [note] = [event.text for event in heard if isinstance(event, Note)]
    assert "cannot be removed" in note
    assert f"{out} is finished" in note
    assert case.job(out).color().already
    assert listing(tmp_path) == [out.name, sidecar_of(out).name]
    case.job(out, JobFolder.of(out).path, overwrite=True).prepare()
    before = listing(tmp_path)
    assert case.job(out).color().already
    assert listing(tmp_path) == before


def test_an_output_is_on_the_disk_before_it_is_checked(case, tmp_path, monkeypatch):
    """A share tells of a full quota when a file is closed, which FFmpeg passes over: the error is met before the check
    reads what only memory has, by a descriptor that was open while it was written. Nothing is published."""
    out, checked = tmp_path / f"out{case.suffix}", []
    job, sync = case.job(out), os.fsync
    names = growing(out, job.folder), scratch_of(growing(out, job.folder), "")

    def refused(handle):
        if Path(f"/proc/self/fd/{handle}").readlink() in names and not checked:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        sync(handle)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("Linux tells which file a descriptor is of")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refused)
        patch.setattr(job, "prove", lambda *_: checked.append(1))
        with pytest.raises(StorageError, match=os.strerror(errno.EDQUOT)):
            job.color()
    assert not checked
    assert not out.exists()
    assert not case.job(out).color().already


def test_a_sidecar_of_somebody_else_stays(case, tmp_path):
    """What lies under the sidecar's name and has no mark of ours is replaced only when that is asked for."""
    out = tmp_path / f"out{case.suffix}"
    sidecar_of(out).write_text('{"title": "from a photo export"}')
    with pytest.raises(ColorizeError, match=r"json: exists and is not this program's"):
        case.job(out).color()
    assert listing(tmp_path) == [sidecar_of(out).name]
    assert "photo export" in sidecar_of(out).read_text()
    assert case.job(out, overwrite=True).color().painted


@pytest.mark.parametrize("beside", [sidecar_of, digests_of])
def test_a_source_that_lies_where_something_is_written_is_refused(case, tmp_path, beside):
    """Also with --overwrite: it would be lost."""
    out = tmp_path / f"out{case.suffix}"
    shutil.copy(case.source, beside(out))
    before = beside(out).read_bytes()
    with pytest.raises(ColorizeError, match="would replace its source"):
        case.job(out, source=str(beside(out)), overwrite=True).color()
    assert beside(out).read_bytes() == before


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_of_somebody_else_stays(case, tmp_path, linked):
    """What lies under the job folder's name, or is linked there, keeps every file."""
    out, theirs = tmp_path / f"out{case.suffix}", tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "lock").write_text("a note of mine")
    (theirs / "film.part").write_text("half of a film")
    JobFolder.of(out).path.symlink_to(theirs) if linked else theirs.rename(JobFolder.of(out).path)
    with pytest.raises(ColorizeError, match="not this program's; move it away"):
        case.job(out, overwrite=True).color()
    assert listing(JobFolder.of(out).path) == ["film.part", "lock"]
    assert (JobFolder.of(out).path / "lock").read_text() == "a note of mine"


def test_files_of_a_person_in_a_folder_that_was_named_stay(case, tmp_path):
    """--job may name a folder with other things in it; only under a name that runs write something else is refused."""
    out, folder = tmp_path / f"out{case.suffix}", tmp_path / "mine"
    folder.mkdir()
    for name in ("download.part", ".film.mkv.part", "notes.json"):
        (folder / name).write_text(name)
    for name, text in {"published.json": '["a list of mine"]', "refused.json": '{"why": "mine"}'}.items():
        (folder / name).write_text(text)
        with pytest.raises(ColorizeError, match=f"{name}: not this program's"):
            case.job(out, folder).color()
        (folder / name).unlink()
    case.job(out, folder).color()
    assert all((folder / name).read_text() == name for name in ("download.part", ".film.mkv.part", "notes.json"))


def test_a_source_without_an_end_is_refused_at_once(case, tmp_path):
    """A pipe that nobody writes to would be waited for without end."""
    os.mkfifo(tmp_path / "in")
    with pytest.raises(SourceError, match="a pipe, a socket or a device"):
        case.job(tmp_path / f"out{case.suffix}", source=str(tmp_path / "in")).color()
