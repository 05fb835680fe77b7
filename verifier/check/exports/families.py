"""What is exported, as a value: the series by their names, their types, what is declared only.

Made of our own catalogue or of /metrics pages, asked by every check. A family that is declared
without a sample is *legitimately empty*: nobody can say which labels its series will have.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from exporter.target import CELL
from verifier.promql.reads import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.labels import Labels

TARGET_LABELS: Final = frozenset({"job", "instance"})
"""What Prometheus gives to every scraped series; their values are its configuration's to say."""
ANY: Final = "*"
"""Stands for the value of a label that the server gives."""
OWN_SERIES: Final = (
    "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added",
    "scrape_samples_post_metric_relabeling", "scrape_timeout_seconds", "scrape_sample_limit",
    "scrape_body_size_bytes",
)  # fmt: skip
"""What Prometheus stores of every target by itself, with the labels of the target alone."""
ALERT_SERIES: Final = ("ALERTS", "ALERTS_FOR_STATE")
COUNTING: Final = ("counter", "histogram", "summary")
"""Types of families whose series only grow, but for a summary's quantiles."""


@dataclass(frozen=True)
class Exports:
    """All that is exported, by the names of the samples (`x_bucket`, never the family `x`).

    `source` is what people call it. `kinds` has the type of each sample's family; of a name that
    is not there the type is not known. `declared` are names that have a type and no series.
    `is_closed`: the lists of label values are complete, so that no other will ever appear, but for
    those of the `open_labels`. `target_labels` are what the server adds. `may_have_cells`: it is a
    system that may have several cells, each of which is then a target with a label of its own.
    """

    source: str
    series: Mapping[str, Sequence[Labels]]
    kinds: Mapping[str, str]
    declared: frozenset[str] = frozenset()
    is_closed: bool = False
    open_labels: frozenset[str] = frozenset()
    target_labels: frozenset[str] = TARGET_LABELS
    may_have_cells: bool = False
    _values: dict[tuple[str, str], frozenset[str]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def shared(self) -> Labels:
        """Stand-ins for the labels of the target, which all of its series have in common."""
        return tuple((name, ANY) for name in sorted(self.target_labels))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that a selector may ask for, in order."""
        return tuple(sorted({*self.series, *self.declared, *OWN_SERIES, *ALERT_SERIES}))

    def knows(self, metric: str) -> bool:
        """Whether somebody exports a metric of this name, be it without a series so far."""
        return metric in self.series or metric in self.declared or self.is_own(metric)

    def is_own(self, metric: str) -> bool:
        """Whether the server itself stores a metric of this name."""
        return metric in OWN_SERIES or metric in ALERT_SERIES

    def kind(self, metric: str) -> str:
        """Return the type of a name, `unknown` where nobody says."""
        return self.kinds.get(metric, "gauge" if self.is_own(metric) else "unknown")

    def counts(self, metric: str) -> bool:
        """Whether the series of a name only ever grow."""
        kind = self.kind(metric)
        if kind == "summary":
            return metric.endswith(("_count", "_sum"))
        return kind in COUNTING

    def values(self, metric: str, label: str) -> frozenset[str] | None:
        """Return the values of a label, empty when no series has it; None when nobody can know."""
        if label in self.target_labels or metric not in self.series:
            return None
        key = metric, label
        if key not in self._values:
            self._values[key] = self._values_of(metric, label)
        return self._values[key]

    def _values_of(self, metric: str, label: str) -> frozenset[str]:
        sets = self.series[metric]
        return frozenset(value for labels in sets for name, value in labels if name == label)

    def labels(self, metric: str) -> frozenset[str]:
        """Return the names of the labels that series of a metric have, without the target's."""
        return frozenset(name for labels in self.series.get(metric, ()) for name, _ in labels)


def in_cells(exports: Exports) -> Exports:
    """Return what the same system exports when it has several cells."""
    return replace(exports, target_labels=exports.target_labels | {CELL}, may_have_cells=False)


def sample_names(family: str, kind: str) -> tuple[str, ...]:
    """Return the names of the samples that a family of this type will have."""
    match kind:
        case "histogram" | "gaugehistogram":
            return (f"{family}_bucket", f"{family}_count", f"{family}_sum")
        case "summary":
            return (family, f"{family}_count", f"{family}_sum")
        case "counter" if not family.endswith("_total"):
            return (family, f"{family}_total")
        case "info" if not family.endswith("_info"):
            return (family, f"{family}_info")
    return (family,)


def joined(parts: Sequence[Exports]) -> Exports:
    """Return what several targets export together, at least one; a type in dispute is unknown."""
    if len(parts) == 1:
        return parts[0]
    series: dict[str, list[Labels]] = {}
    kinds: dict[str, str] = {}
    for part in parts:
        for name, sets in part.series.items():
            series.setdefault(name, []).extend(sets)
        for name, kind in part.kinds.items():
            kinds[name] = kind if kinds.get(name, kind) == kind else "unknown"
    declared = frozenset().union(*(part.declared for part in parts)) - set(series)
    source = ", ".join(part.source for part in parts)
    return Exports(source, series, kinds, declared, target_labels=parts[0].target_labels)


def without_name(labels: Labels) -> Labels:
    """Return the labels of a series without its name."""
    return tuple(pair for pair in labels if pair[0] != NAME)
