"""Metrics as a text file that a Prometheus node_exporter collects (its textfile collector, text format 0.0.4)."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.storage.atomic import write_text
from pipeline.values.metrics import BOUNDS, GAUGE, HISTOGRAM, Metric

EVERY = 5.0
"""Seconds between two writings."""


class Exposition:
    """A place for metrics: the file is replaced as a whole, a moment's numbers together.

    labels: of every number, telling this collection from others. note: told once if the file cannot be written; no
    night ends for that.
    """

    def __init__(self, path: Path, labels: Mapping[str, str], note: Callable[[str], None]) -> None:
        self.path, self.labels, self.note = path, dict(labels), note
        self._values: dict[Metric, dict[tuple[str, ...], _Value]] = {}
        self._written, self._failed = 0.0, False

    def keep(self, metric: Metric, value: float, *labels: str) -> None:
        """Take a value."""
        self._values.setdefault(metric, {}).setdefault(labels, _Value()).take(metric.kind, value)

    def show(self, last: bool) -> None:
        """Write the file, if it is time or the last one."""
        if not last and self._written and time.monotonic() - self._written < EVERY:
            return
        self._written = time.monotonic()
        try:
            write_text(self.path, self.text())
        except OSError as error:
            if not self._failed:
                self.note(f"{self.path}: cannot be written: {error.strerror or error}; the run goes on without metrics")
            self._failed = True

    def text(self) -> str:
        """What is in the file."""
        return "".join(line + "\n" for metric in self._values for line in self._lines(metric))

    def _lines(self, metric: Metric) -> Iterator[str]:
        yield f"# HELP {metric.name} {metric.told}"
        yield f"# TYPE {metric.name} {metric.kind}"
        for labels, value in self._values[metric].items():
            named = {**self.labels, **dict(zip(metric.labels, labels, strict=True))}
            if metric.kind != HISTOGRAM:
                yield f"{metric.name}{_braced(named)} {value.number:.12g}"
                continue
            count = 0
            for bound, within in zip([*map(str, BOUNDS), "+Inf"], value.classes, strict=True):
                count += within
                yield f"{metric.name}_bucket{_braced({**named, 'le': bound})} {count}"
            yield f"{metric.name}_sum{_braced(named)} {value.number:.12g}"
            yield f"{metric.name}_count{_braced(named)} {count}"


class _Value:
    """What is known of one number. number: of a histogram, the sum; classes: how many fell between two bounds."""

    def __init__(self) -> None:
        self.number, self.classes = 0.0, [0] * (len(BOUNDS) + 1)

    def take(self, kind: str, value: float) -> None:
        if kind == HISTOGRAM:
            self.classes[bisect_left(BOUNDS, value)] += 1
        self.number = value if kind == GAUGE else self.number + value


def _braced(labels: Mapping[str, str]) -> str:
    """Labels as the format wants them."""
    escaped = {name: value.translate({92: r"\\", 34: r"\"", 10: r"\n"}) for name, value in labels.items()}
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
