"""Panels that draw what alerts watch, and whether they change colour where the alert fires.

Called by the SLO check. Thresholds are read from panels of any age of Grafana; quantities are
compared by `slo_condition`, in the panel's own unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.promql.conditions import (
    close,
    conditions_of,
    number_text,
    quantity_of,
    same_up_to_unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.pack.dashboards import Panel
    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.promql.conditions import Condition, Quantity


@dataclass(frozen=True, slots=True)
class AlertPanels:
    """An alert of one condition, and the panels that draw its quantity.

    `panels` holds (panel, the alert's threshold in the panel's unit, the panel's own thresholds).
    """

    rule: AlertRule
    threshold: float
    panels: tuple[tuple[Panel, float, tuple[float, ...]], ...]


def draw(rules: RuleFiles, panels: Sequence[Panel]) -> list[AlertPanels]:
    """Return every alert of a single condition with the panels that draw the same quantity."""
    found = []
    for _, rule in rules.alerts:
        conditions = conditions_of(rule.expr)
        if len(conditions) != 1:
            continue
        [condition] = conditions
        matches = tuple(
            (panel, quantity.of_core(condition.core_threshold), thresholds(panel.raw))
            for panel in panels
            if (quantity := _drawn(panel, condition)) is not None
        )
        found.append(AlertPanels(rule, condition.threshold, matches))
    return found


def panel_differences(drawn: Sequence[AlertPanels]) -> list[str]:
    """Return a line for every panel whose thresholds leave out that of an alert it draws."""
    return [
        str(
            panel.position.error(
                f"panel {panel.title!r} of {panel.dashboard!r} has the"
                f" threshold{'s' if len(own) > 1 else ''} {', '.join(map(number_text, own))}, but"
                f" {one.rule.alert} fires at {number_text(asked)}"
            )
        )
        for one in drawn
        for panel, asked, own in one.panels
        if own and not any(close(value, asked) for value in own)
    ]


def thresholds(raw: Any) -> tuple[float, ...]:
    """Return the values at which a panel changes colour, of any age of Grafana.

    `steps` (their first is the base, whatever its value), a list of values, `"50,100"`, and the
    conditions of an alert embedded in a panel. Percentages of a range are left out.
    """
    return tuple(sorted(set(_thresholds(raw))))


def _thresholds(raw: Any) -> Iterator[float]:
    defaults = _get(_get(raw, "fieldConfig"), "defaults")
    for holder in (raw, defaults):
        given = _get(holder, "thresholds")
        if isinstance(given, str):
            yield from _numbers(given.split(","))
        elif isinstance(given, list):
            yield from _numbers([_get(one, "value") for one in given])
        elif _get(given, "mode") != "percentage" and isinstance(_get(given, "steps"), list):
            yield from _numbers([_get(one, "value") for one in given["steps"][1:]])
    conditions = _get(_get(raw, "alert"), "conditions")
    for one in conditions if isinstance(conditions, list) else []:
        parameters = _get(_get(one, "evaluator"), "params")
        yield from _numbers(parameters if isinstance(parameters, list) else [])


def _numbers(values: Sequence[Any]) -> Iterator[float]:
    for value in values:
        try:
            yield float(value)
        except (TypeError, ValueError):
            continue


def _get(holder: Any, key: str) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None


def _drawn(panel: Panel, condition: Condition) -> Quantity | None:
    """Return how `panel` draws the quantity of `condition`, None when it does not."""
    quantities = (quantity_of(query.expr) for query in panel.queries)
    same = (one for one in quantities if same_up_to_unit(one, condition.quantity))
    return next(same, None)
