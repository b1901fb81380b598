"""Metrics as a text file that a Prometheus node_exporter collects (its textfile collector)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from colorizer.basis.atomic import write_text
from pipeline.values.metrics import BOUNDS, COUNTER, GAUGE, Metric

EVERY = 5.0
"""Seconds between two writings."""


class Exposition:
    """A place for metrics: the file is replaced as a whole, a moment's numbers together.

    labels: of every number, telling this collection from others. note: told once if the file cannot be written; no
    night ends for that.
    """

    def __init__(self, path: Path, labels: Mapping[str, str], note: Callable[[str], None]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, of when this run began
        self.path, self.labels, self.note = path, dict(labels), note
        self._registry = CollectorRegistry()
        self._made: dict[Metric, Gauge | Counter | Histogram] = {}
        self._written, self._failed = 0.0, False

    def keep(self, metric: Metric, value: float, *labels: str) -> None:
        """Take a value."""
        if metric not in self._made:
            self._made[metric] = self._make(metric)
        made, names = self._made[metric], (*self.labels.values(), *labels)
        one = made.labels(*names) if names else made
        if isinstance(one, Gauge):
            one.set(value)
        elif isinstance(one, Counter):
            one.inc(value)
        else:
            one.observe(value)

    def _make(self, metric: Metric) -> Gauge | Counter | Histogram:
        name, help, labels = metric.name, metric.help, (*self.labels, *metric.labels)
        if metric.kind == GAUGE:
            return Gauge(name, help, labels, registry=self._registry)
        if metric.kind == COUNTER:
            return Counter(name, help, labels, registry=self._registry)
        return Histogram(name, help, labels, buckets=BOUNDS, registry=self._registry)

    def show(self, last: bool) -> None:
        """Write the file, if it is time or the last one."""
        if not last and self._written and time.monotonic() - self._written < EVERY:
            return
        self._written = time.monotonic()
        try:
            write_text(self.path, self.text(), lasting=False)
        except OSError as error:
            if not self._failed:
                self.note(f"{self.path}: cannot be written: {error.strerror or error}; the run goes on without metrics")
            self._failed = True

    def text(self) -> str:
        """What is in the file."""
        return generate_latest(self._registry).decode()
