"""What PromQL of the pack reads, compared with what the exporter writes."""

from __future__ import annotations

import promql_parser

from exporter.metrics.catalogue import CONTRACT, STATE

EXPORTED = frozenset(metric.name for metric in (*CONTRACT, *STATE)) | {
    f"{metric.name}_{part}" for metric in CONTRACT for part in ("bucket", "sum", "count")
}


def metrics_of(expr):
    """Return the names of the metrics that an expression reads."""
    names = set()

    def visit(node):
        if isinstance(node, promql_parser.VectorSelector):
            names.add(node.name)

    promql_parser.walk(promql_parser.parse(expr), visit)
    return names


def canonical(expr):
    """Return the expression as the parser writes it, so that layout does not count."""
    return str(promql_parser.parse(expr))
