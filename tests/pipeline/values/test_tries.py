"""Tries: deaths count against a unit, lost machines hardly, and no two attempts have the same number."""

from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import NodeLost, WorkerDied
from pipeline.values.tries import LOSSES, Tries

ends = st.lists(st.sampled_from([WorkerDied("died"), NodeLost("gone")]), max_size=30)


@given(limit=st.integers(1, 10), ends=ends)
def test_attempts_are_counted_and_bounded(limit, ends):
    """Whatever ends the attempts: each has a number of its own, the unit is given up at `limit` deaths or `LOSSES`
    losses and no sooner, and of several attempts the one that may be the last by deaths is made alone."""
    tries, numbers = Tries(limit), []
    for end in ends:
        if tries.over:
            break
        numbers.append(tries.attempt)
        last = limit > 1 and tries.deaths == limit - 1
        assert tries.alone == (last or tries.losses == LOSSES - 1)
        tries = tries.after(end)
    assert numbers == list(range(1, len(numbers) + 1))
    died = sum(type(end) is WorkerDied for end in ends[: len(numbers)])
    lost = len(numbers) - died
    assert tries.over == (died == limit or lost == LOSSES)
