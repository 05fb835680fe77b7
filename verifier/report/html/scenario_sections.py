"""A scenario in the report: verdict, story, faults, its alerts in a table, a place for its chart.

Called by `page`. It is plain HTML: nothing has to run for it to be read.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.report.alert_states import alert_state, names_in, why_it_need_not
from verifier.report.html.writing import alert_anchor, anchor, sentences, written
from verifier.report.lists import resolved_early_text
from verifier.report.real_time_text import RealTimeRow
from verifier.report.tally import silent_of
from verifier.report.virtual_time_text import VirtualTimeRow
from verifier.report.wording import COUNTED_FROM, cause_span, instant, title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome
    from verifier.report.wording import TimeCell
    from verifier.run_record import PlannedFault

ALERT_HEAD: Final = ("Alert", "Expected", "Cause", "Pending", "Fired", "Resolved", "Result")
NOTIFIED_HEAD: Final = ("Notified", "Resolve notified")
"""In real time alone: virtual time has nobody to notify."""
FAULT_HEAD: Final = ("Fault", "Kind", "From", "To", "Strength and targets", "Measured")
UNDRAWN: Final = (
    '<p class="undrawn hint">Its chart is not drawn: that needs JavaScript'
    '<span class="on-paper-hint" hidden>, and on paper the button'
    " at the top of the page</span>.</p>"
)
TIMES: Final = (
    f"{COUNTED_FROM} The second line of a cell is the time in the scenario, the third the window"
    " in which it had to be."
)


def section(outcome: ScenarioOutcome) -> str:
    """Return the part on one scenario."""
    name = anchor(outcome.name)
    reasons = "".join(f"<li>{written(reason)}</li>" for reason in outcome.invalid)
    notes = "".join(f"<li>{written(note)}</li>" for note in outcome.notes)
    return (
        f'<section class="scenario" id="{name}" tabindex="-1">'
        f"<h2>{escape(outcome.name)} "
        f'<span class="verdict {outcome.verdict}">{outcome.verdict}</span>'
        f" <small>{format_duration(round(outcome.duration_s))}, seed {outcome.seed}</small></h2>\n"
        + (f'<ul class="reasons">{reasons}</ul>\n' if reasons else "")
        + (f'<ul class="notes">{notes}</ul>\n' if notes else "")
        + _what_happens(outcome)
        + _alerts(outcome)
        + "".join(f"<p>{text}</p>\n" for text in _others(outcome))
        + (
            f'<div class="drawing" data-chart="chart-{name}"></div>{UNDRAWN}\n'
            if outcome.chart
            else ""
        )
        + '<p class="back"><a href="#main">Back to the table</a></p></section>\n'
    )


def _what_happens(outcome: ScenarioOutcome) -> str:
    """Return the story, the load, and a table of the faults."""
    record = outcome.record
    if record is None:
        return ""
    rows = "".join(_fault_row(fault, outcome) for fault in record.faults)
    faults = _table("Faults", FAULT_HEAD, rows) if rows else "<p>No faults.</p>\n"
    story = f'<p class="story">{written(record.story)}</p>\n' if record.story else ""
    return f"{story}<p>Load profile, before any fault: {escape(record.load)}.</p>\n{faults}"


def _fault_row(fault: PlannedFault, outcome: ScenarioOutcome) -> str:
    effect = outcome.fault_effects.get(fault.name, "")
    measured = effect.removeprefix(f"{fault.name} ({fault.kind}) did: ")
    cells = (
        fault.kind,
        instant(fault.start_s),
        instant(fault.end_s),
        fault.strength or "-",
        measured or "-",
    )
    texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(fault.name)}</th>{texts}</tr>\n'


def _alerts(outcome: ScenarioOutcome) -> str:
    """Return the alerts that had to fire, fired or failed, as a table."""
    reported = [
        a for a in outcome.alerts if a.expected == "fires" or a.firing_s is not None or not a.ok
    ]
    if not reported:
        return ""
    rows = "".join(_alert_row(outcome, alert, reported) for alert in reported)
    head: tuple[str, ...] = ALERT_HEAD
    if outcome.clock == "real":
        head = (*ALERT_HEAD[:-1], *NOTIFIED_HEAD, ALERT_HEAD[-1])
    return f"{_table('Alerts', head, rows)}<p class='hint'>{written(TIMES)}</p>\n"


def _others(outcome: ScenarioOutcome) -> Iterator[str]:
    """Yield what is said of the alerts that are not in the table, as HTML."""
    if not outcome.invalid:
        yield f"Silent, as expected: {silent_of(outcome)} alerts."
    if idle := names_in(outcome, "need not fire"):
        yield f"Did not fire, and need not: {escape(', '.join(idle))}."
    reasons = dict.fromkeys(
        f"{alert.alert} ({why_it_need_not(alert.accepted, alert.could_fire_in)})"
        for alert in outcome.alerts
        if alert_state(alert) == "could not fire"
    )
    if reasons:
        yield f"Could not have fired, and need not: {written(', '.join(reasons))}."
    if unjudged := names_in(outcome, "not judged"):
        yield f"Not judged: {escape(', '.join(unjudged))}, for the reasons above."


def _alert_row(
    outcome: ScenarioOutcome, alert: AlertVerdict, reported: Sequence[AlertVerdict]
) -> str:
    name = title(alert, [other for other in reported if other.alert == alert.alert])
    labels = ", ".join(f'{name}="{text}"' for name, text in alert.labels)
    first, _, more = ("", "", "") if alert.ok else alert.reason.partition("; ")
    result = f"✗ {written(first)}" if first else f"✓ {sentences(alert.reason)}"
    if early := resolved_early_text(alert):
        result += f'<br><span class="remark">{escape(early)}</span>'
    if alert.broke_at is not None:
        result += f"<br>broke at {alert.broke_at}"
    notified: tuple[str, ...] = ()
    if outcome.clock == "real":
        row = RealTimeRow(name, outcome.name, alert)
        notified = (f"{row.notified}<br><small>{escape(row.receivers)}</small>", str(row.notice))
    texts = (
        alert.expected,
        _cause(outcome, alert),
        *_times(VirtualTimeRow(name, outcome.name, alert)),
        *notified,
        result,
    )
    cells = "".join(f"<td>{text}</td>" for text in texts)
    style = "ok" if alert.ok else "failed"
    below = (
        f'<tr class="{style} detail"><td colspan="{len(texts) + 1}">{sentences(more)}</td></tr>\n'
    )
    return (
        f'<tr class="{style}" id="{alert_anchor(outcome.name, alert)}">'
        f'<th scope="row" title="{escape(labels)}">{escape(str(name))}</th>'
        f"{cells}</tr>\n{below if more else ''}"
    )


def _cause(outcome: ScenarioOutcome, alert: AlertVerdict) -> str:
    """Return the cause, and from when to when it lasts."""
    if alert.cause is None:
        return "none"
    return f"{escape(alert.cause)}<br><small>{cause_span(outcome, alert)}</small>"


def _times(row: VirtualTimeRow) -> Iterator[str]:
    """Yield when the alert was pending, fired and resolved, as the terminal says it, and more."""
    alert = row.alert
    end_s, due_s = alert.cause_end_s or 0.0, alert.resolved_limit_s
    within_s = alert.fires_within_s
    firing = None if within_s is None else (0.0, within_s)
    resolving = None if due_s is None else (end_s, due_s)
    pending, fired, resolved = row.times
    yield _time(alert, alert.pending_s, pending)
    yield _time(alert, alert.firing_s, fired, firing)
    yield _time(alert, alert.resolved_s, resolved, resolving)


def _time(
    alert: AlertVerdict,
    seconds: float | None,
    cell: TimeCell,
    window: tuple[float, float] | None = None,
) -> str:
    """Return a time from the onset, and below it the scenario's time and the window it had."""
    below = []
    if seconds is not None and alert.cause is not None and alert.onset_s != 0:
        below.append(f"at {instant(alert.onset_s + seconds)}")
    if window is not None:
        from_s, to_s = (instant(alert.onset_s + each) for each in window)
        below.append(f"window {from_s} to {to_s}")
    return str(cell) + "".join(f"<br><small>{line}</small>" for line in below)


def _table(name: str, head: Sequence[str], rows: str) -> str:
    titles = "".join(f'<th scope="col">{title_}</th>' for title_ in head)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f'<table class="alerts">'
        f"<thead><tr>{titles}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )
