"""Prometheus's alert state machine, one evaluation after another: pending, firing, resolved.

Called by the engine for every alerting rule, whether its answers come from one range query or from
instant queries in turn. The states follow `AlertingRule.Eval` of Prometheus 2.42
(rules/alerting.go); the crosscheck compares them with promtool's. Pure: it asks no server. Times
are whole milliseconds of the scenario, so that sums of intervals stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.evaluation.timeline import Episode, Timeline
from verifier.pack.history_depth import ALERT_STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exporter.history.samples import LabelSet
    from verifier.evaluation.timeline import State
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule


class EvaluationError(ValueError):
    """One evaluation of a rule failed as it would have in Prometheus, which goes on all the same.

    The message is the engine's, or says the same.
    """


@dataclass(slots=True)
class _Active:
    """An alert that is pending or firing; `absent_ms` since when it is only kept firing."""

    pending_ms: int
    firing_ms: int | None = None
    absent_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is active at an evaluation: what the machine must know to go on from there.

    Milliseconds of the scenario; `absent_ms` is since when it is only kept firing.
    """

    labels: Labels
    pending_ms: int
    firing_ms: int | None
    absent_ms: int | None


class AlertStates:
    """All alerts of one rule, from evaluation to evaluation, and the episodes that they had."""

    def __init__(self, rule: AlertRule, *, limit: int = 0) -> None:
        """Start with no alert; above `limit` alerts, if it is not 0, an evaluation fails."""
        self.rule, self.limit = rule, limit
        self._for_ms = round(rule.for_s * 1000)
        self._keep_ms = round(rule.keep_firing_for_s * 1000)
        self._active: dict[Labels, _Active] = {}
        self._episodes: dict[Labels, list[Episode]] = {}

    @property
    def active(self) -> bool:
        """Whether any alert is pending or firing."""
        return bool(self._active)

    @property
    def state(self) -> State | None:
        """The state of the rule: firing if any alert is, else pending if any is."""
        if any(alert.firing_ms is not None for alert in self._active.values()):
            return "firing"
        return "pending" if self._active else None

    def open_alerts(self) -> tuple[OpenAlert, ...]:
        """Return what is active, to go on from it elsewhere by `resume`."""
        return tuple(
            OpenAlert(labels, alert.pending_ms, alert.firing_ms, alert.absent_ms)
            for labels, alert in self._active.items()
        )

    def resume(self, alerts: Iterable[OpenAlert]) -> None:
        """Begin with these alerts active, as `open_alerts` of another machine gave them."""
        for each in alerts:
            self._active[each.labels] = _Active(each.pending_ms, each.firing_ms, each.absent_ms)

    def take_ended(self) -> dict[Labels, list[Episode]]:
        """Return the episodes that ended since the last call, and forget them."""
        ended, self._episodes = self._episodes, {}
        return ended

    def evaluate(self, at_ms: int, alerts: Sequence[Labels]) -> None:
        """Go on to the evaluation at `at_ms`, whose answer gives these alerts.

        Raises EvaluationError when two of them are the same, or when they are too many: their
        states are then lost, as in Prometheus.
        """
        present = set(alerts)
        if len(present) < len(alerts):
            raise EvaluationError(
                "vector contains metrics with the same labelset after applying alert labels"
            )
        for labels in alerts:
            alert = self._active.setdefault(labels, _Active(at_ms))
            alert.absent_ms = None
            if alert.firing_ms is None and at_ms - alert.pending_ms >= self._for_ms:
                alert.firing_ms = at_ms
        for labels in [labels for labels in self._active if labels not in present]:
            alert = self._active[labels]
            if alert.absent_ms is None:
                alert.absent_ms = at_ms
            if alert.firing_ms is None or at_ms - alert.absent_ms >= self._keep_ms:
                self._end(labels, at_ms)
        if 0 < self.limit < len(self._active):
            count = len(self._active)
            for labels in list(self._active):
                self._end(labels, at_ms)
            raise EvaluationError(f"exceeded limit of {self.limit} with {count} alerts")

    def samples(self, *, epoch_ms: int) -> list[tuple[LabelSet, float]]:
        """Return what Prometheus stores at this evaluation: `ALERTS` and `ALERTS_FOR_STATE`.

        `epoch_ms` is the Unix time of the scenario's start.
        """
        states, since = ALERT_STATES
        stored: list[tuple[LabelSet, float]] = []
        for labels, alert in self._active.items():
            # A label whose template expands to nothing is stored as its template: Prometheus
            # begins with the rule's own labels, and the alert has none to replace it.
            named = dict(self.rule.labels) | dict(labels) | {"alertname": self.rule.alert}
            state = "pending" if alert.firing_ms is None else "firing"
            stored.append((_label_set(named | {"alertstate": state}, states), 1.0))
            active_at_s = (epoch_ms + alert.pending_ms) // 1000
            stored.append((_label_set(named, since), float(active_at_s)))
        return stored

    def timelines(self) -> list[Timeline]:
        """Return the timeline of every alert that there was; what is active has no end yet."""
        episodes = {labels: list(ended) for labels, ended in self._episodes.items()}
        for labels, alert in self._active.items():
            episodes.setdefault(labels, []).append(_episode(alert, None))
        return [
            Timeline(self.rule.alert, labels, tuple(of_alert))
            for labels, of_alert in episodes.items()
        ]

    def _end(self, labels: Labels, at_ms: int) -> None:
        alert = self._active.pop(labels)
        if alert.pending_ms == at_ms:
            return  # it came and went within one evaluation, that failed
        self._episodes.setdefault(labels, []).append(_episode(alert, at_ms))


def _episode(alert: _Active, resolved_ms: int | None) -> Episode:
    return Episode(
        alert.pending_ms / 1000,
        None if alert.firing_ms is None else alert.firing_ms / 1000,
        None if resolved_ms is None else resolved_ms / 1000,
    )


def _label_set(labels: dict[str, str], name: str) -> LabelSet:
    named = labels | {"__name__": name}
    return tuple(sorted((label, text) for label, text in named.items() if text))
