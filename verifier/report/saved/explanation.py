"""A failure explained from a verdict that was saved: values, distances, bounds, the culprit.

Called by `agentaskit-sim explain`. For each alert that failed: what is likely to blame, the value
of each comparison of its condition at the instants that decided, and which bound would have held.
It judges nothing anew. Times are scenario times, from its start, unless they say otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from documents.amounts import figure
from verifier.judge.failures.sentences import change_sentence
from verifier.judge.silence_verdicts import ALERT
from verifier.report.alert_states import why_it_need_not
from verifier.report.lists import FAILED, VACUOUS, lists, resolved_early_text
from verifier.report.saved.saved_outcomes import saved_outcomes, saved_run
from verifier.report.tally import verdict_line
from verifier.report.wording import instant
from verifier.run_record import run_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.report.saved.saved_verdict import SavedVerdict

    Values = Mapping[str, Any]

SUSPECTS: Final = {
    "fault": "the fault",
    "rule": "the rule",
    "route": "the route",
    "expectation": "the expectation",
}
NOT_WEIGHED: Final = "not weighed: the verdict was saved by a release that did not"
WHO_COULD_NOT: Final = "it could not have fired, whatever a scenario does"


def explanation(saved: SavedVerdict, alert: str | None = None) -> list[str]:
    """Return the lines that explain what failed, or everything of one `alert`."""
    outcomes = saved_outcomes(saved)
    parts: list[list[str]] = []
    for scenario, outcome in zip(saved.scenarios, outcomes, strict=True):
        if alert is None:
            parts += _of_clocks(scenario)
        for each, verdict in zip(scenario["alerts"], outcome.alerts, strict=True):
            if alert == each["alert"] or (alert is None and not each["ok"]):
                early = resolved_early_text(verdict)
                parts.append([*_of_alert(scenario, each), *([f"  {early}"] if early else [])])
    if alert is None:
        parts += _beside_failures(outcomes)
    else:
        parts += _not_judged(outcomes, alert)
    if saved.partial:
        parts.append(["The run was interrupted: what it did not judge cannot be explained."])
    if alert is None:
        parts += _run(saved)
        parts.append([verdict_line(outcomes)])
    return [line for part in parts for line in (*part, "")][:-1]


def _run(saved: SavedVerdict) -> Iterator[list[str]]:
    """Yield what was run, where the verdict says it."""
    run = saved_run(saved)
    if run is not None:
        facts = run_facts(run)
        yield ["This run", *(f"  {name}: {line}" for name, lines in facts for line in lines)]


def _beside_failures(outcomes: Sequence[ScenarioOutcome]) -> Iterator[list[str]]:
    """Yield what the report lists but alerts that failed, which are explained one by one."""
    for part in lists(outcomes):
        at_length = part.heading in (FAILED, VACUOUS)
        if not at_length and part.weight != "count":
            yield [part.heading, *(f"  {line}" for line in part.lines)]


def _not_judged(outcomes: Sequence[ScenarioOutcome], alert: str) -> list[list[str]]:
    """Return why an alert was not judged, once, if it was not."""
    items = (item for outcome in outcomes for item in outcome.not_judged)
    about = dict.fromkeys(item for item in items if item.subject == f"{ALERT}{alert}")
    return [[f"{item.subject}: not judged", f"  {item.reason} ({item.place})"] for item in about]


def _of_clocks(scenario: Values) -> Iterator[list[str]]:
    """Yield where the two clocks of a scenario differ."""
    clocks = [each for each in scenario.get("clocks") or () if not each["ok"]]
    if clocks:
        lines = (f"  {c['alert']}, {c['transition']}: {c['reason']}" for c in clocks)
        yield [f"{scenario['name']}: the two clocks differ", *lines]


def _of_alert(scenario: Values, alert: Values) -> Iterator[str]:
    """Yield the lines on one alert in one scenario."""
    labels = ", ".join(f"{name}={text}" for name, text in alert["labels"].items())
    title = f"{scenario['name']}: {alert['alert']}{f'{{{labels}}}' if labels else ''}"
    could_not = alert["ok"] and alert.get("vacuous")
    state = "could not have fired, and need not" if could_not else "did not fail"
    yield f"{title}: {state if alert['ok'] else 'failed'}"
    reason = alert["reason"].split("; ")
    if alert["ok"]:
        yield f"  expected: {_expected(alert)}"
        yield from (f"  {sentence}" for sentence in reason)
        yield from (f"  {text}" for text in _spared(alert))
        for comparison in alert.get("margin", ()):
            yield from _comparison(alert, comparison)
        if could_not:
            yield f"  {why_it_need_not(alert.get('accepted'), alert.get('could_fire_in'))}"
        return
    yield f"  {reason[0]}"
    yield f"  expected: {_expected(alert)}"
    yield f"  likely culprit: {_culprit(alert)}"
    evidence = alert.get("evidence")
    if evidence is not None:
        yield from _numbers(alert, evidence)
        yield from _bounds(evidence)
    elif alert.get("vacuous"):
        yield f"  {alert['vacuous']}"
    if alert.get("broke_at"):
        yield f"  broke at: {alert['broke_at']}"
    yield from (f"  notified: {text}" for text in _deliveries(alert))


def _spared(alert: Values) -> Iterator[str]:
    """Yield by how much an alert that did as expected was within its limits."""
    firing_s, within_s = alert["firing_s"], alert.get("fires_within_s")
    if firing_s is not None and within_s is not None and firing_s <= within_s:
        yield f"it fired {instant(within_s - firing_s)} before its limit"
    resolved_s, within_s = alert.get("resolved_s"), alert.get("resolves_within_s")
    if firing_s is not None and resolved_s is not None and within_s is not None:
        left_s = (alert.get("cause_end_s") or 0.0) + within_s - resolved_s
        if left_s >= 0:
            yield f"it resolved {instant(left_s)} before its limit"


def _expected(alert: Values) -> str:
    """Say what was expected of an alert."""
    if alert["expected"] != "fires":
        return {"explained": "explained, if it fires"}.get(
            alert["expected"], "that it stays silent"
        )
    cause = alert.get("cause")
    limits = [f"fires within {instant(alert['fires_within_s'])}"]
    limits[0] += f" of {cause}" if cause else " of the start"
    if cause and alert["onset_s"]:
        limits[0] += f", which began at {instant(alert['onset_s'])}"
    if alert.get("resolves_within_s") is not None:
        limits.append(f"resolves within {instant(alert['resolves_within_s'])} of its end")
    return ", ".join(limits)


def _culprit(alert: Values) -> str:
    evidence = alert.get("evidence")
    if evidence is None:
        return f"the rule: {WHO_COULD_NOT}" if alert.get("vacuous") else NOT_WEIGHED
    if "culprit" not in evidence:
        return NOT_WEIGHED
    culprit = evidence["culprit"]
    if culprit is None:
        return "none of fault, rule, route and expectation: scrapes failed"
    return f"{SUSPECTS[culprit['suspect']]}: {culprit['because']}"


def _numbers(alert: Values, evidence: Values) -> Iterator[str]:
    """Yield the condition of a rule in numbers."""
    if evidence["for_s"] is None:
        return
    wait = f"its `for` is {instant(evidence['for_s'])}"
    if evidence["held_s"] is None:
        yield f"  its condition never held; {wait}"
    else:
        since = f"from {_moment(evidence['held_from_s'])} on"
        held = f"its condition held for {instant(evidence['held_s'])} at the longest"
        yield f"  {held}, {since}; {wait}"
    for comparison in evidence["comparisons"]:
        yield from _comparison(alert, comparison)
    if evidence["fault_effect"]:
        yield f"  {evidence['fault_effect']}"


def _comparison(alert: Values, comparison: Values) -> Iterator[str]:
    """Yield a comparison and a table of its values where something was decided."""
    yield f"  {comparison['condition']}"
    if comparison["labels"]:
        yield "    of " + ", ".join(f"{k}={v}" for k, v in comparison["labels"].items())
    limit = 0.0 if comparison["threshold"] is None else comparison["threshold"]
    rows = [
        (each["at_s"], each["moment"], each["value"]) for each in comparison.get("readings", ())
    ]
    nearest = "furthest beyond" if comparison["held_s"] is not None else "nearest"
    rows = [*rows, (comparison["at_s"], nearest, comparison["nearest"])]
    if comparison["last"] is not None:
        rows.append((float("inf"), "at the end", comparison["last"]))
    rows.sort(key=lambda row: row[0])
    yield from _table(
        ("", "scenario time", "value", "from the threshold"),
        [
            (
                moment,
                "" if at_s == float("inf") else instant(at_s),
                "none" if value is None else figure(value),
                "" if value is None else _distance(value, limit, comparison["operator"]),
            )
            for at_s, moment, value in rows
        ],
    )
    sustained = comparison.get("sustained")
    if sustained is not None and alert["firing_s"] is None and comparison["threshold"] is not None:
        kept = f"kept up for the whole `for`: {figure(sustained)}"
        yield f"    {kept}; the threshold is {figure(limit)}"


def _distance(value: float, limit: float, operator: str) -> str:
    """Say on which side of a threshold a value is, how far, and in its share where it has one."""
    gap = abs(value - limit)
    share = f" ({gap / abs(limit):.1%})" if limit else ""
    beyond = {
        ">": value > limit,
        ">=": value >= limit,
        "<": value < limit,
        "<=": value <= limit,
        "==": value == limit,
        "!=": value != limit,
    }[operator]
    return f"{figure(gap)}{share} {'beyond' if beyond else 'short of it'}"


def _bounds(evidence: Values) -> Iterator[str]:
    if evidence["would_hold"]:
        bounds = " and ".join(f"`{bound}`" for bound in evidence["would_hold"])
        yield f"  would have held: {bounds}"
    yield from (f"  {change_sentence(change)}" for change in evidence.get("would_fire", ()))
    if evidence["overlay"]:
        yield f"  to expect it: {evidence['overlay']}"


def _deliveries(alert: Values) -> Iterable[str]:
    return (
        f"{each['receiver']} that it {'fires' if each['status'] == 'firing' else 'resolved'},"
        f" at {instant(round(each['at_s']))} of the scenario"
        for each in alert.get("deliveries", ())
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table: the first column to the left, the others to the right."""
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    for row in (head, *rows):
        first, *others = row
        cells = [first.ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield f"    {'   '.join(cells)}".rstrip()


def _moment(seconds: float) -> str:
    return instant(seconds) if seconds < 0 else f"{instant(seconds)} of the scenario"
