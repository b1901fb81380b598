"""A process apart: what it answers, what it raises, and that its death is one failed try."""

import os
import signal

import numpy as np
import pytest

from colorizer.basis.errors import DamagedSource, WorkerDied
from pipeline.spread.apart import Apart, Failed

HERE = "tests.pipeline.spread.test_apart:"


def doubled(values, data):
    """For the other side: the number doubled, and all bytes as an array."""
    return 2 * values, np.frombuffer(b"".join(data), np.uint8).reshape(2, -1)


def fail(values, data):
    """For the other side: raises what it is told to."""
    raise {"source": DamagedSource("a.tif", "is damaged"), "memory": MemoryError("much"), "other": ValueError()}[values]


def end(values, data):
    """For the other side: ends the process, once or always."""
    os.kill(os.getpid(), values)
    return None, None


def chatter(values, data):
    """For the other side: writes to what a library would take for the terminal."""
    os.write(1, b"libpng warning: something\n")
    return os.getpid(), None


@pytest.fixture
def apart():
    """A process of the test's own."""
    process = Apart()
    yield process
    process.close()


def test_values_and_bytes_go_over_and_back(apart):
    """Plain values, bytes and an array; what a library prints does not come between; one process for all calls."""
    told, array = apart.call(HERE + "doubled", 21, [b"ab", b"", b"cd"], 4)
    assert told == 42
    assert array.tolist() == [[97, 98], [99, 100]]
    array[0, 0] = 1  # owned
    assert apart.call(HERE + "chatter", None) == apart.call(HERE + "chatter", None) != (os.getpid(), None)


def test_errors_come_back_as_they_are(apart):
    """Errors about a source keep their kind, file and words; other libraries' keep their words."""
    with pytest.raises(DamagedSource, match=r"^a\.tif: is damaged$") as found:
        apart.call(HERE + "fail", "source")
    assert found.value.uri == "a.tif"
    with pytest.raises(MemoryError):
        apart.call(HERE + "fail", "memory")
    with pytest.raises(Failed, match=r"^ValueError$"):
        apart.call(HERE + "fail", "other")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_its_death_is_one_failed_try(apart, number):
    """A process that ends is WorkerDied, which says of what; the next call has another process."""
    first, _ = apart.call(HERE + "chatter", None)
    with pytest.raises(WorkerDied, match=signal.Signals(number).name):
        apart.call(HERE + "end", int(number))
    second, _ = apart.call(HERE + "chatter", None)
    assert first != second


def test_an_array_larger_than_foreseen_is_not_taken(apart):
    """Nothing is allocated because the other side says so."""
    with pytest.raises(WorkerDied, match="makes no sense"):
        apart.call(HERE + "doubled", 1, [b"abcd"], 3)
    assert apart.call(HERE + "doubled", 1, [b"abcd"], 4)[0] == 2


def test_it_ends_with_the_process_that_asks():
    """Closed, it is gone; closing twice is no matter."""
    apart = Apart()
    pid, _ = apart.call(HERE + "chatter", None)
    apart.close()
    apart.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
