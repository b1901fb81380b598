"""Stacks: pages that show the same share a look, an album's photographs do not, and batches change no byte."""

import json

import numpy as np
import pytest
import tifffile

from colorizer.painting import plate
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.scans import survey
from pipeline.scans.stack import Look, Stack
from tests.films import codes, scene
from tests.synthetic import tiny_weights

SIZE = (30, 40)


def grain(picture, rng):
    return codes(picture + rng.normal(0, 3, picture.shape))


def series(count, rng):
    """One scene that moves a little, with grain."""
    picture = scene(rng, SIZE)
    return [grain(np.roll(picture, i // 4, 1), rng) for i in range(count)]


def owners(pages, orientation=1):
    """Of each page, whose look it has."""
    stack = Stack()

    def own():
        return Look(np.zeros(4, np.float32), np.zeros(2, np.float32))

    looks = [stack.look(number, page, orientation, own) for number, page in enumerate(pages)]
    return [look.sources[0].page if look.sources else number for number, look in enumerate(looks)]


def test_a_series_has_one_look():
    """What a camera sees of one thing, page after page, with grain and a little movement."""
    assert owners(series(12, np.random.default_rng(1))) == [0] * 12


def test_a_series_begins_where_another_ends():
    """As at a cut."""
    rng = np.random.default_rng(2)
    assert owners(series(4, rng) + series(3, rng)) == [0] * 4 + [4] * 3


@pytest.mark.parametrize("seed", range(5))
def test_an_albums_photographs_have_their_own(seed):
    """Different photographs of one size, however many."""
    rng = np.random.default_rng(seed)
    assert owners([grain(scene(rng, SIZE), rng) for _ in range(40)]) == list(range(40))


def test_what_shows_nothing_shares_nothing():
    """Blank pages are alike and say nothing; a page of another size is another picture."""
    blank = np.full(SIZE, 200, np.uint8)
    assert owners([blank] * 3) == [0, 1, 2]
    page = series(1, np.random.default_rng(3))[0]
    assert owners([page, page[:, :-1], page[:, :-1]]) == [0, 1, 1]


def test_a_slow_change_ends_a_look():
    """Each page is like the one before it; the last ones are nothing like the first, whose look they do not have."""
    rng = np.random.default_rng(4)
    one, other = scene(rng, SIZE), scene(rng, SIZE)
    found = owners([codes(one * (1 - t) + other * t) for t in np.linspace(0, 1, 120)])
    assert found[0] == 0
    assert found[-1] > 0


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return str(tiny_weights(tmp_path_factory.mktemp("w") / "tiny.safetensors"))


def colored(tmp_path, tiny, name):
    out = tmp_path / name
    job = ScanJob(str(tmp_path / "in.tif"), out, ScanChoices(weights=tiny, precision="fp32"))
    job.color()
    return out


def test_batches_change_no_byte(tmp_path, tiny, monkeypatch):
    """However many small pages are painted together, and wherever a batch begins, the file is the same. Its sidecar
    says whose look a page has."""
    rng = np.random.default_rng(5)
    pages = [*series(5, rng), codes(scene(rng, SIZE)), codes(scene(rng, (50, 40))), *series(4, rng)]
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for page in pages:
            file.write(page, photometric="minisblack", contiguous=False, metadata=None)
    first = colored(tmp_path, tiny, "first.tif")
    told = json.loads((tmp_path / "first.tif.json").read_text())["pages"]
    assert [page.get("look_from", []) for page in told] == [
        [], *[[{"page": 0}]] * 4, [], [], [], *[[{"page": 7}]] * 3,
    ]  # fmt: skip
    monkeypatch.setattr(survey, "BATCH", 2)
    assert colored(tmp_path, tiny, "second.tif").read_bytes() == first.read_bytes()
    assert plate.BATCH == 16
