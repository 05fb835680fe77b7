"""What an expression measures, read strictly: a share of requests, a quantile, or a constant.

Called by `branches`. An expression becomes `slope * core + offset`, where the core is what is
counted: how, of which series, over which window. Recording rules of the pack are read through. All
that has no known meaning raises `UnreadableConditionError` with its reason; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from verifier.slo.conditions.series import NO_LABELS, SeriesLabels

if TYPE_CHECKING:
    from verifier.labels import Labels

Matcher: TypeAlias = tuple[str, str, str]
"""Label name, operator, value."""


@dataclass(frozen=True, slots=True)
class EventCount:
    """Events of some series of a counter: `function` is rate or increase, else the bare value.

    `window_s` is None where no range is read.
    """

    metric: str
    matchers: frozenset[Matcher]
    function: str
    window_s: float | None
    is_summed: bool = False

    def in_words(self) -> str:
        """Write the selector."""
        return selector_text(self.metric, self.matchers)


@dataclass(frozen=True, slots=True)
class EventDifference:
    """All events but some: a step on the way to a share."""

    events: EventCount
    left_out: EventCount


@dataclass(frozen=True, slots=True)
class Share:
    """Events divided by events."""

    numerator: EventCount
    denominator: EventCount


@dataclass(frozen=True, slots=True)
class QuantileReading:
    """The quantile of a histogram; `events` are its buckets."""

    quantile: float
    events: EventCount


Core: TypeAlias = EventCount | EventDifference | Share | QuantileReading


@dataclass(frozen=True, slots=True)
class LinearReading:
    """`slope * core + offset` of the series in `series`, a constant without a core.

    `series` is None for a scalar. `when_absent` is the value where the core has none, None for
    none at all.
    """

    slope: float
    offset: float
    core: Core | None
    series: SeriesLabels | None
    when_absent: float | None = None

    @property
    def labels(self) -> SeriesLabels:
        """The labels of its series; a scalar has none."""
        return NO_LABELS if self.series is None else self.series

    def core_at(self, value: float) -> float:
        """Return the core's value when the reading is `value`."""
        return (value - self.offset) / self.slope

    def at_core(self, value: float) -> float:
        """Return the reading when the core is `value`."""
        return self.slope * value + self.offset


def constant(value: float, series: SeriesLabels | None = None) -> LinearReading:
    """Return the reading of a number, or of a series that always has it."""
    return LinearReading(0.0, value, None, series)


def selector_text(metric: str, matchers: frozenset[Matcher]) -> str:
    """Write a selector, its matchers sorted."""
    written = ",".join(f'{name}{sign}"{value}"' for name, sign, value in sorted(matchers))
    return f"{metric}{{{written}}}" if written else metric


def fixed_labels(matchers: frozenset[Matcher]) -> Labels:
    """Return the labels that a selector fixes to a single value."""
    return tuple(sorted((name, value) for name, sign, value in matchers if sign == "=" and value))
