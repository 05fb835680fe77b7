"""The sentence of every disagreement and every trap: the one place where they become text.

Called by `check`. Nothing reads these sentences back; who needs to know what is wrong reads the
value itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from documents.durations import format_duration
from verifier.errors import Finding
from verifier.promql.conditions import number_text
from verifier.slo.disagreements import (
    MissingPart,
    NoAlert,
    NotComparable,
    OtherHistogram,
    OtherRequests,
    PercentTwice,
    RepeatedCondition,
    SilentHours,
    SilentWhenAbsent,
    SingleWindow,
    SplitQuantile,
    UnstatedWindow,
    WrongBudget,
    WrongBudgetPeriod,
    WrongDivisor,
    WrongEvents,
    WrongFullBudget,
    WrongPanelThresholds,
    WrongQuantile,
    WrongShortWindow,
    WrongThreshold,
    WrongWindow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.slo.disagreements import Disagreement, Statement, Threshold, Trap, WrongNumber


def lines(disagreements: Iterable[Disagreement]) -> list[str]:
    """Return a line for each disagreement: `path:line:column: sentence`."""
    return [f"{each.place}: {disagreement_sentence(each)}" for each in disagreements]


def findings(traps: Iterable[Trap]) -> list[Finding]:
    """Return a finding for each trap."""
    return [Finding(trap.place, trap_sentence(trap)) for trap in traps]


def disagreement_sentence(problem: Disagreement) -> str:  # noqa: C901 - a case for each kind
    """Return what is wrong, without its place and without a full stop."""
    match problem:
        case NoAlert(_, objective, labels, optional):
            pairs = ", ".join(f"{name}={value}" for name, value in labels)
            sentence = f"{objective}: no alert has the labels {pairs}"
            if optional:
                verb = "are" if len(optional) > 1 else "is"
                sentence += f", but {' and '.join(optional)}, which {verb} loaded only on request"
        case MissingPart(_, alert, name):
            sentence = f"{alert} lacks {name}"
        case NotComparable(_, alert, reason):
            sentence = f"{alert} is not comparable with the policy: {reason}"
        case WrongEvents(_, alert, reason):
            sentence = f"{alert} is no share of the failed requests: {reason}"
        case OtherRequests(_, alert, requests, other, other_requests):
            sentence = f"{alert} takes its share of {requests}, {other} of {other_requests}"
        case (
            WrongWindow()
            | WrongQuantile()
            | WrongThreshold()
            | WrongDivisor()
            | WrongShortWindow()
            | UnstatedWindow()
        ):
            sentence = _number_sentence(problem)
        case WrongBudgetPeriod(_, alert, ranges_s, period_s):
            period = format_duration(period_s)
            sentence = (
                f"{alert} reads {_durations(ranges_s)}, the error budget's period is {period}"
            )
        case WrongFullBudget(_, alert, value):
            rule = "must read 1 or 100 per cent of the budget while nothing fails"
            sentence = f"{alert} {rule}, it reads {value:g}"
        case WrongBudget(_, alert, share, expected_share):
            sentence = (
                f"{alert} uses an error budget of {100 * share:g} % of the requests, the policy"
                f" leaves {100 * expected_share:g} %"
            )
        case WrongPanelThresholds(_, panel, dashboard, thresholds, alert, fires_at):
            plural = "s" if len(thresholds) > 1 else ""
            values = ", ".join(map(number_text, thresholds))
            sentence = (
                f"panel {panel!r} of {dashboard!r} has the threshold{plural} {values}, but"
                f" {alert} fires at {number_text(fires_at)}"
            )
        case _:
            assert_never(problem)
    return sentence


def _number_sentence(problem: WrongNumber) -> str:
    """Return where a condition turns, or over what, and what the policy says of it."""
    match problem:
        case WrongWindow(_, alert, ranges_s, policy):
            sentence = f"{alert} reads {_durations(ranges_s)}, {_statement(policy)}"
        case WrongQuantile(_, alert, quantile, policy):
            read = "no quantile" if quantile is None else f"the {quantile:g} quantile"
            sentence = f"{alert} reads {read}, {_statement(policy)}"
        case WrongThreshold(_, alert, threshold, expected, policy):
            fires = f"{alert} fires at {_threshold(threshold)}"
            sentence = f"{fires}, it must be {_threshold(expected)}: {_statement(policy)}"
        case WrongDivisor(_, alert, divisor, expected, policy):
            sentence = (
                f"{alert} divides by {number_text(divisor)}, it must divide by"
                f" {number_text(expected)}: {_statement(policy)}"
            )
        case WrongShortWindow(_, alert, window_s, threshold, expected, long_window_s):
            sentence = (
                f"{alert} fires at {_threshold(threshold)} over {format_duration(window_s)}, it"
                f" must be {_threshold(expected)}, as over {format_duration(long_window_s)}"
            )
        case UnstatedWindow(_, alert, window_s, threshold):
            sentence = (
                f"{alert} also fires at {_threshold(threshold)} over {format_duration(window_s)},"
                " which is no window of the policy"
            )
        case _:
            assert_never(problem)
    return sentence


def trap_sentence(trap: Trap) -> str:
    """Return what misleads, without its place and without a full stop."""
    match trap:
        case PercentTwice(_, alert, function, value):
            shown = f"it would show {value:g}%"
            sentence = f"{alert}: {function} multiplies by 100, the value is in per cent: {shown}"
        case SplitQuantile(_, alert):
            sentence = (
                f"{alert}: histogram_quantile without `sum by (le)` fires once for every label set"
            )
        case SingleWindow(_, alert):
            sentence = (
                f"{alert}: a burn rate over a single window keeps firing for most of the window"
                " after a short outage has ended: add a short window with `and`"
            )
        case SilentHours(_, alert, guard, share) if not share:
            sentence = f"{alert}: {guard!r} holds at every hour, so it changes nothing"
        case SilentHours(_, alert, guard, share):
            sentence = (
                f"{alert}: silent for {100 * share:.3g} % of the time, by the clock ({guard}); the"
                " policy states no such hours"
            )
        case SilentWhenAbsent(_, alert, metric):
            sentence = (
                f"{alert}: without series a sum has no value: when {metric} is absent this does"
                " not fire; add an alert with absent()"
            )
        case RepeatedCondition(_, alert, other):
            sentence = f"{alert}: the same condition as {other}: both fire for one cause"
        case OtherHistogram(_, alert, panel, shown, read):
            sentence = (
                f"panel {panel!r} shows {shown}, {alert} reads {read}: they should show the same"
            )
        case _:
            assert_never(trap)
    return sentence


def _statement(policy: Statement) -> str:
    return f"{policy.place} says {policy.text} ({policy.objective})"


def _threshold(threshold: Threshold) -> str:
    return f"{threshold.operator} {number_text(threshold.value)}"


def _durations(seconds: frozenset[float]) -> str:
    return " and ".join(map(format_duration, sorted(seconds))) or "no range"
