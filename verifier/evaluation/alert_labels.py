"""The labels of an alert: those of its series, with the rule's own in their place.

Called for every sample of an alerting rule's answers. A rule's label may be a template, whose text
changes with the series and its value. The two plainest actions are filled in here; any other is
expanded by a throwaway engine, for all samples of a rule at once where they are known beforehand.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from verifier.evaluation.label_templates import TemplateRequest, expand_templates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule

    Sample: TypeAlias = tuple[Mapping[str, str], float]
    Vector: TypeAlias = list[Sample]
    """An instant vector: labels and value of each of its series."""

_PLAIN: Final = re.compile(
    r"\{\{[ \t]*(?:(?:\$labels|\.Labels)\.(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)|\$value|\.Value)"
    r"[ \t]*\}\}"
)
KNOWN_MAX: Final = 20_000
"""Alerts that are remembered from one part of a stream to the next."""
_VALUES: Final = ("$value", ".Value")


class AlertLabels:
    """Expands the labels of one rule's alerts, and remembers what templates expanded to."""

    def __init__(self, rule: AlertRule) -> None:
        """Know nothing yet."""
        self._rule = rule
        self._plain = all(is_plain(text) for _, text in rule.labels)
        self._by_value = not self._plain or any(
            name in text for _, text in rule.labels for name in _VALUES
        )
        self._known: dict[tuple[Labels, str], Labels] = {}

    def forget(self) -> None:
        """Forget what templates expanded to, once that is much: a stream may never end."""
        if len(self._known) > KNOWN_MAX:
            self._known.clear()

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Expand the labels of many samples at once."""
        unknown = {self._key(sample): sample for sample in samples}
        for key in self._known:
            unknown.pop(key, None)
        for key, (series, own) in zip(unknown, self._expanded(unknown.values()), strict=True):
            self._known[key] = _alert_labels(series, own)

    def expand(self, vector: Vector) -> list[Labels]:
        """Return the labels of the alert of each sample, sorted, without name and alertname."""
        self.prepare(vector)
        return [self._known[self._key(sample)] for sample in vector]

    def _key(self, sample: Sample) -> tuple[Labels, str]:
        series, value = sample
        return tuple(sorted(series.items())), go_float(value) if self._by_value else ""

    def _expanded(self, samples: Collection[Sample]) -> list[tuple[Mapping[str, str], Labels]]:
        """Return the labels of each sample's series, and what the rule's own become for it."""
        rule = self._rule
        if self._plain:
            return [
                (series, tuple((name, _filled(text, series, value)) for name, text in rule.labels))
                for series, value in samples
            ]
        requests = [
            TemplateRequest(rule.alert, rule.labels, tuple(sorted(series.items())), value)
            for series, value in samples
        ]
        expanded = expand_templates(requests)
        return [(series, own) for (series, _), own in zip(samples, expanded, strict=True)]


def is_plain(template: str) -> bool:
    """Return whether a label's text is filled in here, and needs no template language."""
    return "{{" not in _PLAIN.sub("", template)


def _alert_labels(series: Mapping[str, str], own: Labels) -> Labels:
    """Return the alert's labels: the series' own without name, overridden by the rule's."""
    labels = {name: text for name, text in series.items() if name != "__name__"} | dict(own)
    labels.pop("alertname", None)
    return tuple(sorted((name, text) for name, text in labels.items() if text))


def _filled(template: str, series: Mapping[str, str], value: float) -> str:
    """Return a plain template filled in."""
    return _PLAIN.sub(
        lambda match: series.get(match["label"], "") if match["label"] else go_float(value),
        template,
    )


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
