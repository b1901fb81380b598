"""Metrics at the Prometheus endpoint of this process's Ray node, beside Ray's own: a metric NAME is ray_NAME there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.values.metrics import BOUNDS, COUNTER, GAUGE, Metric


class RayGauges:
    """A place for metrics; needs a connection to a cluster. labels: of every number.

    Ray collects the values by itself, and shows them as long as this process is connected. A node without ray[default]
    has no endpoint, and the values go nowhere.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.labels = dict(labels)
        self._made: dict[Metric, Any] = {}

    def keep(self, metric: Metric, value: float, *labels: str) -> None:
        """Take a value."""
        if metric not in self._made:
            self._made[metric] = self._make(metric)
        tags = {**self.labels, **dict(zip(metric.labels, labels, strict=True))}
        if metric.kind == GAUGE:
            self._made[metric].set(value, tags)
        elif metric.kind == COUNTER:
            if value:  # Ray refuses to add nothing
                self._made[metric].inc(value, tags)
        else:
            self._made[metric].observe(value, tags)

    def show(self, last: bool) -> None:
        """Nothing: Ray shows what it has."""

    def _make(self, metric: Metric) -> Any:
        from ray.util import metrics

        values: dict[str, Any] = {"description": metric.help, "tag_keys": (*self.labels, *metric.labels)}
        if metric.kind == GAUGE:
            return metrics.Gauge(metric.name, **values)
        if metric.kind == COUNTER:
            return metrics.Counter(metric.name, **values)
        return metrics.Histogram(metric.name, boundaries=list(BOUNDS), **values)
