"""The metrics that a mapping makes of the world: entries of a catalogue like our own.

Each reads one metric of ours from a snapshot and transforms it: select, add up, split, rebin,
scale. So whatever reads a catalogue reads a mapped one as well: the page, the recorder of history,
the view of a restarted exporter, the faults of the scrape path. Pure.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby, product
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.mapping.quantities import axes_of, quantities
from exporter.mapping.rebinning import Rebinning
from exporter.mapping.splitting import Splitter
from exporter.metrics.catalogue import BESIDE_MAPPED, WORLD
from exporter.metrics.series import Label, Metric, combinations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from exporter.mapping.metric_mapping import MappedMetric, MetricMapping
    from exporter.metrics.series import Kind, LabelSet
    from simulator.snapshot import Snapshot
    from simulator.topology import Topology

    Values = NDArray[np.float64]

TOTAL: Final = "_total"


@lru_cache(maxsize=8)
def exported_metrics(mapping: MetricMapping | None) -> tuple[Metric[Snapshot], ...]:
    """Return the metrics that the exporter shows: with a mapping the user's, else our own.

    Beside the user's there is nothing of ours but what says how the simulator itself does.
    """
    if mapping is None:
        return WORLD
    families = groupby(sorted(mapping.metrics, key=lambda each: each.name), lambda each: each.name)
    return (*(_metric(list(parts)) for _, parts in families), *BESIDE_MAPPED)


def mapped_label_sets(mapped: MappedMetric, topology: Topology) -> tuple[LabelSet, ...]:
    """Return the user's label sets of one entry in a world of `topology`."""
    return _Reader(mapped).label_sets(axes_of(topology))


def _metric(parts: Sequence[MappedMetric]) -> Metric[Snapshot]:
    """Return one family; `parts` are the entries of its name."""
    readers = [_Reader(part) for part in parts]
    first = parts[0]
    kind: Kind = first.kind
    if kind == "counter" and not first.name.endswith(TOTAL):
        # OpenMetrics would add the suffix to a counter's name.
        kind = "unknown"

    names = {label.name for part in parts for label in part.labels}

    def read(snapshot: Snapshot) -> Values:
        return np.concatenate([np.ravel(reader.read(snapshot)) for reader in readers])

    def label_sets(snapshot: Snapshot) -> tuple[LabelSet, ...]:
        return tuple(labels for reader in readers for labels in reader.label_sets(snapshot))

    return Metric(
        name=first.name,
        kind=kind,
        help=first.help or f"Made of {', '.join(dict.fromkeys(part.source for part in parts))}.",
        read=read,
        labels=tuple(Label(name, lambda _: ()) for name in sorted(names)),
        label_sets=label_sets,
        bounds_s=first.bounds,
        monotone=first.kind != "gauge",
    )


class _Reader:
    """Reads the series of one entry of a mapping."""

    def __init__(self, mapped: MappedMetric) -> None:
        quantity = quantities()[mapped.source]
        self._mapped, self._metric, self._part = mapped, quantity.metric, quantity.part
        self._shared = [label for label in mapped.labels if label.shares]
        self._splitters = [Splitter([share for _, share in each.shares]) for each in self._shared]
        self._rebinning = None
        if mapped.kind == "histogram":
            ours = [bound * mapped.factor for bound in self._metric.bounds_s]
            self._rebinning = Rebinning(ours, mapped.bounds)
        self._sums: dict[tuple[LabelSet, ...], tuple[tuple[LabelSet, ...], Values]] = {}

    def label_sets(self, snapshot: Snapshot) -> tuple[LabelSet, ...]:
        """Return the user's label sets, in the order of the values."""
        axes = [[(each.name, value) for value, _ in each.shares] for each in self._shared]
        return tuple(
            (*labels, *shared)
            for labels in self._selected(snapshot)[0]
            for shared in product(*axes)
        )

    def read(self, snapshot: Snapshot) -> Values:
        """Return a number for each label set, of a histogram those of `cumulate`."""
        read = np.asarray(self._metric.read(snapshot))
        if self._metric.kind == "histogram":
            return self._of_histogram(read.astype(np.float64))
        totals = self._selected(snapshot)[1] @ np.ravel(read).astype(np.float64)
        is_whole = np.issubdtype(read.dtype, np.integer)
        return self._split(totals, whole=bool(is_whole)) * self._mapped.factor

    def _of_histogram(self, values: Values) -> Values:
        count, sum_ = values[None, -2], values[None, -1] * self._mapped.factor
        if self._part == "_count":
            return self._split(count, whole=True) * self._mapped.factor
        if self._part == "_sum":
            return self._split(sum_, whole=False)
        assert self._rebinning is not None  # noqa: S101 - the reader of the file refuses all else
        buckets = np.concatenate((self._rebinning.rebin(values[:-3]), count, count))
        counts, sums = self._split(buckets[None, :], whole=True), self._split(sum_, whole=False)
        return np.concatenate((counts.reshape(-1, len(buckets)), sums.reshape(-1, 1)), axis=1)

    def _split(self, totals: Values, *, whole: bool) -> Values:
        """Return `totals` (n, ...) split by each label with shares in turn, as (m, ...)."""
        for splitter in self._splitters:
            parts = splitter.split(totals) if whole else splitter.portion(totals)
            totals = parts.reshape(-1, *totals.shape[1:])
        return totals

    def _selected(self, snapshot: Snapshot) -> tuple[tuple[LabelSet, ...], Values]:
        """Return the label sets before any split, and which of our series each adds up (n, ours).

        It is the same as long as the names of the world's axes are.
        """
        ours = combinations(self._metric, snapshot)
        if ours not in self._sums:
            where = dict(self._mapped.where)
            rows: dict[LabelSet, Values] = {}
            for column, labels in enumerate(ours):
                own = dict(labels)
                if all(own[name] in values for name, values in where.items()):
                    theirs = self._renamed(own)
                    rows.setdefault(theirs, np.zeros(len(ours)))[column] = 1.0
            self._sums[ours] = tuple(rows), np.array(list(rows.values())).reshape(-1, len(ours))
        return self._sums[ours]

    def _renamed(self, own: dict[str, str]) -> LabelSet:
        """Return the user's labels of a series of ours, those with shares left out."""
        return tuple(
            (label.name, dict(label.values).get(own[label.source], own[label.source]))
            if label.source
            else (label.name, label.fixed)
            for label in self._mapped.labels
            if not label.shares
        )
