"""What the report lists beside its table: what failed and why, what was silent, what was found.

Terminal, summary, page and `explain` all read these lists, so that they say the same of the same
verdict. It judges nothing and leaves nothing out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from documents.amounts import amount
from documents.durations import format_duration
from scenarios.library.files import library
from verifier.judge.expectation_matching import at_least, times_text
from verifier.judge.verdict import overall
from verifier.report import real_time_text, virtual_time_text
from verifier.report.alert_states import alert_state, names_in, why_it_need_not
from verifier.report.panel_lists import answered, not_judged, unanswered, untrue
from verifier.report.seed_lines import SEEDS, seed_lines
from verifier.report.tally import silent_of
from verifier.report.wording import event_cell, title
from verifier.seeds.across import representatives
from verifier.seeds.naming import base_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

Weight = Literal["failure", "remark", "count"]
"""Whether a part keeps the run from a pass, explains what is in it, or counts what is well."""
NAMED_MAX: Final = 3
"""Scenarios that a line names, and alerts that fired in no scenario of a part of the library."""
TIMES_MAX: Final = 5
"""Times of an alert that a line gives."""
FAILED: Final = "Failed"
VACUOUS: Final = "Vacuous: could not have fired"
WAY_OUT: Final = (
    "Mend the rule, or let a scenario show what it reads; to accept one as it is:"
    " --accept 'ALERT=REASON', or `accept` in an overlay"
)


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A line of a list; a page leads from it to its `scenario`, and to its `alert` there."""

    text: str
    scenario: str = ""
    subject: str = ""
    alert: AlertVerdict | None = None

    def __str__(self) -> str:
        """Write `drop: Throughput: never fired`."""
        return ": ".join(part for part in (self.scenario, self.subject, self.text) if part)


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A list under its heading."""

    heading: str
    items: tuple[ReportItem, ...]
    weight: Weight

    @property
    def lines(self) -> list[str]:
        """The items as text; the sentences of a failure stand below each other."""
        if self.heading != FAILED:
            return [str(item) for item in self.items]
        return [str(item).replace("; ", "\n    ") for item in self.items]


def lists(outcomes: Sequence[ScenarioOutcome]) -> list[ReportPart]:
    """Return every part of the report that has lines."""
    findings = _unique(finding for outcome in outcomes for finding in outcome.findings)
    runs = representatives(outcomes)
    parts: tuple[tuple[str, Weight, Iterable[ReportItem]], ...] = (
        (SEEDS, _weight(outcomes), _lines(seed_lines(outcomes))),
        ("Could not be judged", "failure", _of_each(runs, lambda outcome: outcome.invalid)),
        (FAILED, "failure", _failed(runs)),
        (VACUOUS, "failure", _lines(_vacuous(outcomes))),
        ("Panels that did not answer", "failure", _lines(unanswered(outcomes))),
        ("Panels that differ from the world", "failure", _lines(untrue(outcomes))),
        ("Not judged", "failure", _lines(not_judged(outcomes))),
        ("Resolved while the cause lasted", "remark", _resolved_early(runs)),
        ("Also fired, as explained", "remark", _explained(runs)),
        ("Silent, as expected", "count", _silence(runs)),
        ("Did not fire, and need not", "remark", _of_each(runs, _need_not_fire)),
        ("Could not have fired, and need not", "remark", _lines(_forgiven(outcomes))),
        ("Fired in no scenario", "remark", _lines(_never_fired(outcomes))),
        ("Incidents during the run", "remark", _of_each(runs, lambda outcome: outcome.notes)),
        ("Findings in rules, dashboards and routing", "remark", _lines(findings)),
        ("Panels", "count", _lines(answered(outcomes))),
    )
    listed = (ReportPart(heading, tuple(items), weight) for heading, weight, items in parts)
    return [part for part in listed if part.items]


def _weight(outcomes: Sequence[ScenarioOutcome]) -> Weight:
    return "remark" if overall(outcomes) == "pass" else "failure"


def resolved_early_text(alert: AlertVerdict) -> str | None:
    """Say that an alert resolved before its cause ended, which looks like an all-clear.

    Also of one that fired again by the same cause, which resolved for good after it.
    """
    early_s = alert.early_resolves_s
    if early_s and len(alert.firings) > 1:
        least = at_least(alert.firings)
        fired = f"fired {least}{times_text(len(alert.firings))}"
        ends = f"resolved {least}{times_text(len(early_s))} while {alert.cause} lasted"
        began_s = [from_s for from_s, _ in alert.firings]
        return (
            f"{fired} ({_instants(alert, began_s)}), {ends} ({_instants(alert, early_s)}):"
            f" whoever is on call reads {'an all-clear' if len(early_s) == 1 else 'all-clears'}"
        )
    if alert.resolved_early_s is None:
        return None
    early = format_duration(round(alert.resolved_early_s, 1))
    return f"resolved {early} before {alert.cause} ended: whoever is on call reads an all-clear"


def _instants(alert: AlertVerdict, instants_s: Sequence[float]) -> str:
    """Write times of an alert as its table does, the first few of them."""
    texts = [str(event_cell(alert, each)) for each in instants_s[:TIMES_MAX]]
    more = len(instants_s) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")


def _lines(texts: Iterable[str]) -> Iterator[ReportItem]:
    return (ReportItem(text) for text in texts)


def _of_each(
    outcomes: Sequence[ScenarioOutcome], texts: Callable[[ScenarioOutcome], Iterable[str]]
) -> Iterator[ReportItem]:
    """Yield a line for each text on each scenario."""
    return (ReportItem(text, outcome.name) for outcome in outcomes for text in texts(outcome))


def _failed(outcomes: Sequence[ScenarioOutcome]) -> Iterator[ReportItem]:
    rows = sorted(virtual_time_text.rows(outcomes), key=lambda row: row.scenario)
    return (
        ReportItem(row.alert.reason, row.scenario, str(row.title), row.alert)
        for row in rows
        if not row.alert.ok
    )


def _resolved_early(outcomes: Sequence[ScenarioOutcome]) -> Iterator[ReportItem]:
    for row in virtual_time_text.rows(outcomes):
        text = resolved_early_text(row.alert)
        if text is not None:
            yield ReportItem(text, row.scenario, str(row.title), row.alert)


def _explained(outcomes: Sequence[ScenarioOutcome]) -> Iterator[ReportItem]:
    for outcome in outcomes:
        explained = [alert for alert in outcome.alerts if alert_state(alert) == "explained"]
        for alert in explained:
            name = title(alert, [other for other in explained if other.alert == alert.alert])
            text = f"{alert.reason}{_notified(alert)}"
            yield ReportItem(text, outcome.name, str(name), alert)


def _notified(alert: AlertVerdict) -> str:
    names = real_time_text.notified_receivers(alert, "firing")
    return f" (notified: {', '.join(names)})" if names else ""


def _silence(outcomes: Sequence[ScenarioOutcome]) -> Iterator[ReportItem]:
    return (
        ReportItem(f"{silent_of(outcome)} alerts", outcome.name)
        for outcome in outcomes
        if not outcome.invalid
    )


def _need_not_fire(outcome: ScenarioOutcome) -> list[str]:
    names = names_in(outcome, "need not fire")
    return [", ".join(names)] if names else []


def _vacuous(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts whose silence proves nothing, each reason once, and the way out."""
    scenarios: dict[str, list[str]] = {}
    for outcome in outcomes:
        for alert in outcome.alerts:
            if alert.is_vacuous and not alert.ok:
                text = f"{alert.alert}: {alert.vacuous}"
                scenarios.setdefault(text, []).append(outcome.name)
    if not scenarios:
        return []
    lines = [f"{text}{_where(names, len(outcomes))}" for text, names in scenarios.items()]
    return [*lines, WAY_OUT]


def _forgiven(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts that could not have fired and are not held against the run, and why."""
    scenarios: dict[str, list[str]] = {}
    for outcome in outcomes:
        for alert in outcome.alerts:
            if alert_state(alert) == "could not fire":
                why = why_it_need_not(alert.accepted, alert.could_fire_in)
                text = f"{alert.alert} ({why})"
                scenarios.setdefault(text, []).append(outcome.name)
    return [f"{text}{_where(names, len(outcomes))}" for text, names in scenarios.items()]


def _where(names: Sequence[str], of: int) -> str:
    """Say in which scenarios of `of`, where there are several."""
    if of == 1:
        return ""
    if len(names) == of:
        return f" (in all {of} scenarios)"
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f" ({', '.join(names[:NAMED_MAX])}{more})"


def _never_fired(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts that fired in no scenario; of interest in a run of several scenarios.

    Of a part of the library no more than how many: most alerts are meant for the other scenarios.
    """
    if len(outcomes) < 2:
        return []
    names = _unique(alert.alert for o in outcomes for alert in o.alerts)
    fired = {alert.alert for o in outcomes for alert in o.alerts if alert.firing_s is not None}
    quiet = [name for name in names if name not in fired]
    left_out = {path.stem for path in library()}.difference(map(base_name, outcomes))
    if not left_out or len(quiet) <= NAMED_MAX:
        return quiet
    ran = len(set(map(base_name, outcomes)))
    text = f"{amount(ran, 'scenarios')} ran, {len(left_out)} of the library did not"
    return [f"{len(quiet)} of {amount(len(names), 'alerts')}: {text}"]


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
