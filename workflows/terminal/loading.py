"""Loading: a word on a terminal while libraries load, which takes seconds; a slip of the keyboard was told before.

Whatever a command does, something is on the screen within a second: nothing here loads more than this file.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from workflows.terminal.plain import bare


@contextmanager
def saying(text: str, progress: str = "auto") -> Iterator[None]:
    """A word until this ends, where somebody looks on. progress: of the option."""
    shown = progress == "bar" or (progress == "auto" and sys.stderr.isatty())
    screen = bare(sys.stderr)
    if shown:
        screen.write(f"{text} ...")
        screen.flush()
    try:
        yield
    finally:
        if shown:
            screen.write("\r\x1b[K")
            screen.flush()


@contextmanager
def loading(progress: str = "auto") -> Iterator[None]:
    """Say so until this ends, where somebody looks on. progress: of the option.

    No garbage is looked for meanwhile, nor in what was loaded ever again: that takes a quarter of a command's start.
    """
    gc.disable()
    try:
        with saying("loading", progress):
            yield
    finally:
        gc.freeze()
        gc.enable()
