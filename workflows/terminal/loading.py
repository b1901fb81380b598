"""Loading: a word on a terminal while libraries load, which takes seconds; a slip of the keyboard was told before."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from workflows.terminal.plain import bare


@contextmanager
def loading(progress: str) -> Iterator[None]:
    """Say so until this ends, where somebody looks on. progress: of the option.

    No garbage is looked for meanwhile, nor in what was loaded ever again: that takes a quarter of a command's start.
    """
    shown = progress == "bar" or (progress == "auto" and sys.stderr.isatty())
    screen = bare(sys.stderr)
    if shown:
        screen.write("loading ...")
        screen.flush()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if shown:
            screen.write("\r\x1b[K")
            screen.flush()
