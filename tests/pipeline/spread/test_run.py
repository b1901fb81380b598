"""Running units: attempts counted, errors sorted, never too many in flight. The pool is a stub; Ray's is in laws."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError, EncodeError, NodeLost, SourceError, WorkerDied
from pipeline.spread.pools import InlinePool, Outcome
from pipeline.spread.run import ATTEMPTS, run
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.values.events import Silent
from pipeline.values.tries import LOSSES
from tests.endtoend import Heard
from tests.plans import plan_of


class StubPool:
    """Ends units in any order with what `fate` says: None for a receipt, or an error."""

    def __init__(self, size, fate, ledger, pick=lambda n: 0):
        self.size, self.fate, self.ledger, self.pick = size, fate, ledger, pick
        self.flying, self.starts, self.alone, self.most = [], [], [], 0

    def start(self, unit, attempt, alone=False):
        self.flying.append((unit, attempt))
        self.starts.append((unit.number, attempt))
        self.alone += [(unit.number, attempt)] if alone else []
        self.most = max(self.most, len(self.flying))

    def finished(self):
        unit, attempt = self.flying.pop(self.pick(len(self.flying)))
        error = self.fate(unit, attempt)
        if error is None:
            name = f"{unit.id}.{attempt}.packets"
            (self.ledger.job / name).write_bytes(b"x")
            receipt = Receipt(unit.id, attempt, name, 1, "", "", 0.0, ((0, 0, 1, True, 1),))
            return Outcome(unit, attempt, receipt)
        if isinstance(error, ColorizeError):
            return Outcome(unit, attempt, error=error)
        raise error


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


def units(count=6):
    return plan_of([2] * count).units()


def painted(ledger, todo):
    return [u.number for u in todo if ledger.find(u.id) is not None]


def test_every_unit_is_painted_once(ledger):
    """Without errors: each unit one attempt, a receipt each, an event each, nothing set aside."""
    told, todo = Heard(), units()
    pool = StubPool(2, lambda unit, attempt: None, ledger)
    assert run(todo, pool, ledger, told) == []
    assert sorted(pool.starts) == [(n, 1) for n in range(6)]
    assert painted(ledger, todo) == list(range(6))
    assert sorted(facts["number"] for event, facts in told.events if event == "segment") == list(range(6))
    assert pool.most == 2


def test_nothing_to_do_is_nothing_done(ledger):
    """An empty list starts no worker."""
    pool = StubPool(3, lambda unit, attempt: None, ledger)
    assert run([], pool, ledger, Silent()) == []
    assert pool.starts == []


def test_a_dead_worker_is_tried_again(ledger):
    """Death at the first two attempts, success at the third: painted, and the retries are told."""
    told, todo = Heard(), units()
    pool = StubPool(2, lambda u, attempt: WorkerDied("killed") if u.number == 3 and attempt < 3 else None, ledger)
    assert run(todo, pool, ledger, told) == []
    assert [a for n, a in pool.starts if n == 3] == [1, 2, 3]
    assert ledger.find(todo[3].id).attempt == 3
    assert [facts["text"] for event, facts in told.events if event == "retry"] == [
        "segment 3, attempt 1: killed",
        "segment 3, attempt 2: killed",
    ]


def test_a_poison_unit_is_set_aside(ledger):
    """After three deaths a unit is given up with its last error; all others are painted."""
    todo = units()
    pool = StubPool(2, lambda u, attempt: WorkerDied(f"death {attempt}") if u.number == 1 else None, ledger)
    [aside] = run(todo, pool, ledger, Silent())
    assert (aside.unit.number, aside.attempts, str(aside.error)) == (1, ATTEMPTS, "death 3")
    assert painted(ledger, todo) == [0, 2, 3, 4, 5]


def test_a_lost_machine_is_not_the_units_fault(ledger):
    """Four machines go away under a unit and it is painted; a unit under which they always do is given up."""
    todo = units()
    losses = {1: 4, 2: 99}
    pool = StubPool(2, lambda u, attempt: NodeLost("gone") if attempt <= losses.get(u.number, 0) else None, ledger)
    [aside] = run(todo, pool, ledger, Silent())
    assert (aside.unit.number, aside.attempts) == (2, LOSSES)
    assert painted(ledger, todo) == [0, 1, 3, 4, 5]
    assert sorted(pool.alone) == [(2, LOSSES)]


def test_the_last_attempt_is_made_alone(ledger):
    """So that a unit is not given up for what a neighbor does; the attempts before it are made like any other."""
    pool = StubPool(2, lambda u, attempt: WorkerDied("killed") if u.number == 1 else None, ledger)
    run(units(), pool, ledger, Silent())
    assert pool.alone == [(1, ATTEMPTS)]


def test_it_waits_where_there_is_no_worker(ledger):
    """A pool that has shrunk to nothing gets nothing, and is asked again until it has grown."""
    todo = units()

    class Shrunk(StubPool):
        asked = 0

        def finished(self):
            if self.flying:
                return super().finished()
            self.asked += 1
            self.size = self.asked // 3
            return None

    pool = Shrunk(0, lambda unit, attempt: None, ledger)
    assert run(todo, pool, ledger, Silent()) == []
    assert pool.asked == 3
    assert painted(ledger, todo) == list(range(6))


@pytest.mark.parametrize(
    "error", [SourceError("reel.mkv", "differs"), EncodeError("refused")], ids=["source", "encode"]
)
def test_errors_that_would_repeat_are_final(ledger, error):
    """An error about the source or the encoder is not tried again; the rest goes on."""
    todo = units()
    pool = StubPool(2, lambda u, attempt: error if u.number == 2 else None, ledger)
    [aside] = run(todo, pool, ledger, Silent())
    assert (aside.attempts, aside.error) == (1, error)
    assert [a for n, a in pool.starts if n == 2] == [1]
    assert painted(ledger, todo) == [0, 1, 3, 4, 5]


def test_a_bug_is_raised(ledger):
    """What is not a ColorizeError is not swallowed, and what was painted before it stays."""
    todo = units()
    pool = StubPool(1, lambda u, attempt: ZeroDivisionError("bug") if u.number == 2 else None, ledger)
    with pytest.raises(ZeroDivisionError, match="bug"):
        run(todo, pool, ledger, Silent())
    assert painted(ledger, todo) == [0, 1]


fates = st.dictionaries(
    st.integers(0, 9), st.sampled_from(["dies once", "dies twice", "dies always", "bad source"]), max_size=6
)


@settings(max_examples=60)
@given(size=st.integers(1, 5), count=st.integers(0, 10), fates=fates, data=st.data())
def test_any_mishaps_end_in_order(tmp_path_factory, size, count, fates, data):
    """Whatever happens to whom, in whatever order workers finish: each unit is painted or set aside, never both,
    attempts are bounded, and no more than the pool's size are in flight."""
    ledger = Ledger(tmp_path_factory.mktemp("run"))
    todo = units(count) if count else ()

    def fate(unit, attempt):
        kind = fates.get(unit.number)
        deaths = {"dies once": 1, "dies twice": 2, "dies always": 99}.get(kind, 0)
        if attempt <= deaths:
            return WorkerDied("killed")
        return SourceError("reel.mkv", "differs") if kind == "bad source" else None

    pool = StubPool(size, fate, ledger, lambda n: data.draw(st.integers(0, n - 1)))
    aside = {a.unit.number for a in run(todo, pool, ledger, Silent())}
    lost = {n for n, kind in fates.items() if n < count and kind in ("dies always", "bad source")}
    assert aside == lost
    assert set(painted(ledger, todo)) == set(range(count)) - lost
    assert pool.most <= size
    assert not pool.flying
    tries = Counter(n for n, _ in pool.starts)
    wanted = {"dies once": 2, "dies twice": 3, "dies always": ATTEMPTS, "bad source": 1}
    assert tries == {n: wanted.get(fates.get(n), 1) for n in range(count)}


def test_the_inline_pool_keeps_the_contract(tmp_path):
    """Errors of ours are outcomes, bugs are raised, one unit at a time; close releases the painter."""

    class Painter:
        closed = False

        def paint(self, unit, attempt, report):
            if unit.number == 1:
                raise SourceError("reel.mkv", "differs")
            if unit.number == 2:
                raise ZeroDivisionError
            report(unit.start)
            return f"receipt {unit.number}.{attempt}"

        def close(self):
            self.closed = True

    seen, painter = [], Painter()
    pool = InlinePool(painter, seen.append)
    todo = units(3)
    assert pool.size == 1
    pool.start(todo[0], 1)
    assert pool.finished() == Outcome(todo[0], 1, "receipt 0.1")
    pool.start(todo[1], 1)
    assert isinstance(pool.finished().error, SourceError)
    pool.start(todo[2], 1)
    with pytest.raises(ZeroDivisionError):
        pool.finished()
    pool.close()
    assert painter.closed
    assert seen == [0]
