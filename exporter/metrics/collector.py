"""From the catalogue's vector to prometheus_client's families, ready for its pure renderers.

The page calls it. It holds no registry and no state; names, types and helps are the catalogue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Metric
from prometheus_client.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from exporter.metrics.series import Catalogue, Source, Values

SUFFIXES = {"counter": "_total", "info": "_info"}


def collect(
    catalogue: Catalogue[Source], values: Values, shown: NDArray[np.bool_] | None = None
) -> Iterator[Metric]:
    """Yield one family per metric; `values` is a vector in the order of `catalogue.series`.

    Of a family only the series in `shown` are there, by default all; an empty one is left out.

    OpenMetrics names a family without the suffix that its type adds; only counters and infos
    have one, so a gauge may be called `_total` and a rated name may go without.
    """
    numbers = values.tolist()
    there = [True] * len(numbers) if shown is None else shown.tolist()
    for group in catalogue.groups:
        metric = group.metric
        family = Metric(
            metric.name.removesuffix(SUFFIXES.get(metric.kind, "")),
            metric.help,
            metric.kind,
            metric.unit,
        )
        family.samples = [
            Sample(name, dict(labels), number)
            for name, labels, number, keep in zip(
                group.names,
                group.label_sets,
                numbers[group.start : group.stop],
                there[group.start : group.stop],
                strict=True,
            )
            if keep
        ]
        if family.samples:
            yield family
