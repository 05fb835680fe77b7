"""Mappings for tests of what reads them."""

from __future__ import annotations

from exporter.mapping.mapped_metrics import exported_metrics
from exporter.mapping.metric_mapping import MappedLabel, MappedMetric, MetricMapping


def exporting(*metrics):
    """Return the metrics that an exporter shows with a mapping of these."""
    return exported_metrics(MetricMapping(metrics))


IN_MILLISECONDS = MappedMetric(
    name="http_request_duration_seconds",
    kind="histogram",
    source="http_request_duration_seconds",
    factor=1000.0,
    bounds=(10.0, 20_000.0),
)
"""A histogram of our own name in another unit: what is known of ours is wrong of it."""
BY_CODE = MappedMetric(
    name="http_requests_total",
    kind="counter",
    source="http_requests_total",
    labels=(MappedLabel(name="code", source="status"),),
)
"""A counter of our own name with another label."""
OF_TWO_JOBS = MappedMetric(
    name="workers",
    kind="gauge",
    source="agentaskit_tasks_in_flight",
    labels=(MappedLabel(name="job", shares=(("a", 0.5), ("b", 0.5))),),
)
"""A gauge of two targets."""
