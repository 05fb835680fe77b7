"""Panels whose unit and query differ by a hundred: a percentage of a percentage, or a ratio as one.

A query says it is in per cent by `100 *`; the unit `percent` shows a value as it is, `percentunit`
multiplies it by 100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.promql.conditions import close, quantity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documents.document import Value
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

HUNDRED = 100.0


def panel_units(expression: CheckedExpression) -> Iterator[CheckFinding]:
    """Yield a panel whose unit multiplies by 100 what the query has multiplied, or by neither."""
    panel = expression.panel
    if panel is None:
        return
    unit = _unit(panel.raw.get("fieldConfig"))
    if unit not in ("percent", "percentunit"):
        return
    quantity = quantity_of(expression.text)
    is_share = "/" in quantity.core or quantity.offset
    times = abs(quantity.slope)
    # 100 * (budget - share) / budget divides once more: then only the value of a whole is known.
    whole = abs(quantity.offset) if quantity.offset else times
    if unit == "percentunit" and (close(times, HUNDRED) or close(whole, HUNDRED)):
        reason = "the query is times 100 already, and the unit percentunit multiplies by 100 again"
        yield expression.finding("panel-unit", reason)
    elif unit == "percent" and is_share and close(times, 1.0) and whole <= 1.0:
        reason = "the query is a share of 1, and the unit percent shows it as a hundredth of it"
        yield expression.finding("panel-unit", reason)


def _unit(config: Value) -> str:
    defaults = config.get("defaults") if isinstance(config, dict) else None
    unit = defaults.get("unit") if isinstance(defaults, dict) else None
    return unit if isinstance(unit, str) else ""
