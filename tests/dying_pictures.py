"""A reader of moving pictures that ends its process, as a native one may on some bytes.

    python -m tests.dying_pictures NAME WHERE SIGNAL MARKER archive in out ...

runs the command with it. NAME: of the file that it dies of. WHERE: a word of where the run says that it is. SIGNAL: of
what. MARKER: a file by which it dies once only, or "-".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.reels import reel
from pipeline.storage import standing

_packets_of = reel.packets_of
_words = sys.argv[1:5]


def packets_of(container: Any, *arguments: Any) -> Iterator[Any]:
    """Packets, until one after the first is asked for."""
    name, where, number, marker = _words[0], _words[1], int(_words[2]), Path(_words[3])
    for count, packet in enumerate(_packets_of(container, *arguments)):
        page = standing._shared
        there = page is not None and where in page.said()[0]
        if count and there and name == Path(container.name).name and not marker.is_file():
            if marker.name != "-":
                marker.touch()
            os.kill(os.getpid(), number)
        yield packet


if __name__ == "__main__":
    reel.packets_of = packets_of
    from workflows.commands import cli

    sys.argv[1:] = sys.argv[5:]
    cli.main()
