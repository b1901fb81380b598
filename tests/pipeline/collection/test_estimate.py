"""The estimate: what a dry run promises, from what earlier runs measured on the same device."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collection.estimate import forecast
from pipeline.collection.estimate import learn_from as learn
from pipeline.collection.item import Item
from pipeline.collection.state import ItemProgress
from pipeline.jobs.speeds import calibration, device_name
from pipeline.values.stages import DONE, WAITING


def progress(kind="reel", state=WAITING, seconds=(0.0, 0.0, 0.0), **size):
    """An item of which so much is known. seconds: of its survey, painting and publication."""
    suffix = {"reel": "mkv", "scan": "tif"}[kind]
    spent = dict(zip(("survey", "paint", "publish"), seconds, strict=True))
    return ItemProgress(Item("0" * 16, "", kind, f"/in.{suffix}", f"out.{suffix}", ()), state, size=size, seconds=spent)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder in which no run has written yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def hours(*items):
    """What is promised for them."""
    return forecast(items, 1e12, keep=False).hours


def test_hours_are_hours(cache):
    """A device that took an hour for a megapixel takes two for two; the survey's and publication's time counts."""
    learn([progress(state=DONE, seconds=(600, 2400, 600), megapixels=1.0)])
    assert hours(progress(megapixels=2.0)) == pytest.approx(2.0)
    assert hours(progress(megapixels=0.5), progress(megapixels=1.0)) == pytest.approx(1.5)


def test_each_kind_has_its_own_speed(cache):
    """Reels and scans are measured apart and their hours added; of a kind never run the time is not known."""
    learn([progress(state=DONE, seconds=(0, 3600, 0), megapixels=10.0)])
    assert hours(progress("scan", megapixels=1.0)) is None
    assert hours(progress("scan", megapixels=1.0), progress(megapixels=1.0)) is None
    learn([progress("scan", state=DONE, seconds=(0, 1800, 0), megapixels=1.0)])
    assert hours(progress("scan", megapixels=1.0), progress(megapixels=5.0)) == pytest.approx(1.0)


def test_nothing_to_do_takes_no_time(cache):
    """Neither what is done nor what was set aside is counted, in no figure."""
    done = progress(state=DONE, megapixels=5.0, bytes=1e9, frames=100)
    aside = replace(progress(megapixels=5.0, bytes=1e9, frames=100), error={"stage": "open"})
    told = forecast([done, aside], 1e12, keep=False)
    assert (told.files, told.frames, told.megapixels) == ({"reel": 0, "scan": 0}, 0, {"reel": 0.0, "scan": 0.0})
    assert (told.hours, told.disk, told.fetched) == (0.0, 0.0, 0.0)


def test_the_last_run_is_believed(cache):
    """A later run replaces what an earlier one measured of its kind, not what it measured of the other."""
    learn([progress(state=DONE, seconds=(0, 36000, 0), megapixels=10.0)])
    learn([progress("scan", state=DONE, seconds=(0, 72000, 0), megapixels=10.0)])
    learn([progress(state=DONE, seconds=(0, 18000, 0), megapixels=10.0)])
    assert hours(progress(megapixels=1.0)) == pytest.approx(0.5)
    assert hours(progress("scan", megapixels=1.0)) == pytest.approx(2.0)


def test_a_run_of_little_forgets_nothing(cache):
    """Of a few frames most of the time goes into beginning and end: a film would be promised to take weeks. Where
    nothing is known it is better than nothing."""
    learn([progress(state=DONE, seconds=(0, 9, 0), megapixels=0.1)])
    assert hours(progress(megapixels=1.0)) == pytest.approx(90 / 3600)
    learn([progress(state=DONE, seconds=(0, 20, 0), megapixels=10.0)])
    learn([progress(state=DONE, seconds=(0, 9, 0), megapixels=0.1)])
    assert hours(progress(megapixels=1.0)) == pytest.approx(2 / 3600)


def test_a_speed_is_of_all_that_was_finished(cache):
    """Seconds and megapixels are added before they are divided, so that a large file weighs more than a small one."""
    learn([
        progress(state=DONE, seconds=(0, 100, 0), megapixels=1.0),
        progress(state=DONE, seconds=(0, 0, 260), megapixels=11.0),
        progress(state=WAITING, seconds=(0, 9999, 0), megapixels=1.0),
        progress(state=DONE, seconds=(0, 0, 0), megapixels=7.0),
        progress(state=DONE, seconds=(0, 5, 0)),
    ])  # fmt: skip
    assert calibration() == {device_name(): {"reel": pytest.approx(30.0)}}


def test_another_devices_speed_is_not_this_ones(cache):
    """What another device took is kept and not used."""
    (cache / "chromatheque").mkdir(parents=True)
    (cache / "chromatheque" / "calibration.json").write_text(json.dumps({"another": {"reel": 1.0}}))
    assert hours(progress(megapixels=1.0)) is None
    learn([progress(state=DONE, seconds=(0, 3600, 0), megapixels=1.0)])
    assert calibration() == {"another": {"reel": 1.0}, device_name(): {"reel": 3600.0}}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"a": 7}', '{"a": {"reel": "quick"}}', '{"a": {"reel": null}}']
)
def test_a_damaged_cache_is_nothing_known(cache, content):
    """No traceback and no promise; the next run that finishes something writes it anew."""
    (cache / "chromatheque").mkdir(parents=True)
    (cache / "chromatheque" / "calibration.json").write_text(content)
    assert hours(progress(megapixels=1.0)) is None
    learn([progress(state=DONE, seconds=(0, 3600, 0), megapixels=1.0)])
    assert hours(progress(megapixels=1.0)) == pytest.approx(1.0)


def test_a_speed_of_zero_is_no_speed(cache):
    """What nothing can take is not believed: 0 hours for a night's work would be a lie."""
    (cache / "chromatheque").mkdir(parents=True)
    (cache / "chromatheque" / "calibration.json").write_text(json.dumps({device_name(): {"reel": 0.0, "scan": -1}}))
    assert hours(progress(megapixels=1.0)) is None


def test_a_cache_that_cannot_be_written_is_no_matter(cache):
    """A finished night does not fail over what it would have remembered."""
    cache.write_text("a file where a folder should be")
    learn([progress(state=DONE, seconds=(0, 3600, 0), megapixels=1.0)])
    assert calibration() == {}


sizes = st.lists(st.integers(0, 10**12), min_size=1, max_size=5)


def disk(items, **how):
    """Bytes that are promised to be needed."""
    return forecast(items, 1e12, **how).disk


@given(sizes)
def test_kept_pieces_lie_beside_their_outputs(each):
    """Every output has its room; the pieces of the largest, or of all where they are kept, lie beside it."""
    items = [progress(bytes=float(size)) for size in each]
    assert disk(items, keep=False) == sum(each) + max(each)
    assert disk(items, keep=True) == 2 * sum(each) + max(each)


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=5))
def test_a_store_needs_room_for_its_largest_file_only(each):
    """Outputs that go to a store make room for the next: its source, its pieces and itself lie here at once; pieces
    that are kept stay."""
    items = [progress(bytes=float(size), fetched=float(held)) for size, held in each]
    largest = max(2 * size + held for size, held in each)
    for keep in (False, True):
        told = forecast(items, 7.0, keep=keep, stored=True)
        kept = keep * sum(size for size, _ in each)
        assert (told.disk, told.fetched, told.free) == (largest + kept, sum(held for _, held in each), 7.0)


def test_what_is_left_is_counted_by_kind(cache):
    """Files and megapixels by kind, frames of reels."""
    told = forecast(
        [
            progress(megapixels=2.0, frames=24.0), progress(megapixels=3.0, frames=12.0),
            progress("scan", megapixels=40.0, pages=2),
        ], 1e12, keep=False,
    )  # fmt: skip
    assert told.files == {"reel": 2, "scan": 1}
    assert told.megapixels == {"reel": 5.0, "scan": 40.0}
    assert told.frames == 36
