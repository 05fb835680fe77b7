"""The labels of an alert: those of its series, with the rule's own in their place.

Called for every sample of an alerting rule's answers. A rule's label may be a template, whose text
changes with the series and its value. The two plainest actions are filled in here.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule

    Sample: TypeAlias = tuple[Mapping[str, str], float]
    Vector: TypeAlias = list[Sample]
    """An instant vector: labels and value of each of its series."""

_ACTION: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_LABEL: Final = re.compile(r"(?:\$labels|\.Labels)\.([a-zA-Z_][a-zA-Z0-9_]*)")
_VALUES: Final = ("$value", ".Value")


class AlertLabels:
    """Expands the labels of one rule's alerts, and remembers what templates expanded to."""

    def __init__(self, rule: AlertRule) -> None:
        """Know nothing yet."""
        self._rule = rule
        self._by_value = any(name in text for _, text in rule.labels for name in _VALUES)
        self._known: dict[tuple[Labels, str], Labels] = {}

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Expand the labels of many samples at once."""
        for sample in samples:
            self._of(sample)

    def expand(self, vector: Vector) -> list[Labels]:
        """Return the labels of the alert of each sample, sorted, without name and alertname."""
        return [self._of(sample) for sample in vector]

    def _of(self, sample: Sample) -> Labels:
        series, value = sample
        key = (tuple(sorted(series.items())), go_float(value) if self._by_value else "")
        labels = self._known.get(key)
        if labels is None:
            labels = self._known[key] = _alert_labels(self._rule, series, value)
        return labels


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
        if action in _VALUES:
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
