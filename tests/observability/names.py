"""What PromQL of the pack reads, compared with what the exporter writes."""

from __future__ import annotations

import promql_parser

from exporter.metrics.catalogue import CONTRACT, STATE
from verifier.promql.walker import nodes_of

EXPORTED = frozenset(metric.name for metric in (*CONTRACT, *STATE)) | {
    f"{metric.name}_{part}" for metric in CONTRACT for part in ("bucket", "sum", "count")
}


def metrics_of(expr):
    """Return the names of the metrics that an expression reads."""
    selectors = nodes_of(promql_parser.parse(expr), promql_parser.VectorSelector)
    return {selector.name for selector in selectors}


def canonical(expr):
    """Return the expression as the parser writes it, so that layout does not count."""
    return str(promql_parser.parse(expr))
