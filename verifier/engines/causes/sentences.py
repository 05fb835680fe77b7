"""What is said of why an alert differs: one sentence for each reason, and the document's part."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from documents.amounts import amount
from documents.durations import format_duration
from verifier.engines.causes.traits import sentence
from verifier.promql.conditions import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.engines.causes.explaining import AlertExplanation, DifferenceReason


def reason_lines(explanation: AlertExplanation, names: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each reason; `names` are what the engines are called."""
    for reason in explanation.reasons:
        said = _values_text(reason, names)
        if reason.unexplained:
            yield f"{said}NOT EXPLAINED: {reason.unexplained}"
        else:
            yield f"{said}{_causes_text(reason, names)}"


def cause_lines(explanations: Iterable[AlertExplanation], names: Sequence[str]) -> Iterator[str]:
    """Yield how many alerts each cause has a part in, the most first."""
    counts: Counter[str] = Counter()
    for explanation in explanations:
        counts.update(
            {
                f"{names[cause.engine]} {sentence(cause.trait)}"
                for reason in explanation.reasons
                for cause in reason.causes
            }
        )
    for text, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        yield f"{amount(count, 'alerts')}: {text}"


def explanation_document(explanation: AlertExplanation) -> list[dict[str, Any]]:
    """Return the reasons as `engines.schema.json` describes them."""
    return [
        {
            "times": [round(time_s, 3) for time_s in reason.times_s],
            "expr": reason.side.written if reason.side else None,
            "operator": (reason.side.operator or None) if reason.side else None,
            "threshold": reason.side.threshold if reason.side and reason.side.operator else None,
            "values": [_finite(value) for value in reason.values],
            "causes": [
                {
                    "id": cause.trait.value,
                    "engine": cause.engine,
                    "sentence": sentence(cause.trait),
                }
                for cause in reason.causes
            ],
            "unexplained": reason.unexplained or None,
        }
        for reason in explanation.reasons
    ]


def _values_text(reason: DifferenceReason, names: Sequence[str]) -> str:
    if not reason.times_s:
        return ""
    when = f"at {format_duration(round(reason.times_s[0], 3))}"
    if len(reason.times_s) > 1:
        when += f" and {amount(len(reason.times_s) - 1, 'evaluations')} more"
    if reason.side is None:
        return f"{when}: "
    first, second = (
        f"{_value_text(value)} in {name}" for value, name in zip(reason.values, names, strict=True)
    )
    against = ""
    if reason.side.operator:
        against = f", against {reason.side.operator} {number_text(reason.side.threshold)}"
    return f"{when}: {reason.side.written} is {first}, {second}{against}: "


def _causes_text(reason: DifferenceReason, names: Sequence[str]) -> str:
    parts = []
    for cause in reason.causes:
        subject = names[cause.engine]
        parts.append(f"{subject} {sentence(cause.trait)}")
    return "; ".join(parts)


def _value_text(value: float | None) -> str:
    if value is None:
        return "without a value"
    return "not a number" if math.isnan(value) else number_text(float(f"{value:.6g}"))


def _finite(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
