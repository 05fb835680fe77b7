"""Panels that show what alerts watch, and whether they change colour where the alert fires.

Called by the SLO check. Thresholds are read from panels of any age of Grafana; quantities are
compared by `verifier.promql.conditions`, in the panel's own unit.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.promql.conditions import close, conditions_of, quantity_of, same_up_to_unit
from verifier.slo.disagreements import WrongPanelThresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.pack.panels import Panel
    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.promql.conditions import Condition, Quantity


@dataclass(frozen=True, slots=True)
class PanelThresholds:
    """A panel, its thresholds, and where an alert on its quantity fires, in the panel's unit."""

    panel: Panel
    fires_at: float
    thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AlertPanels:
    """An alert with a single condition, and the panels that show its quantity."""

    rule: AlertRule
    threshold: float
    panels: tuple[PanelThresholds, ...]


def panels_of_alerts(rules: RuleFiles, panels: Sequence[Panel]) -> list[AlertPanels]:
    """Return every alert with a single condition and the panels that show the same quantity."""
    alerts = []
    for _, rule in rules.alerts:
        conditions = conditions_of(rule.expr)
        if len(conditions) != 1:
            continue
        [condition] = conditions
        matching = tuple(
            PanelThresholds(
                panel, quantity.at_core(condition.core_threshold), thresholds(panel.raw)
            )
            for panel in panels
            if (quantity := _shown_quantity(panel, condition)) is not None
        )
        alerts.append(AlertPanels(rule, condition.threshold, matching))
    return alerts


def panel_differences(alerts: Sequence[AlertPanels]) -> list[WrongPanelThresholds]:
    """Return every panel with thresholds, none of which is that of an alert on its quantity."""
    return [
        WrongPanelThresholds(
            shown.panel.position,
            shown.panel.title,
            shown.panel.dashboard,
            shown.thresholds,
            alert.rule.alert,
            shown.fires_at,
        )
        for alert in alerts
        for shown in alert.panels
        if shown.thresholds and not any(close(t, shown.fires_at) for t in shown.thresholds)
    ]


def thresholds(raw: object) -> tuple[float, ...]:
    """Return the values at which a panel changes colour, of any age of Grafana.

    `steps` (their first is the base, whatever its value), a list of values, `"50,100"`, and the
    conditions of an alert embedded in a panel. Percentages of a range are left out.
    """
    return tuple(sorted(set(_thresholds(raw))))


def _thresholds(raw: object) -> Iterator[float]:
    defaults = _get(_get(raw, "fieldConfig"), "defaults")
    for holder in (raw, defaults):
        value = _get(holder, "thresholds")
        if isinstance(value, str):
            yield from _numbers(value.split(","))
        elif isinstance(value, list):
            yield from _numbers([_get(threshold, "value") for threshold in value])
        elif _get(value, "mode") != "percentage" and isinstance(
            steps := _get(value, "steps"), list
        ):
            yield from _numbers([_get(step, "value") for step in steps[1:]])
    conditions = _get(_get(raw, "alert"), "conditions")
    for condition in conditions if isinstance(conditions, list) else []:
        parameters = _get(_get(condition, "evaluator"), "params")
        yield from _numbers(parameters if isinstance(parameters, list) else [])


def _numbers(values: Sequence[object]) -> Iterator[float]:
    for value in values:
        if isinstance(value, int | float | str):
            with suppress(ValueError):
                yield float(value)


def _get(holder: object, key: str) -> object:
    return holder.get(key) if isinstance(holder, dict) else None


def _shown_quantity(panel: Panel, condition: Condition) -> Quantity | None:
    """Return how `panel` shows the quantity of `condition`, None when it does not."""
    quantities = (quantity_of(query.expr) for query in panel.queries)
    same = (each for each in quantities if same_up_to_unit(each, condition.quantity))
    return next(same, None)
