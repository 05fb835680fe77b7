"""The tables of metrics in docs/serve.md, made from the catalogue.

`make docs` writes them, and a test fails when the page differs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from documents.marked_tables import markdown_table
from exporter.metrics.catalogue import CONTRACT, RUN, STATE

if TYPE_CHECKING:
    from documents.marked_tables import Tables
    from exporter.metrics.series import Metric, Source


def metrics_table(metrics: tuple[Metric[Source], ...]) -> str:
    """Return the name, type, labels and help text of each metric."""
    rows = (
        (
            f"`{metric.name}`",
            metric.kind,
            ", ".join(f"`{label.name}`" for label in metric.labels) or "-",
            metric.help,
        )
        for metric in metrics
    )
    return markdown_table(("metric", "type", "labels", "what it says"), rows)


METRIC_TABLES: Final[Tables] = {
    "contract": partial(metrics_table, CONTRACT),
    "state": partial(metrics_table, STATE),
    "run": partial(metrics_table, RUN),
}
