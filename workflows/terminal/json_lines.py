"""Events for programs: one JSON object a line, each with its time."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from pipeline.values.events import Event, Painted, Silent, Surveyed


class JsonLines(Silent):
    """One JSON object per event, at most ten a second of those that only count."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self._last = 0.0

    def __call__(self, event: Event, /) -> None:
        """Write it, unless another that counts was written just now and this one does not complete the count."""
        now = time.monotonic()
        if isinstance(event, Surveyed | Painted):
            last = isinstance(event, Painted) and event.done == event.of
            if now - self._last < 0.1 and not last:
                return
            self._last = now
        at = datetime.now(UTC).isoformat(timespec="seconds")
        print(json.dumps({**event.to_json(), "at": at}), file=self.stream, flush=True)
