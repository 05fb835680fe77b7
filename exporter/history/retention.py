"""Which series a history keeps, how deep, and in which steps: the layout of its columns.

The recorder asks once, before its first scrape. No series is read further back than rules
and panels read it, so nothing older is kept; the far past is kept in coarse steps. It holds no
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.metrics.series import NAME
from exporter.target import INSTANCE, JOB, SCRAPE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet
    from exporter.metrics.series import Catalogue
    from simulator.snapshot import Snapshot

COARSE_S: Final = 300
"""Step of the far past, where no window is so narrow that it needs every scrape."""
FINE_PAST_S: Final = 25 * 3600
"""At least so far back every scrape is kept: a day, and an hour to spare."""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of the history with one set of columns, from `start_s` on, every `step_s`.

    `columns` are indices into `Retention.labels`, ascending; the last is always that of `up`.
    """

    start_s: float
    columns: NDArray[np.int64]
    step_s: int


@dataclass(frozen=True, slots=True)
class Retention:
    """The series that a history keeps.

    `kept` int64 (n,), their indices in the catalogue; `labels` has one more, `up`, at the end.
    The history reaches back `past_s`; its `spans` are in time order and leave no gap.
    """

    kept: NDArray[np.int64]
    labels: tuple[LabelSet, ...]
    past_s: float
    spans: tuple[Span, ...]


def plan_retention(
    catalogue: Catalogue[Snapshot],
    depth_of: Callable[[str], float],
    past_s: float | None,
    fine_s: float,
) -> Retention:
    """Keep each series as deep as `depth_of(metric name)` s, or `past_s` where that is less.

    A series of depth 0 is never read and not kept at all. Steps are coarse where the past is
    older than both `fine_s` and `FINE_PAST_S`.
    """
    asked_s = np.array([depth_of(dict(labels)[NAME]) for labels in catalogue.series])
    kept = np.flatnonzero(asked_s > 0)
    depths_s = np.append(asked_s[kept], depth_of("up"))
    # One step more than the depth: a window may begin between two scrapes.
    step_s = np.where(depths_s > max(fine_s, FINE_PAST_S), COARSE_S, SCRAPE_S)
    depths_s = np.ceil(depths_s / step_s + 1) * step_s
    if past_s is not None:
        depths_s = np.minimum(depths_s, past_s)
    target = (("instance", INSTANCE), ("job", JOB))
    labels = [(*catalogue.series[index], *target) for index in kept]
    labels.append(((NAME, "up"), *target))
    # On the coarse grid, or the first coarse step would be a short one.
    whole_s = float(np.ceil(depths_s.max() / COARSE_S) * COARSE_S)
    return Retention(
        kept,
        tuple(tuple(sorted(pairs)) for pairs in labels),
        whole_s,
        _cut_spans(depths_s, whole_s, max(fine_s, FINE_PAST_S)),
    )


def _cut_spans(depths_s: NDArray[np.float64], past_s: float, fine_s: float) -> tuple[Span, ...]:
    """Cut the past where a series begins to be kept, and where the fine steps begin.

    The last column, `up`, is in every span, so that no span is empty.
    """
    up = len(depths_s) - 1
    fine_s = float(np.ceil(fine_s / COARSE_S) * COARSE_S)
    edges_s = {past_s, min(fine_s, past_s), *depths_s.tolist()}
    spans = []
    for edge_s in sorted((edge_s for edge_s in edges_s if edge_s > 0), reverse=True):
        deep = np.flatnonzero(depths_s >= edge_s)
        columns = np.append(deep[deep != up], up).astype(np.int64)
        spans.append(Span(-edge_s, columns, COARSE_S if edge_s > fine_s else SCRAPE_S))
    everything = np.arange(len(depths_s), dtype=np.int64)
    spans.append(Span(0.0, everything, SCRAPE_S))
    assert all(a.start_s < b.start_s for a, b in pairwise(spans))  # noqa: S101 - an invariant
    return tuple(spans)
