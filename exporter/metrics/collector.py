"""Turns the catalogue's vector into prometheus_client's metric families, ready to render.

The exposition calls it for every page. It holds no registry and no state; names, types and help
texts are the catalogue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Metric
from prometheus_client.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from exporter.metrics.series import Catalogue, Source, Values

SUFFIXES: Final = {"counter": "_total", "info": "_info"}


def collect(
    catalogue: Catalogue[Source], values: Values, present: NDArray[np.bool_] | None = None
) -> Iterator[Metric]:
    """Yield one family per metric; `values` is a vector in the order of `catalogue.series`.

    A family has only its series in `present`, by default all; a family without any is left out.

    OpenMetrics names a family without the suffix that its type adds. Only counters and infos
    have one, so a gauge may be called `_total` and a counter of unknown type may lack it.
    """
    numbers = values.tolist()
    keep = [True] * len(numbers) if present is None else present.tolist()
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
            for name, labels, number, kept in zip(
                group.names,
                group.label_sets,
                numbers[group.start : group.stop],
                keep[group.start : group.stop],
                strict=True,
            )
            if kept
        ]
        if family.samples:
            yield family
