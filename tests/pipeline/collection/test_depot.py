"""The depot: what is known of a collection in a store is fetched once, and again where it changed."""

import json
import uuid

import pytest

from pipeline.collection import layout
from pipeline.collection.depot import depot_for
from pipeline.collection.item import Item
from pipeline.collection.items import find
from pipeline.collection.state import known_names
from pipeline.reels.parts import parts_of
from pipeline.storage.stores import Store


@pytest.fixture
def store():
    """A store with the states of three items."""
    found = Store(f"memory://{uuid.uuid4().hex}/out")
    for key in ("a", "b", "c"):
        put(found, key, "waiting")
    return found


def put(store, key, state):
    values = {"out": f"{key}.tif", "source": f"/in/{key}.tif", "state": state, "options": {}}
    store.write(layout.item(key), json.dumps(values).encode())


@pytest.fixture
def reads(monkeypatch):
    """Places that are read from stores."""
    found, read = [], Store.read

    def counted(self, place):
        if place.startswith(layout.ITEMS):
            found.append(place)
        return read(self, place)

    monkeypatch.setattr(Store, "read", counted)
    return found


def state_of(depot, key):
    return json.loads((depot.folder / layout.item(key)).read_text())["state"]


def test_a_state_is_fetched_once(store, reads, tmp_path):
    """A run looks for known names before it begins; what it saw then it does not fetch again."""
    depot = depot_for(store.uri, tmp_path)
    assert set(known_names(depot)) == {"a.tif", "b.tif", "c.tif"}
    assert len(reads) == 3
    depot.fetch_state()
    assert len(reads) == 3
    assert [state_of(depot, key) for key in "abc"] == ["waiting"] * 3


def test_what_changed_meanwhile_is_fetched(store, reads, tmp_path):
    """Another machine's state counts, what it removed is gone, and a copy that is not whole is none."""
    depot = depot_for(store.uri, tmp_path)
    known_names(depot)
    reads.clear()
    put(store, "b", "done")
    store.remove(layout.item("c"))
    (depot.apart().folder / layout.item("a")).write_text("{")
    depot.fetch_state()
    assert sorted(reads) == [layout.item("a"), layout.item("b")]
    assert [state_of(depot, key) for key in "ab"] == ["waiting", "done"]
    assert not (depot.folder / layout.item("c")).exists()


def test_another_store_has_its_own(store, reads, tmp_path):
    """One scratch folder may serve two collections, whose items have the same keys."""
    known_names(depot_for(store.uri, tmp_path))
    other = Store(f"memory://{uuid.uuid4().hex}/out")
    for key in ("a", "b"):
        put(other, key, "painted")
    depot = depot_for(other.uri, tmp_path)
    depot.fetch_state()
    assert [state_of(depot, key) for key in "ab"] == ["painted"] * 2


def test_the_mark_outlasts_what_a_loss_of_power_may_bring_back(tmp_path, monkeypatch):
    """It is on the disk before an item's pieces are removed, and their removal before it goes."""
    from pipeline.collection import depot

    found = []
    monkeypatch.setattr(depot, "sync_folder", lambda path: found.append(sorted(p.name for p in path.iterdir())))
    mine = depot_for(str(tmp_path))
    item = Item("0123456789abcdef", "", "reel", "/in/a.mkv", "a.mkv", ())
    folder = mine.job_folder(item.key)
    (folder / "ledger").mkdir(parents=True)
    (folder / "plan.json").touch()
    mine.tidy(item, keep=False)
    assert found == [["ledger", "passing", "plan.json"], ["passing", "plan.json"]]
    assert [path.name for path in folder.iterdir()] == ["plan.json"]


def test_a_title_of_a_dvd_is_fetched_whole(tmp_path):
    """With the files that follow on its first, which a walk passes over."""
    films = Store(f"memory://{uuid.uuid4().hex}")
    for name in ("VTS_01_0.VOB", "VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_01_4.VOB"):
        films.write(name, name.encode())
    found = find(films.uri, tmp_path / "out", {}, (), ())
    assert sorted(item.out for item in found.items) == ["VTS_01_0.mkv", "VTS_01_1.mkv", "VTS_01_4.mkv"]
    [item] = [item for item in found.items if item.out == "VTS_01_1.mkv"]
    depot = depot_for(str(tmp_path / "out"), tmp_path / "scratch")
    assert depot.source_bytes(item) == 24
    with depot.source(item) as path:
        assert [part.read_text() for part in parts_of(str(path))] == ["VTS_01_1.VOB", "VTS_01_2.VOB"]
