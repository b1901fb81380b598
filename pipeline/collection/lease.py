"""Lease: a collection in a store has one run at a time, as a folder has by its lock.

Stores have no locks that end with a process. A run writes its name into the store and again every so often, with a
count; another run watches the count, since clocks need not agree. Should two begin in the same second after all, they
do the same work twice: pieces are named by their content, and every file appears whole.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from colorizer.basis.errors import ColorizeError, InUse
from pipeline.collection.depot import Depot
from pipeline.collection.layout import LEASE, STATE
from pipeline.storage.lock import held
from pipeline.storage.stores import Store, hasty, masked
from pipeline.values.events import Listener, Note

BEAT = 20.0
"""Seconds between two signs of life."""
PATIENCE = 3
"""Signs of life that may fail to come before a run is taken for dead."""


class Lease:
    """A run's hold on a store, until another run has taken it for dead."""

    def __init__(self, store: Store) -> None:
        self._store, self._lost = store, threading.Event()

    def lose(self) -> None:
        """Another run is in the store."""
        self._lost.set()

    def check(self) -> None:
        """Raises InUse once the hold is lost."""
        if self._lost.is_set():
            raise InUse(
                f"{masked(self._store.uri)}: another run has taken over, since this one gave no sign of life for "
                f"{PATIENCE * BEAT:.0f} seconds; what it did is kept"
            )


@contextmanager
def leased(store: Store, listener: Listener) -> Iterator[Lease]:
    """Keep every other run out of a store. Raises InUse naming the run that is in it.

    A run that was killed on this host is known to be gone; that of another host is watched for a minute.
    """
    mine = uuid.uuid4().hex
    _wait_for_the_dead(store, listener)
    _sign(store, mine, 0)
    if _read(store).get("run") not in (mine, None):
        raise InUse(f"{masked(store.at(LEASE))}: another run began at the same time; one is enough")
    over, lease = threading.Event(), Lease(store)
    beats = threading.Thread(target=_beat, args=(store, mine, over, lease), name="lease", daemon=True)
    beats.start()
    try:
        yield lease
    finally:
        over.set()
        beats.join()
        with hasty(), suppress(ColorizeError):  # a lease that cannot be let go is taken for that of the dead
            if _read(store).get("run") == mine:
                store.remove(LEASE)


def at_work(depot: Depot) -> bool:
    """Whether a living run is at work on a collection, so far as can be known from here."""
    if not depot.store:
        return held(depot.folder / STATE) is not False
    found = _read(Store(depot.store))
    return bool(found) and not _gone(found)


def _sign(store: Store, run: str, count: int) -> None:
    values = {"run": run, "count": count, "process": os.getpid(), "host": socket.gethostname()}
    store.write(LEASE, json.dumps(values).encode())


def _read(store: Store) -> dict[str, Any]:
    try:
        values = json.loads(store.read(LEASE) or b"{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _beat(store: Store, run: str, over: threading.Event, lease: Lease) -> None:
    count = 0
    while not over.wait(BEAT):
        count += 1
        try:
            with hasty():
                if _read(store).get("run", run) != run:
                    lease.lose()
                    return
                _sign(store, run, count)
        except ColorizeError:  # the steps will tell what is wrong with the store
            continue


def _wait_for_the_dead(store: Store, listener: Listener) -> None:
    """Return once no living run is there. Raises InUse if one is."""
    found = _read(store)
    if not found or _gone(found):
        return
    who = f"process {found.get('process')} on host {found.get('host')}"
    listener(Note(f"{masked(store.at(LEASE))} names {who}; watching whether that run is alive"))
    end = time.monotonic() + PATIENCE * BEAT
    while time.monotonic() < end:
        time.sleep(BEAT / 4)
        now = _read(store)
        if not now:
            return
        if now != found:
            raise InUse(f"{masked(store.uri)} is in use by {who}; wait for it, or stop it")
    listener(Note(f"{who} gives no sign of life; going on where it stopped"))


def _gone(holder: dict[str, Any]) -> bool:
    """Whether a run was on this host and its process is no more."""
    if holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(holder["process"]), 0)
    except ProcessLookupError:
        return True
    except (KeyError, TypeError, ValueError, OSError, OverflowError):
        return False
    return int(holder["process"]) == os.getpid()  # of this very process: an earlier run, whose lease was not let go
