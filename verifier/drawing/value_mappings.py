"""Value mappings of a panel: the text that Grafana writes in place of a value.

Called by `panel_rows` for panels that show their newest values. Mappings of values, of ranges and
special ones are applied, in their order, the first that fits; a colour of one is not. Those by a
regular expression, and those of very old dashboards, are not. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from documents.document import Value

APPLIED: Final = frozenset({"value", "range", "special"})
TEXT_MAX: Final = 200
"""Letters of a text that are shown."""


def is_applied(mappings: Value) -> bool:
    """Whether every mapping of a panel is of a kind that is applied."""
    return all(each.get("type") in APPLIED for each in _objects(mappings))


def mapped_text(mappings: Value, value: float | None) -> str:
    """Return what stands in place of a value as it was answered, None for none; empty: itself."""
    for each in _objects(mappings):
        options = _object(each.get("options"))
        result = {"value": _of_value, "range": _of_range, "special": _of_special}.get(
            str(each.get("type"))
        )
        mapped = None if result is None else result(options, value)
        if mapped is not None:
            text = mapped.get("text")
            return text[:TEXT_MAX] if isinstance(text, str) else ""
    return ""


def _of_value(options: Mapping[str, Value], value: float | None) -> Mapping[str, Value] | None:
    """Return the result of a mapping that names values: `{"0": {"text": "down"}}`."""
    if value is None:
        return None
    for key, result in options.items():
        try:
            fits = float(key) == value
        except ValueError:
            continue
        if fits:
            return _object(result)
    return None


def _of_range(options: Mapping[str, Value], value: float | None) -> Mapping[str, Value] | None:
    """Return the result of a mapping from a number to a number, both included; none is no end."""
    if value is None or math.isnan(value):
        return None
    least, most = options.get("from"), options.get("to")
    above = not isinstance(least, (int, float)) or value >= least
    below = not isinstance(most, (int, float)) or value <= most
    return _object(options.get("result")) if above and below else None


def _of_special(options: Mapping[str, Value], value: float | None) -> Mapping[str, Value] | None:
    """Return the result of a mapping of no value and of what is no number."""
    match = options.get("match")
    is_nan = value is not None and math.isnan(value)
    fits = (value is None and match in ("null", "null+nan")) or (
        is_nan and match in ("nan", "null+nan")
    )
    return _object(options.get("result")) if fits else None


def _object(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}


def _objects(value: Value) -> Sequence[Mapping[str, Value]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
