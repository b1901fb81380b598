"""A cluster's head that falls silent: waited for, then given up in one line."""

import socket

import pytest

from colorizer.basis.errors import ColorizeError
from pipeline.spread import head
from pipeline.spread.head import EVERY, GONE, Head


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(head, "time", clock)
    return clock


def server(port=0):
    return socket.create_server(("127.0.0.1", port))


def test_a_silent_head_is_waited_for_and_then_given_up(clock):
    """One that comes back in time was never away; later there is a line that says what to do."""
    with server() as there:
        place = "{}:{}".format(*there.getsockname())
        watched = Head(place)
        clock.now += EVERY
        assert watched.answers()
    assert watched.answers()  # it was called a moment ago
    for _ in range(int(GONE / EVERY)):
        clock.now += EVERY
        assert not watched.answers()
    with server(int(place.rpartition(":")[2])):
        clock.now += EVERY
        assert watched.answers()
    clock.now += EVERY
    assert not watched.answers()
    clock.now += GONE
    with pytest.raises(ColorizeError, match=f"head of the Ray cluster at {place} has not answered for 25 seconds"):
        watched.answers()
    assert watched.lost


def test_it_is_called_now_and_then():
    """Not each time that somebody asks."""
    with server() as there:
        watched = Head("{}:{}".format(*there.getsockname()))
    assert all(watched.answers() for _ in range(100))
