"""The bounded thread: same items, same order, errors delivered, no thread left behind."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.spread.ahead import ahead


def threads():
    return [t for t in threading.enumerate() if t.name == "ahead"]


@settings(max_examples=30)
@given(st.lists(st.integers()), st.integers(-1, 9))
def test_items_keep_their_order(items, depth):
    """Nothing lost, doubled or moved, whatever the depth."""
    assert list(ahead(items, depth)) == items
    assert not threads()


def test_none_and_errors_are_items_too():
    """Any value may pass through, exceptions as values included."""
    items = [None, False, StopIteration(), ValueError("x")]
    assert list(ahead(items, 2)) == items


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_comes_after_the_items_before_it(kind):
    """The maker's exception is raised at the reader, itself, after what was made."""

    def make():
        yield 1
        yield 2
        raise kind("here")

    reader = ahead(make(), 1)
    assert [next(reader), next(reader)] == [1, 2]
    with pytest.raises(kind, match="here"):
        next(reader)
    assert not threads()


@pytest.mark.parametrize("depth", [1, 3])
def test_an_early_stop_waits_for_the_maker(depth):
    """After close() the thread is gone and the maker runs no more, so its file may be closed."""
    made = []

    def make():
        for i in range(1000):
            made.append(i)
            yield i

    reader = ahead(make(), depth)
    assert [next(reader), next(reader)] == [0, 1]
    reader.close()
    assert not threads()
    count = len(made)
    time.sleep(0.05)
    assert len(made) == count <= depth + 4


def test_an_error_at_the_reader_stops_the_maker():
    """An exception thrown where the items are used leaves no thread behind."""
    reader = ahead(iter(range(1000)), 2)
    assert next(reader) == 0
    with pytest.raises(RuntimeError):
        reader.throw(RuntimeError())
    assert not threads()


def test_the_maker_stays_at_most_depth_ahead():
    """Memory is bounded: the maker waits when `depth` items are ready."""
    made = []

    def make():
        for i in range(50):
            made.append(i)
            yield i

    reader = ahead(make(), 4)
    next(reader)
    time.sleep(0.3)
    assert len(made) <= 1 + 4 + 1
    assert list(reader) == list(range(1, 50))


def test_the_work_overlaps():
    """While the reader is busy with an item the maker makes the next one: that is what it is for."""
    second = threading.Event()

    def make():
        yield 1
        second.set()
        yield 2

    reader = ahead(make(), 1)
    assert next(reader) == 1
    assert second.wait(10)
    assert list(reader) == [2]


def test_nested_threads_end_together():
    """One iterator behind another, as a worker uses them: both threads are gone after an early stop."""
    reader = ahead(ahead(iter(range(1000)), 2), 2)
    assert next(reader) == 0
    reader.close()
    deadline = time.monotonic() + 2
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not threads()


@pytest.mark.parametrize("there", [True, False], ids=["after the thread began", "before there was a thread"])
def test_ctrl_c_while_the_thread_starts(monkeypatch, there):
    """It leaves no thread behind: what the maker reads may be closed at once, and would be closed under it."""
    made, closed = [], []

    def items():
        try:
            for number in range(10**9):
                made.append(number)
                yield number
        finally:
            closed.append(True)

    start = threading.Thread.start

    def interrupted(thread):
        if there:
            start(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.spread.ahead.STARTING", 0.2)
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(ahead(items(), 1))
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]
    assert closed == [True] * bool(made)
