"""Lines for logs and for the night: only what must not be missed."""

from __future__ import annotations

import sys
from datetime import datetime

from pipeline.values.events import Event, GivenUp, ItemChanged, Note, Retry, Silent
from pipeline.values.stages import DONE


def write_note(text: str) -> None:
    """One line on stderr, whatever line ends the text has. In a log, read when the night is over, the time here comes
    first, to the second, with how far it is from UTC."""
    at = "" if sys.stderr.isatty() else f"{datetime.now().astimezone().isoformat(timespec='seconds')} "
    print(f"{at}note: {' '.join(text.split())}", file=sys.stderr, flush=True)


class Notes(Silent):
    """What a person should read, and what is tried again."""

    def __call__(self, event: Event, /) -> None:
        """Write it, if it is of those."""
        if isinstance(event, Note | Retry):
            write_note(event.text)


class CollectionNotes(Notes):
    """What was finished or set aside too, a line each."""

    def __call__(self, event: Event, /) -> None:
        """Write it, if it is of those."""
        match event:
            case GivenUp(name=name, text=text):
                write_note(f"set aside {name}: {text}")
            case ItemChanged(name=name, state=state) if state == DONE:
                write_note(f"done {name}")
            case _:
                super().__call__(event)
