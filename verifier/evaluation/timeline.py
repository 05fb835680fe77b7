"""Prometheus's alert state machine over range results: when each alert was pending and firing.

Called by the engine for every alerting rule, with the answer to the rule's expression on its
group's own grid of evaluations. The states follow `AlertingRule.Eval` of Prometheus 2.42
(rules/alerting.go); the crosscheck compares them with promtool's. Pure: it asks no server.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule
    from verifier.servers.prometheus import Series

State: TypeAlias = Literal["pending", "firing"]

_TOLERANCE_S: Final = 1e-6
"""Times are sums of intervals in float64: equal ones may differ in their last digits."""
_ACTION: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_LABEL: Final = re.compile(r"(?:\$labels|\.Labels)\.([a-zA-Z_][a-zA-Z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments a group is evaluated: start_s, start_s + interval_s, ... up to end_s."""

    start_s: float
    end_s: float
    interval_s: float

    @property
    def count(self) -> int:
        """Number of evaluations."""
        if self.end_s < self.start_s - _TOLERANCE_S:
            return 0  # a group that is evaluated for the first time after all is over
        return int((self.end_s - self.start_s) / self.interval_s + _TOLERANCE_S) + 1

    @property
    def times_s(self) -> NDArray[np.float64]:
        """All moments, float64 (count,)."""
        return self.start_s + self.interval_s * np.arange(self.count, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Episode:
    """A period in which an alert is active: from its first evaluation in the answer to its end.

    `firing_s` is None when it never fired, `resolved_s` when it was still active at the end.
    """

    pending_s: float
    firing_s: float | None
    resolved_s: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """All episodes of one alert with one set of labels (sorted, without alertname)."""

    alert: str
    labels: Labels
    episodes: tuple[Episode, ...]

    def states(self, times_s: Iterable[float]) -> Iterator[tuple[float, State]]:
        """Yield time and state for those of `times_s` at which the alert is active."""
        for time_s in times_s:
            for episode in self.episodes:
                resolved_s = math.inf if episode.resolved_s is None else episode.resolved_s
                firing_s = math.inf if episode.firing_s is None else episode.firing_s
                if episode.pending_s <= time_s < resolved_s:
                    yield time_s, "firing" if time_s >= firing_s else "pending"


def timelines(
    rule: AlertRule, answer: Sequence[Series], grid: Grid, *, epoch_s: float = 0.0
) -> list[Timeline]:
    """Return the timelines of `rule` from the answer to its expression on `grid`.

    `epoch_s` is the Unix time of the grid's second 0. Raises InputError, at the rule's
    position, for label templates beyond `{{ $labels.x }}` and `{{ $value }}`, and for two series
    that end up with the same labels at the same moment (Prometheus then fails the evaluation).
    """
    active: dict[Labels, NDArray[np.bool_]] = {}
    by_value = any("$value" in value or ".Value" in value for _, value in rule.labels)
    for series in answer:
        steps = np.rint((series.times_s - epoch_s - grid.start_s) / grid.interval_s).astype(
            np.int64
        )
        if by_value:
            parts = [(steps[i : i + 1], float(v)) for i, v in enumerate(series.values)]
        else:
            parts = [(steps, math.nan)]
        for part, value in parts:
            labels = _alert_labels(rule, series.labels, value)
            row = active.setdefault(labels, np.zeros(grid.count, dtype=np.bool_))
            if row[part].any():
                raise rule.position.error(
                    f"alert {rule.alert} must give each series its own labels, got"
                    f" {dict(labels)} twice at one moment"
                )
            row[part] = True
    return [
        Timeline(rule.alert, labels, tuple(episodes(row, grid, rule.for_s, rule.keep_firing_for_s)))
        for labels, row in active.items()
    ]


def episodes(
    active: NDArray[np.bool_], grid: Grid, for_s: float, keep_firing_for_s: float
) -> Iterator[Episode]:
    """Yield the episodes of one alert; `active` (grid.count,): whether it is in the answer."""
    pending_s: float | None = None
    firing_s: float | None = None
    absent_s: float | None = None
    for time_s, present in zip(grid.times_s.tolist(), active.tolist(), strict=True):
        if present:
            absent_s = None
            if pending_s is None:
                pending_s = time_s
            if firing_s is None and time_s - pending_s >= for_s - _TOLERANCE_S:
                firing_s = time_s
        elif pending_s is not None:
            if absent_s is None:
                absent_s = time_s
            if firing_s is not None and time_s - absent_s < keep_firing_for_s - _TOLERANCE_S:
                continue
            yield Episode(pending_s, firing_s, time_s)
            pending_s = firing_s = absent_s = None
    if pending_s is not None:
        yield Episode(pending_s, firing_s, None)


def _alert_labels(rule: AlertRule, series: Mapping[str, str], value: float) -> Labels:
    """Return the alert's labels: the series' own without name, overridden by the rule's."""
    labels = {name: text for name, text in series.items() if name != "__name__"}
    for name, template in rule.labels:
        labels[name] = _expand(rule, template, series, value)
    labels.pop("alertname", None)
    return tuple(sorted((name, text) for name, text in labels.items() if text))


def _expand(rule: AlertRule, template: str, series: Mapping[str, str], value: float) -> str:
    """Return a label template filled in, for the simple forms that have a single meaning."""

    def fill(match: re.Match[str]) -> str:
        action = match.group(1)
        label = _LABEL.fullmatch(action)
        if label is not None:
            return series.get(label.group(1), "")
        if action in ("$value", ".Value"):
            return go_float(value)
        raise rule.position.error(
            f"label template {template!r} of alert {rule.alert} cannot be judged: only"
            " {{ $labels.name }} and {{ $value }} can"
        )

    return _ACTION.sub(fill, template)


def go_float(value: float) -> str:
    """Write a float as Go's %v does: shortest digits, an exponent below 1e-4 and from 1e6."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    exponent = Decimal(repr(value)).adjusted()
    if -4 <= exponent < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    mantissa = str(digits[0]) + ("." if len(digits) > 1 else "") + "".join(map(str, digits[1:]))
    return f"{'-' if sign else ''}{mantissa}e{exponent:+03d}"
