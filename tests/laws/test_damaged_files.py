"""Whatever becomes of the files that a job keeps, the same command ends in the same bytes or in a line.

Any JSON file of a job or a collection is cut short, gets another byte, loses an entry or holds in some place what does
not belong there: other types, NaN, numbers that no container holds, paths, other versions.
"""

import json
import random
import shutil
import traceback

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError
from tests.synthetic import tiny_weights, write_reel
from workflows.commands.cli import cli

STRANGE = [
    None, True, 0, -1, 10**30, 1e99, float("nan"), float("inf"), "", "x", "1/0", "../../x", [], {}, [1], [None], [[]],
    {"a": 1}, {"": None},
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Sources, weights, and for each command a folder with what it made and keeps."""
    home = tmp_path_factory.mktemp("damaged")
    (home / "in").mkdir()
    write_reel(home / "in" / "film.mkv", 5, cuts=(3,))
    plate = np.tile(np.arange(96, dtype=np.uint8), (64, 1))
    tifffile.imwrite(home / "in" / "plate.tif", plate, photometric="minisblack")
    tiny_weights(home / "tiny.safetensors")
    return home


def words(home, what):
    """The command, which makes `made`/OUT and keeps all that it needs to go on."""
    made = home / "made"
    how = ["--working-size", "64", "--precision", "fp32", "--weights", str(home / "tiny.safetensors")]
    if what == "archive":
        return ["archive", str(home / "in"), str(made / "all"), "--keep-pieces", *how]
    name = {"reel": "film.mkv", "scan": "plate.tif"}[what]
    return [what, str(home / "in" / name), str(made / name), "--job", str(made / "job"), *how]


def run(home, what):
    """Exit code and what was printed; fails on anything that is not an error of ours."""
    done = CliRunner().invoke(cli, words(home, what))
    error = done.exception
    if isinstance(error, ColorizeError):
        return 1, str(error)
    if error is not None and not isinstance(error, SystemExit):
        pytest.fail("".join(traceback.format_exception(error)))
    return done.exit_code, done.output


A_PERSONS = ("kept", "dissolve")
"""What may be changed in a plan: such a change is an edit."""


def places(value, path=()):
    """Every place in a value of JSON that is no person's, the first few of a list."""
    yield path
    mine = [(k, v) for k, v in value.items() if k not in A_PERSONS] if isinstance(value, dict) else ()
    inside = mine if isinstance(value, dict) else enumerate(value[:20]) if isinstance(value, list) else ()
    for key, held in inside:
        yield from places(held, (*path, key))


def changed(value, path, draw):
    """A value with something strange in a place of it, or without that place."""
    if not path:
        return draw.choice(STRANGE)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if isinstance(holder, dict) and draw.random() < 0.15:
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw.choice(STRANGE)
    return value


def damaged(data, draw):
    """A file's bytes, cut short, with another byte in them, or with something strange in one place."""
    how = draw.random()
    if how < 0.1:
        return data[: draw.randrange(len(data))]
    if how < 0.15:
        at = draw.randrange(len(data))
        return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
    value = json.loads(data)
    return json.dumps(changed(value, draw.choice([*places(value)]), draw)).encode()


def check(home, what, seeds):
    """Damage a file, take the output away every other time, and run the command again."""
    made, kept = home / "made", home / what
    if not kept.is_dir():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        assert run(home, what)[0] == 0
        shutil.copytree(made, kept)
    outs = [p.relative_to(kept) for p in kept.rglob("*") if p.name in ("film.mkv", "plate.tif")]
    files = sorted(p.relative_to(kept) for p in kept.rglob("*.json*"))
    for seed in seeds:
        draw = random.Random(f"{what} {seed}")
        shutil.rmtree(made)
        shutil.copytree(kept, made)
        file = draw.choice(files)
        (made / file).write_bytes(damaged((made / file).read_bytes(), draw))
        if draw.random() < 0.5:
            for out in outs:
                (made / out).unlink()
        code, said = run(home, what)
        assert code in (0, 1), (seed, file, said)
        if code == 0:
            assert all((made / out).read_bytes() == (kept / out).read_bytes() for out in outs), (seed, file, said)
        elif what != "archive":
            assert len(said.strip().splitlines()) == 1, (seed, file, said)


@pytest.mark.parametrize("what", ["reel", "scan", "archive"])
def test_a_damaged_file_is_a_line_or_no_matter(home, what):
    """A few of each."""
    check(home, what, range(4))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["reel", "scan", "archive"])
def test_many_damaged_files(home, what):
    """Many of each."""
    check(home, what, range(4, 84))


@pytest.mark.parametrize("what", ["reel", "scan"])
@pytest.mark.parametrize("moment", ["survey", "paint"])
def test_a_folder_that_goes_midway_is_a_line(home, tmp_path, monkeypatch, what, moment):
    """The job's folder, or the output's, is removed while a run is at work."""
    shutil.rmtree(home / "made", ignore_errors=True)
    (home / "made").mkdir()
    from pipeline.jobs.job import Job

    name = {"survey": "_plan", "paint": "_paint"}[moment]
    whole = getattr(Job, name)

    def gone(self, *arguments):
        shutil.rmtree(home / "made")
        return whole(self, *arguments)

    monkeypatch.setattr(Job, name, gone)
    code, said = run(home, what)
    assert code == 1
    assert "Traceback" not in said
    assert "made" in said
    assert len(said.strip().splitlines()) == 1, said
