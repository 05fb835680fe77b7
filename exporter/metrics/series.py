"""How a metric of the catalogue becomes series: one number each, always in the same order.

The catalogue declares metrics, this module lays them out as a vector; the collector, the recorder
and the view of a restarted exporter all read that vector. It contains no metric name and knows
neither formats nor HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeAlias, TypeVar

import numpy as np
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from simulator.snapshot import DurationHistogram

    Values = NDArray[np.float64]

LabelSet: TypeAlias = tuple[tuple[str, str], ...]
Source = TypeVar("Source")
Kind: TypeAlias = Literal["counter", "gauge", "histogram", "unknown", "info"]

NAME: Final = "__name__"
"""The label in which Prometheus keeps a series' metric name."""


@dataclass(frozen=True, slots=True)
class Label(Generic[Source]):
    """A label and the closed list of its values, known from the first reading."""

    name: str
    values: Callable[[Source], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Generic[Source]):
    """One metric: its full name as a query spells it, and how to read all its series at once.

    `read` returns one number per combination of label values, in the labels' order, or for a
    histogram the numbers of `cumulate` for each. `label_sets` names the combinations where they
    are not all there could be of `labels`. `monotone` metrics never fall but at a restart. A
    `clock` tells the world's time, which no restart of the exporter sets back.
    """

    name: str
    kind: Kind
    help: str
    read: Callable[[Source], ArrayLike]
    labels: tuple[Label[Source], ...] = ()
    label_sets: Callable[[Source], tuple[LabelSet, ...]] | None = None
    unit: str = ""
    bounds_s: tuple[float, ...] = ()
    monotone: bool = False
    clock: bool = False


def cumulate(histogram: DurationHistogram) -> Values:
    """Return cumulative buckets (the last is +Inf), then the count, then the sum in seconds."""
    counts = histogram.counts
    values = np.empty(len(counts) + 2)
    np.cumsum(counts, out=values[:-2])
    values[-2] = values[-3]
    values[-1] = histogram.sum_ns / 1e9
    return values


def bound_texts(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """Return the values of the label `le`, spelt alike in both formats, +Inf last."""
    # As prometheus_client spells them: `le="1.0"` and `le="1"` would be two series.
    texts = (
        floatToGoString(bound)  # type: ignore[no-untyped-call]  # not annotated in the library
        for bound in (*bounds, float("inf"))
    )
    return tuple(str(text) for text in texts)


@dataclass(frozen=True, slots=True)
class MetricLayout(Generic[Source]):
    """A metric's place in the vector: `values[start:stop]`, one label set (no name) per entry."""

    metric: Metric[Source]
    start: int
    stop: int
    names: tuple[str, ...]
    label_sets: tuple[LabelSet, ...]


class Catalogue(Generic[Source]):
    """Metrics laid out over the label values of one source; the layout never changes after.

    `series` holds the label set of each entry, with `__name__`, sorted by label; `kinds` says
    "counter" for all that never falls but at a restart (buckets, counts, sums too), "clock" for
    what grows by itself as time passes, else "gauge".
    """

    __slots__ = ("groups", "kinds", "series")

    def __init__(self, metrics: tuple[Metric[Source], ...], source: Source) -> None:
        """Lay out `metrics` over the label values that `source` has."""
        self.groups = tuple(_lay_out(metrics, source))
        self.series: tuple[LabelSet, ...] = tuple(
            tuple(sorted(((NAME, name), *labels)))
            for group in self.groups
            for name, labels in zip(group.names, group.label_sets, strict=True)
        )
        self.kinds: NDArray[np.str_] = np.array(
            [
                "counter" if group.metric.monotone else "clock" if group.metric.clock else "gauge"
                for group in self.groups
                for _ in group.names
            ]
        )

    def flatten(self, source: Source) -> Values:
        """Return the value of every series in the order of `series`. Shape (series,)."""
        values = np.empty(len(self.series))
        for group in self.groups:
            values[group.start : group.stop] = np.ravel(group.metric.read(source))
        return values


def combinations(metric: Metric[Source], source: Source) -> tuple[LabelSet, ...]:
    """Return the label sets of a metric, in the order in which it is read; of a histogram no le."""
    if metric.label_sets is not None:
        return metric.label_sets(source)
    axes = [[(label.name, value) for value in label.values(source)] for label in metric.labels]
    return tuple(product(*axes))


def _lay_out(metrics: tuple[Metric[Source], ...], source: Source) -> Iterator[MetricLayout[Source]]:
    start = 0
    for metric in metrics:
        label_sets = combinations(metric, source)
        names = (metric.name,) * len(label_sets)
        if metric.kind == "histogram":
            les: tuple[LabelSet, ...] = tuple((("le", b),) for b in bound_texts(metric.bounds_s))
            names = (*(f"{metric.name}_bucket" for _ in les),
                     f"{metric.name}_count", f"{metric.name}_sum") * len(label_sets)  # fmt: skip
            label_sets = tuple((*labels, *le) for labels in label_sets for le in (*les, (), ()))
        yield MetricLayout(metric, start, start + len(names), names, label_sets)
        start += len(names)
