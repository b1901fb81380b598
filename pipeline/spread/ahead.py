"""Run an iterator in a bounded thread: the pipeline's only concurrency primitive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


STARTING = 2.0
"""Seconds in which a thread that was asked for begins."""


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """The same items in the same order, made up to `depth` ahead of the reader in one daemon thread.

    An exception in the maker is raised at the reader, after the items made before it. When the reader stops early,
    the maker stops at its next item and is waited for, so that a file it reads may then be closed.
    """
    ready: queue.Queue[T | _End] = queue.Queue(max(1, depth))
    begun, stop = threading.Event(), threading.Event()

    def put(item: T | _End) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        begun.set()
        try:
            for item in items:
                if not put(item):
                    return
            put(_End(None))
        except BaseException as error:  # whatever it is belongs to the reader
            put(_End(error))

    maker = threading.Thread(target=make, daemon=True, name="ahead")
    try:
        maker.start()
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        if begun.wait(STARTING):  # else Ctrl-C came within `start`, before there was a thread
            maker.join()
        if isinstance(items, Generator):  # and what it holds: a thread behind it may still read a file
            items.close()
