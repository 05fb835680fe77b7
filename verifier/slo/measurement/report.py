"""A measurement written: lines of text, Markdown, a JSON document, and a sentence for each failure.

Called by the front door. It judges nothing: what is broken comes from `promises`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from documents.amounts import amount
from documents.durations import format_duration
from verifier.slo.compliance import Step, outcome
from verifier.slo.measurement.promises import (
    FiresBelowRate,
    FiresLate,
    FiresWhenHealthy,
    MissesBurn,
    NeverFires,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.slo.measurement.measure import MeasuredBurn, Measurement, Response
    from verifier.slo.measurement.promises import BrokenPromise, FiringBound

    Bounds = Mapping[tuple[str, str], FiringBound]

MEASURED: Final = "burns as measured"
"""The name of the step."""


def measured_step(measurement: Measurement, broken: Sequence[BrokenPromise]) -> Step:
    """Return the step of the check that a measurement is."""
    alerts = {response.alert.alert for burn in measurement.burns for response in burn.responses}
    reason = (
        f"{amount(len(measurement.burns), 'burns')}, {amount(len(alerts), 'alerts')}: each fires in"
        " time, and none below its rate"
    )
    problems = [f"{each.place}: {promise_sentence(each)}" for each in broken]
    return outcome(MEASURED, [*map(str, measurement.not_judged), *problems], reason)


def promise_sentence(broken: BrokenPromise) -> str:
    """Return which promise is broken and by how much, without its place and without a full stop."""
    match broken:
        case NeverFires(_, alert, burns):
            sentence = f"{alert} never fires, in none of {amount(burns, 'burns')}"
        case FiresWhenHealthy(_, alert):
            sentence = f"{alert} fires before anything fails"
        case FiresBelowRate(_, alert, measured, fired_s, rate):
            sentence = (
                f"{alert} fires at {measured:.3g} times the allowed rate, {_after(fired_s)} its"
                f" onset, it must not below {rate:g} times"
            )
        case MissesBurn(_, alert, burn, measured, spent, rate):
            sentence = (
                f"{alert} does not fire in the burn {burn!r}, measured as {measured:.4g} times the"
                f" allowed rate, in which {_percent(spent)} of the budget is spent: it must above"
                f" {rate:g} times"
            )
        case FiresLate(_, alert, burn, fired_s, spent, within_s, promised):
            sentence = (
                f"{alert} fires {_after(fired_s)} the onset of the burn {burn!r}, with"
                f" {_percent(spent)} of the budget spent; by the policy within"
                f" {_duration(within_s)}, with {_percent(promised)}"
            )
        case _:
            assert_never(broken)
    return sentence


def measurement_lines(measurement: Measurement, bounds: Bounds) -> list[str]:
    """Return what every alert did in every burn, as lines of text, beside its bounds."""
    lines = []
    for burn in measurement.burns:
        lines.append(_burn_line(burn))
        fired = sorted(
            (response for response in burn.responses if response.fired_s is not None),
            key=lambda response: response.fired_s or 0.0,
        )
        width = max((len(response.alert.alert) for response in fired), default=0)
        for response in fired:
            text = _response_text(response, bounds.get((burn.burn.name, response.alert.alert)))
            lines.append(f"  {response.alert.alert:<{width}}  {text}")
        silent = [r.alert.alert for r in burn.responses if r.is_evaluated and r.fired_s is None]
        unmoved = [r.alert.alert for r in burn.responses if not r.is_evaluated]
        lines += [f"  silent: {', '.join(silent)}"] if silent else []
        lines += [f"  too short a burn for: {', '.join(unmoved)}"] if unmoved else []
    return lines


def measurement_markdown(measurement: Measurement, bounds: Bounds) -> str:
    """Return a section of the compliance report."""
    lines = [
        "",
        "## Burns as measured",
        "",
        f"Evaluated by Prometheus {measurement.engine}; times count from the onset of the burn.",
        "",
        "| burn | measured rate | alert | fires after | budget spent | until |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for burn in measurement.burns:
        for response in burn.responses:
            bound = bounds.get((burn.burn.name, response.alert.alert))
            cells = (
                burn.burn.name,
                f"{burn.rate:.4g}",
                response.alert.alert,
                *_cells(response, bound),
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def measurement_document(
    measurement: Measurement, broken: Sequence[BrokenPromise], bounds: Bounds
) -> dict[str, Any]:
    """Return the measurement as a part of the JSON document."""
    return {
        "engine": measurement.engine,
        "burns": [
            {
                "burn": burn.burn.name,
                "rate": round(burn.burn.rate, 6),
                "measured_rate": round(burn.rate, 6),
                "lasts_s": round(min(burn.burn.lasts_s, burn.burn.watched_s), 3),
                "watched_s": round(burn.burn.watched_s, 3),
                "budget_spent_share": round(burn.spent_share, 6),
                "alerts": [
                    _response_document(response, bounds.get((burn.burn.name, response.alert.alert)))
                    for response in burn.responses
                ],
            }
            for burn in measurement.burns
        ],
        "broken": [
            {"alert": each.alert, "place": str(each.place), "sentence": promise_sentence(each)}
            for each in broken
        ],
        "not_judged": [str(each) for each in measurement.not_judged],
    }


def _response_document(response: Response, bound: FiringBound | None) -> dict[str, Any]:
    return {
        "alert": response.alert.alert,
        "evaluated": response.is_evaluated,
        "fired_s": _rounded(response.fired_s),
        "resolved_s": _rounded(response.resolved_s),
        "budget_spent_share": _rounded(response.spent_share, 6),
        "fired_before": response.fired_before,
        "fires_within_s": None if bound is None else round(bound.within_s, 3),
        "budget_spent_share_max": None if bound is None else round(bound.spent_share, 6),
    }


def _burn_line(burn: MeasuredBurn) -> str:
    lasts = _duration(min(burn.burn.lasts_s, burn.burn.watched_s))
    name = burn.burn.name if burn.burn.is_outage else f"{burn.burn.name} the allowed rate"
    return (
        f"{name} (measured {burn.rate:.4g}) for {lasts}: {_percent(burn.spent_share)} of the"
        " budget spent"
    )


def _response_text(response: Response, bound: FiringBound | None) -> str:
    fired, spent, until = _cells(response, bound)
    if response.fired_before:
        return f"fires {fired}"
    return f"fires after {fired}, {spent} spent, until {until}"


def _cells(response: Response, bound: FiringBound | None) -> tuple[str, str, str]:
    """Return when an alert fired, the budget spent by then, each of its bound, and until when."""
    if not response.is_evaluated:
        return "not evaluated", "", ""
    if response.fired_before:
        return "before the onset", "", ""
    if response.fired_s is None or response.spent_share is None:
        return "never", "", ""
    until = "the end" if response.resolved_s is None else _duration(response.resolved_s)
    fired, spent = _duration(response.fired_s), _percent(response.spent_share)
    if bound is not None:
        fired = f"{fired} of {_duration(bound.within_s)}"
        spent = f"{spent} of {_percent(bound.spent_share)}"
    return fired, spent, until


def _after(seconds: float) -> str:
    return f"{_duration(seconds)} after" if seconds >= 0 else f"{_duration(-seconds)} before"


def _duration(seconds: float) -> str:
    return format_duration(round(seconds)) if round(seconds) > 0 else "0s"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
