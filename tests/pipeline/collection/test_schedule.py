"""What a schedule promises, for collections, failures and worker speeds of all kinds; pool, state and ledger in memory.

No source exists here: a driver that looked into one would fail.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError, LedgerError, SourceError, StorageError, WorkerDied
from pipeline.collection.depot import Depot
from pipeline.collection.item import Item
from pipeline.collection.order import Order
from pipeline.collection.schedule import Schedule
from pipeline.collection.state import ItemProgress
from pipeline.collection.step import Done, Step, Surveyed, UnitKey
from pipeline.spread.pools import Outcome
from pipeline.storage.ledger import Receipt
from pipeline.values.events import Silent
from pipeline.values.stages import ASIDE, DONE, PAINT, PUBLISH, SURVEY
from tests.endtoend import Heard

RETRIES = 3
DEPOT = Depot(Path("/nowhere"), Path("/nowhere"))


@dataclass
class Fate:
    """What is to happen to an item. deaths, broken: of steps, -1 the survey, -2 publication, else a unit.

    refused: units that publication doubts, time after time. edited: paintings after which its plan is another one.
    """

    units: int
    megapixels: float
    deaths: dict[int, int] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    refused: list[set[int]] = field(default_factory=list)
    edited: int = 0

    @property
    def hopeless(self):
        """Whether it must be set aside."""
        within = {n for n in self.deaths if self.deaths[n] >= RETRIES and n < self.units}
        return bool(within or {n for n in self.broken if n < self.units})


class World(Silent):
    """Workers, ledgers and state in memory, and a record of all that was started. pick: which flying step ends next."""

    def __init__(self, fates, size, pick):
        self.fates, self.size, self.workers, self.pick = fates, size, size, pick
        self.receipts = [set() for _ in fates]
        self.deaths = [dict(f.deaths) for f in fates]
        self.refused = [list(f.refused) for f in fates]
        self.version, self.paintings = [0] * len(fates), [0] * len(fates)
        self.flying, self.started, self.painted, self.surveyed = [], [], Counter(), set()
        self.depot, self.folder = DEPOT, DEPOT.folder
        self.saved, self.aside = {}, []

    def items(self):
        """As a run finds them."""
        return [
            ItemProgress(
                Item(f"{n:016x}", str(n), "reel", "/nowhere/film", f"{n}.mkv", ()), size={"megapixels": f.megapixels}
            )
            for n, f in enumerate(self.fates)
        ]

    def ticket(self, place, number):
        """Of the item's plan as it is now."""
        return UnitKey(f"{self.version[place]}.{number}", number, "segment", f"segment {number}", "frames", 96)

    def start(self, step, attempt, alone=False):
        """A free worker takes it."""
        assert len(self.flying) < self.size
        assert step.id not in [s.id for s, _ in self.flying]
        self.flying.append((step, attempt))
        self.started.append((step.stage, int(step.item.id), step.unit.number if step.unit else None, attempt))

    def finished(self):
        """One of them ends."""
        step, attempt = self.flying.pop(self.pick(len(self.flying)))
        place, number = int(step.item.id), step.unit.number if step.unit else {SURVEY: -1, PUBLISH: -2}[step.stage]
        fate = self.fates[place]
        if self.deaths[place].get(number, 0):
            self.deaths[place][number] -= 1
            return Outcome(step, attempt, error=WorkerDied("died"))
        if number in fate.broken:
            return Outcome(step, attempt, error=SourceError("film", "damaged"))
        return getattr(self, f"_{step.stage}")(place, step, attempt)

    def _survey(self, place, step, attempt):
        self.surveyed.add(place)
        tickets = [self.ticket(place, n) for n in range(self.fates[place].units)]
        todo = tuple(t for t in tickets if t.id not in self.receipts[place])
        return Outcome(step, attempt, Done(1.0, found=Surveyed(False, {"sha256": str(place)}, todo, len(tickets))))

    def _paint(self, place, step, attempt):
        assert step.source == {"sha256": str(place)}
        if step.unit != self.ticket(place, step.unit.number):
            return Outcome(step, attempt, error=LedgerError("edited"))
        self.painted[place, step.unit.id] += 1
        self.paintings[place] += 1
        if self.paintings[place] == self.fates[place].edited:
            self.version[place] += 1
        return Outcome(step, attempt, Done(1.0, Receipt(step.unit.id, attempt, "", 0, "", "", 0.0, ())))

    def _publish(self, place, step, attempt):
        wanted = {self.ticket(place, n).id for n in range(self.fates[place].units)}
        if missing := wanted - self.receipts[place]:
            return Outcome(step, attempt, error=JoinError(f"{missing} are gone"))
        if self.refused[place]:
            doubted = {self.ticket(place, n).id for n in self.refused[place].pop(0)}
            self.receipts[place] -= doubted
            return Outcome(step, attempt, error=JoinError("refused"))
        return Outcome(step, attempt, Done(1.0))

    def job_folder(self, key):
        """Stands for a ledger: the item's place."""
        return int(key, 16)

    def save(self, progress):
        """Remember how far it is."""
        self.saved[progress.item.id] = (progress.state, dict(progress.units))

    def look(self, item):
        """Nothing is there."""
        return [[], [], []]

    def give_up(self, progress, stage, error, attempts):
        """As the state does."""
        progress.state = ASIDE
        progress.error = {"stage": stage, "error": str(error), "attempts": attempts}

    def set_aside(self, items):
        """Remember who was given up."""
        self.aside = [p.item.id for p in items if p.state == ASIDE]

    def summary(self, **facts):
        """Nothing."""


class Remembering(Schedule):
    """Records receipts in the world."""

    def _ledger(self, active):
        receipts = self.state.receipts[int(active.progress.item.id)]

        class Records:
            def record(self, receipt):
                receipts.add(receipt.unit)

        return Records()


class ByLooking(Order):
    """The order in its simplest words: looks at every item each time."""

    def offer(self, active):
        """Nothing to prepare."""
        self._items[active.place] = active

    def next(self):
        """As the module's first sentence says."""
        ready = [a for a in self._items.values() if a.progress.state not in (DONE, ASIDE)]
        idle = [a for a in ready if not a.flying]
        publish = [a for a in idle if (a.stage == PAINT and not a.todo) or (a.stage == SURVEY and a.failed_checks)]
        paint = [a for a in ready if a.stage == PAINT and a.todo]
        survey = [a for a in idle if a.stage == SURVEY]
        return max(publish or paint or survey, key=lambda a: a.progress.megapixels, default=None)


def run(world, order=None, **options):
    """One run; its result, items and what was heard."""
    items, heard = world.items(), Heard()
    schedule = Remembering(world, items, world, heard, RETRIES, **options)
    if order is not None:
        schedule._order = order(schedule.active)
    return schedule.run(), items, heard


numbers = st.integers(-2, 5)
fates = st.builds(
    Fate, st.integers(1, 6), st.sampled_from([1.0, 2.0, 3.5, 700.0]),
    st.dictionaries(numbers, st.integers(1, RETRIES), max_size=2), st.sets(numbers, max_size=1),
    st.lists(st.sets(st.integers(0, 5)), max_size=1), st.sampled_from([0, 0, 0, 1, 3]),
)  # fmt: skip
calm = st.builds(Fate, st.integers(1, 6), st.sampled_from([1.0, 2.0, 3.5, 700.0]))
sizes, seeds = st.integers(1, 7), st.integers(0, 2**32)


def picking(seed):
    """A worker that ends next, at random."""
    import random

    chance = random.Random(seed)
    return chance.randrange


@given(st.lists(fates, max_size=8), sizes, seeds)
@example([Fate(6, 1.0, edited=1)], 7, 0)  # five units of the old plan are flying when it changes
def test_every_item_ends_and_only_the_hopeless_are_set_aside(fates, size, seed):
    """Whatever dies, breaks, is refused or edited: each item is done or set aside, as its own fate alone says."""
    world = World(fates, size, picking(seed))
    night, items, heard = run(world)
    for progress, fate in zip(items, fates, strict=True):
        troubles = len(fate.refused) + bool(fate.edited)
        if troubles < RETRIES - 1:
            assert progress.state == (ASIDE if fate.hopeless else DONE), progress.error
    assert (night.done, night.aside) == (
        sum(p.state == DONE for p in items), sum(p.state == ASIDE for p in items)
    )  # fmt: skip
    assert night.left == 0
    assert world.aside == [p.item.id for p in items if p.state == ASIDE]
    assert {p.item.id: (p.state, p.units) for p in items} == world.saved
    totals = [f for e, f in heard.events if e == "total"]
    assert totals[-1]["done"] == totals[-1]["of"]


@given(st.lists(calm, max_size=8), sizes, seeds)
def test_without_trouble_each_step_is_done_once_in_its_turn(fates, size, seed):
    """One survey, each unit once, one publication; a survey starts only when nothing is to be painted or published."""
    world = World(fates, size, picking(seed))
    run(world)
    assert Counter(world.started) == Counter(
        [(SURVEY, n, None, 1) for n in range(len(fates))]
        + [(PUBLISH, n, None, 1) for n in range(len(fates))]
        + [(PAINT, n, unit, 1) for n, fate in enumerate(fates) for unit in range(fate.units)]
    )
    assert set(world.painted.values()) <= {1}


@given(st.lists(fates, max_size=8), sizes, seeds)
def test_the_quick_order_is_the_simple_one(fates, size, seed):
    """The same steps in the same order as by looking at all items each time."""
    quick, simple = (World(fates, size, picking(seed)) for _ in range(2))
    run(quick)
    run(simple, ByLooking)
    assert quick.started == simple.started


@given(st.lists(fates, max_size=8), sizes, seeds)
@example([Fate(1, 1.0, {-2: 1}, refused=[set()])], 1, 0)
def test_attempts_are_counted(fates, size, seed):
    """A step that kills its worker is begun again as attempt 2, then 3, and never more often in a row."""
    world = World(fates, size, picking(seed))
    run(world)
    last = {}
    for stage, place, unit, attempt in world.started:
        assert attempt in (1, last.get((stage, place, unit), 0) + 1)
        assert attempt <= RETRIES
        last[stage, place, unit] = attempt
    for place, fate in enumerate(fates):
        for unit, deaths in fate.deaths.items():
            if 0 <= unit < fate.units and not fate.hopeless:
                begun = max(a for s, p, u, a in world.started if (s, p, u) == (PAINT, place, unit))
                assert begun <= deaths + 1


@given(st.lists(calm, min_size=1, max_size=8), sizes, seeds, st.integers(0, 60))
def test_nothing_begins_after_the_deadline_and_the_next_night_goes_on(fates, size, seed, steps):
    """What flies comes home, nothing is begun, and two nights together paint each unit once."""
    world, until = World(fates, size, picking(seed)), datetime(2026, 1, 1, 8, 0)

    def now():
        return until - timedelta(minutes=max(0, steps - len(world.started)))

    night, items, _ = run(world, deadline=until, now=now)
    assert len(world.started) <= max(steps, 0)
    assert world.flying == []
    assert night.late == (night.left > 0)
    assert {p.item.id: p.units["done"] for p in items if p.item.id in world.saved} == {
        key: units["done"] for key, (_, units) in world.saved.items()
    }
    night, items, _ = run(world)
    assert (night.left, night.aside) == (0, 0)
    assert set(world.painted.values()) == {1}
    assert len(world.painted) == sum(f.units for f in fates)


@given(st.lists(calm, min_size=2, max_size=8), seeds)
def test_a_full_disk_ends_the_run(fates, seed):
    """StorageError of any step is raised; no item is set aside for it."""
    world = World(fates, 2, picking(seed))
    world._paint = lambda place, step, attempt: Outcome(step, attempt, error=StorageError("/out: full"))
    with pytest.raises(StorageError):
        run(world)
    assert all(state != ASIDE for state, _ in world.saved.values())


def test_totals_stay_exact_over_many_units():
    """Shares of sizes that no float holds exactly sum up to the whole, and the total never falls."""
    fates = [Fate(7, 0.1 + 0.01 * n) for n in range(60)]
    _, _, heard = run(World(fates, 3, picking(1)))
    totals = [f["done"] for e, f in heard.events if e == "total"]
    assert totals == sorted(totals)
    assert totals[-1] == round(sum(f.megapixels for f in fates), 1)


def test_what_a_unit_takes_does_not_grow_with_the_items():
    """Fifty times the items, the same processor time for each unit, but for noise."""

    def each(count):
        world = World([Fate(3, 1.0 + n % 7) for n in range(count)], 4, picking(1))
        began = time.thread_time()
        run(world)
        return (time.thread_time() - began) / count

    each(50)
    assert each(2500) < 4 * min(each(50) for _ in range(3))


def test_a_step_is_small_to_send():
    """What goes to a worker does not grow with a film or a plate."""
    import pickle

    ticket = UnitKey("0" * 32, 99_999, "segment", "segment 99999 (frames 9599904 to 9599999)", "frames", 96)
    item = Item("0" * 16, "", "reel", "/somewhere/film.mov", "film.mkv", (("weights", "fast"),))
    assert len(pickle.dumps(Step(PAINT, item, DEPOT, 1, ticket, source={"sha256": "0" * 64}))) < 1500
