"""Which series a history keeps, how deep, and in which steps: the layout of its columns.

The recorder asks once, before its first scrape. No series is read further back than rules
and panels read it, so nothing older is kept; what only needs the ends of its windows is kept in
coarse steps between them. It holds no sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.scrape_series import SCRAPE_SERIES, UP
from exporter.metrics.catalogue import STEADY_BESIDE_MAPPED, STEADY_COUNTER, catalogue_burst
from exporter.metrics.series import NAME
from exporter.target import OURS, SCRAPE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet
    from exporter.metrics.series import Catalogue
    from exporter.target import Target
    from simulator.snapshot import Snapshot

COARSE_S: Final = 300
"""Step of the far past, where nothing needs every scrape."""
FINE_PAST_S: Final = 25 * 3600
"""At least so far back every scrape is kept: a day, and an hour to spare. Coarse steps in a window
would carry its rate further into a gap than a server does that has every scrape."""

STEADY: Final = (STEADY_COUNTER, STEADY_BESIDE_MAPPED)


@dataclass(frozen=True, slots=True)
class Steps:
    """How the past is kept: every scrape of its last `fine_past_s`, before it each `coarse_s`."""

    fine_past_s: float = FINE_PAST_S
    coarse_s: int = COARSE_S


WITH_GAPS: Final = Steps()
WITHOUT_GAPS: Final = Steps(2 * 3600, 3600)
"""Enough where no scrape is missing and every window is full: then a rate is that of its window's
ends, whose scrapes `Need.fine` has, and what lies between cancels out."""

Interval = tuple[float, float]
"""Start and end in scenario seconds, which are below 0 before the start."""


@dataclass(frozen=True, slots=True)
class Need:
    """How many seconds before the start a metric is read, and where every scrape of it is needed.

    `fine` are intervals; elsewhere coarse steps do. A depth of 0 means that it is never read.
    """

    depth_s: float
    fine: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of the history with one set of columns, from `start_s` on.

    `columns` are indices into `Retention.labels`, ascending; `up` is always among them. `fine`
    (as many) says which have every scrape; the others have coarse steps.
    """

    start_s: float
    columns: NDArray[np.int64]
    fine: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Retention:
    """The series that a history keeps.

    `kept` int64 (n,), their indices in the catalogue; `labels` has in the end those that are
    `reported`, int64, indices into what a `ScrapeReporter` returns.
    The history reaches back `past_s`; its `spans` are in time order and leave no gap. What has not
    every scrape has one each `coarse_s`.
    """

    kept: NDArray[np.int64]
    reported: NDArray[np.int64]
    labels: tuple[LabelSet, ...]
    past_s: float
    spans: tuple[Span, ...]
    coarse_s: int


def plan_retention(  # noqa: PLR0913 - what there is, what of it is kept, and since when
    catalogue: Catalogue[Snapshot],
    need_of: Callable[[str], Need],
    past_s: float | None,
    eventful: Iterable[Interval] = (),
    *,
    target: Target = OURS,
    further: int = 0,
    steps: Steps = WITH_GAPS,
) -> Retention:
    """Keep each series as deep as `need_of(metric name)` says, or `past_s` where that is less.

    A series of depth 0 is never read and not kept at all, except for `up` and the counter that
    shows every restart: a fault must not seem to have failed because no rule looks. `eventful` are
    intervals in which series may end or begin anew, so that every scrape of all of them is kept.
    `target` completes the labels; `further` is how many series bursts add at most. `steps` say
    what is kept of the past.
    """
    reports = (*(((NAME, name),) for name in SCRAPE_SERIES), *catalogue_burst(further).series)
    reported_names = [dict(labels)[NAME] for labels in reports]
    names = [dict(labels)[NAME] for labels in catalogue.series]
    needs = {name: need_of(name) for name in {*names, *reported_names}}
    kept = np.flatnonzero([needs[name].depth_s > 0 or name in STEADY for name in names])
    own = [i for i, name in enumerate(reported_names) if name == UP or needs[name].depth_s > 0]
    columns = [*(names[index] for index in kept), *(reported_names[i] for i in own)]
    labels = [target.complete(catalogue.series[index]) for index in kept]
    labels += [target.complete(reports[i]) for i in own]
    depths_s = {name: _kept_s(needs[name].depth_s, past_s) for name in set(columns)}
    # On the coarse grid, or the first coarse step would be a short one.
    whole_s = float(np.ceil(max(depths_s.values()) / COARSE_S) * COARSE_S)
    depths_s[UP] = whole_s  # no span is empty
    fine = {
        name: _joined([(-steps.fine_past_s, np.inf), *eventful, *needs[name].fine])
        for name in set(columns)
    }
    return Retention(
        kept,
        np.array(own, np.int64),
        tuple(labels),
        whole_s,
        _cut_spans(columns, depths_s, fine),
        steps.coarse_s,
    )


def _kept_s(depth_s: float, past_s: float | None) -> float:
    """Return how deep a series is kept: a step more, for a window may begin between two."""
    step_s = COARSE_S if depth_s > FINE_PAST_S else SCRAPE_S
    kept_s = float(np.ceil(depth_s / step_s + 1) * step_s)
    return kept_s if past_s is None else min(kept_s, past_s)


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the intervals on the coarse grid, in order, those that touch as one."""
    joined: list[Interval] = []
    for start_s, end_s in sorted(intervals):
        first_s = float(np.floor(start_s / COARSE_S) * COARSE_S)
        last_s = float(np.ceil(end_s / COARSE_S) * COARSE_S)
        if joined and first_s <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last_s)
        else:
            joined.append((first_s, last_s))
    return joined


def _cut_spans(
    names: list[str], depths_s: dict[str, float], fine: dict[str, list[Interval]]
) -> tuple[Span, ...]:
    """Cut the past where a series begins to be kept, and where its steps change."""
    whole_s = max(depths_s.values())
    edges_s = {0.0, *(-depth_s for depth_s in depths_s.values())}
    edges_s |= {edge for intervals in fine.values() for interval in intervals for edge in interval}
    spans: list[Span] = []
    for edge_s in sorted(edge_s for edge_s in edges_s if -whole_s <= edge_s <= 0):
        state = {
            name: any(start_s <= edge_s < end_s for start_s, end_s in fine[name])
            for name, depth_s in depths_s.items()
            if -depth_s <= edge_s
        }
        columns = np.flatnonzero([name in state for name in names])
        dense = np.array([state[names[column]] for column in columns], np.bool_)
        last = spans[-1] if spans else None
        if last and np.array_equal(last.columns, columns) and np.array_equal(last.fine, dense):
            continue
        spans.append(Span(edge_s, columns, dense))
    assert all(a.start_s < b.start_s for a, b in pairwise(spans))  # noqa: S101 - an invariant
    return tuple(spans)
