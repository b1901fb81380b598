"""Loading: a word on a terminal while libraries load, which takes seconds; a slip of the keyboard was told before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from workflows.terminal.plain import bare


@contextmanager
def loading(progress: str) -> Iterator[None]:
    """Say so until this ends, where somebody looks on. progress: of the option."""
    shown = progress == "bar" or (progress == "auto" and sys.stderr.isatty())
    screen = bare(sys.stderr)
    if shown:
        screen.write("loading ...")
        screen.flush()
    try:
        yield
    finally:
        if shown:
            screen.write("\r\x1b[K")
            screen.flush()
